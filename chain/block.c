#include "chain/block.h"

#include "base/rlp.h"
#include "chain/trie.h"
#include "chain/tx.h"

#include <assert.h>

static bool wire_is_legacy(struct bytes wire)
{
    return wire.size > 0 && wire.data[0] >= 0xc0;
}

static size_t count_txs(struct rlp_reader list)
{
    size_t count = 0;
    for (; !rlp_at_end(&list) && count <= BLOCK_TXS_MAX; count++)
        (void)rlp_item(&list);
    return count;
}

/* A list is a legacy transaction; a byte string holds a typed one, whose first byte is below 0x80
 * (anything else would be a second encoding of the same block). */
static struct bytes read_tx(struct rlp_reader *list)
{
    if (rlp_next_is_list(list)) return rlp_item(list);
    struct bytes wire = rlp_bytes(list);
    if (wire.size == 0 || wire.data[0] >= 0x80) rlp_fail(list);
    return wire;
}

static enum status read_txs(struct block *b, struct arena *arena, struct rlp_reader *r)
{
    struct rlp_reader list = rlp_list(r);
    size_t count = count_txs(list);
    if (count > BLOCK_TXS_MAX) return E_LIMIT;
    struct bytes *txs = arena_alloc(arena, count * sizeof *txs);
    for (size_t i = 0; i < count; i++) {
        txs[i] = read_tx(&list);
        if (txs[i].size > TX_SIZE_MAX) return E_LIMIT;
    }
    b->txs = txs;
    b->tx_count = count;
    return rlp_end(&list);
}

static void demand_empty_list(struct rlp_reader *r)
{
    struct rlp_reader list = rlp_list(r);
    if (list.failed || !rlp_at_end(&list)) rlp_fail(r);
}

enum status block_decode(struct block *out, struct arena *arena, struct bytes input)
{
    if (input.size > BLOCK_SIZE_MAX) return E_LIMIT;
    struct rlp_reader outer = rlp_reader_over(input);
    struct rlp_reader r = rlp_list(&outer);
    struct block b = {0};
    enum status status = header_decode(&b.header, rlp_item(&r));
    if (status != OK) return status;
    status = read_txs(&b, arena, &r);
    if (status != OK) return status;
    demand_empty_list(&r); /* ommers */
    demand_empty_list(&r); /* withdrawals */
    if (rlp_end(&r) != OK || rlp_end(&outer) != OK) return E_MALFORMED;
    *out = b;
    return OK;
}

static void put_tx(struct buffer *out, struct bytes wire)
{
    if (wire_is_legacy(wire))
        buffer_append(out, wire);
    else
        rlp_put_bytes(out, wire);
}

static void put_empty_list(struct buffer *out)
{
    rlp_list_close(out, rlp_list_open(out));
}

void block_encode(struct buffer *out, const struct block *b)
{
    assert(b->tx_count <= BLOCK_TXS_MAX);
    size_t whole = rlp_list_open(out);
    header_encode(out, &b->header);
    size_t txs = rlp_list_open(out);
    for (size_t i = 0; i < b->tx_count; i++)
        put_tx(out, b->txs[i]);
    rlp_list_close(out, txs);
    put_empty_list(out);
    put_empty_list(out);
    rlp_list_close(out, whole);
}

struct hash block_hash(const struct block *b)
{
    return header_hash(&b->header);
}

size_t block_size_bound(size_t txs_bytes, size_t tx_count)
{
    const size_t list_header_max = 9;
    const size_t string_header_max = 4; /* a wire is below 2^24 bytes */
    return HEADER_SIZE_MAX + 2 * list_header_max + 2 + txs_bytes + tx_count * string_header_max;
}

struct hash block_tx_root(const struct bytes *txs, size_t tx_count)
{
    return trie_root_of_list(txs, tx_count);
}

enum status block_check_body(const struct block *b)
{
    struct hash root = block_tx_root(b->txs, b->tx_count);
    return hash_equal(&root, &b->header.tx_root) ? OK : E_MALFORMED;
}
