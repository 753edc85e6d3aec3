/* dice.h - the simulator's only chance: numbers that follow from a seed (splitmix64). */
#ifndef LEASEHOLD_TESTS_SIM_DICE_H
#define LEASEHOLD_TESTS_SIM_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 .. sides - 1 */
static inline uint32_t dice_roll(struct dice *d, uint32_t sides)
{
    return (uint32_t)((dice_next(d) >> 32) * sides >> 32);
}

/* low .. high, both included */
static inline uint32_t dice_between(struct dice *d, uint32_t low, uint32_t high)
{
    return low + dice_roll(d, high - low + 1);
}

static inline bool dice_chance(struct dice *d, uint32_t percent)
{
    return percent > 0 && dice_roll(d, 100) < percent;
}

/* A stream of its own for each pair of numbers, so that one use does not shift another. */
static inline struct dice dice_for(uint64_t seed, uint64_t purpose)
{
    struct dice d = {seed * 0xd1342543de82ef95u + purpose * 0x2545f4914f6cdd1du};
    dice_next(&d);
    return d;
}

#endif
