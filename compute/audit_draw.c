#include "compute/audit.h"

#include "base/fatal.h"
#include "base/keccak.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum draw_kind { DRAW_ANY_BLOCK = 1, DRAW_LAUNCH, DRAW_BLOCK_OF_LAUNCH };

uint32_t audit_samples_for(double fraction, double odds)
{
    assert(fraction > 0.0 && fraction <= 1.0 && odds >= 0.0 && odds < 1.0);
    if (fraction == 1.0) return 1;
    double count = ceil(log1p(-odds) / log1p(-fraction));
    if (count < 1.0) return 1;
    return count > AUDIT_SAMPLES_MAX ? AUDIT_SAMPLES_MAX : (uint32_t)count;
}

/* The seed's number `index` of a kind, below `bound`: as many bits as the bound has, again until
 * they are below it, so that none is likelier than another. */
static uint64_t draw_below(const struct hash *seed, enum draw_kind kind, uint32_t index,
                           uint64_t bound)
{
    uint8_t input[32 + 1 + 4 + 4];
    assert(bound > 0);
    uint64_t mask = bound - 1;
    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    memcpy(input, seed->b, 32);
    input[32] = (uint8_t)kind;
    store_be32(input + 33, index);
    for (uint32_t attempt = 0;; attempt++) {
        store_be32(input + 37, attempt);
        struct hash h = keccak256(bytes_of(input, sizeof input));
        uint64_t value = load_be64(h.b) & mask;
        if (value < bound) return value;
    }
}

/* How many blocks there are up to the end of each step. */
static uint64_t *count_blocks(const struct plan *plan)
{
    uint64_t steps = image_steps(plan), sum = 0;
    uint64_t *until = must_alloc(steps * sizeof *until);
    for (uint64_t i = 0; i < steps; i++) {
        sum += image_blocks_of(image_step_at(plan, i).launch);
        assert(sum <= TRACE_BLOCKS_MAX);
        until[i] = sum;
    }
    return until;
}

static struct audit_draw any_block(const uint64_t *until, uint64_t steps, uint64_t number)
{
    uint64_t low = 0, high = steps - 1;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (number < until[middle]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return (struct audit_draw){low, number - (low == 0 ? 0 : until[low - 1])};
}

static int compare_draws(const void *a, const void *b)
{
    const struct audit_draw *x = a, *y = b;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    return x->block < y->block ? -1 : x->block > y->block;
}

size_t audit_draws(struct audit_draw *out, const struct plan *plan, const struct audit_wish *wish)
{
    uint64_t steps = image_steps(plan);
    size_t count = 0, kept = 0;
    assert(plan->trace && steps > 0);
    uint64_t *until = count_blocks(plan);
    for (uint32_t i = 0; i < wish->by_block; i++) {
        uint64_t number = draw_below(&wish->seed, DRAW_ANY_BLOCK, i, until[steps - 1]);
        out[count++] = any_block(until, steps, number);
    }
    for (uint32_t i = 0; i < wish->by_launch; i++) {
        uint64_t step = draw_below(&wish->seed, DRAW_LAUNCH, i, steps);
        uint64_t blocks = image_blocks_of(image_step_at(plan, step).launch);
        uint64_t block = draw_below(&wish->seed, DRAW_BLOCK_OF_LAUNCH, i, blocks);
        out[count++] = (struct audit_draw){step, block};
    }
    free(until);
    if (count > 0) qsort(out, count, sizeof *out, compare_draws);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && compare_draws(&out[kept - 1], &out[i]) == 0) continue;
        out[kept++] = out[i];
    }
    return kept;
}

size_t audit_images(uint64_t *out, const struct audit_draw *draws, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        uint64_t image = draws[i / 2].step + i % 2;
        bool known = image == 0 || (kept > 0 && out[kept - 1] >= image);
        if (!known) out[kept++] = image;
    }
    return kept;
}
