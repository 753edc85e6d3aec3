/* What one asks that catches up, and the answers: final blocks, epochs, headers. */
#include "net/wire.h"

#include "base/cursor.h"

#include <assert.h>

#define VALIDATOR_SIZE   48
#define HEADERS_COUNT_AT 8 /* behind the first number */

static void append_sized(struct buffer *out, struct bytes header)
{
    assert(header.size <= HEADER_SIZE_MAX);
    store_be16(buffer_extend(out, 2), (uint16_t)header.size);
    buffer_append(out, header);
}

/* E_MALFORMED also for an empty one. */
static enum status cursor_header(struct cursor *c, struct bytes *out)
{
    size_t size = cursor_u16(c);
    if (c->failed || size == 0) return E_MALFORMED;
    if (size > HEADER_SIZE_MAX) return E_LIMIT;
    *out = cursor_bytes(c, size);
    return c->failed ? E_MALFORMED : OK;
}

/* Its own bitmap says how long a certificate is, and nothing may follow it. */
static bool is_one_certificate(struct bytes b)
{
    return b.size >= CERTIFICATE_SIZE_MIN && certificate_size_in(b) == b.size;
}

void wire_final_encode(struct buffer *out, const struct wire_final *f)
{
    if (f->header.size == 0) return;
    assert(is_one_certificate(f->certificate));
    append_sized(out, f->header);
    buffer_append(out, f->certificate);
}

enum status wire_final_decode(struct wire_final *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct wire_final f = {0};
    if (input.size > 0) {
        enum status status = cursor_header(&c, &f.header);
        if (status != OK) return status;
        if (!is_one_certificate(c.rest)) return E_MALFORMED;
        f.certificate = c.rest;
    }
    *out = f;
    return OK;
}

void wire_epoch_encode(struct buffer *out, const struct wire_epoch *e)
{
    store_be64(buffer_extend(out, 8), e->epoch);
    append_sized(out, e->header);
    if (e->header.size == 0) return;
    assert(e->validator_count > 0 && e->validator_count <= VALIDATORS_MAX);
    assert(is_one_certificate(e->certificate));
    store_be16(buffer_extend(out, 2), (uint16_t)e->validator_count);
    for (uint32_t i = 0; i < e->validator_count; i++) {
        buffer_append(out, address_bytes(&e->validators[i].operator_address));
        buffer_append(out, address_bytes(&e->validators[i].consensus_address));
        store_be64(buffer_extend(out, 8), e->validators[i].weight);
    }
    buffer_append(out, e->certificate);
}

static void read_validators(struct wire_epoch *out, struct bytes bytes)
{
    struct cursor c = cursor_over(bytes);
    for (uint32_t i = 0; i < out->validator_count; i++) {
        out->validators[i].operator_address = cursor_address(&c);
        out->validators[i].consensus_address = cursor_address(&c);
        out->validators[i].weight = cursor_u64(&c);
    }
    assert(cursor_end(&c) == OK);
}

static void epoch_lacking(struct wire_epoch *out, uint64_t epoch)
{
    out->epoch = epoch;
    out->header = out->certificate = (struct bytes){0};
    out->validator_count = 0;
}

enum status wire_epoch_decode(struct wire_epoch *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct bytes header = {0};
    uint64_t epoch = cursor_u64(&c);
    if (!c.failed && c.rest.size == 2 && load_be16(c.rest.data) == 0) {
        epoch_lacking(out, epoch);
        return OK;
    }
    enum status status = cursor_header(&c, &header);
    if (status != OK) return status;
    uint32_t count = cursor_u16(&c);
    if (count > VALIDATORS_MAX) return E_LIMIT;
    struct bytes validators = cursor_bytes(&c, (size_t)count * VALIDATOR_SIZE);
    if (c.failed || count == 0 || !is_one_certificate(c.rest)) return E_MALFORMED;
    out->epoch = epoch;
    out->header = header;
    out->validator_count = count;
    out->certificate = c.rest;
    read_validators(out, validators);
    return OK;
}

/* Numbers of blocks must not run past the end of their type. */
static bool range_fits(uint64_t first, uint64_t count)
{
    return count <= UINT64_MAX - first;
}

void wire_range_encode(struct buffer *out, const struct wire_range *r)
{
    assert(r->count > 0 && r->count <= WIRE_HEADERS_MAX && range_fits(r->first, r->count));
    store_be64(buffer_extend(out, 8), r->first);
    store_be16(buffer_extend(out, 2), r->count);
}

enum status wire_range_decode(struct wire_range *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct wire_range r;
    r.first = cursor_u64(&c);
    r.count = cursor_u16(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (r.count > WIRE_HEADERS_MAX) return E_LIMIT;
    if (r.count == 0 || !range_fits(r.first, r.count)) return E_MALFORMED;
    *out = r;
    return OK;
}

void wire_headers_begin(struct buffer *out, uint64_t first)
{
    store_be64(buffer_extend(out, 8), first);
    store_be16(buffer_extend(out, 2), 0);
}

void wire_headers_add(struct buffer *out, size_t begun_at, struct bytes header)
{
    assert(out->size >= begun_at + HEADERS_COUNT_AT + 2 && header.size > 0);
    uint8_t *count_at = out->data + begun_at + HEADERS_COUNT_AT;
    uint16_t count = load_be16(count_at);
    assert(count < WIRE_HEADERS_MAX && range_fits(load_be64(out->data + begun_at), count + 1u));
    store_be16(count_at, (uint16_t)(count + 1));
    append_sized(out, header);
}

enum status wire_headers_decode(struct wire_headers *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct wire_headers h;
    h.first = cursor_u64(&c);
    h.count = cursor_u16(&c);
    h.rest = c.rest;
    if (c.failed) return E_MALFORMED;
    if (h.count > WIRE_HEADERS_MAX) return E_LIMIT;
    if (!range_fits(h.first, h.count)) return E_MALFORMED;
    for (uint32_t i = 0; i < h.count; i++) {
        struct bytes header;
        enum status status = cursor_header(&c, &header);
        if (status != OK) return status;
    }
    if (cursor_end(&c) != OK) return E_MALFORMED;
    *out = h;
    return OK;
}

struct bytes wire_header_next(struct wire_headers *h)
{
    struct cursor c = cursor_over(h->rest);
    struct bytes header = {0};
    assert(h->count > 0);
    enum status status = cursor_header(&c, &header);
    assert(status == OK); /* wire_headers_decode saw the whole layout */
    h->rest = c.rest;
    h->count--;
    return header;
}
