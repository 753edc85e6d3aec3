#include "chain/consensus/proposal.h"

#include "base/cursor.h"

#include <assert.h>

void proposal_encode(struct buffer *out, const struct proposal *p, struct bytes block)
{
    assert(p->certificate_count <= PROPOSAL_CERTIFICATES_MAX);
    assert(block.size <= PROPOSAL_BLOCK_BYTES_MAX);
    vote_encode(out, &p->vote);
    buffer_append_byte(out, (uint8_t)p->certificate_count);
    for (uint32_t i = 0; i < p->certificate_count; i++) {
        size_t at = out->size;
        buffer_extend(out, 4);
        certificate_encode(out, &p->certificates[i]);
        store_be32(out->data + at, (uint32_t)(out->size - at - 4));
    }
    store_be32(buffer_extend(out, 4), (uint32_t)block.size);
    buffer_append(out, block);
}

static enum status decode_certificates(struct proposal *out, struct cursor *c, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = cursor_u32(c);
        struct bytes bytes = cursor_bytes(c, size);
        if (c->failed) return E_MALFORMED;
        enum status status = certificate_decode(&out->certificates[i], bytes);
        if (status != OK) return status;
    }
    out->certificate_count = count;
    return OK;
}

enum status proposal_decode(struct proposal *out, struct bytes *out_block, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct vote vote;
    struct bytes vote_bytes = cursor_bytes(&c, VOTE_SIZE);
    uint32_t count = cursor_u8(&c);
    if (c.failed) return E_MALFORMED;
    enum status status = vote_decode(&vote, vote_bytes);
    if (status != OK) return status;
    if (vote.kind != VOTE_NOTARIZE) return E_MALFORMED;
    if (count > PROPOSAL_CERTIFICATES_MAX) return E_LIMIT;
    status = decode_certificates(out, &c, count);
    if (status != OK) return status;
    uint32_t block_size = cursor_u32(&c);
    struct bytes block = cursor_bytes(&c, block_size);
    status = cursor_end(&c);
    if (status != OK) return status;
    if (block_size > PROPOSAL_BLOCK_BYTES_MAX) return E_LIMIT;
    out->vote = vote;
    *out_block = block;
    return OK;
}
