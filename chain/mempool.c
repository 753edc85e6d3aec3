#include "chain/mempool.h"

#include "chain/mempool_table.h"

#include <assert.h>
#include <string.h>

#define REPLACE_DIVISOR 10 /* a replacement pays a tenth more */

const struct mempool_limits MEMPOOL_DEFAULT_LIMITS = {
    .count_max = MEMPOOL_COUNT_MAX,
    .size_bytes_max = MEMPOOL_BYTES_MAX,
    .lifetime_ms = MEMPOOL_LIFETIME_MS,
};

__extension__ typedef unsigned __int128 uint128;

/* Keys are hashes already, so mixing them with the seed by one multiplication a word is enough to
 * keep an outsider from aiming at a bucket. */
unsigned mempool_hash_key(const struct mempool *m, const void *key, size_t size_bytes)
{
    const uint8_t *bytes = key;
    uint64_t state = m->seed[0];
    for (size_t at = 0; at < size_bytes; at += 4) {
        uint128 product = (uint128)(state ^ load_be32(bytes + at)) * (m->seed[1] | 1);
        state = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    return (unsigned)(state ^ state >> 32);
}

struct mempool *mempool_create(const struct mempool_limits *limits, const uint8_t seed[16])
{
    struct mempool *m = must_alloc(sizeof *m);
    m->limits = *limits;
    m->seed[0] = load_be64(seed);
    m->seed[1] = load_be64(seed + 8);
    m->next_sequence = 1;
    return m;
}

/* --- senders and their queues --- */

static struct sender *find_sender(const struct mempool *m, const struct address *a)
{
    struct sender *s = NULL;
    HASH_FIND(by_address, m->senders, a->b, sizeof a->b, s);
    return s;
}

static struct sender *get_sender(struct mempool *m, const struct address *a)
{
    struct sender *s = find_sender(m, a);
    if (s) return s;
    s = must_alloc(sizeof *s);
    s->address = *a;
    HASH_ADD(by_address, m->senders, address, sizeof s->address, s);
    return s;
}

static void drop_sender_if_empty(struct mempool *m, struct sender *s)
{
    if (s->count > 0) return;
    HASH_DELETE(by_address, m->senders, s);
    free(s);
}

/* Where a nonce is, or would be inserted. */
static size_t queue_position(const struct sender *s, uint64_t nonce)
{
    size_t at = 0;
    while (at < s->count && s->queue[at]->tx.nonce < nonce) at++;
    return at;
}

static struct entry *find_nonce(const struct sender *s, uint64_t nonce)
{
    size_t at = s ? queue_position(s, nonce) : 0;
    return s && at < s->count && s->queue[at]->tx.nonce == nonce ? s->queue[at] : NULL;
}

/* --- linking and unlinking one entry; the sender stays, even if empty --- */

static void link_arrival(struct mempool *m, struct entry *e)
{
    e->older = m->newest;
    if (m->newest)
        m->newest->newer = e;
    else
        m->oldest = e;
    m->newest = e;
}

static void unlink_arrival(struct mempool *m, struct entry *e)
{
    if (e->older)
        e->older->newer = e->newer;
    else
        m->oldest = e->newer;
    if (e->newer)
        e->newer->older = e->older;
    else
        m->newest = e->older;
}

static void insert_entry(struct mempool *m, struct sender *s, struct entry *e)
{
    size_t at = queue_position(s, e->tx.nonce);
    assert(s->count < MEMPOOL_SENDER_MAX);
    memmove(&s->queue[at + 1], &s->queue[at], (s->count - at) * sizeof s->queue[0]);
    s->queue[at] = e;
    s->count++;
    HASH_ADD(by_hash, m->entries, tx.hash, sizeof e->tx.hash, e);
    link_arrival(m, e);
    m->size_bytes += e->tx.wire.size;
    m->cheapest = NULL;
}

static void remove_entry(struct mempool *m, struct sender *s, struct entry *e)
{
    size_t at = queue_position(s, e->tx.nonce);
    assert(at < s->count && s->queue[at] == e);
    s->count--;
    memmove(&s->queue[at], &s->queue[at + 1], (s->count - at) * sizeof s->queue[0]);
    HASH_DELETE(by_hash, m->entries, e);
    unlink_arrival(m, e);
    assert(m->size_bytes >= e->tx.wire.size);
    m->size_bytes -= e->tx.wire.size;
    m->cheapest = NULL;
    free(e);
}

static void remove_tail(struct mempool *m, struct sender *s, size_t from)
{
    while (s->count > from) remove_entry(m, s, s->queue[s->count - 1]);
}

void mempool_destroy(struct mempool *m)
{
    if (!m) return;
    while (m->senders) {
        struct sender *s = m->senders;
        remove_tail(m, s, 0);
        drop_sender_if_empty(m, s);
    }
    arena_finish(&m->arena);
    free(m);
}

/* --- victims of a full pool --- */

struct rank {
    bool        ready; /* no gap before it */
    struct u256 tip;
    struct u256 max_fee;
    uint64_t    sequence;
};

static struct rank rank_of(const struct mempool *m, const struct mempool_tx *tx, bool ready)
{
    struct u256 tip = fee_tip(tx->max_fee_per_gas, tx->max_priority_fee_per_gas, m->base_fee);
    return (struct rank){ready, tip, tx->max_fee_per_gas, tx->sequence};
}

static bool worse(const struct rank *a, const struct rank *b)
{
    if (a->ready != b->ready) return b->ready;
    int by_tip = u256_compare(a->tip, b->tip);
    if (by_tip != 0) return by_tip < 0;
    int by_fee = u256_compare(a->max_fee, b->max_fee);
    if (by_fee != 0) return by_fee < 0;
    return a->sequence > b->sequence;
}

/* The last of the sender's queue that is not chosen yet; NULL if there is none. */
static const struct entry *tail_of(const struct sender *s)
{
    size_t left = s->count - s->doomed;
    return left > 0 ? s->queue[left - 1] : NULL;
}

static struct rank rank_of_tail(const struct mempool *m, const struct sender *s)
{
    const struct entry *tail = tail_of(s);
    assert(tail);
    bool ready = tail->tx.nonce - s->nonce < s->count - s->doomed;
    return rank_of(m, &tail->tx, ready);
}

/* The sender with the worst tail, but for `except`; NULL if there is none. */
static struct sender *worst_sender(const struct mempool *m, const struct sender *except)
{
    struct sender *worst = NULL;
    struct rank worst_rank = {0};
    for (struct sender *s = m->senders; s; s = s->by_address.next) {
        if (s == except || !tail_of(s)) continue;
        struct rank rank = rank_of_tail(m, s);
        if (worst && !worse(&rank, &worst_rank)) continue;
        worst = s;
        worst_rank = rank;
    }
    return worst;
}

static void spare_all(struct mempool *m)
{
    for (struct sender *s = m->senders; s; s = s->by_address.next) s->doomed = 0;
}

static void evict_doomed(struct mempool *m)
{
    for (struct sender *s = m->senders; s;) {
        struct sender *next = s->by_address.next;
        size_t doomed = s->doomed;
        s->doomed = 0;
        if (doomed > 0) {
            remove_tail(m, s, s->count - doomed);
            drop_sender_if_empty(m, s);
        }
        s = next;
    }
}

/* Whether even the first victim is no worse than the newcomer; the answer is kept, so that a flood
 * of cheap transactions does not search the pool each time. */
static bool surely_no_room(struct mempool *m, const struct rank *newcomer)
{
    if (!m->cheapest) {
        const struct sender *s = worst_sender(m, NULL);
        if (!s) return false;
        m->cheapest = tail_of(s);
    }
    const struct sender *s = find_sender(m, &m->cheapest->tx.sender);
    assert(s && tail_of(s) == m->cheapest);
    struct rank cheapest = rank_of_tail(m, s);
    return !worse(&cheapest, newcomer);
}

struct room {
    size_t count; /* over the limits by so much */
    size_t size_bytes;
};

/* Chooses victims, each worse than the newcomer, until the room is there. All or nothing. */
static bool doom_for(struct mempool *m, const struct rank *newcomer, const struct sender *own,
                     struct room missing)
{
    for (size_t chosen = 0; missing.count > 0 || missing.size_bytes > 0; chosen++) {
        struct sender *s = chosen < MEMPOOL_VICTIMS_MAX ? worst_sender(m, own) : NULL;
        const struct entry *victim = s ? tail_of(s) : NULL;
        struct rank rank = victim ? rank_of_tail(m, s) : *newcomer;
        if (!victim || !worse(&rank, newcomer)) {
            spare_all(m);
            return false;
        }
        size_t freed = victim->tx.wire.size;
        missing.count -= missing.count > 0;
        missing.size_bytes -= freed < missing.size_bytes ? freed : missing.size_bytes;
        s->doomed++;
    }
    return true;
}

static size_t excess(size_t value, size_t max)
{
    return value > max ? value - max : 0;
}

/* Makes room for `tx` in place of `old` (or NULL). False: refused, nothing changed. */
static bool make_room(struct mempool *m, const struct mempool_tx *tx, bool ready,
                      const struct sender *own, const struct entry *old)
{
    size_t count = mempool_count(m) + (old ? 0 : 1);
    size_t size_bytes = m->size_bytes + tx->wire.size - (old ? old->tx.wire.size : 0);
    struct room missing = {excess(count, m->limits.count_max),
                           excess(size_bytes, m->limits.size_bytes_max)};
    if (missing.count == 0 && missing.size_bytes == 0) return true;
    struct rank rank = rank_of(m, tx, ready);
    if (surely_no_room(m, &rank)) return false;
    if (!doom_for(m, &rank, own, missing)) return false;
    evict_doomed(m);
    return true;
}

/* --- adding --- */

static enum tx_reason reason_of_status(enum status status)
{
    if (status == E_LIMIT) return TX_OVERSIZED;
    return status == E_UNSUPPORTED ? TX_TYPE_UNSUPPORTED : TX_MALFORMED;
}

/* What needs no account: fills in everything of *out but sequence and time. */
static enum tx_reason examine(struct mempool *m, struct mempool_tx *out, struct bytes wire,
                              const struct mempool_world *world)
{
    struct tx t;
    arena_reset(&m->arena);
    enum status status = tx_decode(&t, &m->arena, wire);
    if (status != OK) return reason_of_status(status);
    out->hash = tx_hash_of_wire(wire);
    if (mempool_find(m, &out->hash)) return TX_KNOWN;
    enum tx_reason reason = tx_check_static(&t, world->chain_id, world->block_gas_limit);
    if (reason != TX_FINE) return reason;
    if (!tx_cost_max(&out->cost_max_wei, &t)) return TX_FUNDS;
    if (tx_sender(&out->sender, &t) != OK) return TX_BAD_SIGNATURE;
    out->nonce = t.nonce;
    out->gas_limit = t.gas_limit;
    out->max_fee_per_gas = t.max_fee_per_gas;
    out->max_priority_fee_per_gas = t.max_priority_fee_per_gas;
    out->wire = wire;
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

static enum tx_reason check_account(const struct mempool_tx *tx, const struct sender *s,
                                    const struct entry *old, const struct mempool_account *account)
{
    struct u256 total;
    if (account->has_code) return TX_SENDER_HAS_CODE;
    if (tx->nonce < account->nonce) return TX_NONCE_TOO_LOW;
    if (tx->nonce - account->nonce >= MEMPOOL_SENDER_MAX) return TX_NONCE_TOO_HIGH;
    if (old && !replaces(tx, &old->tx)) return TX_REPLACE_UNDERPRICED;
    struct u256 beside;
    if (queued_beside(&beside, s, old, account->nonce) >= MEMPOOL_SENDER_MAX) return TX_SENDER_FULL;
    if (!u256_add_checked(&total, beside, tx->cost_max_wei)) return TX_FUNDS;
    return u256_compare(total, account->balance_wei) > 0 ? TX_FUNDS : TX_FINE;
}

static void drop_used_nonces(struct mempool *m, struct sender *s, uint64_t nonce)
{
    s->nonce = nonce;
    while (s->count > 0 && s->queue[0]->tx.nonce < nonce) remove_entry(m, s, s->queue[0]);
}

/* Whether every nonce between the account's and this one is queued. */
static bool is_ready(const struct sender *s, uint64_t account_nonce, uint64_t nonce)
{
    uint64_t before = nonce - account_nonce;
    if (!s || before == 0) return before == 0;
    size_t first = queue_position(s, account_nonce);
    size_t at = queue_position(s, nonce);
    return at - first == before;
}

static void set_base_fee(struct mempool *m, struct u256 base_fee)
{
    if (u256_equal(m->base_fee, base_fee)) return;
    m->base_fee = base_fee;
    m->cheapest = NULL;
}

static void store(struct mempool *m, const struct mempool_tx *tx, struct entry *old,
                  uint64_t account_nonce)
{
    struct sender *s = get_sender(m, &tx->sender);
    if (old) remove_entry(m, s, old);
    drop_used_nonces(m, s, account_nonce);
    struct entry *e = must_alloc(sizeof *e + tx->wire.size);
    memcpy(e->wire, tx->wire.data, tx->wire.size);
    e->tx = *tx;
    e->tx.wire = bytes_of(e->wire, tx->wire.size);
    insert_entry(m, s, e);
}

enum tx_reason mempool_add(struct mempool *m, struct hash *out_hash, struct bytes wire,
                           const struct mempool_world *world, uint64_t now_ms)
{
    struct mempool_tx tx = {.sequence = m->next_sequence, .arrived_ms = now_ms};
    enum tx_reason reason = examine(m, &tx, wire, world);
    if (!hash_is_zero(&tx.hash)) *out_hash = tx.hash;
    if (reason != TX_FINE) return reason;
    struct mempool_account account = world->account(world->context, &tx.sender);
    struct sender *s = find_sender(m, &tx.sender);
    struct entry *old = find_nonce(s, tx.nonce);
    reason = check_account(&tx, s, old, &account);
    if (reason != TX_FINE) return reason;
    set_base_fee(m, world->base_fee);
    bool ready = is_ready(s, account.nonce, tx.nonce);
    if (!make_room(m, &tx, ready, s, old)) return TX_POOL_FULL;
    store(m, &tx, old, account.nonce);
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
    remove_tail(m, s, covered);
    m->cheapest = NULL;
    drop_sender_if_empty(m, s);
}

void mempool_on_block(struct mempool *m, const struct mempool_world *world,
                      const struct address *senders, size_t count)
{
    set_base_fee(m, world->base_fee);
    for (size_t i = 0; i < count; i++) {
        struct sender *s = find_sender(m, &senders[i]);
        if (s) recheck(m, s, world);
    }
    if (senders) return;
    assert(count == 0);
    for (struct sender *s = m->senders; s;) {
        struct sender *next = s->by_address.next;
        recheck(m, s, world);
        s = next;
    }
}

static void remove_whole(struct mempool *m, struct entry *e)
{
    struct sender *s = find_sender(m, &e->tx.sender);
    assert(s);
    remove_entry(m, s, e);
    drop_sender_if_empty(m, s);
}

void mempool_expire(struct mempool *m, uint64_t now_ms)
{
    while (m->oldest && now_ms > m->oldest->tx.arrived_ms &&
           now_ms - m->oldest->tx.arrived_ms > m->limits.lifetime_ms)
        remove_whole(m, m->oldest);
}

static struct entry *find_entry(const struct mempool *m, const struct hash *hash)
{
    struct entry *e = NULL;
    HASH_FIND(by_hash, m->entries, hash->b, sizeof hash->b, e);
    return e;
}

bool mempool_remove(struct mempool *m, const struct hash *hash)
{
    struct entry *e = find_entry(m, hash);
    if (e) remove_whole(m, e);
    return e != NULL;
}

/* --- looking --- */

const struct mempool_tx *mempool_find(const struct mempool *m, const struct hash *hash)
{
    const struct entry *e = find_entry(m, hash);
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
    const struct sender *s = find_sender(m, sender);
    uint64_t nonce = account_nonce;
    while (s && find_nonce(s, nonce)) nonce++;
    return nonce;
}

size_t mempool_list(const struct mempool *m, const struct mempool_tx **out, size_t count_max,
                    uint64_t after)
{
    const struct entry *e = m->newest;
    while (e && e->older && e->older->tx.sequence > after) e = e->older;
    size_t count = 0;
    for (; e && count < count_max; e = e->newer)
        if (e->tx.sequence > after) out[count++] = &e->tx;
    return count;
}
