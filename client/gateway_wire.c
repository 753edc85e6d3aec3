#include "client/gateway_wire.h"

#include "base/cursor.h"
#include "base/keccak.h"

#include <assert.h>
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

/* ---- writing ---- */

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

static size_t request_open(struct buffer *out, enum gateway_frame type,
                           const struct gateway_name *name)
{
    size_t start = frame_open(out, type);
    put_u64(out, name->job);
    buffer_append(out, hash_bytes(&name->root));
    return start;
}

static void put_piece(struct buffer *out, const struct gateway_piece *m)
{
    assert(m->offset % MERKLE_LEAF_BYTES == 0 && m->size <= GATEWAY_CHUNK_MAX);
    assert(m->bytes.size <= m->size);
    put_u64(out, m->offset);
    put_u32(out, m->size);
    buffer_append_byte(out, (uint8_t)m->coding);
    buffer_append(out, m->bytes);
}

void gateway_put_hello(struct buffer *out, const struct gateway_hello *m)
{
    size_t start = frame_open(out, GATEWAY_HELLO);
    buffer_append_byte(out, m->version);
    buffer_append_byte(out, m->codings);
    buffer_append(out, address_bytes(&m->address));
    buffer_append(out, bytes_of(m->signature.b, sizeof m->signature.b));
    frame_close(out, start);
}

void gateway_put_put(struct buffer *out, const struct gateway_put *m)
{
    size_t start = request_open(out, GATEWAY_PUT, &m->name);
    put_piece(out, &m->piece);
    frame_close(out, start);
}

void gateway_put_get(struct buffer *out, const struct gateway_get *m)
{
    size_t start = request_open(out, GATEWAY_GET, &m->name);
    put_u64(out, m->offset);
    put_u32(out, m->length);
    frame_close(out, start);
}

void gateway_put_stat(struct buffer *out, const struct gateway_stat *m)
{
    frame_close(out, request_open(out, GATEWAY_STAT, &m->name));
}

void gateway_put_nodes(struct buffer *out, const struct gateway_nodes *m)
{
    size_t start = request_open(out, GATEWAY_NODES, &m->name);
    buffer_append_byte(out, m->level);
    put_u64(out, m->first);
    put_u32(out, m->count);
    frame_close(out, start);
}

void gateway_put_offer(struct buffer *out, const struct gateway_offer *m)
{
    assert(m->hashes.size % 32 == 0 && m->hashes.size <= 32 * GATEWAY_HASHES_MAX);
    size_t start = request_open(out, GATEWAY_OFFER, &m->name);
    put_u64(out, m->size);
    put_u64(out, m->first);
    buffer_append(out, m->hashes);
    frame_close(out, start);
}

void gateway_put_map(struct buffer *out, const struct gateway_map *m)
{
    size_t start = request_open(out, GATEWAY_MAP, &m->name);
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

void gateway_put_chunk(struct buffer *out, const struct gateway_piece *m)
{
    size_t start = frame_open(out, GATEWAY_CHUNK);
    put_piece(out, m);
    frame_close(out, start);
}

void gateway_put_sizes(struct buffer *out, const struct gateway_sizes *m)
{
    size_t start = frame_open(out, GATEWAY_SIZES);
    put_u64(out, m->size);
    put_u64(out, m->held);
    put_u64(out, m->offered);
    frame_close(out, start);
}

void gateway_put_hashes(struct buffer *out, const struct gateway_hashes *m)
{
    assert(m->hashes.size % 32 == 0 && m->hashes.size <= 32 * GATEWAY_HASHES_MAX);
    size_t start = frame_open(out, GATEWAY_HASHES);
    buffer_append_byte(out, m->level);
    put_u64(out, m->first);
    buffer_append(out, m->hashes);
    frame_close(out, start);
}

void gateway_put_bits(struct buffer *out, const struct gateway_bits *m)
{
    assert(m->count <= GATEWAY_BITS_MAX && m->bits.size == (m->count + 7) / 8);
    size_t start = frame_open(out, GATEWAY_BITS);
    put_u64(out, m->first);
    put_u32(out, m->count);
    buffer_append(out, m->bits);
    frame_close(out, start);
}

/* ---- reading ---- */

enum status gateway_read_hello(struct gateway_hello *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_hello m = {0};
    if (body.size > 0 && body.data[0] != GATEWAY_VERSION) {
        *out = (struct gateway_hello){.version = body.data[0]};
        return OK;
    }
    m.version = cursor_u8(&c);
    m.codings = cursor_u8(&c);
    m.address = cursor_address(&c);
    cursor_exact(&c, m.signature.b, sizeof m.signature.b);
    enum status status = cursor_end(&c);
    if (status == OK) *out = m;
    return status;
}

static struct gateway_name read_name(struct cursor *c)
{
    struct gateway_name name = {.job = cursor_u64(c)};
    name.root = cursor_hash(c);
    return name;
}

/* The last field of a frame. */
static struct bytes read_rest(struct cursor *c)
{
    return cursor_bytes(c, c->rest.size);
}

static bool is_leaf_start(uint64_t offset)
{
    return offset < GATEWAY_CONTENT_MAX && offset % MERKLE_LEAF_BYTES == 0;
}

static enum status read_piece(struct gateway_piece *out, struct cursor *c)
{
    struct gateway_piece m = {.offset = cursor_u64(c)};
    m.size = cursor_u32(c);
    uint8_t coding = cursor_u8(c);
    m.bytes = read_rest(c);
    enum status status = cursor_end(c);
    if (status != OK) return status;
    if (m.size == 0 || m.size > GATEWAY_CHUNK_MAX) return E_LIMIT;
    if (!is_leaf_start(m.offset) || coding >= GATEWAY_CODING_COUNT) return E_MALFORMED;
    m.coding = (enum gateway_coding)coding;
    if (m.coding == GATEWAY_PLAIN && m.bytes.size != m.size) return E_MALFORMED;
    if (m.bytes.size == 0 || m.bytes.size > m.size) return E_MALFORMED;
    *out = m;
    return OK;
}

enum status gateway_read_put(struct gateway_put *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_put m = {.name = read_name(&c)};
    enum status status = read_piece(&m.piece, &c);
    if (status == OK) *out = m;
    return status;
}

enum status gateway_read_chunk(struct gateway_piece *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    return read_piece(out, &c);
}

enum status gateway_read_get(struct gateway_get *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_get m = {.name = read_name(&c)};
    m.offset = cursor_u64(&c);
    m.length = cursor_u32(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.length == 0 || m.length > GATEWAY_CHUNK_MAX) return E_LIMIT;
    if (!is_leaf_start(m.offset) || m.length % MERKLE_LEAF_BYTES != 0) return E_MALFORMED;
    *out = m;
    return OK;
}

enum status gateway_read_stat(struct gateway_stat *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_stat m = {.name = read_name(&c)};
    enum status status = cursor_end(&c);
    if (status == OK) *out = m;
    return status;
}

enum status gateway_read_nodes(struct gateway_nodes *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_nodes m = {.name = read_name(&c)};
    m.level = cursor_u8(&c);
    m.first = cursor_u64(&c);
    m.count = cursor_u32(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.level >= GATEWAY_LEVELS_MAX) return E_LIMIT;
    if (m.count == 0 || m.count > GATEWAY_HASHES_MAX) return E_LIMIT;
    if (m.first >= leaf_count(GATEWAY_CONTENT_MAX)) return E_LIMIT;
    *out = m;
    return OK;
}

enum status gateway_read_offer(struct gateway_offer *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_offer m = {.name = read_name(&c)};
    m.size = cursor_u64(&c);
    m.first = cursor_u64(&c);
    m.hashes = read_rest(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.size > GATEWAY_CONTENT_MAX || m.hashes.size > 32 * GATEWAY_HASHES_MAX) return E_LIMIT;
    uint64_t leaves = leaf_count(m.size), count = m.hashes.size / 32;
    if (m.hashes.size % 32 != 0 || (count == 0) != (leaves == 0)) return E_MALFORMED;
    if (m.first > leaves || count > leaves - m.first) return E_MALFORMED;
    *out = m;
    return OK;
}

enum status gateway_read_map(struct gateway_map *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_map m = {.name = read_name(&c)};
    m.first = cursor_u64(&c);
    m.count = cursor_u32(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.count == 0 || m.count > GATEWAY_BITS_MAX) return E_LIMIT;
    if (m.first >= leaf_count(GATEWAY_CONTENT_MAX)) return E_LIMIT;
    if (m.first % 8 != 0) return E_MALFORMED;
    *out = m;
    return OK;
}

enum status gateway_read_answer(struct gateway_answer *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_answer m = {0};
    uint8_t code = cursor_u8(&c);
    m.value = cursor_u64(&c);
    struct bytes text = read_rest(&c);
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

enum status gateway_read_sizes(struct gateway_sizes *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_sizes m = {.size = cursor_u64(&c)};
    m.held = cursor_u64(&c);
    m.offered = cursor_u64(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.size > GATEWAY_CONTENT_MAX || m.held > m.size) return E_MALFORMED;
    if (m.offered > leaf_count(m.size)) return E_MALFORMED;
    *out = m;
    return OK;
}

enum status gateway_read_hashes(struct gateway_hashes *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_hashes m = {.level = cursor_u8(&c)};
    m.first = cursor_u64(&c);
    m.hashes = read_rest(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.hashes.size == 0 || m.hashes.size % 32 != 0) return E_MALFORMED;
    if (m.hashes.size > 32 * GATEWAY_HASHES_MAX) return E_LIMIT;
    *out = m;
    return OK;
}

enum status gateway_read_bits(struct gateway_bits *out, struct bytes body)
{
    struct cursor c = cursor_over(body);
    struct gateway_bits m = {.first = cursor_u64(&c)};
    m.count = cursor_u32(&c);
    m.bits = read_rest(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (m.count == 0 || m.count > GATEWAY_BITS_MAX) return E_LIMIT;
    if (m.first % 8 != 0 || m.bits.size != (m.count + 7) / 8) return E_MALFORMED;
    *out = m;
    return OK;
}

struct hash gateway_hello_digest(const struct hash *tls_key_hash,
                                 const uint8_t exporter[GATEWAY_EXPORTER_BYTES])
{
    struct keccak k;
    keccak_init(&k);
    keccak_update(&k, bytes_of_text("Leasehold gateway v2"));
    keccak_update(&k, hash_bytes(tls_key_hash));
    keccak_update(&k, bytes_of(exporter, GATEWAY_EXPORTER_BYTES));
    return keccak_finish(&k);
}
