#include "tests/sim/faults.h"

#include "tests/sim/keys.h"
#include "tests/sim/world.h"

#include <assert.h>

bool fault_can_spare(const struct world *w, const struct node *without)
{
    const struct epoch *e = &without->epoch;
    uint64_t weight = 0;
    for (uint32_t i = 0; i < w->plan->validator_count; i++) {
        const struct node *n = &w->nodes[i];
        uint32_t index = epoch_index_of(e, sim_address(i));
        bool muted = n->sign_from_epoch > e->number;
        if (n == without || !node_honest(n) || muted || index == e->validator_count) continue;
        weight += e->validators[index].weight;
    }
    return weight >= epoch_quorum(e);
}

static void plan_crash(struct node *n, const struct fault *f, uint32_t actions)
{
    if (!n->core) return;
    n->actions_to_crash = actions;
    n->down_ms = f->for_ms;
}

static void strike_node(struct world *w, const struct fault *f)
{
    uint64_t until = w->now_ms + f->for_ms;
    if (f->node >= w->plan->node_count) return;
    struct node *n = &w->nodes[f->node];
    switch (f->kind) {
    case FAULT_PAUSE: n->paused_until = until; break;
    case FAULT_CRASH: plan_crash(n, f, f->amount); break;
    case FAULT_DISK_FULL: n->disk_full_until = until; break;
    case FAULT_LOSE_LOG:
        if (!n->core || n->actions_to_crash > 0) return;
        plan_crash(n, f, f->amount);
        n->crash_loses_log = true;
        break;
    case FAULT_BUILD_FAILS: n->builds_fail_until = until; break;
    case FAULT_SLOW:
        n->slow_until = until;
        n->slow_ms = f->amount;
        break;
    case FAULT_CLOCK: /* a clock is wrong for longer than a cable is cut */
        n->clock_until = until + 10000;
        n->clock_percent = f->amount;
        break;
    case FAULT_LOSS:
    case FAULT_DELAY:
    case FAULT_DUPLICATE:
    case FAULT_PARTITION:
    case FAULT_ONE_WAY:
    case FAULT_CRASH_ALL:
    case FAULT_KIND_COUNT: assert(0 && "strikes no single node"); break;
    }
}

static void print_trace(struct world *w, const struct fault *f)
{
    if (!w->trace) return;
    fprintf(w->trace, "-- ");
    fault_print(w->trace, w->plan, f);
}

void fault_strike(struct world *w, const struct fault *f)
{
    uint64_t until = w->now_ms + f->for_ms;
    print_trace(w, f);
    switch (f->kind) {
    case FAULT_LOSS:
        w->wire.loss_until = until;
        w->wire.loss_percent = f->amount;
        break;
    case FAULT_DELAY:
        w->wire.delay_until = until;
        w->wire.delay_ms = f->amount;
        break;
    case FAULT_DUPLICATE:
        w->wire.duplicate_until = until;
        w->wire.duplicate_percent = f->amount;
        break;
    case FAULT_PARTITION: wire_cut(&w->wire, w->plan, f->side, true, until); break;
    case FAULT_ONE_WAY: wire_cut(&w->wire, w->plan, f->side, false, until); break;
    case FAULT_CRASH_ALL:
        for (uint32_t i = 0; i < w->plan->node_count; i++)
            plan_crash(&w->nodes[i], f, 1 + dice_roll(&w->dice, f->amount));
        break;
    case FAULT_PAUSE:
    case FAULT_CRASH:
    case FAULT_DISK_FULL:
    case FAULT_LOSE_LOG:
    case FAULT_BUILD_FAILS:
    case FAULT_SLOW:
    case FAULT_CLOCK: strike_node(w, f); break;
    case FAULT_KIND_COUNT: assert(0 && "no such fault"); break;
    }
}

void fault_heal(struct node *n)
{
    n->paused_until = n->builds_fail_until = n->slow_until = 0;
    n->clock_until = n->disk_full_until = 0;
    n->actions_to_crash = 0;
    n->crash_loses_log = false;
    if (!n->core) node_start(n);
}
