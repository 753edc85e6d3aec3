/* vm/curve/product.h - Montgomery's product, the innermost loop of everything here.
 *
 * CIOS (Koc, Acar, Kaliski, "Analyzing and comparing Montgomery multiplication algorithms", 1996):
 * for each limb of b, add a * b[i], then add the multiple of p that makes the lowest limb vanish,
 * and shift by a limb. Both primes leave the top bit of the top limb clear, so the running sum
 * never needs a limb more than FP_LIMBS + 1.
 *
 * Two texts: portable C, and for x86-64 processors with MULX, ADCX and ADOX (Broadwell, Zen, and
 * later) one with two carry chains at once, chosen at run time. */
#ifndef LEASEHOLD_VM_CURVE_PRODUCT_H
#define LEASEHOLD_VM_CURVE_PRODUCT_H

#include "vm/curve/carry.h"

#if defined(__x86_64__) && !defined(CURVE_PORTABLE)
#include <cpuid.h>
#include <stdatomic.h>
#endif

/* a * b + c + *carry, which always fits in 128 bits. */
static inline uint64_t limb_mul_add(uint64_t *carry, uint64_t a, uint64_t b, uint64_t c)
{
    u128 t = (u128)a * b + c + *carry;
    *carry = (uint64_t)(t >> 64);
    return (uint64_t)t;
}

OUTLINE void fp_mul_portable(struct fp *out, const struct fp *a, const struct fp *b)
{
    struct fp t = {{0}};
    UNROLL for (int i = 0; i < FP_LIMBS; i++)
    {
        uint64_t high = 0, carry = 0;
        uint64_t low = limb_mul_add(&high, a->limb[0], b->limb[i], t.limb[0]);
        uint64_t m = low * FP_NEGATIVE_INVERSE; /* makes the lowest limb vanish */
        limb_mul_add(&carry, m, FP_MODULUS.limb[0], low);
        UNROLL for (int j = 1; j < FP_LIMBS; j++)
        {
            low = limb_mul_add(&high, a->limb[j], b->limb[i], t.limb[j]);
            t.limb[j - 1] = limb_mul_add(&carry, m, FP_MODULUS.limb[j], low);
        }
        t.limb[FP_LIMBS - 1] = high + carry;
    }
    fp_reduce_once(out, &t);
}

#if defined(__x86_64__) && !defined(CURVE_PORTABLE)

/* (t_j, t_k) += rdx * a limb: the low half along CF's chain, the high half along OF's. */
#define STEP(limb, j, k)                                                                           \
    "mulxq " limb ", %[low], %[high]\n\t"                                                          \
    "adcxq %[low], %[t" #j "]\n\t"                                                                 \
    "adoxq %[high], %[t" #k "]\n\t"
/* What is left in CF. */
#define LAST(k) "movl $0, %k[low]\n\tadcxq %[low], %[t" #k "]\n\t"
/* One limb of b: the new top begins at 0 and clears the flags; t0 ends at 0. */
#define ROW_TEXT(top, steps_a, steps_p)                                                            \
    "movq %[b], %%rdx\n\t"                                                                         \
    "xorl %k[" #top "], %k[" #top "]\n\t" steps_a "movq %[inverse], %%rdx\n\t"                     \
    "imulq %[t0], %%rdx\n\t"                                                                       \
    "xorl %k[low], %k[low]\n\t" steps_p

#define OF_A(i) #i "*8(%[a])"
#define OF_P(i) "%[p" #i "]"

#if FP_LIMBS == 6
#define STEPS(of)                                                                                  \
    STEP(of(0), 0, 1)                                                                              \
    STEP(of(1), 1, 2)                                                                              \
    STEP(of(2), 2, 3) STEP(of(3), 3, 4) STEP(of(4), 4, 5) STEP(of(5), 5, 6) LAST(6)
#define TOP t6
#define LIMBS_OF_P                                                                                 \
    [p0] "m"(FP_MODULUS.limb[0]), [p1] "m"(FP_MODULUS.limb[1]), [p2] "m"(FP_MODULUS.limb[2]),      \
        [p3] "m"(FP_MODULUS.limb[3]), [p4] "m"(FP_MODULUS.limb[4]), [p5] "m"(FP_MODULUS.limb[5])
#define RUNNING(r, i)                                                                              \
    [t0] "+&r"(r[(i) % 7]), [t1] "+&r"(r[((i) + 1) % 7]), [t2] "+&r"(r[((i) + 2) % 7]),            \
        [t3] "+&r"(r[((i) + 3) % 7]), [t4] "+&r"(r[((i) + 4) % 7]), [t5] "+&r"(r[((i) + 5) % 7]),  \
        [t6] "+&r"(r[((i) + 6) % 7])
#else
#define STEPS(of) STEP(of(0), 0, 1) STEP(of(1), 1, 2) STEP(of(2), 2, 3) STEP(of(3), 3, 4) LAST(4)
#define TOP       t4
#define LIMBS_OF_P                                                                                 \
    [p0] "m"(FP_MODULUS.limb[0]), [p1] "m"(FP_MODULUS.limb[1]), [p2] "m"(FP_MODULUS.limb[2]),      \
        [p3] "m"(FP_MODULUS.limb[3])
#define RUNNING(r, i)                                                                              \
    [t0] "+&r"(r[(i) % 5]), [t1] "+&r"(r[((i) + 1) % 5]), [t2] "+&r"(r[((i) + 2) % 5]),            \
        [t3] "+&r"(r[((i) + 3) % 5]), [t4] "+&r"(r[((i) + 4) % 5])
#endif
#define ROW_OF(top) ROW_TEXT(top, STEPS(OF_A), STEPS(OF_P))

/* The running sum goes round in one limb more than a product has; each row moves it on by one. */
OUTLINE void fp_mul_two_chains(struct fp *out, const struct fp *a, const struct fp *b)
{
    static const uint64_t inverse = FP_NEGATIVE_INVERSE;
    uint64_t r[FP_LIMBS + 1] = {0}, low, high;
    struct fp t;
    UNROLL for (int i = 0; i < FP_LIMBS; i++)
    {
        __asm__(ROW_OF(TOP)
                : RUNNING(r, i), [low] "=&r"(low), [high] "=&r"(high)
                : [b] "m"(b->limb[i]), [inverse] "m"(inverse), [a] "r"(a), "m"(*a), LIMBS_OF_P
                : "rdx", "cc");
    }
    UNROLL for (int i = 0; i < FP_LIMBS; i++) t.limb[i] = r[(FP_LIMBS + i) % (FP_LIMBS + 1)];
    fp_reduce_once(out, &t);
}

/* A fact about the processor, asked for once; either product gives the same answers. */
static inline bool has_two_chains(void)
{
    static _Atomic int known; /* 0: not asked yet, 1: no, 2: yes */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (__builtin_expect(answer == 0, 0)) {
        unsigned a, b = 0, c, d;
        bool yes = __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_BMI2 && b & bit_ADX;
        answer = yes ? 2 : 1;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 2;
}

static inline void fp_mul(struct fp *out, const struct fp *a, const struct fp *b)
{
    if (__builtin_expect(has_two_chains(), 1))
        fp_mul_two_chains(out, a, b);
    else
        fp_mul_portable(out, a, b);
}

#undef STEP
#undef LAST
#undef ROW_TEXT
#undef ROW_OF
#undef STEPS
#undef TOP
#undef LIMBS_OF_P
#undef OF_A
#undef OF_P
#undef RUNNING

#else

static inline void fp_mul(struct fp *out, const struct fp *a, const struct fp *b)
{
    fp_mul_portable(out, a, b);
}

#endif

#endif
