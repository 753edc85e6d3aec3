/* bytes.h - runs of bytes: borrowed views, fixed-size values, and a growable buffer.
 *
 * `struct bytes` is always borrowed: whoever keeps one says so in its header. The scalar wrappers
 * exist so that a hash cannot be passed for an address. Only `struct buffer` owns memory. */
#ifndef LEASEHOLD_BASE_BYTES_H
#define LEASEHOLD_BASE_BYTES_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;
};

struct hash {
    uint8_t b[32];
};

struct address {
    uint8_t b[20];
};

struct bytes bytes_of(const void *data, size_t size);
struct bytes bytes_of_text(const char *text); /* without the closing zero */
struct bytes bytes_slice(struct bytes whole, size_t offset, size_t size); /* asserts bounds */
bool bytes_equal(struct bytes a, struct bytes b);
int bytes_compare(struct bytes a, struct bytes b); /* lexicographic; shorter first */

bool hash_is_zero(const struct hash *h);
struct bytes hash_bytes(const struct hash *h);
bool address_is_zero(const struct address *a);
struct bytes address_bytes(const struct address *a);

/* Inline, since every look-up asks: compilers turn the sizes into a few loads. */
static inline bool hash_equal(const struct hash *a, const struct hash *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* A growable run of bytes. Zero-initialised is empty and valid. Running out of memory is fatal. */
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

void buffer_finish(struct buffer *b); /* frees; leaves an empty, usable buffer */
void buffer_clear(struct buffer *b);  /* size 0, keeps the memory */
void buffer_reserve(struct buffer *b, size_t extra);
void buffer_append(struct buffer *b, struct bytes more);
void buffer_append_byte(struct buffer *b, uint8_t byte);
uint8_t *buffer_extend(struct buffer *b, size_t size); /* zeroed room for size more bytes */
void buffer_print(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* appends text, no closing zero */
const char *buffer_text(struct buffer *b); /* as a C string; adds a zero beyond size */
struct bytes buffer_bytes(const struct buffer *b);

/* Big-endian integers in bytes. */
uint64_t load_be64(const uint8_t *from);
uint32_t load_be32(const uint8_t *from);
uint16_t load_be16(const uint8_t *from);
void store_be64(uint8_t *to, uint64_t value);
void store_be32(uint8_t *to, uint32_t value);
void store_be16(uint8_t *to, uint16_t value);

#endif
