#include "tests/sim/world.h"

#include "base/fatal.h"
#include "tests/sim/faults.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRESS_STEP 64 /* items between two looks at the phases */

_Noreturn void world_fail(struct world *w, const char *check, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(w->report->failure, REPORT_SIZE, "%s: ", check);
    va_start(arguments, format);
    vsnprintf(w->report->failure + length, REPORT_SIZE - (size_t)length, format, arguments);
    va_end(arguments);
    w->report->failed_at_ms = w->now_ms;
    if (w->trace) fflush(w->trace);
    _exit(EXIT_FAILURE);
}

void world_trace(struct world *w, uint32_t node, const char *format, ...)
{
    va_list arguments;
    if (!w->trace) return;
    fprintf(w->trace, "%7llu ms  node %u  ", (unsigned long long)w->now_ms, node);
    va_start(arguments, format);
    vfprintf(w->trace, format, arguments);
    va_end(arguments);
    fprintf(w->trace, "\n");
}

bool world_lawless(const struct world *w, const struct epoch *e)
{
    return w->plan->over_third && 3 * plan_lying_weight(w->plan, e) >= e->total_weight;
}

/* ---- progress ---- */

/* The furthest honest node's epoch and view count; an epoch's views are those up to its end. */
uint64_t world_views(const struct world *w)
{
    uint64_t views = 0;
    for (uint32_t i = 0; i < w->plan->node_count; i++) {
        const struct node *n = &w->nodes[i];
        if (n->core && node_honest(n) && n->epoch.number == w->epoch_counted &&
            consensus_epoch(n->core)->number == n->epoch.number && consensus_view(n->core) > views)
            views = consensus_view(n->core);
    }
    return w->epoch_views + views;
}

static void count_epochs(struct world *w)
{
    for (uint32_t i = 0; i < w->plan->node_count; i++) {
        const struct node *n = &w->nodes[i];
        if (!node_honest(n) || n->epoch.number <= w->epoch_counted) continue;
        /* The views of an epoch that others went through unseen are its blocks at least. */
        w->epoch_views += (n->epoch.number - w->epoch_counted) * w->plan->epoch_blocks;
        w->epoch_counted = n->epoch.number;
    }
}

static uint64_t lowest_height(const struct world *w)
{
    uint64_t lowest = UINT64_MAX;
    for (uint32_t i = 0; i < w->plan->node_count; i++) {
        const struct node *n = &w->nodes[i];
        if (node_honest(n) && n->final.number < lowest) lowest = n->final.number;
    }
    return lowest;
}

static void heal(struct world *w)
{
    world_trace(w, 0, "-- all faults end --");
    wire_heal(&w->wire, w->plan);
    for (uint32_t i = 0; i < w->plan->node_count; i++)
        fault_heal(&w->nodes[i]);
    w->phase = PHASE_HEALING;
    w->healed_ms = w->now_ms;
    w->target_number = w->court.highest + HEALED_BLOCKS;
}

_Noreturn static void fail_stuck(struct world *w)
{
    struct buffer text = {0};
    for (uint32_t i = 0; i < w->plan->node_count; i++) {
        const struct node *n = &w->nodes[i];
        if (!node_honest(n)) continue;
        buffer_print(&text, " [node %u epoch %llu view %llu height %llu]", i,
                     (unsigned long long)n->epoch.number,
                     (unsigned long long)(n->core ? consensus_view(n->core) : 0),
                     (unsigned long long)n->final.number);
    }
    world_fail(w, "no progress", "%llu ms after the faults not all have height %llu:%s",
               (unsigned long long)(w->now_ms - w->healed_ms), (unsigned long long)w->target_number,
               buffer_text(&text));
}

/* An honest node that must not sign, for its log is lost, is silent; with the liars it may be too
 * much to go on, and the set changes only when blocks are made. */
static bool must_progress(const struct world *w)
{
    return !w->plan->over_third;
}

static void advance_phase(struct world *w)
{
    count_epochs(w);
    uint64_t views = world_views(w);
    bool faults_over = 10 * views >= 8ULL * w->plan->views || w->now_ms >= FAULTS_END_MS;
    switch (w->phase) {
    case PHASE_FAULTS:
        if (faults_over) heal(w);
        break;
    case PHASE_HEALING:
        if (lowest_height(w) >= w->target_number) {
            w->report->heal_ms = w->now_ms - w->healed_ms;
            w->phase = PHASE_CALM;
        } else if (w->now_ms > w->healed_ms + HEAL_MS) {
            if (must_progress(w)) fail_stuck(w);
            w->over = true;
        }
        break;
    case PHASE_CALM:
        if (views >= w->plan->views || w->now_ms > w->healed_ms + 2 * HEAL_MS) w->over = true;
        break;
    }
}

/* ---- the loop ---- */

static void put_next_fault(struct world *w, uint32_t number)
{
    while (number < w->plan->fault_count && w->plan->faults[number].cut_off)
        number++;
    if (number == w->plan->fault_count) return;
    struct item item = {.kind = ITEM_FAULT, .number = (uint16_t)number};
    queue_put(&w->queue, item, w->plan->faults[number].at_ms);
}

static void happen(struct world *w, const struct item *item)
{
    struct node *n = &w->nodes[item->node];
    if (item->kind == ITEM_FAULT) {
        if (w->phase == PHASE_FAULTS) fault_strike(w, &w->plan->faults[item->number]);
        put_next_fault(w, item->number + 1u);
    } else if (item->kind == ITEM_START) {
        if (!n->core && n->life == item->life) node_start(n);
    } else if (item->kind == ITEM_PARCEL) {
        if (n->core) node_receive(n, item->from, item->parcel);
    } else if (n->core && n->life == item->life) {
        node_wake(n, item);
    }
}

static void turn(struct world *w)
{
    struct item item = queue_take(&w->queue);
    const struct node *n = &w->nodes[item.node];
    assert(item.time_ms >= w->now_ms);
    w->now_ms = item.time_ms;
    if (item.kind < ITEM_START && n->paused_until > w->now_ms) {
        queue_put(&w->queue, item, n->paused_until); /* all that reached it meanwhile, in order */
        return;
    }
    happen(w, &item);
    parcel_drop(&w->parcels, item.parcel);
}

static void begin(struct world *w)
{
    struct sim_block genesis = {.parent = BLOCK_NONE, .author = UINT32_MAX};
    uint32_t block = blocks_add(&w->blocks, &genesis);
    for (uint32_t i = 0; i < w->plan->node_count; i++) {
        struct node *n = &w->nodes[i];
        struct sim_block *b = blocks_get(&w->blocks, block);
        set_put(&b->held, i, true);
        set_put(&b->valid, i, true);
        set_put(&b->final, i, true);
        n->final_block = block;
        n->final = (struct final_point){0, b->hash, 0};
        n->epoch = plan_epoch(w->plan, 0, &b->hash, 0);
    }
    for (uint32_t i = 0; i < w->plan->node_count; i++)
        node_start(&w->nodes[i]);
    put_next_fault(w, 0);
}

static struct world *create(const struct plan *plan, const struct signer *signer,
                            struct report *report, FILE *trace)
{
    struct world *w = must_alloc(sizeof(*w));
    w->plan = plan;
    w->signer = signer;
    w->report = report;
    w->trace = trace;
    w->audited = plan->validator_count <= 16;
    w->dice = dice_for(plan->seed, 1000);
    blocks_init(&w->blocks);
    wire_init(&w->wire, plan);
    court_init(&w->court, plan->validator_count);
    w->actions = must_alloc(sizeof(*w->actions));
    w->proposal = must_alloc(sizeof(*w->proposal));
    w->lie = must_alloc(sizeof(*w->lie));
    w->certificate = must_alloc(sizeof(*w->certificate));
    w->nodes = must_alloc(plan->node_count * sizeof(*w->nodes));
    for (uint32_t i = 0; i < plan->node_count; i++)
        node_init(&w->nodes[i], w, i);
    return w;
}

static void destroy(struct world *w)
{
    while (queue_first(&w->queue)) {
        struct item item = queue_take(&w->queue);
        parcel_drop(&w->parcels, item.parcel);
    }
    for (uint32_t i = 0; i < w->plan->node_count; i++)
        node_finish(&w->nodes[i]);
    queue_finish(&w->queue);
    parcel_pool_finish(&w->parcels);
    blocks_finish(&w->blocks);
    wire_finish(&w->wire);
    court_finish(&w->court);
    free(w->actions);
    free(w->proposal);
    free(w->lie);
    free(w->certificate);
    free(w->nodes);
    free(w);
}

static void fill_report(const struct world *w)
{
    struct report *r = w->report;
    r->views = world_views(w);
    r->blocks = w->court.highest;
    r->end_ms = w->now_ms;
    r->evidence = w->court.proofs;
    r->epochs = w->epoch_counted + 1;
    memcpy(r->sent_bytes, w->wire.sent_bytes, sizeof(r->sent_bytes));
    memcpy(r->sent_count, w->wire.sent_count, sizeof(r->sent_count));
}

void world_live(const struct plan *plan, const struct signer *signer, struct report *report,
                FILE *trace)
{
    struct world *w = create(plan, signer, report, trace);
    begin(w);
    for (uint64_t i = 0; !w->over && queue_first(&w->queue); i++) {
        if (i % PROGRESS_STEP == 0) advance_phase(w);
        turn(w);
    }
    fill_report(w);
    destroy(w);
}
