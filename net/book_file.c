/* The book's file, integers big-endian:
 *   "LHBOOK01" 8 | placement key 32 | anchors: count 1, count * peer 50 |
 *   entries: count 2, count * (bucket 2 | peer 50 | heard 8 | connected 8 | failures 1) |
 *   keccak256 of all before 32
 * A peer is ip 16 | port 2 | node id 32. Entries are in ascending order of bucket. */
#include "base/cursor.h"
#include "base/fatal.h"
#include "base/file.h"
#include "base/keccak.h"
#include "net/book_table.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define MAGIC         "LHBOOK01"
#define MAGIC_SIZE    8
#define CHECKSUM_SIZE 32
#define ENTRIES_MAX   (BOOK_BUCKETS * BOOK_BUCKET_SIZE)
#define FILE_SIZE_MAX (1u << 20)

static void append_peer(struct buffer *out, const struct wire_peer *p)
{
    buffer_append(out, bytes_of(p->address.ip, sizeof(p->address.ip)));
    store_be16(buffer_extend(out, 2), p->address.port);
    buffer_append(out, hash_bytes(&p->id));
}

static struct wire_peer cursor_peer(struct cursor *c)
{
    struct wire_peer p = {0};
    cursor_exact(c, p.address.ip, sizeof(p.address.ip));
    p.address.port = cursor_u16(c);
    p.id = cursor_hash(c);
    return p;
}

static void append_bucket(struct buffer *out, uint32_t index, const struct book_bucket *bucket)
{
    for (uint32_t i = 0; i < bucket->count; i++) {
        const struct book_entry *e = &bucket->entries[i];
        store_be16(buffer_extend(out, 2), (uint16_t)index);
        append_peer(out, &e->peer);
        store_be64(buffer_extend(out, 8), e->heard_s);
        store_be64(buffer_extend(out, 8), e->connected_s);
        buffer_append_byte(out, e->failures);
    }
}

void book_encode(struct buffer *out, const struct book *b)
{
    size_t from = out->size;
    buffer_append(out, bytes_of(MAGIC, MAGIC_SIZE));
    buffer_append(out, bytes_of(b->placement_key, sizeof(b->placement_key)));
    buffer_append_byte(out, (uint8_t)b->anchor_count);
    for (uint32_t i = 0; i < b->anchor_count; i++)
        append_peer(out, &b->anchors[i]);
    store_be16(buffer_extend(out, 2), (uint16_t)(book_count(b) - b->fixed_count));
    for (uint32_t i = 0; i < BOOK_BUCKETS; i++)
        append_bucket(out, i, &b->buckets[i]);
    struct hash checksum = keccak256(bytes_slice(buffer_bytes(out), from, out->size - from));
    buffer_append(out, hash_bytes(&checksum));
}

static enum status read_anchors(struct book *b, struct cursor *c)
{
    b->anchor_count = cursor_u8(c);
    if (b->anchor_count > BOOK_ANCHORS) return E_MALFORMED;
    for (uint32_t i = 0; i < b->anchor_count; i++)
        b->anchors[i] = b->pending[i] = cursor_peer(c);
    b->pending_count = b->anchor_count;
    return OK;
}

static enum status read_entry(struct book *b, struct cursor *c, uint32_t *bucket_before)
{
    struct book_entry e = {0};
    uint32_t bucket = cursor_u16(c);
    e.peer = cursor_peer(c);
    e.heard_s = cursor_u64(c);
    e.connected_s = cursor_u64(c);
    e.failures = cursor_u8(c);
    if (c->failed || bucket >= BOOK_BUCKETS || bucket < *bucket_before) return E_MALFORMED;
    if (b->buckets[bucket].count == BOOK_BUCKET_SIZE) return E_MALFORMED;
    b->buckets[bucket].entries[b->buckets[bucket].count++] = e;
    *bucket_before = bucket;
    return OK;
}

static int compare_addresses(const void *a, const void *b)
{
    const struct net_address *x = a, *y = b;
    int order = memcmp(x->ip, y->ip, sizeof(x->ip));
    return order ? order : (x->port > y->port) - (x->port < y->port);
}

static bool has_twins(const struct book *b)
{
    struct net_address all[ENTRIES_MAX] = {0};
    size_t count = 0;
    for (uint32_t i = 0; i < BOOK_BUCKETS; i++)
        for (uint32_t k = 0; k < b->buckets[i].count; k++)
            all[count++] = b->buckets[i].entries[k].peer.address;
    qsort(all, count, sizeof(all[0]), compare_addresses);
    for (size_t i = 1; i < count; i++)
        if (net_address_equal(&all[i - 1], &all[i])) return true;
    return false;
}

static enum status read_all(struct book *b, struct bytes content)
{
    struct cursor c = cursor_over(content);
    uint8_t magic[MAGIC_SIZE];
    uint32_t bucket = 0;
    cursor_exact(&c, magic, sizeof(magic));
    if (memcmp(magic, MAGIC, MAGIC_SIZE) != 0) return E_MALFORMED;
    cursor_exact(&c, b->placement_key, sizeof(b->placement_key));
    enum status status = read_anchors(b, &c);
    uint32_t count = cursor_u16(&c);
    for (uint32_t i = 0; i < count && status == OK; i++)
        status = read_entry(b, &c, &bucket);
    if (status == OK) status = cursor_end(&c);
    if (status == OK && has_twins(b)) status = E_MALFORMED;
    return status;
}

enum status book_decode(struct book **out, struct bytes input, const uint8_t seed[32])
{
    if (input.size < CHECKSUM_SIZE) return E_MALFORMED;
    struct bytes content = bytes_slice(input, 0, input.size - CHECKSUM_SIZE);
    struct hash checksum = keccak256(content);
    if (memcmp(checksum.b, input.data + content.size, CHECKSUM_SIZE) != 0) return E_MALFORMED;
    struct book *b = book_create(seed);
    enum status status = read_all(b, content);
    if (status == OK)
        *out = b;
    else
        book_destroy(b);
    return status;
}

enum status book_load(struct book **out, const char *path, const uint8_t seed[32])
{
    struct buffer content = {0};
    char aside[PATH_MAX];
    enum status status = file_read(&content, path, FILE_SIZE_MAX);
    if (status == OK) status = book_decode(out, buffer_bytes(&content), seed);
    buffer_finish(&content);
    if (status != E_MALFORMED && status != E_LIMIT) return status;
    int length = snprintf(aside, sizeof(aside), "%s.damaged", path);
    if (length < 0 || (size_t)length >= sizeof(aside)) return E_IO;
    return rename(path, aside) == 0 ? status : E_IO;
}

enum status book_save(const struct book *b, const char *path)
{
    struct buffer content = {0};
    book_encode(&content, b);
    assert(content.size <= FILE_SIZE_MAX);
    enum status status = file_write_atomic(path, buffer_bytes(&content), 0600);
    buffer_finish(&content);
    return status;
}
