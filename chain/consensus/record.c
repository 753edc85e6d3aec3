#include "chain/consensus/record.h"

#include "base/cursor.h"

#include <assert.h>
#include <string.h>

static void encode_epoch(struct buffer *out, const struct record_epoch *e)
{
    uint8_t *p = buffer_extend(out, 48);
    store_be64(p, e->number);
    memcpy(p + 8, e->start_block.b, 32);
    store_be64(p + 40, e->start_number);
}

static void encode_block(struct buffer *out, const struct record_block *b)
{
    uint8_t *p = buffer_extend(out, 56);
    store_be64(p, b->epoch);
    store_be64(p + 8, b->view);
    store_be64(p + 16, b->parent_view);
    memcpy(p + 24, b->block.b, 32);
}

void record_encode(struct buffer *out, const struct record *r, struct bytes block_bytes)
{
    switch (r->kind) {
    case RECORD_EPOCH: encode_epoch(out, &r->epoch); break;
    case RECORD_VOTE: vote_encode(out, &r->vote); break;
    case RECORD_CERTIFICATE: certificate_encode(out, r->certificate); break;
    case RECORD_BLOCK:
        assert(block_bytes.size <= PROPOSAL_BLOCK_BYTES_MAX);
        encode_block(out, &r->block);
        buffer_append(out, block_bytes);
        break;
    case RECORD_KIND_COUNT: assert(0 && "no such record"); break;
    }
}

static enum status decode_epoch(struct record_epoch *out, struct bytes payload)
{
    struct cursor c = cursor_over(payload);
    out->number = cursor_u64(&c);
    out->start_block = cursor_hash(&c);
    out->start_number = cursor_u64(&c);
    return cursor_end(&c);
}

static enum status decode_block(struct record_block *out, struct bytes *out_bytes,
                                struct bytes payload)
{
    struct cursor c = cursor_over(payload);
    out->epoch = cursor_u64(&c);
    out->view = cursor_u64(&c);
    out->parent_view = cursor_u64(&c);
    out->block = cursor_hash(&c);
    if (c.failed || out->view == 0 || out->parent_view >= out->view) return E_MALFORMED;
    if (c.rest.size > PROPOSAL_BLOCK_BYTES_MAX) return E_LIMIT;
    *out_bytes = c.rest;
    return OK;
}

enum status record_decode(struct record *out, struct certificate *room,
                          struct bytes *out_block_bytes, enum record_kind kind,
                          struct bytes payload)
{
    struct record r;
    struct bytes bytes = {0};
    enum status status = E_MALFORMED;
    memset(&r, 0, sizeof(r));
    r.kind = kind;
    switch (kind) {
    case RECORD_EPOCH: status = decode_epoch(&r.epoch, payload); break;
    case RECORD_VOTE: status = vote_decode(&r.vote, payload); break;
    case RECORD_CERTIFICATE:
        r.certificate = room;
        status = certificate_decode(room, payload);
        break;
    case RECORD_BLOCK: status = decode_block(&r.block, &bytes, payload); break;
    case RECORD_KIND_COUNT: break;
    }
    if (status != OK) return status;
    *out = r;
    *out_block_bytes = bytes;
    return OK;
}
