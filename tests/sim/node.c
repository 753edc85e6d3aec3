#include "tests/sim/node.h"

#include "base/fatal.h"
#include "tests/sim/alloc_guard.h"
#include "tests/sim/audit.h"
#include "tests/sim/faults.h"
#include "tests/sim/keys.h"
#include "tests/sim/world.h"

#include <assert.h>
#include <stdlib.h>

void node_init(struct node *n, struct world *w, uint32_t index)
{
    n->world = w;
    n->index = index;
    n->validator = plan_validator(w->plan, index);
    n->roles = w->plan->roles[n->validator];
    n->clock_percent = 100;
    if (w->audited && n->roles == 0) n->audit = audit_create(n);
}

void node_finish(struct node *n)
{
    consensus_destroy(n->core);
    vote_log_close(n->log);
    disk_finish(&n->disk);
    for (size_t i = 0; i < n->finality_room; i++)
        parcel_drop(&n->world->parcels, n->finality[i]);
    free(n->finality);
    for (size_t i = 0; i < OLD_WORDS; i++)
        parcel_drop(&n->world->parcels, n->memory[i]);
    audit_destroy(n->audit);
}

bool node_honest(const struct node *n)
{
    return n->roles == 0;
}

bool node_holds(const struct node *n, uint32_t block)
{
    return block != BLOCK_NONE && set_has(&blocks_get(&n->world->blocks, block)->held, n->index);
}

bool node_can_use(const struct node *n, uint32_t block)
{
    if (!node_holds(n, block)) return false;
    const struct sim_block *b = blocks_get(&n->world->blocks, block);
    if (set_has(&b->final, n->index)) return true;
    return set_has(&b->valid, n->index) && set_has(&b->logged, n->index);
}

/* ---- own votes ---- */

static struct own_votes *own_of(struct node *n, uint64_t view)
{
    struct own_votes *own = &n->own[view % OWN_RING];
    if (own->view != view || own->epoch != n->epoch.number)
        *own = (struct own_votes){.epoch = n->epoch.number, .view = view};
    return own;
}

const struct own_votes *node_own_votes(const struct node *n, uint64_t view)
{
    const struct own_votes *own = &n->own[view % OWN_RING];
    return own->view == view && own->epoch == n->epoch.number ? own : NULL;
}

static void note_own_vote(struct node *n, const struct vote *v, bool durable)
{
    struct own_votes *own = own_of(n, v->view);
    own->written |= (uint8_t)(1u << v->kind);
    own->block[v->kind] = hash_head(&v->block);
    if (durable) own->durable |= (uint8_t)(1u << v->kind);
}

/* ---- the disk ---- */

static void note_durable(struct node *n)
{
    for (uint32_t i = 0; i < n->pending_count; i++) {
        const struct pending *p = &n->pending[i];
        if (p->is_block)
            set_put(&blocks_get(&n->world->blocks, p->block)->logged, n->index, true);
        else if (p->epoch == n->epoch.number)
            own_of(n, p->view)->durable |= (uint8_t)(1u << p->kind);
    }
    n->pending_count = 0;
}

static void keep_record(void *context, const struct record *r)
{
    struct node *n = context;
    uint8_t body[BLOCK_BYTES_SIZE] = {0};
    if (r->kind == RECORD_BLOCK)
        blocks_encode(body, blocks_find(&n->world->blocks, &r->block.block));
    vote_log_append(n->log, r, bytes_of(body, r->kind == RECORD_BLOCK ? sizeof(body) : 0));
}

static void sync_log(void *context)
{
    struct node *n = context;
    vote_log_sync(n->log);
    if (vote_log_size(n->log) < n->log_limit) return;
    vote_log_rewrite_begin(n->log);
    consensus_records(n->core, keep_record, n);
    vote_log_rewrite_commit(n->log);
    n->log_limit = LOG_GROWN_BYTES + 2 * vote_log_size(n->log); /* it may have much to keep */
}

static void on_durable(struct node *n)
{
    struct event event = {.kind = EVENT_DURABLE, .durable_sequence = n->sequence};
    n->sync_owed = false;
    disk_mount(&n->disk);
    n->disk.full = n->world->now_ms < n->disk_full_until;
    if (!disk_try(sync_log, n)) { /* it cannot remember, so it must not vote */
        n->down_ms = (uint32_t)(n->disk_full_until - n->world->now_ms) + 1;
        node_crash(n);
        return;
    }
    note_durable(n);
    node_step(n, &event);
}

void node_persist(struct node *n, const struct record *r, uint64_t sequence)
{
    struct world *w = n->world;
    disk_mount(&n->disk);
    keep_record(n, r);
    n->sequence = sequence;
    assert(n->pending_count < PENDING_MAX);
    if (r->kind == RECORD_VOTE) {
        note_own_vote(n, &r->vote, false);
        n->pending[n->pending_count++] =
            (struct pending){.epoch = r->vote.epoch, .view = r->vote.view, .kind = r->vote.kind};
    }
    if (r->kind == RECORD_BLOCK) {
        uint32_t block = blocks_find(&w->blocks, &r->block.block);
        n->pending[n->pending_count++] = (struct pending){.is_block = true, .block = block};
    }
    if (n->sync_owed) return;
    struct item item = {.kind = ITEM_DURABLE, .node = (uint16_t)n->index, .life = n->life};
    n->sync_owed = true;
    queue_put(&w->queue, item, w->now_ms + dice_between(&w->dice, 1, w->plan->disk_ms));
}

/* ---- life ---- */

static enum status replay(void *context, const struct record *r, struct bytes body)
{
    struct node *n = context;
    struct world *w = n->world;
    if (r->kind == RECORD_VOTE && r->vote.epoch == n->epoch.number)
        note_own_vote(n, &r->vote, true);
    if (r->kind == RECORD_BLOCK) {
        uint32_t block = blocks_decode(&w->blocks, body);
        if (block == BLOCK_NONE) return E_MALFORMED;
        set_put(&blocks_get(&w->blocks, block)->held, n->index, true);
        set_put(&blocks_get(&w->blocks, block)->logged, n->index, true);
    }
    return consensus_restore(n->core, r);
}

static void open_log(struct node *n)
{
    bool created;
    disk_mount(&n->disk);
    n->disk.full = false;
    enum status status = vote_log_open(&n->log, &created, "votes.log", replay, n);
    if (status != OK)
        world_fail(n->world, "vote log", "node %u: a lawful crash left a log that is refused: %s",
                   n->index, status_text(status));
    bool lost = created && n->life > 1;
    if (lost && !(n->roles & ROLE_AMNESIAC)) n->sign_from_epoch = n->epoch.number + 1;
}

/* F of the last epoch's end, from the node's database; NULL: it has none. */
static const struct certificate *boundary_kept(const struct node *n, struct certificate *out)
{
    uint64_t epoch = n->epoch.number;
    if (epoch == 0 || epoch > n->finality_room || !n->finality[epoch - 1]) return NULL;
    if (certificate_decode(out, buffer_bytes(&n->finality[epoch - 1]->bytes)) != OK) return NULL;
    return hash_equal(&out->block, &n->epoch.start_block) ? out : NULL;
}

static struct consensus *create_core(const struct node *n)
{
    static struct certificate boundary; /* large; a life has one thread */
    struct consensus_config config = {.epoch = n->epoch,
                                      .final = n->final,
                                      .key = sim_key(n->validator),
                                      .signer = n->world->signer,
                                      .timing = n->world->plan->timing,
                                      .sign_from_epoch = n->sign_from_epoch,
                                      .boundary = boundary_kept(n, &boundary)};
    return consensus_create(&config);
}

void node_start(struct node *n)
{
    struct event start = {.kind = EVENT_START};
    assert(!n->core);
    world_trace(n->world, n->index, "starts");
    n->life++;
    n->sequence = 0;
    n->pending_count = 0;
    n->log_limit = LOG_GROWN_BYTES;
    n->sync_owed = false;
    n->sync_asked_ms = 0;
    memset(n->own, 0, sizeof(n->own));
    n->core = create_core(n);
    open_log(n);
    if (n->sign_from_epoch > n->epoch.number) { /* known only now: a core is made but once */
        consensus_destroy(n->core);
        vote_log_close(n->log);
        n->core = create_core(n);
        open_log(n);
    }
    node_step(n, &start);
}

static void write_to_dying_disk(void *context)
{
    struct node *n = context;
    vote_log_sync(n->log);
}

void node_crash(struct node *n)
{
    struct world *w = n->world;
    assert(n->core);
    world_trace(w, n->index, "crashes");
    w->report->crashes++;
    disk_mount(&n->disk);
    n->disk.dying = true; /* the last write may have begun, but nobody was told that it ended */
    if (n->sync_owed && dice_chance(&w->dice, 70)) disk_try(write_to_dying_disk, n);
    vote_log_close(n->log);
    n->log = NULL;
    disk_power_cut(&n->disk, (enum power_cut)dice_roll(&w->dice, 4), &w->dice);
    bool loses = n->crash_loses_log && (!node_honest(n) || fault_can_spare(w, n));
    if (loses || (n->roles & ROLE_AMNESIAC)) disk_erase(&n->disk);
    if (loses) n->sign_from_epoch = n->epoch.number + 1; /* at once: others count on it */
    consensus_destroy(n->core);
    n->core = NULL;
    n->life++;
    n->actions_to_crash = 0;
    n->crash_loses_log = false;
    n->paused_until = 0;
    blocks_forget(&w->blocks, n->index);
    audit_forget(n->audit);
    struct item item = {.kind = ITEM_START, .node = (uint16_t)n->index, .life = n->life};
    queue_put(&w->queue, item, w->now_ms + n->down_ms);
}

/* The core's step; whatever it allocates is a violation. */
static void step_core(struct node *n, const struct event *event)
{
    struct world *w = n->world;
    alloc_guard_begin();
    consensus_step(n->core, event, w->actions);
    if (alloc_guard_end() != 0)
        world_fail(w, "allocation", "a step of node %u allocates, event %d", n->index,
                   (int)event->kind);
    w->report->steps++;
}

void node_step(struct node *n, const struct event *event)
{
    struct world *w = n->world;
    if (n->audit) audit_before(n->audit, event);
    step_core(n, event);
    if (n->audit) audit_after(n->audit, event, w->actions);
    for (uint32_t i = 0; i < w->actions->count && !w->over; i++) {
        if (n->actions_to_crash > 0 && --n->actions_to_crash == 0) {
            node_crash(n);
            return;
        }
        node_carry_out(n, &w->actions->items[i]);
    }
}

/* ---- what is due ---- */

static void on_built(struct node *n, const struct item *item)
{
    struct sim_block *b = blocks_get(&n->world->blocks, item->block);
    struct event event = {.kind = EVENT_BUILT};
    event.built.view = item->view;
    event.built.ok = item->flag;
    event.built.block = b->hash;
    event.built.epoch = b->epoch;
    if (item->flag) {
        set_put(&b->held, n->index, true);
        set_put(&b->valid, n->index, true);
    }
    node_step(n, &event);
}

static void on_verdict(struct node *n, const struct item *item)
{
    struct sim_block *b = blocks_get(&n->world->blocks, item->block);
    struct event event = {.kind = EVENT_VERDICT};
    event.verdict.view = item->view;
    event.verdict.block = b->hash;
    event.verdict.valid = item->flag;
    if (item->flag) set_put(&b->valid, n->index, true);
    node_step(n, &event);
}

void node_wake(struct node *n, const struct item *item)
{
    struct event event = {.kind = EVENT_TIMER};
    switch ((enum item_kind)item->kind) {
    case ITEM_TIMER:
        if (item->mark != n->timer_mark[item->number]) return; /* set anew since */
        event.timer.timer = (enum timer)item->number;
        event.timer.view = item->view;
        node_step(n, &event);
        /* As node/sync does each ten seconds: who hears nothing has to ask. */
        if (item->number == TIMER_STALL && n->core != NULL && !n->world->over) node_ask_sync(n);
        break;
    case ITEM_DURABLE: on_durable(n); break;
    case ITEM_BUILT: on_built(n, item); break;
    case ITEM_VERDICT: on_verdict(n, item); break;
    case ITEM_HOME:
        event.kind = EVENT_BLOCK_HELD;
        event.block_held = blocks_get(&n->world->blocks, item->block)->hash;
        node_step(n, &event);
        break;
    case ITEM_EPOCH:
        event.kind = EVENT_EPOCH;
        event.epoch = &n->epoch;
        node_step(n, &event);
        break;
    case ITEM_PARCEL:
    case ITEM_START:
    case ITEM_FAULT: assert(0 && "not local"); break;
    }
}
