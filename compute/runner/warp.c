/* warp.c - shuffles, votes and barriers of warps: 32 neighbours of a block that meet.
 *
 * Each lane leaves its value and waits; the last that an operation needs works out the results of
 * all. Lanes that have ended are not waited for. */
#include "compute/runner/block.h"

/* The kernels' way in; the declarations that they see are in prelude.h. */
unsigned long long lh_warp(unsigned kind, unsigned mask, unsigned long long value, unsigned param);
unsigned lh_active(void);

static unsigned long long shuffled(const struct lane *warp, unsigned mask, unsigned self)
{
    const struct lane *me = &warp[self];
    unsigned width = me->param >> 8;
    unsigned delta = me->param & 255;
    unsigned base = self & ~(width - 1);
    unsigned from = self;
    if (me->kind == LH_WARP_SHFL) from = base + (delta & (width - 1));
    if (me->kind == LH_WARP_SHFL_XOR) from = self ^ delta;
    if (me->kind == LH_WARP_SHFL_DOWN) from = self + delta;
    if (me->kind == LH_WARP_SHFL_UP) from = self - delta; /* wraps below the base */
    if (from < base || from >= base + width || (mask >> from & 1) == 0) from = self;
    return warp[from].value;
}

static unsigned ballot(const struct lane *warp, unsigned mask)
{
    unsigned votes = 0;
    for (unsigned i = 0; i < LANES; i++) {
        if ((mask >> i & 1) && warp[i].value != 0) votes |= 1u << i;
    }
    return votes;
}

/* All lanes of `mask` have arrived: gives each its result and lets it go on. */
static void complete(struct block *b, unsigned warp_number, unsigned mask, unsigned first)
{
    struct lane *warp = b->lanes + (size_t)warp_number * LANES;
    enum lh_warp_kind kind = warp[first].kind;
    unsigned votes = kind == LH_WARP_BALLOT ? ballot(warp, mask) : 0;
    for (unsigned i = 0; i < LANES; i++) {
        if ((mask >> i & 1) == 0) continue;
        if (warp[i].kind != kind || (warp[i].mask & mask) != mask) {
            block_diverged("makes another warp operation than the lanes that it names");
        }
        warp[i].result = votes;
        if (kind >= LH_WARP_SHFL) warp[i].result = shuffled(warp, mask, i);
        warp[i].fiber->wait = RUNNABLE;
    }
    b->warp_waiting[warp_number] &= ~mask;
}

/* True, and all done, if the operation that lane `first` waits in has all its lanes. */
static bool try_complete(struct block *b, unsigned warp_number, unsigned first)
{
    struct lane *warp = b->lanes + (size_t)warp_number * LANES;
    unsigned mask = warp[first].mask & b->warp_live[warp_number];
    if ((b->warp_waiting[warp_number] & mask) != mask) return false;
    complete(b, warp_number, mask, first);
    return true;
}

unsigned long long lh_warp(unsigned kind, unsigned mask, unsigned long long value, unsigned param)
{
    struct block *b = block_here();
    unsigned linear = block_arrive(b);
    unsigned warp_number = linear / LANES;
    unsigned self = linear % LANES;
    struct lane *lane = &b->lanes[linear];
    if ((mask >> self & 1) == 0) block_diverged("is not in the mask of its own warp operation");
    *lane = (struct lane){value, 0, lh_now.current, mask, param, (enum lh_warp_kind)kind};
    b->warp_waiting[warp_number] |= 1u << self;
    if (!try_complete(b, warp_number, self)) {
        lh_now.current->wait = NEVER;
        block_suspend(b);
    }
    return lane->result;
}

void warp_settle(struct block *b, unsigned warp_number)
{
    unsigned waiting = b->warp_waiting[warp_number];
    for (unsigned i = 0; waiting != 0 && i < LANES; i++) {
        if ((waiting & b->warp_waiting[warp_number]) >> i & 1) {
            (void)try_complete(b, warp_number, i);
        }
    }
}

/* The lanes of the running thread's warp that have not ended. */
unsigned lh_active(void)
{
    struct block *b = block_here();
    return b->warp_live[block_pass(b) / LANES];
}
