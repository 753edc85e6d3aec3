#include "tests/sim/wire.h"

#include "base/fatal.h"
#include "tests/sim/world.h"

#include <assert.h>
#include <stdlib.h>

static uint64_t *cut_between(struct wire *wire, const struct plan *plan, uint32_t from, uint32_t to)
{
    return &wire->cut_until[(size_t)from * plan->node_count + to];
}

void wire_init(struct wire *wire, const struct plan *plan)
{
    size_t links = (size_t)plan->node_count * plan->node_count;
    *wire = (struct wire){.cut_until = must_alloc(links * sizeof(*wire->cut_until))};
}

void wire_finish(struct wire *wire)
{
    free(wire->cut_until);
    *wire = (struct wire){0};
}

void wire_heal(struct wire *wire, const struct plan *plan)
{
    size_t links = (size_t)plan->node_count * plan->node_count;
    memset(wire->cut_until, 0, links * sizeof(*wire->cut_until));
    wire->loss_until = wire->delay_until = wire->duplicate_until = 0;
    wire->healed = true;
}

void wire_cut(struct wire *wire, const struct plan *plan, uint64_t side, bool both, uint64_t until)
{
    for (uint32_t from = 0; from < plan->node_count; from++)
        for (uint32_t to = 0; to < plan->node_count; to++) {
            bool out = (side >> (from % 64) & 1) != 0;
            bool in = (side >> (to % 64) & 1) != 0;
            if (out == in || (in && !both)) continue;
            if (*cut_between(wire, plan, from, to) < until)
                *cut_between(wire, plan, from, to) = until;
        }
}

static uint32_t loss_percent(const struct world *w)
{
    uint32_t percent = w->wire.healed ? 0 : w->plan->loss_percent;
    return w->now_ms < w->wire.loss_until ? percent + w->wire.loss_percent : percent;
}

static uint32_t duplicate_percent(const struct world *w)
{
    uint32_t percent = w->wire.healed ? 0 : w->plan->duplicate_percent;
    return w->now_ms < w->wire.duplicate_until ? percent + w->wire.duplicate_percent : percent;
}

static void put_on_way(struct world *w, uint32_t from, uint32_t to, struct parcel *p)
{
    uint32_t hop_ms = dice_between(&w->dice, w->plan->hop_min_ms, w->plan->hop_max_ms);
    if (w->now_ms < w->wire.delay_until) hop_ms += dice_roll(&w->dice, w->wire.delay_ms + 1);
    struct item item = {
        .kind = ITEM_PARCEL, .node = (uint16_t)to, .from = (uint16_t)from, .parcel = p};
    p->uses++;
    queue_put(&w->queue, item, w->now_ms + hop_ms);
}

void wire_send(struct world *w, uint32_t from, uint32_t to, struct parcel *p)
{
    assert(from < w->plan->node_count && to < w->plan->node_count);
    if (from == to) return;
    w->wire.sent_bytes[p->kind] += p->bytes.size;
    w->wire.sent_count[p->kind]++;
    if (w->now_ms < *cut_between(&w->wire, w->plan, from, to)) return;
    if (dice_chance(&w->dice, loss_percent(w))) return;
    put_on_way(w, from, to, p);
    if (dice_chance(&w->dice, duplicate_percent(w))) put_on_way(w, from, to, p);
}

void wire_send_all(struct world *w, uint32_t from, struct parcel *p)
{
    for (uint32_t to = 0; to < w->plan->node_count; to++)
        wire_send(w, from, to, p);
}

void wire_send_some(struct world *w, uint32_t from, struct parcel *p, uint32_t percent)
{
    for (uint32_t to = 0; to < w->plan->node_count; to++)
        if (dice_chance(&w->dice, percent)) wire_send(w, from, to, p);
}
