#include "chain/header.h"

#include "base/keccak.h"
#include "base/rlp.h"
#include "chain/trie.h"

#include <assert.h>

#define ELASTICITY 2 /* gas target = gas limit / ELASTICITY, EIP-1559 */

const struct hash EMPTY_OMMERS_HASH = {{0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a,
                                        0xab, 0x85, 0xb5, 0x67, 0xb6, 0xcc, 0xd4, 0x1a,
                                        0xd3, 0x12, 0x45, 0x1b, 0x94, 0x8a, 0x74, 0x13,
                                        0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47}};

static const struct hash ZERO_HASH;
static const uint8_t ZERO_NONCE[8];

/* --- extraData --- */

enum status header_extra_decode(struct header_extra *out, struct bytes input)
{
    if (input.size > HEADER_EXTRA_MAX) return E_LIMIT;
    struct rlp_reader outer = rlp_reader_over(input);
    struct rlp_reader r = rlp_list(&outer);
    struct header_extra e = {0};
    e.version = rlp_u64(&r);
    if (!r.failed && e.version != HEADER_VERSION) return E_UNSUPPORTED;
    e.epoch = rlp_u64(&r);
    e.view = rlp_u64(&r);
    e.parent_view = rlp_u64(&r);
    e.validators_hash = rlp_hash(&r);
    e.next_validators_hash = rlp_hash(&r);
    e.reveal = rlp_hash(&r);
    if (rlp_end(&r) != OK || rlp_end(&outer) != OK) return E_MALFORMED;
    *out = e;
    return OK;
}

void header_extra_encode(struct buffer *out, const struct header_extra *e)
{
    size_t list = rlp_list_open(out);
    rlp_put_u64(out, e->version);
    rlp_put_u64(out, e->epoch);
    rlp_put_u64(out, e->view);
    rlp_put_u64(out, e->parent_view);
    rlp_put_hash(out, &e->validators_hash);
    rlp_put_hash(out, &e->next_validators_hash);
    rlp_put_hash(out, &e->reveal);
    rlp_list_close(out, list);
}

/* --- reading: constant fields are demanded, not kept --- */

static void demand_hash(struct rlp_reader *r, const struct hash *wanted)
{
    struct hash found = rlp_hash(r);
    if (!r->failed && !hash_equal(&found, wanted)) rlp_fail(r);
}

static void demand_zero(struct rlp_reader *r)
{
    if (rlp_u64(r) != 0) rlp_fail(r);
}

static void demand_zero_nonce(struct rlp_reader *r)
{
    uint8_t nonce[sizeof ZERO_NONCE];
    rlp_exact(r, nonce, sizeof nonce);
    if (!bytes_equal(bytes_of(nonce, sizeof nonce), bytes_of(ZERO_NONCE, sizeof ZERO_NONCE)))
        rlp_fail(r);
}

static struct bytes read_front(struct rlp_reader *r, struct header *h)
{
    h->parent_hash = rlp_hash(r);
    demand_hash(r, &EMPTY_OMMERS_HASH);
    h->coinbase = rlp_address(r);
    h->state_root = rlp_hash(r);
    h->tx_root = rlp_hash(r);
    h->receipts_root = rlp_hash(r);
    rlp_exact(r, h->logs_bloom.b, sizeof h->logs_bloom.b);
    demand_zero(r); /* difficulty */
    h->number = rlp_u64(r);
    h->gas_limit = rlp_u64(r);
    h->gas_used = rlp_u64(r);
    h->timestamp_s = rlp_u64(r);
    return rlp_bytes(r);
}

static void read_back(struct rlp_reader *r, struct header *h)
{
    h->mix_hash = rlp_hash(r);
    demand_zero_nonce(r);
    h->base_fee = rlp_u256(r);
    demand_hash(r, &EMPTY_TRIE_ROOT); /* withdrawals */
    demand_zero(r);                   /* blob gas used */
    demand_zero(r);                   /* excess blob gas */
    demand_hash(r, &ZERO_HASH);       /* parent beacon block root */
}

enum status header_decode(struct header *out, struct bytes input)
{
    if (input.size > HEADER_SIZE_MAX) return E_LIMIT;
    struct rlp_reader outer = rlp_reader_over(input);
    struct rlp_reader r = rlp_list(&outer);
    struct header h = {0};
    struct bytes extra = read_front(&r, &h);
    read_back(&r, &h);
    if (rlp_end(&r) != OK || rlp_end(&outer) != OK) return E_MALFORMED;
    enum status status = header_extra_decode(&h.extra, extra);
    if (status != OK) return status;
    *out = h;
    return OK;
}

/* --- writing --- */

static void put_front(struct buffer *out, const struct header *h)
{
    rlp_put_hash(out, &h->parent_hash);
    rlp_put_hash(out, &EMPTY_OMMERS_HASH);
    rlp_put_address(out, &h->coinbase);
    rlp_put_hash(out, &h->state_root);
    rlp_put_hash(out, &h->tx_root);
    rlp_put_hash(out, &h->receipts_root);
    rlp_put_bytes(out, bytes_of(h->logs_bloom.b, sizeof h->logs_bloom.b));
    rlp_put_u64(out, 0);
    rlp_put_u64(out, h->number);
    rlp_put_u64(out, h->gas_limit);
    rlp_put_u64(out, h->gas_used);
    rlp_put_u64(out, h->timestamp_s);
}

static void put_back(struct buffer *out, const struct header *h)
{
    rlp_put_hash(out, &h->mix_hash);
    rlp_put_bytes(out, bytes_of(ZERO_NONCE, sizeof ZERO_NONCE));
    rlp_put_u256(out, h->base_fee);
    rlp_put_hash(out, &EMPTY_TRIE_ROOT);
    rlp_put_u64(out, 0);
    rlp_put_u64(out, 0);
    rlp_put_hash(out, &ZERO_HASH);
}

void header_encode(struct buffer *out, const struct header *h)
{
    struct buffer extra = {0};
    header_extra_encode(&extra, &h->extra);
    assert(extra.size <= HEADER_EXTRA_MAX);
    size_t list = rlp_list_open(out);
    put_front(out, h);
    rlp_put_bytes(out, buffer_bytes(&extra));
    put_back(out, h);
    rlp_list_close(out, list);
    buffer_finish(&extra);
}

struct hash header_hash(const struct header *h)
{
    struct buffer encoded = {0};
    header_encode(&encoded, h);
    struct hash hash = keccak256(buffer_bytes(&encoded));
    buffer_finish(&encoded);
    return hash;
}

/* --- base fee --- */

struct u256 header_next_base_fee(const struct header *parent, uint64_t denominator)
{
    assert(denominator > 0);
    uint64_t target = parent->gas_limit / ELASTICITY;
    if (target == 0 || parent->gas_used == target) return parent->base_fee;
    bool rises = parent->gas_used > target;
    uint64_t distance = rises ? parent->gas_used - target : target - parent->gas_used;
    struct u256 change = u256_mul(parent->base_fee, u256_from_u64(distance));
    change = u256_div(u256_div(change, u256_from_u64(target)), u256_from_u64(denominator));
    if (!rises) return u256_sub(parent->base_fee, change);
    if (u256_is_zero(change)) change = u256_from_u64(1);
    return u256_add(parent->base_fee, change);
}
