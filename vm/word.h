/* vm/word.h - stack words moved, compared and combined, always 8 bytes at a time.
 *
 * A load that takes more bytes than the store before it wrote has to wait until that store has
 * left the processor's store buffer, a dozen cycles; arithmetic stores limbs, so whatever copies a
 * word must load limbs too, and not vectors (vm is built without the pass that would make them).
 * `r` may be one of the operands. */
#ifndef LEASEHOLD_VM_WORD_H
#define LEASEHOLD_VM_WORD_H

#include "vm/arith.h"

static inline void word_set(struct u256 *r, uint64_t l0, uint64_t l1, uint64_t l2, uint64_t l3)
{
    r->limb[0] = l0;
    r->limb[1] = l1;
    r->limb[2] = l2;
    r->limb[3] = l3;
}

static inline void word_copy(struct u256 *r, const struct u256 *a)
{
    word_set(r, a->limb[0], a->limb[1], a->limb[2], a->limb[3]);
}

static inline void word_exchange(struct u256 *a, struct u256 *b)
{
    for (int i = 0; i < 4; i++) {
        uint64_t held = a->limb[i];
        a->limb[i] = b->limb[i];
        b->limb[i] = held;
    }
}

static inline void word_load_to(struct u256 *r, const uint8_t *from)
{
    word_set(r, load_word_be64(from + 24), load_word_be64(from + 16), load_word_be64(from + 8),
             load_word_be64(from));
}

static inline void word_and(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    word_set(r, a->limb[0] & b->limb[0], a->limb[1] & b->limb[1], a->limb[2] & b->limb[2],
             a->limb[3] & b->limb[3]);
}

static inline void word_or(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    word_set(r, a->limb[0] | b->limb[0], a->limb[1] | b->limb[1], a->limb[2] | b->limb[2],
             a->limb[3] | b->limb[3]);
}

static inline void word_xor(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    word_set(r, a->limb[0] ^ b->limb[0], a->limb[1] ^ b->limb[1], a->limb[2] ^ b->limb[2],
             a->limb[3] ^ b->limb[3]);
}

static inline void word_not(struct u256 *r, const struct u256 *a)
{
    word_set(r, ~a->limb[0], ~a->limb[1], ~a->limb[2], ~a->limb[3]);
}

/* Comparisons that leave 1 or 0. */
static inline void set_number(struct u256 *r, uint64_t number)
{
    word_set(r, number, 0, 0, 0);
}

static inline void set_eq(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    set_number(r, word_equal(a, b));
}

static inline void set_ne(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    set_number(r, !word_equal(a, b));
}

static inline void set_lt(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    set_number(r, word_less(a, b));
}

static inline void set_ge(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    set_number(r, !word_less(a, b));
}

static inline void set_slt(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    set_number(r, word_less_signed(a, b));
}

static inline void set_sge(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    set_number(r, !word_less_signed(a, b));
}

#endif
