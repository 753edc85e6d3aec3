/* tests/vm/tier_check.h - runs one trial in several interpreters and says where they part.
 *
 * What must agree: success, revert or failure; gas left, refund, output, created address; logs;
 * balances, nonces, code, storage, transient storage; the warm sets. When a frame fails for two
 * reasons at once, which one is named is not a matter of the rules: it is counted apart. */
#ifndef LEASEHOLD_TESTS_VM_TIER_CHECK_H
#define LEASEHOLD_TESTS_VM_TIER_CHECK_H

#include "tests/vm/trial.h"

struct observation {
    enum evm_result result;
    int64_t gas_left;
    int64_t gas_refund;
    struct hash output, logs, state, warm;
    struct address created;
};

/* A way to run a message; the first in the table is what the others are compared with. */
struct contender {
    const char *name;
    enum evm_tier tier;
    bool stoppable, traced;
    bool often; /* else in one trial in eight */
};

static const struct contender contenders[] = {
    {"plain", EVM_TIER_PLAIN, false, false, true},
    {"fast", EVM_TIER_FAST, false, false, true},
    {"auto", EVM_TIER_AUTO, false, false, true},
    {"auto again", EVM_TIER_AUTO, false, false, true},
    {"plain with a stop flag", EVM_TIER_PLAIN, true, false, false},
    {"fast with a stop flag", EVM_TIER_FAST, true, false, false},
    {"traced", EVM_TIER_AUTO, false, true, false},
};

#define CONTENDERS (sizeof(contenders) / sizeof(contenders[0]))

struct tier_check {
    struct evm *evms[TRIAL_REVISIONS][3]; /* of each tier; they keep what they know of programs */
    uint64_t trials, runs, kinds_differ, successes, reverts, failures;
};

/* Where two contenders parted. */
struct difference {
    const char *what; /* NULL: they agree */
    const struct contender *contender;
    struct trial_try at;
    struct observation expected, seen;
};

static inline void tier_check_open(struct tier_check *k)
{
    *k = (struct tier_check){.trials = 0};
    for (int revision = 0; revision < TRIAL_REVISIONS; revision++) {
        for (int tier = 0; tier < 3; tier++) {
            k->evms[revision][tier] = evm_create((enum evm_revision)revision);
            evm_set_tier(k->evms[revision][tier], (enum evm_tier)tier);
        }
    }
}

static inline void tier_check_close(struct tier_check *k)
{
    for (int revision = 0; revision < TRIAL_REVISIONS; revision++) {
        for (int tier = 0; tier < 3; tier++)
            evm_destroy(k->evms[revision][tier]);
    }
}

/* ---- what can be seen of an outcome ---- */

/* Order does not count: accounts and slots stand as they were first asked for. */
static inline void mix_in(struct hash *sum, struct keccak *k)
{
    struct hash one = keccak_finish(k);
    for (size_t i = 0; i < sizeof(sum->b); i++)
        sum->b[i] ^= one.b[i];
}

static inline void mix_key(struct hash *sum, const struct address *a, const struct u256 *slot)
{
    struct keccak k;
    keccak_init(&k);
    keccak_update(&k, address_bytes(a));
    if (slot != NULL) keccak_update(&k, bytes_of(slot, sizeof(*slot)));
    mix_in(sum, &k);
}

static inline void see_account(struct observation *o, const struct memory_account *a)
{
    struct keccak k;
    uint8_t marks[2] = {a->created, a->destructed};
    if (a->warm) mix_key(&o->warm, &a->address, NULL);
    if (u256_is_zero(a->seen.balance) && a->seen.nonce == 0 && a->code.size == 0) return;
    keccak_init(&k);
    keccak_update(&k, address_bytes(&a->address));
    keccak_update(&k, bytes_of(&a->seen.balance, sizeof(a->seen.balance)));
    keccak_update(&k, bytes_of(&a->seen.nonce, sizeof(a->seen.nonce)));
    keccak_update(&k, hash_bytes(&a->seen.code_hash));
    keccak_update(&k, bytes_of(marks, sizeof(marks)));
    mix_in(&o->state, &k);
}

static inline void see_slot(struct observation *o, const struct memory_slot *s)
{
    struct keccak k;
    if (s->warm) mix_key(&o->warm, &s->address, &s->key);
    if (u256_equal(s->seen.now, s->seen.original) && u256_is_zero(s->transient)) return;
    keccak_init(&k);
    keccak_update(&k, address_bytes(&s->address));
    keccak_update(&k, bytes_of(&s->key, sizeof(s->key)));
    keccak_update(&k, bytes_of(&s->seen.now, sizeof(s->seen.now)));
    keccak_update(&k, bytes_of(&s->transient, sizeof(s->transient)));
    mix_in(&o->state, &k);
}

static inline struct hash digest_of_logs(const struct host *h)
{
    struct keccak k;
    keccak_init(&k);
    for (size_t i = 0; i < h->log_count; i++) {
        const struct log_entry *log = &h->logs[i];
        uint64_t sizes[2] = {log->topic_count, log->data.size};
        keccak_update(&k, address_bytes(&log->address));
        keccak_update(&k, bytes_of(sizes, sizeof(sizes)));
        keccak_update(&k, bytes_of(log->topics, log->topic_count * sizeof(log->topics[0])));
        keccak_update(&k, log->data);
    }
    return keccak_finish(&k);
}

static inline void observe(struct observation *o, const struct evm_outcome *out,
                           const struct host *h)
{
    *o = (struct observation){.result = out->result, .gas_left = out->gas_left};
    o->gas_refund = out->gas_refund;
    o->created = out->created;
    o->output = keccak256(out->output);
    o->logs = digest_of_logs(h);
    for (size_t i = 0; i < h->account_count; i++)
        see_account(o, &h->accounts[i]);
    for (size_t i = 0; i < h->slot_count; i++)
        see_slot(o, &h->slots[i]);
}

static inline bool took_all_gas(enum evm_result r)
{
    return r != EVM_SUCCESS && r != EVM_REVERT;
}

/* What differs, in words; NULL if nothing does. */
static inline const char *observation_difference(const struct observation *a,
                                                 const struct observation *b)
{
    bool both_fail = took_all_gas(a->result) && took_all_gas(b->result);
    if (a->result != b->result && !both_fail) return "result";
    if (a->gas_left != b->gas_left) return "gas left";
    if (a->gas_refund != b->gas_refund) return "refund";
    if (!hash_equal(&a->output, &b->output)) return "output";
    if (!address_equal(&a->created, &b->created)) return "created address";
    if (!hash_equal(&a->logs, &b->logs)) return "logs";
    if (!hash_equal(&a->state, &b->state)) return "state";
    if (!hash_equal(&a->warm, &b->warm)) return "warm set";
    return NULL;
}

/* ---- running ---- */

static inline void no_step(void *context, const struct evm_step *s)
{
    (void)context;
    (void)s;
}

/* The host is afterwards as before. */
static inline void run_contender(struct observation *o, struct evm *evm, struct host *h,
                                 const struct contender *c, const struct evm_message *m)
{
    static const volatile int never = 0;
    struct evm_outcome out;
    evm_set_stop_flag(evm, c->stoppable ? &never : NULL);
    evm_set_trace(evm, c->traced ? no_step : NULL, NULL);
    evm_execute(evm, &out, &memory_host_table, h, m);
    observe(o, &out, h);
    memory_host_rewind(h);
    evm_set_stop_flag(evm, NULL);
    evm_set_trace(evm, NULL, NULL);
}

static inline struct evm *evm_for(struct tier_check *k, const struct trial *t, enum evm_tier tier)
{
    return k->evms[t->revision][tier];
}

static inline void count_result(struct tier_check *k, enum evm_result r)
{
    k->successes += r == EVM_SUCCESS;
    k->reverts += r == EVM_REVERT;
    k->failures += took_all_gas(r);
}

/* All contenders with one message and gas limit. */
static inline struct difference compare_at(struct tier_check *k, const struct trial *t,
                                           struct host *h, struct trial_try at, bool all)
{
    struct difference d = {.at = at};
    struct evm_message m = trial_message(h, t, at.message);
    m.gas = at.gas;
    run_contender(&d.expected, evm_for(k, t, EVM_TIER_PLAIN), h, &contenders[0], &m);
    count_result(k, d.expected.result);
    for (size_t i = 1; i < CONTENDERS && d.what == NULL; i++) {
        if (!all && !contenders[i].often) continue;
        d.contender = &contenders[i];
        run_contender(&d.seen, evm_for(k, t, d.contender->tier), h, d.contender, &m);
        d.what = observation_difference(&d.expected, &d.seen);
        k->kinds_differ += d.what == NULL && d.expected.result != d.seen.result;
        k->runs++;
    }
    return d;
}

static inline struct difference compare_trial(struct tier_check *k, const struct trial *t,
                                              struct choices *c)
{
    struct host host;
    struct difference d = {.what = NULL};
    int64_t used[TRIAL_MESSAGES] = {0};
    bool all = choose_rarely(c, 8);
    trial_open(&host, t, no_twist);
    for (int try = 0; try < TRIAL_TRIES && d.what == NULL; try++) {
        struct trial_try at = choose_try(c, try, t, used);
        d = compare_at(k, t, &host, at, all);
        if (try < TRIAL_MESSAGES) used[at.message] = at.gas - d.expected.gas_left;
    }
    memory_host_finish(&host);
    k->trials++;
    return d;
}

/* The trial of a seed, and its gas limits after the first. */
static inline struct difference compare_seed(struct tier_check *k, uint64_t seed)
{
    struct trial t;
    struct choices c = choices_from_seed(seed);
    trial_make(&t, &c, WITH_KZG);
    struct difference d = compare_trial(k, &t, &c);
    trial_finish(&t);
    return d;
}

#endif
