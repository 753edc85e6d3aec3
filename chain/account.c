#include "chain/account.h"

#include "base/keccak.h"
#include "base/rlp.h"

/* The root of an empty trie is keccak(rlp("")), the hash of no code keccak(""). */
const struct account ACCOUNT_EMPTY = {
    .storage_root = {{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                      0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                      0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}},
    .code_hash = {{0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                   0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                   0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}},
};

bool account_has_code(const struct account *a)
{
    return !hash_equal(&a->code_hash, &ACCOUNT_EMPTY.code_hash);
}

bool account_is_empty(const struct account *a)
{
    return a->nonce == 0 && u256_is_zero(a->balance) && !account_has_code(a);
}

bool account_equal(const struct account *a, const struct account *b)
{
    return a->nonce == b->nonce && u256_equal(a->balance, b->balance) &&
           hash_equal(&a->storage_root, &b->storage_root) &&
           hash_equal(&a->code_hash, &b->code_hash);
}

void account_encode(struct buffer *out, const struct account *a)
{
    size_t list = rlp_list_open(out);
    rlp_put_u64(out, a->nonce);
    rlp_put_u256(out, a->balance);
    rlp_put_hash(out, &a->storage_root);
    rlp_put_hash(out, &a->code_hash);
    rlp_list_close(out, list);
}

enum status account_decode(struct account *out, struct bytes input)
{
    struct rlp_reader whole = rlp_reader_over(input);
    struct rlp_reader r = rlp_list(&whole);
    struct account a = {0};
    a.nonce = rlp_u64(&r);
    a.balance = rlp_u256(&r);
    a.storage_root = rlp_hash(&r);
    a.code_hash = rlp_hash(&r);
    if (rlp_end(&r) != OK || rlp_end(&whole) != OK) return E_MALFORMED;
    *out = a;
    return OK;
}
