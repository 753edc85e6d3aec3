/* tests/vm/choices.h - where a generator's choices come from: a fuzzer's bytes or a seed.
 *
 * A fuzzer's bytes end; from then on every choice is 0, so generators put what is simplest first. A
 * seed never ends and gives the same choices on every machine. */
#ifndef LEASEHOLD_TESTS_VM_CHOICES_H
#define LEASEHOLD_TESTS_VM_CHOICES_H

#include "base/bytes.h"

#include <assert.h>

struct choices {
    bool seeded;
    uint64_t state;    /* if seeded */
    struct bytes left; /* else: borrowed */
};

static inline struct choices choices_from_seed(uint64_t seed)
{
    return (struct choices){.seeded = true, .state = seed};
}

static inline struct choices choices_from_bytes(struct bytes input)
{
    return (struct choices){.left = input};
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t choices_next(struct choices *c)
{
    uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint8_t choose_byte(struct choices *c)
{
    if (c->seeded) return (uint8_t)choices_next(c);
    if (c->left.size == 0) return 0;
    uint8_t first = c->left.data[0];
    c->left = bytes_slice(c->left, 1, c->left.size - 1);
    return first;
}

static inline uint64_t choose_u64(struct choices *c)
{
    if (c->seeded) return choices_next(c);
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | choose_byte(c);
    return value;
}

/* 0 .. bound - 1; takes no more of a fuzzer's bytes than the bound needs. */
static inline uint32_t choose(struct choices *c, uint32_t bound)
{
    assert(bound > 0);
    if (bound == 1) return 0;
    if (c->seeded) return (uint32_t)((choices_next(c) >> 32) * bound >> 32);
    uint32_t value = choose_byte(c);
    if (bound > 0x100) value = value << 8 | choose_byte(c);
    if (bound > 0x10000) value = value << 8 | choose_byte(c);
    return value % bound;
}

/* first .. last */
static inline uint32_t choose_between(struct choices *c, uint32_t first, uint32_t last)
{
    assert(first <= last);
    return first + choose(c, last - first + 1);
}

/* A fuzzer's bytes are out: whoever makes a list ends it. */
static inline bool choices_are_out(const struct choices *c)
{
    return !c->seeded && c->left.size == 0;
}

/* True once in n; false when the bytes are out. */
static inline bool choose_rarely(struct choices *c, uint32_t n)
{
    return choose(c, n) == n - 1;
}

#endif
