/* tests/vm/trial_shrink.h - makes a trial on which interpreters differ as small as it can.
 *
 * It drops runs of items, half the program first and single items last, calldata and value, and
 * keeps what leaves a difference: any one, not only the first that was seen. */
#ifndef LEASEHOLD_TESTS_VM_TRIAL_SHRINK_H
#define LEASEHOLD_TESTS_VM_TRIAL_SHRINK_H

#include "tests/vm/tier_check.h"

/* Each question is asked of fresh interpreters, since one that has grown hot answers differently;
 * they warm up on what the trial itself began with. */
static inline struct difference compare_fresh(const struct trial *t, struct trial_try at)
{
    struct tier_check k;
    struct host host;
    struct difference d = {.what = NULL};
    tier_check_open(&k);
    trial_open(&host, t, no_twist);
    for (int i = 0; i < TRIAL_MESSAGES && d.what == NULL; i++)
        d = compare_at(&k, t, &host, (struct trial_try){i, t->messages[i].gas}, true);
    if (d.what == NULL) d = compare_at(&k, t, &host, at, true);
    memory_host_finish(&host);
    tier_check_close(&k);
    return d;
}

static inline bool still_differs(const struct trial *t, struct trial_try at)
{
    return compare_fresh(t, at).what != NULL;
}

static inline void text_cut(struct program_text *t, size_t at, size_t count)
{
    assert(at + count <= t->count);
    memmove(&t->items[at], &t->items[at + count], (t->count - at - count) * sizeof(*t->items));
    t->count -= count;
}

/* True if the items could go. */
static inline bool try_cut(struct trial *t, int contract, size_t from, size_t count,
                           struct trial_try at)
{
    struct program_text whole = t->texts[contract];
    t->texts[contract] = text_copy(&whole);
    text_cut(&t->texts[contract], from, count);
    if (still_differs(t, at)) {
        text_finish(&whole);
        return true;
    }
    text_finish(&t->texts[contract]);
    t->texts[contract] = whole;
    return false;
}

static inline bool shrink_text(struct trial *t, int contract, struct trial_try at)
{
    bool any = false;
    for (size_t run = t->texts[contract].count; run > 0; run /= 2) {
        for (size_t from = 0; from + run <= t->texts[contract].count;) {
            if (try_cut(t, contract, from, run, at))
                any = true;
            else
                from += run;
        }
    }
    return any;
}

static inline void shrink_message(struct trial *t, int which, struct trial_try at)
{
    struct evm_message *m = &t->messages[which];
    struct evm_message before = *m;
    m->input = bytes_of(NULL, 0);
    if (!still_differs(t, at)) *m = before;
    before = *m;
    m->value = u256_from_u64(0);
    if (!still_differs(t, at)) *m = before;
}

/* `at` is a try on which fresh interpreters differ. */
static inline void trial_shrink(struct trial *t, struct trial_try at)
{
    assert(still_differs(t, at));
    bool again = true;
    while (again) {
        again = false;
        for (int i = MAKER_CONTRACTS - 1; i >= 0; i--)
            again |= shrink_text(t, i, at);
        for (int i = 0; i < TRIAL_MESSAGES; i++)
            shrink_message(t, i, at);
    }
}

#endif
