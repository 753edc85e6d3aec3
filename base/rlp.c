#include "base/rlp.h"

#include <assert.h>
#include <string.h>

/* --- writer --- */

static size_t put_header(uint8_t out[9], uint8_t short_base, size_t size)
{
    if (size <= 55) {
        out[0] = (uint8_t)(short_base + size);
        return 1;
    }
    uint8_t be[8];
    store_be64(be, size);
    size_t skip = 0;
    while (be[skip] == 0)
        skip++;
    out[0] = (uint8_t)(short_base + 55 + (8 - skip));
    memcpy(out + 1, be + skip, 8 - skip);
    return 1 + 8 - skip;
}

void rlp_put_bytes(struct buffer *out, struct bytes item)
{
    if (item.size == 1 && item.data[0] < 0x80) {
        buffer_append_byte(out, item.data[0]);
        return;
    }
    uint8_t header[9];
    size_t header_size = put_header(header, 0x80, item.size);
    buffer_append(out, bytes_of(header, header_size));
    buffer_append(out, item);
}

void rlp_put_u64(struct buffer *out, uint64_t value)
{
    rlp_put_u256(out, u256_from_u64(value));
}

void rlp_put_u256(struct buffer *out, struct u256 value)
{
    uint8_t be[32];
    size_t size = u256_to_be_short(be, value);
    rlp_put_bytes(out, bytes_of(be, size));
}

void rlp_put_hash(struct buffer *out, const struct hash *h)
{
    rlp_put_bytes(out, hash_bytes(h));
}

void rlp_put_address(struct buffer *out, const struct address *a)
{
    rlp_put_bytes(out, address_bytes(a));
}

size_t rlp_list_open(struct buffer *out)
{
    return out->size;
}

void rlp_list_close(struct buffer *out, size_t mark)
{
    assert(mark <= out->size);
    uint8_t header[9];
    size_t content = out->size - mark;
    size_t header_size = put_header(header, 0xc0, content);
    buffer_extend(out, header_size);
    memmove(out->data + mark + header_size, out->data + mark, content);
    memcpy(out->data + mark, header, header_size);
}

/* --- reader --- */

struct rlp_reader rlp_reader_over(struct bytes input)
{
    return (struct rlp_reader){.rest = input};
}

bool rlp_at_end(const struct rlp_reader *r)
{
    return r->failed || r->rest.size == 0;
}

bool rlp_next_is_list(const struct rlp_reader *r)
{
    return !rlp_at_end(r) && r->rest.data[0] >= 0xc0;
}

void rlp_fail(struct rlp_reader *r)
{
    r->failed = true;
    r->rest = (struct bytes){0};
}

struct item {
    bool is_list;
    size_t header_size;
    size_t content_size;
};

/* The size that follows a long-form prefix; false unless it is minimal and above 55. */
static bool long_size(size_t *out, struct bytes from, size_t size_of_size)
{
    if (size_of_size > from.size || size_of_size > 8 || from.data[0] == 0) return false;
    uint64_t size = 0;
    for (size_t i = 0; i < size_of_size; i++)
        size = size << 8 | from.data[i];
    *out = size;
    return size > 55;
}

static bool parse_item(struct item *out, struct bytes rest)
{
    if (rest.size == 0) return false;
    uint8_t prefix = rest.data[0];
    out->is_list = prefix >= 0xc0;
    out->header_size = 1;
    if (prefix < 0x80) {
        out->header_size = 0;
        out->content_size = 1;
        return true;
    }
    uint8_t form = (uint8_t)(prefix - (out->is_list ? 0xc0 : 0x80));
    if (form <= 55) {
        out->content_size = form;
    } else {
        struct bytes tail = bytes_slice(rest, 1, rest.size - 1);
        out->header_size = 1 + (size_t)(form - 55);
        if (!long_size(&out->content_size, tail, (size_t)(form - 55))) return false;
    }
    if (out->content_size > rest.size - out->header_size) return false;
    bool needless_prefix = !out->is_list && out->content_size == 1 && rest.data[1] < 0x80;
    return !needless_prefix;
}

static bool next_item(struct rlp_reader *r, struct item *item)
{
    if (!r->failed && parse_item(item, r->rest)) return true;
    rlp_fail(r);
    return false;
}

static struct bytes take(struct rlp_reader *r, const struct item *item, bool with_header)
{
    size_t whole = item->header_size + item->content_size;
    size_t from = with_header ? 0 : item->header_size;
    struct bytes content = bytes_slice(r->rest, from, whole - from);
    r->rest = bytes_slice(r->rest, whole, r->rest.size - whole);
    return content;
}

struct bytes rlp_bytes(struct rlp_reader *r)
{
    struct item item;
    if (!next_item(r, &item)) return (struct bytes){0};
    if (item.is_list) {
        rlp_fail(r);
        return (struct bytes){0};
    }
    return take(r, &item, false);
}

struct bytes rlp_bytes_max(struct rlp_reader *r, size_t size_max)
{
    struct bytes content = rlp_bytes(r);
    if (content.size <= size_max) return content;
    rlp_fail(r);
    return (struct bytes){0};
}

void rlp_exact(struct rlp_reader *r, uint8_t *out, size_t size)
{
    struct bytes content = rlp_bytes(r);
    memset(out, 0, size);
    if (r->failed || content.size != size)
        rlp_fail(r);
    else if (size > 0)
        memcpy(out, content.data, size);
}

struct u256 rlp_u256(struct rlp_reader *r)
{
    struct bytes content = rlp_bytes_max(r, 32);
    if (content.size > 0 && content.data[0] == 0) rlp_fail(r);
    if (r->failed) return (struct u256){{0}};
    return u256_from_be(content);
}

uint64_t rlp_u64(struct rlp_reader *r)
{
    struct u256 value = rlp_u256(r);
    if (u256_fits_u64(value)) return u256_to_u64(value);
    rlp_fail(r);
    return 0;
}

struct hash rlp_hash(struct rlp_reader *r)
{
    struct hash h = {0};
    rlp_exact(r, h.b, sizeof h.b);
    return h;
}

struct address rlp_address(struct rlp_reader *r)
{
    struct address a = {0};
    rlp_exact(r, a.b, sizeof a.b);
    return a;
}

struct rlp_reader rlp_list(struct rlp_reader *r)
{
    struct item item;
    if (next_item(r, &item) && item.is_list) return rlp_reader_over(take(r, &item, false));
    rlp_fail(r);
    return (struct rlp_reader){.failed = true};
}

struct bytes rlp_item(struct rlp_reader *r)
{
    struct item item;
    if (!next_item(r, &item)) return (struct bytes){0};
    return take(r, &item, true);
}

enum status rlp_end(const struct rlp_reader *r)
{
    return r->failed || r->rest.size ? E_MALFORMED : OK;
}
