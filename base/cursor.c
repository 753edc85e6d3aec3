#include "base/cursor.h"

#include <string.h>

struct cursor cursor_over(struct bytes input)
{
    return (struct cursor){.rest = input};
}

struct bytes cursor_bytes(struct cursor *c, size_t size)
{
    if (c->failed || size > c->rest.size) {
        c->failed = true;
        return (struct bytes){0};
    }
    struct bytes taken = bytes_slice(c->rest, 0, size);
    c->rest = bytes_slice(c->rest, size, c->rest.size - size);
    return taken;
}

void cursor_exact(struct cursor *c, uint8_t *out, size_t size)
{
    struct bytes taken = cursor_bytes(c, size);
    if (taken.size == size && size > 0)
        memcpy(out, taken.data, size);
    else
        memset(out, 0, size);
}

uint8_t cursor_u8(struct cursor *c)
{
    uint8_t value;
    cursor_exact(c, &value, 1);
    return value;
}

uint16_t cursor_u16(struct cursor *c)
{
    uint8_t raw[2];
    cursor_exact(c, raw, sizeof raw);
    return load_be16(raw);
}

uint32_t cursor_u32(struct cursor *c)
{
    uint8_t raw[4];
    cursor_exact(c, raw, sizeof raw);
    return load_be32(raw);
}

uint64_t cursor_u64(struct cursor *c)
{
    uint8_t raw[8];
    cursor_exact(c, raw, sizeof raw);
    return load_be64(raw);
}

struct hash cursor_hash(struct cursor *c)
{
    struct hash h = {0};
    cursor_exact(c, h.b, sizeof h.b);
    return h;
}

struct address cursor_address(struct cursor *c)
{
    struct address a = {0};
    cursor_exact(c, a.b, sizeof a.b);
    return a;
}

enum status cursor_end(const struct cursor *c)
{
    return c->failed || c->rest.size ? E_MALFORMED : OK;
}
