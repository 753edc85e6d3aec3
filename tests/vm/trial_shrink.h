/* tests/vm/trial_shrink.h - makes a trial on which interpreters differ as small as it can.
 *
 * It drops runs of items, half the program first and single items last, calldata and value, and
 * keeps what leaves a difference: any one, not only the first that was seen. */
#ifndef LEASEHOLD_TESTS_VM_TRIAL_SHRINK_H
#define LEASEHOLD_TESTS_VM_TRIAL_SHRINK_H

#include "tests/vm/tier_check.h"

/* Each question is asked of fresh interpreters: one that has grown hot answers differently. */
static inline struct difference compare_fresh(const struct trial *t, int64_t gas)
{
    struct tier_check k;
    struct host host;
    tier_check_open(&k);
    trial_open(&host, t, no_twist);
    struct difference d = compare_at(&k, t, &host, gas, true);
    memory_host_finish(&host);
    tier_check_close(&k);
    return d;
}

static inline bool still_differs(const struct trial *t, int64_t gas)
{
    return compare_fresh(t, gas).what != NULL;
}

static inline void text_cut(struct program_text *t, size_t at, size_t count)
{
    assert(at + count <= t->count);
    memmove(&t->items[at], &t->items[at + count], (t->count - at - count) * sizeof(*t->items));
    t->count -= count;
}

/* True if the items could go. */
static inline bool try_cut(struct trial *t, int contract, size_t at, size_t count, int64_t gas)
{
    struct program_text whole = t->texts[contract];
    t->texts[contract] = text_copy(&whole);
    text_cut(&t->texts[contract], at, count);
    if (still_differs(t, gas)) {
        text_finish(&whole);
        return true;
    }
    text_finish(&t->texts[contract]);
    t->texts[contract] = whole;
    return false;
}

static inline bool shrink_text(struct trial *t, int contract, int64_t gas)
{
    bool any = false;
    for (size_t run = t->texts[contract].count; run > 0; run /= 2) {
        for (size_t at = 0; at + run <= t->texts[contract].count;) {
            if (try_cut(t, contract, at, run, gas))
                any = true;
            else
                at += run;
        }
    }
    return any;
}

static inline void shrink_message(struct trial *t, int64_t gas)
{
    struct evm_message before = t->message;
    t->message.input = bytes_of(NULL, 0);
    if (!still_differs(t, gas)) t->message = before;
    before = t->message;
    t->message.value = u256_from_u64(0);
    if (!still_differs(t, gas)) t->message = before;
}

/* `gas` is one with which fresh interpreters differ. */
static inline void trial_shrink(struct trial *t, int64_t gas)
{
    assert(still_differs(t, gas));
    bool again = true;
    while (again) {
        again = false;
        for (int i = MAKER_CONTRACTS - 1; i >= 0; i--)
            again |= shrink_text(t, i, gas);
        shrink_message(t, gas);
    }
}

#endif
