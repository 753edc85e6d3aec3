/* Random changes, snapshots, reverts, transactions and layers against a model that copies its whole
 * small world at each snapshot. What a failure prints as seed goes into STATE_SEED to see it again.
 */
#include "chain/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RUNS           300
#define STEPS          600
#define ACCOUNTS       6
#define OLD_ACCOUNTS   3 /* the others come and go */
#define SLOTS          90
#define SNAPSHOTS_MAX  12
#define FIRST_BALANCE  1000
#define LAYERS_MAX     6
#define CODE_TEXT      "code"
#define CHECK(is_true) check((is_true), #is_true, __LINE__)

struct model_slot {
    uint64_t now, original, transient;
    bool is_warm;
};

struct model_account {
    uint64_t balance, nonce;
    bool has_code, is_warm, is_created, is_destroyed;
    struct model_slot slots[SLOTS];
};

struct model {
    struct model_account accounts[ACCOUNTS];
    size_t log_count;
};

struct run {
    uint64_t seed, random;
    struct state_base base;
    struct host host;
    struct model model;
    size_t snapshot_count;
    size_t snapshots[SNAPSHOTS_MAX];
    struct model copies[SNAPSHOTS_MAX];
    size_t layer_count;
};

static struct run *running;

static void check(bool is_true, const char *what, int line)
{
    if (!is_true)
        fail_msg("STATE_SEED=%llu, line %d: %s", (unsigned long long)running->seed, line, what);
}

static uint64_t below(struct run *r, uint64_t limit)
{
    r->random = r->random * 6364136223846793005u + 1442695040888963407u;
    return (r->random >> 33) % limit;
}

/* Half of them end alike, so that they and their slots meet in whatever is found by the end. */
static struct address address_of(size_t account)
{
    struct address a = {{(uint8_t)(account + 1)}};
    a.b[19] = (uint8_t)(account % 3);
    return a;
}

/* Side by side, 64 apart, and apart in the upper limbs only. */
static struct u256 key_of(size_t slot)
{
    struct u256 key = {{slot % 40, 0, 0, 0}};
    if (slot >= 40 && slot < 60) key.limb[0] = (slot - 39) * 64;
    if (slot >= 60) key.limb[slot % 4] = slot << 32;
    return key;
}

static struct model_account *any_account(struct run *r, struct address *out)
{
    size_t account = below(r, ACCOUNTS);
    *out = address_of(account);
    return &r->model.accounts[account];
}

/* ---- one step each ---- */

static size_t any_slot(struct run *r)
{
    return below(r, below(r, 3) > 0 ? 3 : SLOTS);
}

static struct host_slot *touch_slot(struct run *r, struct model_slot **model)
{
    struct address a;
    struct model_account *account = any_account(r, &a);
    size_t slot = any_slot(r);
    struct u256 key = key_of(slot);
    struct host_slot *seen = HOST_OF_LAYER.touch_slot(&r->host, &a, &key);
    struct model_slot *s = &account->slots[slot];
    CHECK(seen->was == (s->is_warm ? ACCESS_WARM : ACCESS_COLD));
    CHECK(u256_equal(seen->now, u256_from_u64(s->now)));
    CHECK(u256_equal(seen->original, u256_from_u64(s->original)));
    s->is_warm = true;
    *model = account->nonce == 0 ? NULL : s; /* only what exists has code that stores */
    return seen;
}

static void store(struct run *r)
{
    struct model_slot *s;
    struct host_slot *seen = touch_slot(r, &s);
    if (s == NULL) return;
    s->now = below(r, 3);
    struct u256 value = u256_from_u64(s->now);
    HOST_OF_LAYER.store(&r->host, seen, &value);
}

static void use_transient(struct run *r)
{
    struct address a;
    struct model_account *account = any_account(r, &a);
    size_t slot = any_slot(r);
    struct u256 key = key_of(slot);
    uint64_t *now = &account->slots[slot].transient;
    CHECK(u256_equal(*HOST_OF_LAYER.transient(&r->host, &a, &key), u256_from_u64(*now)));
    if (below(r, 2) == 0) return;
    *now = below(r, 100);
    struct u256 value = u256_from_u64(*now);
    HOST_OF_LAYER.set_transient(&r->host, &a, &key, &value);
}

static void touch_account(struct run *r)
{
    struct address a;
    struct model_account *account = any_account(r, &a);
    const struct host_account *seen = HOST_OF_LAYER.touch_account(&r->host, &a);
    CHECK(seen->was == (account->is_warm ? ACCESS_WARM : ACCESS_COLD));
    CHECK(u256_equal(seen->balance, u256_from_u64(account->balance)));
    CHECK(seen->nonce == account->nonce);
    CHECK(hash_equal(&seen->code_hash, &KECCAK_EMPTY) == !account->has_code);
    CHECK(HOST_OF_LAYER.code(&r->host, &a).size == (account->has_code ? strlen(CODE_TEXT) : 0));
    account->is_warm = true;
}

static void raise_nonce(struct run *r)
{
    struct address a;
    struct model_account *account = any_account(r, &a);
    if (account->nonce > 0) HOST_OF_LAYER.set_nonce(&r->host, &a, ++account->nonce);
}

static void transfer(struct run *r)
{
    struct address from, to;
    struct model_account *payer = any_account(r, &from);
    struct model_account *payee = any_account(r, &to);
    uint64_t wei = below(r, payer->balance + 1);
    HOST_OF_LAYER.transfer(&r->host, &from, &to, u256_from_u64(wei));
    payer->balance -= wei;
    payee->balance += wei;
}

static bool has_storage(const struct model_account *account)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (account->slots[i].now != 0) return true;
    }
    return false;
}

static void create(struct run *r)
{
    struct address a;
    struct model_account *account = any_account(r, &a);
    if (account->nonce > 0) return;
    CHECK(HOST_OF_LAYER.has_storage(&r->host, &a) == has_storage(account));
    HOST_OF_LAYER.mark_created(&r->host, &a);
    HOST_OF_LAYER.set_nonce(&r->host, &a, 1);
    HOST_OF_LAYER.set_code(&r->host, &a, bytes_of_text(CODE_TEXT));
    account->nonce = 1;
    account->is_created = true;
    account->has_code = true;
}

static void destroy(struct run *r)
{
    struct address a, heir;
    struct model_account *account = any_account(r, &a);
    struct model_account *to = any_account(r, &heir);
    if (account->nonce == 0) return;
    HOST_OF_LAYER.self_destruct(&r->host, &a, &heir);
    uint64_t balance = account->balance;
    if (account != to || account->is_created) account->balance = 0;
    if (account != to) to->balance += balance;
    if (account->is_created) account->is_destroyed = true;
}

static void write_log(struct run *r)
{
    struct log_entry log = {.address = address_of(0), .data = bytes_of_text("log")};
    HOST_OF_LAYER.log(&r->host, &log);
    r->model.log_count++;
}

static void snapshot(struct run *r)
{
    if (r->snapshot_count == SNAPSHOTS_MAX) return;
    r->copies[r->snapshot_count] = r->model;
    r->snapshots[r->snapshot_count++] = HOST_OF_LAYER.snapshot(&r->host);
}

static void revert(struct run *r)
{
    if (r->snapshot_count == 0) return;
    size_t to = r->snapshot_count - 1 - below(r, r->snapshot_count < 3 ? r->snapshot_count : 3);
    HOST_OF_LAYER.revert(&r->host, r->snapshots[to]);
    for (size_t i = 0; i < ACCOUNTS; i++) { /* what a transaction began with is not undone */
        for (size_t j = 0; j < SLOTS; j++)
            CHECK(r->copies[to].accounts[i].slots[j].original ==
                  r->model.accounts[i].slots[j].original);
    }
    r->model = r->copies[to];
    r->snapshot_count = to + (below(r, 2) == 0); /* a snapshot can be gone back to twice */
}

/* ---- transactions and layers ---- */

static void end_account(struct model_account *account)
{
    if (account->is_destroyed) {
        account->balance = account->nonce = 0;
        account->has_code = false;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        struct model_slot *s = &account->slots[i];
        if (account->is_destroyed) s->now = 0;
        *s = (struct model_slot){.now = s->now, .original = s->now};
    }
    account->is_warm = account->is_created = account->is_destroyed = false;
}

static void end_transaction(struct run *r)
{
    size_t count;
    layer_end(r->host.layer);
    (void)layer_logs(r->host.layer, &count);
    CHECK(count == r->model.log_count);
    for (size_t i = 0; i < ACCOUNTS; i++)
        end_account(&r->model.accounts[i]);
    r->model.log_count = 0;
    r->snapshot_count = 0;
}

static void next_layer(struct run *r)
{
    struct layer *below_it = r->host.layer;
    (void)layer_seal(below_it);
    r->host.layer = layer_create(&r->base, below_it);
    layer_release(below_it);
    r->layer_count++;
}

static void next_transaction(struct run *r)
{
    end_transaction(r);
    if (r->layer_count < LAYERS_MAX && below(r, 3) == 0) next_layer(r);
    layer_begin(r->host.layer);
}

static struct hash root_of_model(struct run *r)
{
    struct layer *l = layer_create(&r->base, NULL);
    for (size_t i = 0; i < ACCOUNTS; i++) {
        const struct model_account *account = &r->model.accounts[i];
        struct address a = address_of(i);
        layer_set_balance(l, &a, u256_from_u64(account->balance));
        layer_set_nonce(l, &a, account->nonce);
        if (account->has_code) layer_set_code(l, &a, bytes_of_text(CODE_TEXT));
        for (size_t j = 0; j < SLOTS; j++)
            layer_set_storage(l, &a, key_of(j), u256_from_u64(account->slots[j].now));
    }
    struct hash root = layer_seal(l);
    layer_release(l);
    return root;
}

static void step(struct run *r)
{
    struct model_slot *ignored;
    switch (below(r, 16)) {
    case 0:
    case 1: (void)touch_slot(r, &ignored); break;
    case 2:
    case 3:
    case 4:
    case 5: store(r); break;
    case 6:
    case 7: use_transient(r); break;
    case 8: touch_account(r); break;
    case 9: raise_nonce(r); break;
    case 10: transfer(r); break;
    case 11: create(r); break;
    case 12: below(r, 3) == 0 ? destroy(r) : write_log(r); break;
    case 13:
    case 14: snapshot(r); break;
    case 15: below(r, 4) == 0 ? next_transaction(r) : revert(r); break;
    }
}

static void one_run(struct run *r, uint64_t seed)
{
    *r = (struct run){.seed = seed, .random = seed, .base = state_base_empty()};
    r->base.map_key[0] = seed;
    r->host.layer = layer_create(&r->base, NULL);
    for (size_t i = 0; i < OLD_ACCOUNTS; i++) {
        struct address a = address_of(i);
        r->model.accounts[i].balance = FIRST_BALANCE;
        r->model.accounts[i].nonce = 1;
        layer_set_balance(r->host.layer, &a, u256_from_u64(FIRST_BALANCE));
        layer_set_nonce(r->host.layer, &a, 1);
    }
    layer_begin(r->host.layer);
    for (int i = 0; i < STEPS; i++)
        step(r);
    end_transaction(r);
    struct hash root = layer_seal(r->host.layer), expected = root_of_model(r);
    CHECK(hash_equal(&root, &expected));
    layer_release(r->host.layer);
}

static void a_layer_does_what_a_model_of_whole_copies_does(void **state)
{
    (void)state;
    const char *chosen = getenv("STATE_SEED");
    static struct run r;
    running = &r;
    if (chosen != NULL) {
        one_run(&r, strtoull(chosen, NULL, 0));
        return;
    }
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        one_run(&r, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_does_what_a_model_of_whole_copies_does),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
