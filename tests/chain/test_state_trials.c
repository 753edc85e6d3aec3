/* The chain's state does under generated programs what the VM tests' small world does.
 *
 * Each trial (tests/vm/trial.h) runs on a layer and on a memory host: outcome and logs must be the
 * same, and so must the root of what the layer became and of a fresh layer made from what the
 * memory host holds. EVM_SEED=N and EVM_COUNT=M choose other programs. */
#include "tests/vm/tier_check.h"

/* Both hosts are called `struct host`, as vm/host.h has it; this file needs both. */
#define host layer_host
#include "chain/state.h"
#undef host

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#ifdef SANITIZED /* ten times slower */
#define TRIALS 500
#else
#define TRIALS 3000
#endif

struct world {
    struct state_base base;
    struct layer *parent;                 /* the trial's world before */
    struct evm *evms[TRIAL_REVISIONS][2]; /* for the layer, for the memory host */
};

static bool trial_block_hash(void *ancestry, uint64_t number, struct hash *out)
{
    (void)number;
    *out = *(const struct hash *)ancestry;
    return true;
}

static bool is_gone(const struct memory_account *a)
{
    return a->created && a->destructed;
}

static void copy_account(struct layer *l, const struct memory_account *a)
{
    if (is_gone(a)) return;
    layer_set_balance(l, &a->address, a->seen.balance);
    layer_set_nonce(l, &a->address, a->seen.nonce);
    if (a->code.size > 0) layer_set_code(l, &a->address, a->code);
}

/* A sealed layer that holds what the memory host holds. */
static struct layer *layer_of(const struct state_base *base, struct host *h)
{
    struct layer *l = layer_create(base, NULL);
    for (size_t i = 0; i < h->account_count; i++)
        copy_account(l, &h->accounts[i]);
    for (size_t i = 0; i < h->slot_count; i++) {
        const struct memory_slot *s = &h->slots[i];
        const struct memory_account *owner = memory_account_find(h, &s->address);
        if (owner == NULL || is_gone(owner) || u256_is_zero(s->seen.now)) continue;
        layer_set_storage(l, &s->address, s->key, s->seen.now);
    }
    (void)layer_seal(l);
    return l;
}

static void warm_layer(struct layer *l, const struct host *h)
{
    for (size_t i = 0; i < h->account_count; i++)
        if (h->accounts[i].warm) layer_warm_account(l, &h->accounts[i].address);
}

static struct hash digest_of_layer_logs(const struct layer *l)
{
    struct host view = {.account_count = 0};
    struct hash digest;
    const struct log_entry *logs = layer_logs(l, &view.log_count);
    if (view.log_count > 0) {
        view.logs = must_alloc(view.log_count * sizeof(*logs));
        memcpy(view.logs, logs, view.log_count * sizeof(*logs));
    }
    digest = digest_of_logs(&view);
    free(view.logs);
    return digest;
}

/* Runs on a layer over the parent; leaves its root in o->state. */
static void run_on_layer(struct observation *o, struct world *w, const struct trial *t,
                         struct host *h, const struct evm_message *m)
{
    struct layer *l = layer_create(&w->base, w->parent);
    struct layer_host on = {.layer = l, .context = h->context};
    struct host nothing = {.account_count = 0};
    struct evm_outcome out;
    on.ancestry = &h->block_hash_answer;
    on.block_hash = trial_block_hash;
    layer_begin(l);
    warm_layer(l, h);
    evm_execute(w->evms[t->revision][0], &out, &HOST_OF_LAYER, (struct host *)&on, m);
    observe(o, &out, &nothing);
    layer_end(l);
    o->logs = digest_of_layer_logs(l);
    o->state = layer_seal(l);
    layer_release(l);
}

static void run_on_memory(struct observation *o, struct world *w, const struct trial *t,
                          struct host *h, const struct evm_message *m)
{
    struct evm_outcome out;
    evm_execute(w->evms[t->revision][1], &out, &memory_host_table, h, m);
    observe(o, &out, h);
    struct layer *l = layer_of(&w->base, h);
    o->state = layer_root(l);
    layer_release(l);
    memory_host_rewind(h);
    memset(&o->warm, 0, sizeof(o->warm)); /* a layer does not tell it; gas does */
}

static void compare_hosts(struct world *w, uint64_t seed)
{
    struct trial t;
    struct host h;
    struct choices c = choices_from_seed(seed);
    struct observation here, there;
    int64_t used[TRIAL_MESSAGES] = {0};
    trial_make(&t, &c, WITH_KZG);
    trial_open(&h, &t, no_twist);
    w->parent = layer_of(&w->base, &h);
    for (int try = 0; try < TRIAL_TRIES; try++) {
        struct trial_try at = choose_try(&c, try, &t, used);
        struct evm_message m = trial_message(&h, &t, at.message);
        m.gas = at.gas;
        run_on_layer(&here, w, &t, &h, &m);
        run_on_memory(&there, w, &t, &h, &m);
        const char *what = observation_difference(&here, &there);
        if (what != NULL)
            fail_msg("seed %llu, gas %lld: the layer and the memory host have another %s",
                     (unsigned long long)seed, (long long)m.gas, what);
        if (try < TRIAL_MESSAGES) used[at.message] = m.gas - here.gas_left;
    }
    layer_release(w->parent);
    memory_host_finish(&h);
    trial_finish(&t);
}

static uint64_t number_from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void layers_do_what_the_small_world_does(void **state)
{
    (void)state;
    struct world w = {.base = state_base_empty()};
    uint64_t first = number_from_environment("EVM_SEED", 0);
    uint64_t count = number_from_environment("EVM_COUNT", TRIALS);
    for (int revision = 0; revision < TRIAL_REVISIONS; revision++) {
        for (int i = 0; i < 2; i++)
            w.evms[revision][i] = evm_create((enum evm_revision)revision);
        evm_set_tier(w.evms[revision][1], EVM_TIER_PLAIN);
    }
    for (uint64_t seed = first; seed < first + count; seed++)
        compare_hosts(&w, seed);
    for (int revision = 0; revision < TRIAL_REVISIONS; revision++) {
        for (int i = 0; i < 2; i++)
            evm_destroy(w.evms[revision][i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_do_what_the_small_world_does),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
