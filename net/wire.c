#include "net/wire.h"

#include "base/cursor.h"

#include <assert.h>

#define HASH_SIZE 32
#define PEER_SIZE 50

const struct wire_row *wire_row(uint8_t type)
{
    static const struct wire_row rows[256] = {
#define X(byte, name, channel, size) [byte] = {#name, CHANNEL_##channel, size},
        WIRE_MESSAGES(X)
#undef X
    };
    return rows[type].name ? &rows[type] : NULL;
}

static void append_address(struct buffer *out, const struct net_address *a)
{
    buffer_append(out, bytes_of(a->ip, sizeof(a->ip)));
    store_be16(buffer_extend(out, 2), a->port);
}

static struct net_address cursor_net_address(struct cursor *c)
{
    struct net_address a;
    cursor_exact(c, a.ip, sizeof(a.ip));
    a.port = cursor_u16(c);
    return a;
}

void wire_hello_encode(struct buffer *out, const struct wire_hello *h)
{
    assert(h->version == WIRE_VERSION && h->proof.b[64] <= 1);
    store_be16(buffer_extend(out, 2), h->version);
    store_be64(buffer_extend(out, 8), h->chain_id);
    buffer_append(out, hash_bytes(&h->genesis));
    append_address(out, &h->address);
    store_be64(buffer_extend(out, 8), h->epoch);
    store_be64(buffer_extend(out, 8), h->number);
    buffer_append(out, bytes_of(h->proof.b, sizeof(h->proof.b)));
}

enum status wire_hello_decode(struct wire_hello *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct wire_hello h = {0};
    h.version = cursor_u16(&c);
    if (!c.failed && h.version != WIRE_VERSION) return E_UNSUPPORTED;
    h.chain_id = cursor_u64(&c);
    h.genesis = cursor_hash(&c);
    h.address = cursor_net_address(&c);
    h.epoch = cursor_u64(&c);
    h.number = cursor_u64(&c);
    cursor_exact(&c, h.proof.b, sizeof(h.proof.b));
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (h.proof.b[64] > 1) return E_MALFORMED;
    *out = h;
    return OK;
}

void wire_peers_encode(struct buffer *out, const struct wire_peer *peers, size_t count)
{
    assert(count <= WIRE_PEERS_MAX);
    store_be16(buffer_extend(out, 2), (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        append_address(out, &peers[i].address);
        buffer_append(out, hash_bytes(&peers[i].id));
    }
}

/* Reads the count and leaves the cursor on exactly that many items of item_size, or fails it. */
static enum status counted(struct cursor *c, size_t *out_count, size_t count_max, size_t item_size)
{
    size_t count = cursor_u16(c);
    if (c->failed) return E_MALFORMED;
    if (count > count_max) return E_LIMIT;
    if (c->rest.size != count * item_size) return E_MALFORMED;
    *out_count = count;
    return OK;
}

enum status wire_peers_decode(struct wire_peer *out, size_t *out_count, struct bytes input)
{
    struct cursor c = cursor_over(input);
    size_t count = 0;
    enum status status = counted(&c, &count, WIRE_PEERS_MAX, PEER_SIZE);
    if (status != OK) return status;
    for (size_t i = 0; i < count; i++) {
        out[i].address = cursor_net_address(&c);
        out[i].id = cursor_hash(&c);
    }
    assert(cursor_end(&c) == OK); /* counted() saw to it */
    *out_count = count;
    return OK;
}

void wire_mesh_encode(struct buffer *out, const struct wire_mesh *m)
{
    store_be64(buffer_extend(out, 8), m->epoch);
    buffer_append(out, bytes_of(m->validators, sizeof(m->validators)));
}

enum status wire_mesh_decode(struct wire_mesh *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct wire_mesh m;
    m.epoch = cursor_u64(&c);
    cursor_exact(&c, m.validators, sizeof(m.validators));
    enum status status = cursor_end(&c);
    if (status == OK) *out = m;
    return status;
}

void wire_view_encode(struct buffer *out, const struct wire_view *v)
{
    store_be64(buffer_extend(out, 8), v->epoch);
    store_be64(buffer_extend(out, 8), v->view);
}

enum status wire_view_decode(struct wire_view *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct wire_view v;
    v.epoch = cursor_u64(&c);
    v.view = cursor_u64(&c);
    enum status status = cursor_end(&c);
    if (status == OK) *out = v;
    return status;
}

void wire_number_encode(struct buffer *out, uint64_t number)
{
    store_be64(buffer_extend(out, 8), number);
}

enum status wire_number_decode(uint64_t *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    uint64_t number = cursor_u64(&c);
    enum status status = cursor_end(&c);
    if (status == OK) *out = number;
    return status;
}

void wire_hashes_encode(struct buffer *out, const struct hash *hashes, size_t count)
{
    assert(count > 0 && count <= WIRE_HASHES_MAX);
    store_be16(buffer_extend(out, 2), (uint16_t)count);
    for (size_t i = 0; i < count; i++)
        buffer_append(out, hash_bytes(&hashes[i]));
}

enum status wire_hashes_decode(struct hash *out, size_t *out_count, size_t count_max,
                               struct bytes input)
{
    struct cursor c = cursor_over(input);
    size_t count = 0;
    enum status status = counted(&c, &count, count_max, HASH_SIZE);
    if (status != OK) return status;
    if (count == 0) return E_MALFORMED;
    for (size_t i = 0; i < count; i++)
        out[i] = cursor_hash(&c);
    assert(cursor_end(&c) == OK); /* counted() saw to it */
    *out_count = count;
    return OK;
}

void wire_block_encode(struct buffer *out, const struct wire_block *b)
{
    assert(b->block.size <= BLOCK_SIZE_MAX);
    buffer_append(out, hash_bytes(&b->hash));
    buffer_append(out, b->block);
}

enum status wire_block_decode(struct wire_block *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct hash hash = cursor_hash(&c);
    if (c.failed) return E_MALFORMED;
    if (c.rest.size > BLOCK_SIZE_MAX) return E_LIMIT;
    out->hash = hash;
    out->block = c.rest;
    return OK;
}

void wire_tx_append(struct buffer *out, struct bytes tx)
{
    assert(tx.size > 0 && tx.size <= TX_SIZE_MAX);
    store_be32(buffer_extend(out, 4), (uint32_t)tx.size);
    buffer_append(out, tx);
}

enum status wire_tx_next(struct bytes *out, struct bytes *rest)
{
    if (rest->size == 0) return E_NOT_FOUND;
    struct cursor c = cursor_over(*rest);
    uint32_t size = cursor_u32(&c);
    if (c.failed || size == 0) return E_MALFORMED;
    if (size > TX_SIZE_MAX) return E_LIMIT;
    struct bytes tx = cursor_bytes(&c, size);
    if (c.failed) return E_MALFORMED;
    *out = tx;
    *rest = c.rest;
    return OK;
}
