#include "node/serve.h"

#include "base/fatal.h"
#include "net/rate.h"

#include <assert.h>
#include <stdlib.h>

#define REQUEST_COST 64 /* bytes that any request counts for, besides its answer */

struct bucket { /* bytes that may still be sent; filled by time */
    uint64_t left;
    uint64_t at_ms;
};

struct asker {
    uint64_t peer;
    struct bucket bucket;
    struct rate finals; /* a question of no bytes with a long answer, which is always given */
};

struct serve {
    struct serve_setup setup;
    struct bucket total;
    struct asker askers[SERVE_PEERS_MAX];
    size_t asker_count;
    struct buffer answer;
    /* Of the request at hand. */
    struct asker *asker;
    struct store_snapshot *view;
};

struct serve *serve_create(const struct serve_setup *setup)
{
    struct serve *s = must_alloc(sizeof *s);
    s->setup = *setup;
    s->total.left = 2ull * SERVE_TOTAL_BYTES;
    return s;
}

void serve_destroy(struct serve *s)
{
    if (s == NULL) return;
    buffer_finish(&s->answer);
    free(s);
}

/* ---- what an asker may still cost ---- */

static struct asker *asker_of(struct serve *s, uint64_t peer, uint64_t now_ms)
{
    for (size_t i = 0; i < s->asker_count; i++)
        if (s->askers[i].peer == peer) return &s->askers[i];
    if (s->asker_count == SERVE_PEERS_MAX) return NULL;
    struct asker *a = &s->askers[s->asker_count++];
    *a = (struct asker){
        peer, {2ull * SERVE_PEER_BYTES, now_ms}, rate_full(SERVE_FINAL_RATE, now_ms)};
    return a;
}

void serve_peer_closed(struct serve *s, uint64_t peer)
{
    for (size_t i = 0; i < s->asker_count; i++) {
        if (s->askers[i].peer != peer) continue;
        s->askers[i] = s->askers[--s->asker_count];
        return;
    }
}

static void fill(struct bucket *b, uint64_t rate_bytes, uint64_t now_ms)
{
    uint64_t most = 2 * rate_bytes;
    uint64_t passed_ms = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
    uint64_t more = passed_ms > 2000 ? most : passed_ms * rate_bytes / 1000;
    b->at_ms = now_ms;
    b->left = b->left + more > most ? most : b->left + more;
}

static void spend(struct serve *s, size_t bytes)
{
    struct bucket *own = &s->asker->bucket;
    own->left -= own->left < bytes ? own->left : bytes;
    s->total.left -= s->total.left < bytes ? s->total.left : bytes;
}

static bool has_credit(const struct serve *s)
{
    return s->asker->bucket.left > 0 && s->total.left > 0;
}

/* ---- answers ---- */

static bool fits(const struct serve *s, enum wire_type type, size_t size)
{
    enum channel channel = wire_row((uint8_t)type)->channel;
    size_t room = s->setup.room(s->setup.context, s->asker->peer, channel);
    return room >= FRAME_HEAD_SIZE + size;
}

/* Sends what lies in s->answer. */
static void answer(struct serve *s, enum wire_type type)
{
    assert(s->answer.size <= wire_row((uint8_t)type)->size_max);
    if (!fits(s, type, s->answer.size)) return;
    spend(s, s->answer.size);
    (void)s->setup.send(s->setup.context, s->asker->peer, type, buffer_bytes(&s->answer));
}

static void put_block(struct serve *s, const struct hash *hash, struct bytes block)
{
    struct wire_block w = {*hash, block};
    buffer_clear(&s->answer);
    wire_block_encode(&s->answer, &w);
}

static void read_block(struct serve *s, struct buffer *out, const struct hash *hash)
{
    uint64_t number;
    struct bytes held = ledger_bytes(s->setup.ledger, hash);
    buffer_append(out, held);
    if (held.size > 0 || !store_number_of_hash(s->view, hash, &number)) return;
    if (!store_block_by_number(s->view, number, out))
        fatal("reading block %llu", (unsigned long long)number);
}

/* BLOCK_REQUEST as BLOCK, BODY_REQUEST as BODY. */
static enum status answer_blocks(struct serve *s, enum wire_type type, struct bytes payload)
{
    struct hash hashes[WIRE_BLOCKS_MAX];
    size_t count;
    struct buffer block = {0};
    enum status status = wire_hashes_decode(hashes, &count, WIRE_BLOCKS_MAX, payload);
    for (size_t i = 0; status == OK && i < count; i++) {
        buffer_clear(&block);
        if (has_credit(s)) read_block(s, &block, &hashes[i]);
        put_block(s, &hashes[i], buffer_bytes(&block));
        if (!fits(s, type, s->answer.size)) put_block(s, &hashes[i], (struct bytes){0});
        answer(s, type);
    }
    buffer_finish(&block);
    return status;
}

static bool put_headers(struct serve *s, const struct wire_range *range)
{
    struct buffer header = {0};
    bool whole = range->first + range->count - 1 <= ledger_head(s->setup.ledger)->header.number;
    for (uint64_t n = range->first; whole && n < range->first + range->count; n++) {
        buffer_clear(&header);
        if (!store_header(s->view, n, &header))
            fatal("reading the header of block %llu", (unsigned long long)n);
        wire_headers_add(&s->answer, 0, buffer_bytes(&header));
    }
    buffer_finish(&header);
    return whole;
}

static enum status answer_headers(struct serve *s, struct bytes payload)
{
    struct wire_range range;
    enum status status = wire_range_decode(&range, payload);
    if (status != OK) return status;
    size_t about = (size_t)range.count * (HEADER_SIZE_MAX / 2);
    buffer_clear(&s->answer);
    wire_headers_begin(&s->answer, range.first);
    bool whole = has_credit(s) && fits(s, WIRE_HEADERS, about) && put_headers(s, &range);
    if (!whole || !fits(s, WIRE_HEADERS, s->answer.size)) {
        buffer_clear(&s->answer);
        wire_headers_begin(&s->answer, range.first);
    }
    answer(s, WIRE_HEADERS);
    return OK;
}

/* The set of the epoch after, from the record with which it started. */
static void read_set(const struct serve *s, struct wire_epoch *e)
{
    struct buffer bytes = {0};
    struct epoch_record *record = must_alloc(sizeof *record);
    if (!store_set(s->view, e->epoch + 1, &bytes) ||
        epoch_record_decode(record, buffer_bytes(&bytes)) != OK)
        fatal("reading the set of epoch %llu", (unsigned long long)e->epoch + 1);
    e->validator_count = record->epoch.validator_count;
    memcpy(e->validators, record->epoch.validators, sizeof e->validators);
    free(record);
    buffer_finish(&bytes);
}

/* Header and certificate of a final block; false: one of them is not there. */
static bool read_pair(const struct serve *s, uint64_t number, struct buffer *header,
                      struct buffer *certificate)
{
    return number > 0 && store_certificate(s->view, number, certificate) &&
           store_header(s->view, number, header);
}

static enum status answer_epoch(struct serve *s, struct bytes payload)
{
    struct wire_epoch *e = must_alloc(sizeof *e);
    struct buffer header = {0}, certificate = {0};
    uint64_t running = ledger_head(s->setup.ledger)->record->epoch.number;
    enum status status = wire_number_decode(&e->epoch, payload);
    if (status == OK && has_credit(s) && e->epoch < running &&
        read_pair(s, (e->epoch + 1) * s->setup.config->epoch_blocks, &header, &certificate)) {
        e->header = buffer_bytes(&header);
        e->certificate = buffer_bytes(&certificate);
        read_set(s, e);
    }
    buffer_clear(&s->answer);
    if (status == OK) wire_epoch_encode(&s->answer, e);
    if (status == OK) answer(s, WIRE_EPOCH);
    buffer_finish(&header);
    buffer_finish(&certificate);
    free(e);
    return status;
}

/* While we catch up ourselves the head may have no certificate: the last boundary block has. */
static enum status answer_final(struct serve *s, struct bytes payload, uint64_t now_ms)
{
    struct buffer header = {0}, certificate = {0};
    uint64_t number = ledger_head(s->setup.ledger)->header.number;
    uint64_t blocks = s->setup.config->epoch_blocks;
    if (payload.size > 0) return E_MALFORMED;
    if (rate_wait_ms(&s->asker->finals, now_ms) > 0) return OK;
    rate_spend(&s->asker->finals, 1, now_ms);
    buffer_clear(&s->answer);
    bool found = read_pair(s, number, &header, &certificate) ||
                 read_pair(s, number / blocks * blocks, &header, &certificate);
    if (found) {
        struct wire_final f = {buffer_bytes(&header), buffer_bytes(&certificate)};
        wire_final_encode(&s->answer, &f);
    }
    answer(s, WIRE_FINAL);
    buffer_finish(&header);
    buffer_finish(&certificate);
    return OK;
}

static enum status dispatch(struct serve *s, enum wire_type type, struct bytes payload,
                            uint64_t now_ms)
{
    if (type == WIRE_BLOCK_REQUEST) return answer_blocks(s, WIRE_BLOCK, payload);
    if (type == WIRE_BODY_REQUEST) return answer_blocks(s, WIRE_BODY, payload);
    if (type == WIRE_HEADERS_REQUEST) return answer_headers(s, payload);
    if (type == WIRE_EPOCH_REQUEST) return answer_epoch(s, payload);
    if (type == WIRE_FINAL_REQUEST) return answer_final(s, payload, now_ms);
    return OK;
}

void serve_message(struct serve *s, uint64_t peer, enum wire_type type, struct bytes payload,
                   uint64_t now_ms)
{
    s->asker = asker_of(s, peer, now_ms);
    if (s->asker == NULL) return;
    fill(&s->asker->bucket, SERVE_PEER_BYTES, now_ms);
    fill(&s->total, SERVE_TOTAL_BYTES, now_ms);
    spend(s, REQUEST_COST);
    s->view = store_snapshot_create(s->setup.store);
    enum status status = dispatch(s, type, payload, now_ms);
    store_snapshot_destroy(s->view);
    s->view = NULL;
    if (status != OK)
        s->setup.charge(s->setup.context, peer, OFFENCE_MALFORMED, "a request does not decode");
}
