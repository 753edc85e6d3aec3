#include "base/bytes.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes bytes_of(const void *data, size_t size)
{
    assert(data || size == 0);
    return (struct bytes){data, size};
}

struct bytes bytes_of_text(const char *text)
{
    assert(text);
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

struct bytes bytes_slice(struct bytes whole, size_t offset, size_t size)
{
    assert(offset <= whole.size);
    assert(size <= whole.size - offset);
    if (size == 0) return (struct bytes){0};
    return (struct bytes){whole.data + offset, size};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order) return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

bool hash_is_zero(const struct hash *h)
{
    static const struct hash zero;
    return hash_equal(h, &zero);
}

struct bytes hash_bytes(const struct hash *h)
{
    return (struct bytes){h->b, sizeof h->b};
}

bool address_is_zero(const struct address *a)
{
    static const struct address zero;
    return address_equal(a, &zero);
}

struct bytes address_bytes(const struct address *a)
{
    return (struct bytes){a->b, sizeof a->b};
}

void buffer_finish(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

void buffer_clear(struct buffer *b)
{
    b->size = 0;
}

void buffer_reserve(struct buffer *b, size_t extra)
{
    assert(b->size <= b->capacity);
    if (extra > SIZE_MAX / 4 || b->size > SIZE_MAX / 4) fatal("buffer over the address space");
    size_t wanted = b->size + extra;
    if (wanted <= b->capacity) return;
    size_t capacity = b->capacity ? b->capacity : 64;
    while (capacity < wanted)
        capacity *= 2;
    b->data = must_realloc(b->data, capacity);
    b->capacity = capacity;
}

void buffer_append(struct buffer *b, struct bytes more)
{
    if (more.size == 0) return;
    /* Growing would move what a view of the buffer itself points at. */
    assert(!b->data || more.data >= b->data + b->capacity || more.data + more.size <= b->data ||
           more.size <= b->capacity - b->size);
    buffer_reserve(b, more.size);
    memmove(b->data + b->size, more.data, more.size);
    b->size += more.size;
}

void buffer_append_byte(struct buffer *b, uint8_t byte)
{
    buffer_reserve(b, 1);
    b->data[b->size++] = byte;
}

uint8_t *buffer_extend(struct buffer *b, size_t size)
{
    buffer_reserve(b, size ? size : 1);
    uint8_t *room = b->data + b->size;
    memset(room, 0, size);
    b->size += size;
    return room;
}

void buffer_print(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    buffer_reserve(b, (size_t)length + 1);
    vsnprintf((char *)b->data + b->size, (size_t)length + 1, format, again);
    va_end(again);
    b->size += (size_t)length;
}

const char *buffer_text(struct buffer *b)
{
    buffer_reserve(b, 1);
    b->data[b->size] = 0;
    return (const char *)b->data;
}

struct bytes buffer_bytes(const struct buffer *b)
{
    return (struct bytes){b->data, b->size};
}

uint64_t load_be64(const uint8_t *from)
{
    return ((uint64_t)load_be32(from) << 32) | load_be32(from + 4);
}

uint32_t load_be32(const uint8_t *from)
{
    return ((uint32_t)from[0] << 24) | ((uint32_t)from[1] << 16) | ((uint32_t)from[2] << 8) |
           from[3];
}

uint16_t load_be16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

void store_be64(uint8_t *to, uint64_t value)
{
    store_be32(to, (uint32_t)(value >> 32));
    store_be32(to + 4, (uint32_t)value);
}

void store_be32(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
}

void store_be16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}
