#include "client/gateway_wire.h"

#include "base/cursor.h"
#include "base/keccak.h"
#include "base/sha256.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[GATEWAY_RESULT_COUNT] = {
#define X(code, name, text) [code] = (text),
    GATEWAY_RESULTS(X)
#undef X
};

const char *gateway_result_text(enum gateway_result code)
{
    assert((unsigned)code < GATEWAY_RESULT_COUNT);
    return texts[code];
}

static void put_u64(struct buffer *out, uint64_t value)
{
    store_be64(buffer_extend(out, 8), value);
}

static void put_u32(struct buffer *out, uint32_t value)
{
    store_be32(buffer_extend(out, 4), value);
}

/* Returns where the frame starts, for frame_close. */
static size_t frame_open(struct buffer *out, enum gateway_frame type)
{
    size_t start = out->size;
    put_u32(out, 0);
    buffer_append_byte(out, (uint8_t)type);
    return start;
}

static void frame_close(struct buffer *out, size_t start)
{
    size_t size = out->size - start - 4;
    assert(size >= 1 && size <= GATEWAY_FRAME_MAX);
    store_be32(out->data + start, (uint32_t)size);
}

static void put_content(struct buffer *out, uint64_t job, const struct hash *root)
{
    put_u64(out, job);
    buffer_append(out, hash_bytes(root));
}

void gateway_put_hello(struct buffer *out, const struct gateway_hello *m)
{
    size_t start = frame_open(out, GATEWAY_HELLO);
    buffer_append_byte(out, m->version);
    buffer_append(out, address_bytes(&m->address));
    buffer_append(out, bytes_of(m->signature.b, sizeof m->signature.b));
    frame_close(out, start);
}

void gateway_put_put(struct buffer *out, const struct gateway_put *m)
{
    assert(m->chunk.size <= GATEWAY_CHUNK_MAX && m->offset % MERKLE_LEAF_BYTES == 0);
    size_t start = frame_open(out, GATEWAY_PUT);
    put_content(out, m->job, &m->root);
    put_u64(out, m->size);
    put_u64(out, m->offset);
    buffer_append(out, m->chunk);
    frame_close(out, start);
}

void gateway_put_get(struct buffer *out, const struct gateway_get *m)
{
    size_t start = frame_open(out, GATEWAY_GET);
    put_content(out, m->job, &m->root);
    put_u64(out, m->offset);
    put_u32(out, m->length);
    frame_close(out, start);
}

void gateway_put_stat(struct buffer *out, const struct gateway_stat *m)
{
    size_t start = frame_open(out, GATEWAY_STAT);
    put_content(out, m->job, &m->root);
    frame_close(out, start);
}

void gateway_put_leaves(struct buffer *out, const struct gateway_leaves *m)
{
    size_t start = frame_open(out, GATEWAY_LEAVES);
    put_content(out, m->job, &m->root);
    put_u64(out, m->first);
    put_u32(out, m->count);
    frame_close(out, start);
}

void gateway_put_result(struct buffer *out, enum gateway_result code, uint64_t value,
                        const char *text)
{
    const char *shown = text != NULL ? text : gateway_result_text(code);
    size_t size = strlen(shown) < GATEWAY_TEXT_MAX ? strlen(shown) : GATEWAY_TEXT_MAX;
    size_t start = frame_open(out, GATEWAY_RESULT);
    buffer_append_byte(out, (uint8_t)code);
    put_u64(out, value);
    for (size_t i = 0; i < size; i++)
        buffer_append_byte(out, shown[i] >= 0x20 && shown[i] < 0x7f ? (uint8_t)shown[i] : '?');
    frame_close(out, start);
}

void gateway_put_chunk(struct buffer *out, const struct gateway_chunk *m)
{
    assert(m->bytes.size <= GATEWAY_CHUNK_MAX);
    size_t start = frame_open(out, GATEWAY_CHUNK);
    put_u64(out, m->offset);
    buffer_append(out, m->bytes);
    frame_close(out, start);
}

void gateway_put_sizes(struct buffer *out, const struct gateway_sizes *m)
{
    size_t start = frame_open(out, GATEWAY_SIZES);
    put_u64(out, m->size);
    put_u64(out, m->held);
    frame_close(out, start);
}

void gateway_put_hashes(struct buffer *out, const struct gateway_hashes *m)
{
    assert(m->hashes.size % 32 == 0 && m->hashes.size <= 32 * GATEWAY_LEAVES_MAX);
    size_t start = frame_open(out, GATEWAY_HASHES);
    put_u64(out, m->first);
    buffer_append(out, m->hashes);
    frame_close(out, start);
}

enum status gateway_read_hello(struct gateway_hello *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_hello m = {0};
    m.version = cursor_u8(&c);
    m.address = cursor_address(&c);
    cursor_exact(&c, m.signature.b, sizeof m.signature.b);
    enum status status = cursor_end(&c);
    if (status == OK) *out = m;
    return status;
}

/* Whole leaves, and the short one only at the content's end. */
static bool chunk_fits(uint64_t size, uint64_t offset, uint64_t length)
{
    if (size > GATEWAY_CONTENT_MAX || offset > size || length > size - offset) return false;
    if (offset % MERKLE_LEAF_BYTES != 0) return false;
    return length % MERKLE_LEAF_BYTES == 0 || offset + length == size;
}

enum status gateway_read_put(struct gateway_put *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_put m = {0};
    m.job = cursor_u64(&c);
    m.root = cursor_hash(&c);
    m.size = cursor_u64(&c);
    m.offset = cursor_u64(&c);
    m.chunk = cursor_bytes(&c, c.rest.size);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.chunk.size > GATEWAY_CHUNK_MAX) return E_LIMIT;
    if (!chunk_fits(m.size, m.offset, m.chunk.size)) return E_MALFORMED;
    if (m.chunk.size == 0 && m.size != 0) return E_MALFORMED;
    *out = m;
    return OK;
}

enum status gateway_read_get(struct gateway_get *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_get m = {0};
    m.job = cursor_u64(&c);
    m.root = cursor_hash(&c);
    m.offset = cursor_u64(&c);
    m.length = cursor_u32(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.length == 0 || m.length > GATEWAY_CHUNK_MAX) return E_LIMIT;
    if (m.offset > GATEWAY_CONTENT_MAX || m.offset % MERKLE_LEAF_BYTES != 0 ||
        m.length % MERKLE_LEAF_BYTES != 0)
        return E_MALFORMED;
    *out = m;
    return OK;
}

enum status gateway_read_stat(struct gateway_stat *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_stat m = {0};
    m.job = cursor_u64(&c);
    m.root = cursor_hash(&c);
    enum status status = cursor_end(&c);
    if (status == OK) *out = m;
    return status;
}

enum status gateway_read_leaves(struct gateway_leaves *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_leaves m = {0};
    m.job = cursor_u64(&c);
    m.root = cursor_hash(&c);
    m.first = cursor_u64(&c);
    m.count = cursor_u32(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.count == 0 || m.count > GATEWAY_LEAVES_MAX) return E_LIMIT;
    if (m.first > GATEWAY_CONTENT_MAX / MERKLE_LEAF_BYTES) return E_LIMIT;
    *out = m;
    return OK;
}

enum status gateway_read_answer(struct gateway_answer *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_answer m = {0};
    uint8_t code = cursor_u8(&c);
    m.value = cursor_u64(&c);
    struct bytes text = cursor_bytes(&c, c.rest.size);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (code >= GATEWAY_RESULT_COUNT) return E_MALFORMED;
    if (text.size > GATEWAY_TEXT_MAX) return E_LIMIT;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 0x20 || text.data[i] >= 0x7f) return E_MALFORMED;
        m.text[i] = (char)text.data[i];
    }
    m.code = (enum gateway_result)code;
    *out = m;
    return OK;
}

enum status gateway_read_chunk(struct gateway_chunk *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_chunk m = {0};
    m.offset = cursor_u64(&c);
    m.bytes = cursor_bytes(&c, c.rest.size);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.bytes.size == 0 || m.bytes.size > GATEWAY_CHUNK_MAX) return E_LIMIT;
    *out = m;
    return OK;
}

enum status gateway_read_sizes(struct gateway_sizes *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_sizes m = {0};
    m.size = cursor_u64(&c);
    m.held = cursor_u64(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.size > GATEWAY_CONTENT_MAX || m.held > m.size) return E_MALFORMED;
    *out = m;
    return OK;
}

enum status gateway_read_hashes(struct gateway_hashes *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_hashes m = {0};
    m.first = cursor_u64(&c);
    m.hashes = cursor_bytes(&c, c.rest.size);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.hashes.size == 0 || m.hashes.size % 32 != 0) return E_MALFORMED;
    if (m.hashes.size > 32 * GATEWAY_LEAVES_MAX) return E_LIMIT;
    *out = m;
    return OK;
}

struct hash gateway_hello_digest(const struct hash *tls_key_hash,
                                 const uint8_t exporter[GATEWAY_EXPORTER_BYTES])
{
    struct keccak k;
    keccak_init(&k);
    keccak_update(&k, bytes_of_text("Leasehold gateway v1"));
    keccak_update(&k, hash_bytes(tls_key_hash));
    keccak_update(&k, bytes_of(exporter, GATEWAY_EXPORTER_BYTES));
    return keccak_finish(&k);
}

uint64_t gateway_leaf_count(uint64_t size_bytes)
{
    return size_bytes / MERKLE_LEAF_BYTES + (size_bytes % MERKLE_LEAF_BYTES != 0 ? 1 : 0);
}

struct hash gateway_leaf_hash(struct bytes leaf)
{
    static const uint8_t leaf_domain = 0;
    struct bytes parts[2] = {bytes_of(&leaf_domain, 1), leaf};
    assert(leaf.size <= MERKLE_LEAF_BYTES);
    return sha256_parts(parts, 2);
}

struct hash gateway_root_of_leaves(struct hash *level, uint64_t count, uint64_t size_bytes)
{
    static const uint8_t node_domain = 1;
    static const uint8_t root_domain = 2;
    static const struct hash none = {0};
    assert(count == gateway_leaf_count(size_bytes));
    while (count > 1) {
        for (uint64_t i = 0; i + 1 < count; i += 2) {
            struct bytes parts[3] = {bytes_of(&node_domain, 1), hash_bytes(&level[i]),
                                     hash_bytes(&level[i + 1])};
            level[i / 2] = sha256_parts(parts, 3);
        }
        if (count % 2 == 1) level[count / 2] = level[count - 1];
        count = (count + 1) / 2;
    }
    uint8_t size[8];
    store_be64(size, size_bytes);
    struct bytes parts[3] = {bytes_of(&root_domain, 1), bytes_of(size, 8),
                             hash_bytes(size_bytes == 0 ? &none : &level[0])};
    return sha256_parts(parts, 3);
}
