#include "chain/mempool.h"

#include "chain/config.h"
#include "chain/mempool_table.h"

#include <assert.h>
#include <string.h>

#define REPLACE_DIVISOR 10 /* a replacement pays a tenth more */

const struct mempool_limits MEMPOOL_DEFAULT_LIMITS = {
    .count_max = MEMPOOL_COUNT_MAX,
    .size_bytes_max = MEMPOOL_BYTES_MAX,
    .lifetime_ms = MEMPOOL_LIFETIME_MS,
};

struct mempool *mempool_create(const struct mempool_limits *limits, const uint8_t seed[16])
{
    struct mempool *m = must_alloc(sizeof *m);
    m->limits = *limits;
    m->seed[0] = load_be64(seed);
    m->seed[1] = load_be64(seed + 8);
    m->next_sequence = 1;
    return m;
}

void mempool_destroy(struct mempool *m)
{
    if (!m) return;
    while (m->senders) {
        struct sender *s = m->senders;
        mempool_queue_cut(m, s, 0);
        mempool_sender_drop_if_empty(m, s);
    }
    arena_finish(&m->arena);
    free(m);
}

/* --- adding --- */

/* What needs no account: decodes into the pool's arena and fills in everything of *out but
 * sequence, time and what authorizations take. A sender that is not zero is believed. */
static enum tx_reason examine(struct mempool *m, struct mempool_tx *out, struct tx *decoded,
                              struct bytes wire, const struct mempool_world *world)
{
    struct tx t;
    arena_reset(&m->arena);
    enum status status = tx_decode(&t, &m->arena, wire);
    if (status != OK) return tx_reason_of_decoding(status, wire);
    out->hash = tx_hash_of_wire(wire);
    if (mempool_find(m, &out->hash)) return TX_KNOWN;
    enum tx_reason reason =
        tx_check_static(&t, CHAIN_REVISION, world->chain_id, world->block_gas_limit);
    if (reason != TX_FINE) return reason;
    if (t.authorization_count > MEMPOOL_AUTHORIZATIONS_MAX) return TX_AUTHORIZATIONS_MANY;
    if (!tx_cost_max(&out->cost_max_wei, &t)) return TX_FUNDS;
    if (address_is_zero(&out->sender) && tx_sender(&out->sender, &t) != OK) return TX_BAD_SIGNATURE;
    out->nonce = t.nonce;
    out->gas_limit = t.gas_limit;
    out->max_fee_per_gas = t.max_fee_per_gas;
    out->max_priority_fee_per_gas = t.max_priority_fee_per_gas;
    out->wire = wire;
    out->size_bytes = wire.size;
    *decoded = t;
    return TX_FINE;
}

static bool pays_a_tenth_more(struct u256 new_fee, struct u256 old_fee)
{
    struct u256 ten = u256_from_u64(REPLACE_DIVISOR);
    struct u256 raise = u256_add(u256_div(old_fee, ten), u256_from_u64(1));
    if (u256_is_zero(u256_mod(old_fee, ten)) && !u256_is_zero(old_fee))
        raise = u256_sub(raise, u256_from_u64(1));
    struct u256 wanted;
    return u256_add_checked(&wanted, old_fee, raise) && u256_compare(new_fee, wanted) >= 0;
}

static bool replaces(const struct mempool_tx *tx, const struct mempool_tx *old)
{
    return pays_a_tenth_more(tx->max_fee_per_gas, old->max_fee_per_gas) &&
           pays_a_tenth_more(tx->max_priority_fee_per_gas, old->max_priority_fee_per_gas);
}

/* What the sender has queued without what this state has used up and without `old`: how many, and
 * their cost. */
static size_t queued_beside(struct u256 *out_cost_wei, const struct sender *s,
                            const struct entry *old, uint64_t account_nonce)
{
    size_t count = 0;
    *out_cost_wei = (struct u256){{0}};
    for (size_t i = 0; s && i < s->count; i++) {
        const struct entry *e = s->queue[i];
        if (e == old || e->tx.nonce < account_nonce) continue;
        *out_cost_wei = u256_add(*out_cost_wei, e->tx.cost_max_wei);
        count++;
    }
    return count;
}

static enum tx_reason check_account(const struct mempool *m, const struct mempool_tx *tx,
                                    const struct sender *s, const struct entry *old,
                                    const struct mempool_account *account)
{
    struct u256 total;
    if (account->has_code) return TX_SENDER_HAS_CODE;
    if (tx->nonce < account->nonce) return TX_NONCE_TOO_LOW;
    if (tx->nonce - account->nonce >= MEMPOOL_SENDER_MAX) return TX_NONCE_TOO_HIGH;
    if (old && !replaces(tx, &old->tx)) return TX_REPLACE_UNDERPRICED;
    struct u256 beside;
    size_t queued = queued_beside(&beside, s, old, account->nonce);
    enum tx_reason reason = mempool_check_sender_delegation(m, tx, account, old, queued);
    if (reason != TX_FINE) return reason;
    if (queued >= MEMPOOL_SENDER_MAX) return TX_SENDER_FULL;
    if (!u256_add_checked(&total, beside, tx->cost_max_wei)) return TX_FUNDS;
    return u256_compare(total, account->balance_wei) > 0 ? TX_FUNDS : TX_FINE;
}

static void drop_used_nonces(struct mempool *m, struct sender *s, uint64_t nonce)
{
    s->nonce = nonce;
    while (s->count > 0 && s->queue[0]->tx.nonce < nonce)
        mempool_entry_remove(m, s, s->queue[0]);
}

/* Whether every nonce between the account's and this one is queued. */
static bool is_ready(const struct sender *s, uint64_t account_nonce, uint64_t nonce)
{
    uint64_t before = nonce - account_nonce;
    if (!s || before == 0) return before == 0;
    size_t first = mempool_queue_position(s, account_nonce);
    size_t at = mempool_queue_position(s, nonce);
    return at - first == before;
}

static void set_base_fee(struct mempool *m, struct u256 base_fee)
{
    if (u256_equal(m->base_fee, base_fee)) return;
    m->base_fee = base_fee;
    m->cheapest = NULL;
}

static struct entry *entry_create(const struct newcomer *n)
{
    size_t wire_size = n->tx.wire.size;
    size_t authorities_size = n->authority_count * sizeof *n->authorities;
    struct entry *e = must_alloc(sizeof *e + wire_size + authorities_size);
    memcpy(e->wire, n->tx.wire.data, wire_size);
    if (authorities_size > 0) memcpy(e->wire + wire_size, n->authorities, authorities_size);
    e->tx = n->tx;
    e->tx.wire = bytes_of(e->wire, wire_size);
    e->authorities = (const struct address *)(e->wire + wire_size); /* bytes: no alignment */
    e->authority_count = n->authority_count;
    return e;
}

static void store(struct mempool *m, const struct newcomer *n, struct entry *old,
                  uint64_t account_nonce)
{
    struct sender *s = mempool_sender_get(m, &n->tx.sender);
    if (old) mempool_entry_remove(m, s, old);
    drop_used_nonces(m, s, account_nonce);
    mempool_entry_insert(m, s, entry_create(n));
}

enum tx_reason mempool_add(struct mempool *m, struct hash *out_hash, struct bytes wire,
                           const struct mempool_world *world, uint64_t now_ms)
{
    return mempool_add_from(m, out_hash, wire, NULL, world, now_ms);
}

enum tx_reason mempool_add_from(struct mempool *m, struct hash *out_hash, struct bytes wire,
                                const struct address *sender, const struct mempool_world *world,
                                uint64_t now_ms)
{
    struct newcomer n = {.tx = {.sequence = m->next_sequence, .arrived_ms = now_ms}};
    struct tx decoded;
    if (sender != NULL) n.tx.sender = *sender;
    enum tx_reason reason = examine(m, &n.tx, &decoded, wire, world);
    if (!hash_is_zero(&n.tx.hash)) *out_hash = n.tx.hash;
    if (reason != TX_FINE) return reason;
    struct mempool_account account = world->account(world->context, &n.tx.sender);
    struct sender *s = mempool_sender_find(m, &n.tx.sender);
    struct entry *old = mempool_queue_find(s, n.tx.nonce);
    reason = check_account(m, &n.tx, s, old, &account);
    if (reason != TX_FINE) return reason;
    mempool_find_authorities(m, &n, &decoded, world->chain_id); /* dear, so it comes last */
    reason = mempool_check_authorities(m, &n);
    if (reason != TX_FINE) return reason;
    set_base_fee(m, world->base_fee);
    bool ready = is_ready(s, account.nonce, n.tx.nonce);
    if (!mempool_make_room(m, &n.tx, ready, s, old)) return TX_POOL_FULL;
    store(m, &n, old, account.nonce);
    m->next_sequence++;
    return TX_FINE;
}

/* --- what time and blocks do --- */

static void recheck(struct mempool *m, struct sender *s, const struct mempool_world *world)
{
    struct mempool_account account = world->account(world->context, &s->address);
    drop_used_nonces(m, s, account.nonce);
    struct u256 total = {{0}};
    size_t covered = 0;
    for (; covered < s->count; covered++) {
        if (!u256_add_checked(&total, total, s->queue[covered]->tx.cost_max_wei)) break;
        if (u256_compare(total, account.balance_wei) > 0) break;
    }
    mempool_queue_cut(m, s, covered);
    m->cheapest = NULL;
    mempool_sender_drop_if_empty(m, s);
}

void mempool_on_block(struct mempool *m, const struct mempool_world *world,
                      const struct address *spenders, size_t count)
{
    set_base_fee(m, world->base_fee);
    for (size_t i = 0; i < count; i++) {
        struct sender *s = mempool_sender_find(m, &spenders[i]);
        if (s) recheck(m, s, world);
    }
    if (spenders) return;
    assert(count == 0);
    for (struct sender *s = m->senders; s;) {
        struct sender *next = s->by_address.next;
        recheck(m, s, world);
        s = next;
    }
}

static void remove_whole(struct mempool *m, struct entry *e)
{
    struct sender *s = mempool_sender_find(m, &e->tx.sender);
    assert(s);
    mempool_entry_remove(m, s, e);
    mempool_sender_drop_if_empty(m, s);
}

void mempool_expire(struct mempool *m, uint64_t now_ms)
{
    while (m->oldest && now_ms > m->oldest->tx.arrived_ms &&
           now_ms - m->oldest->tx.arrived_ms > m->limits.lifetime_ms)
        remove_whole(m, m->oldest);
}

bool mempool_remove(struct mempool *m, const struct hash *hash)
{
    struct entry *e = mempool_entry_find(m, hash);
    if (e) remove_whole(m, e);
    return e != NULL;
}

/* --- looking --- */

const struct mempool_tx *mempool_find(const struct mempool *m, const struct hash *hash)
{
    const struct entry *e = mempool_entry_find(m, hash);
    return e ? &e->tx : NULL;
}

size_t mempool_count(const struct mempool *m)
{
    return HASH_CNT(by_hash, m->entries);
}

size_t mempool_size_bytes(const struct mempool *m)
{
    return m->size_bytes;
}

uint64_t mempool_next_nonce(const struct mempool *m, const struct address *sender,
                            uint64_t account_nonce)
{
    const struct sender *s = mempool_sender_find(m, sender);
    uint64_t nonce = account_nonce;
    while (s && mempool_queue_find(s, nonce))
        nonce++;
    return nonce;
}

size_t mempool_list(const struct mempool *m, const struct mempool_tx **out, size_t count_max,
                    uint64_t after)
{
    const struct entry *e = m->newest;
    while (e && e->older && e->older->tx.sequence > after)
        e = e->older;
    size_t count = 0;
    for (; e && count < count_max; e = e->newer)
        if (e->tx.sequence > after) out[count++] = &e->tx;
    return count;
}
