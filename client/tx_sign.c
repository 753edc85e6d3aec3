/* The bytes of a transaction of type 2 (EIP-1559). */
#include "base/keccak.h"
#include "base/rlp.h"
#include "client/transact.h"

#define TX_TYPE_FEE_MARKET 0x02

static void put_fields(struct buffer *out, const struct tx *tx)
{
    rlp_put_u64(out, tx->chain_id);
    rlp_put_u64(out, tx->nonce);
    rlp_put_u256(out, tx->max_priority_fee);
    rlp_put_u256(out, tx->max_fee);
    rlp_put_u64(out, tx->gas_limit);
    if (tx->creates) {
        rlp_put_bytes(out, bytes_of(NULL, 0));
    } else {
        rlp_put_address(out, &tx->to);
    }
    rlp_put_u256(out, tx->value);
    rlp_put_bytes(out, tx->data);
    rlp_list_close(out, rlp_list_open(out)); /* no access list */
}

struct hash tx_digest(const struct tx *tx)
{
    struct buffer bytes = {0};
    buffer_append_byte(&bytes, TX_TYPE_FEE_MARKET);
    size_t list = rlp_list_open(&bytes);
    put_fields(&bytes, tx);
    rlp_list_close(&bytes, list);
    struct hash digest = keccak256(buffer_bytes(&bytes));
    buffer_finish(&bytes);
    return digest;
}

void tx_sign(struct buffer *out, struct hash *out_hash, const struct tx *tx, const struct key *key)
{
    struct hash digest = tx_digest(tx);
    struct signature signature = key_sign(key, &digest);
    size_t start = out->size;
    buffer_append_byte(out, TX_TYPE_FEE_MARKET);
    size_t list = rlp_list_open(out);
    put_fields(out, tx);
    rlp_put_u64(out, signature.b[64]);
    rlp_put_u256(out, u256_from_be(bytes_of(signature.b, 32)));
    rlp_put_u256(out, u256_from_be(bytes_of(signature.b + 32, 32)));
    rlp_list_close(out, list);
    *out_hash = keccak256(bytes_of(out->data + start, out->size - start));
}
