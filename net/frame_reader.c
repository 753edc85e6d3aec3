#include "net/frame_reader.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>

#define BODY_CAPACITY_MIN 4096

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct bytes take(struct bytes *input, size_t size)
{
    struct bytes taken = bytes_slice(*input, 0, size);
    *input = bytes_slice(*input, size, input->size - size);
    return taken;
}

static void release_body(struct frame_reader *r)
{
    free(r->body);
    r->body = NULL;
    r->body_size = r->body_capacity = 0;
}

static enum status judge_head(struct frame_reader *r)
{
    uint32_t size = load_be32(r->head);
    const struct wire_row *row = wire_row(r->head[4]);
    if (size == 0) return E_MALFORMED;
    if (row == NULL) return E_UNSUPPORTED;
    if (size - 1 > row->size_max) return E_LIMIT;
    if ((r->head[4] == WIRE_HELLO) == r->greeted) return E_STATE;
    r->greeted = true;
    return OK;
}

/* By doubling, so that a promise costs its maker as much as it costs us. */
static void grow_body(struct frame_reader *r, size_t needed, size_t wanted)
{
    size_t capacity = r->body_capacity ? r->body_capacity : BODY_CAPACITY_MIN;
    assert(needed <= wanted);
    while (capacity < needed)
        capacity *= 2;
    capacity = smaller(capacity, wanted);
    if (capacity <= r->body_capacity) return;
    r->body = must_realloc(r->body, capacity);
    r->body_capacity = capacity;
}

/* True when the body is whole. */
static bool collect_body(struct frame_reader *r, struct bytes *out, struct bytes *input)
{
    size_t wanted = load_be32(r->head) - 1;
    if (r->body_size == 0 && input->size >= wanted) {
        *out = take(input, wanted);
        return true;
    }
    struct bytes more = take(input, smaller(wanted - r->body_size, input->size));
    if (more.size > 0) {
        grow_body(r, r->body_size + more.size, wanted);
        memcpy(r->body + r->body_size, more.data, more.size);
        r->body_size += more.size;
    }
    *out = bytes_of(r->body, r->body_size);
    return r->body_size == wanted;
}

static enum status collect_head(struct frame_reader *r, struct bytes *input)
{
    struct bytes more = take(input, smaller(FRAME_HEAD_SIZE - r->head_size, input->size));
    if (more.size > 0) memcpy(r->head + r->head_size, more.data, more.size);
    r->head_size += more.size;
    if (r->head_size < FRAME_HEAD_SIZE) return E_NOT_FOUND;
    r->status = judge_head(r);
    return r->status;
}

enum status frame_reader_next(struct frame_reader *r, struct frame *out, struct bytes *input)
{
    if (r->status != OK) return r->status;
    if (r->done) {
        release_body(r);
        r->head_size = 0;
        r->done = false;
    }
    if (r->head_size < FRAME_HEAD_SIZE) {
        enum status status = collect_head(r, input);
        if (status != OK) return status;
    }
    struct bytes payload;
    if (!collect_body(r, &payload, input)) return E_NOT_FOUND;
    *out = (struct frame){(enum wire_type)r->head[4], payload};
    r->done = true;
    return OK;
}

bool frame_reader_is_idle(const struct frame_reader *r)
{
    return r->done || r->head_size == 0;
}

void frame_reader_finish(struct frame_reader *r)
{
    release_body(r);
    *r = (struct frame_reader){0};
}
