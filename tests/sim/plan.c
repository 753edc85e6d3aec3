#include "tests/sim/plan.h"

#include "base/keccak.h"
#include "tests/sim/keys.h"

#include <assert.h>

enum purpose { FOR_CLUSTER, FOR_ROLES, FOR_FAULTS, FOR_WEIGHTS, FOR_EPOCH };

/* ---- the cluster ---- */

static void make_timing(struct plan *p, struct dice *d)
{
    p->hop_min_ms = dice_between(d, 1, 20);
    p->hop_max_ms = p->hop_min_ms + dice_roll(d, 30);
    p->build_ms = dice_between(d, 1, 30);
    p->disk_ms = dice_between(d, 1, 8);
    /* In one of four the bound is too tight, and only growing timers get anywhere. */
    uint32_t hop_ms = p->hop_max_ms + p->disk_ms + 10;
    p->timing.delta_ms = dice_chance(d, 25) ? hop_ms / 3 + 1 : hop_ms + dice_roll(d, 80);
    p->timing.idle_interval_ms = p->build_ms + dice_roll(d, 40);
}

static void make_cluster(struct plan *p)
{
    struct dice d = dice_for(p->seed, FOR_CLUSTER);
    const uint8_t sizes[] = {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 6, 6, 7, 7, 10};
    p->validator_count = sizes[dice_roll(&d, sizeof(sizes))];
    make_timing(p, &d);
    p->epoch_blocks = dice_chance(&d, 50) ? 100000 : dice_between(&d, 1, 40);
    p->sets_change = dice_chance(&d, 60);
    p->loss_percent = dice_chance(&d, 50) ? dice_roll(&d, 10) : 0;
    p->duplicate_percent = dice_chance(&d, 30) ? dice_roll(&d, 30) : 0;
}

static void make_weights(struct plan *p)
{
    struct dice d = dice_for(p->seed, FOR_WEIGHTS);
    bool equal = dice_chance(&d, 40);
    bool steep = dice_chance(&d, 30);
    for (uint32_t i = 0; i < SIM_NODES_MAX; i++) {
        uint32_t roll = dice_between(&d, 50, 150);
        p->weights[i] = equal ? 100 : steep ? roll * roll / 10 : roll;
    }
}

/* ---- who lies ---- */

static uint32_t draw_role(struct dice *d)
{
    uint32_t roles = 1u << dice_roll(d, ROLE_BIT_TWIN); /* twins are drawn apart */
    if (dice_chance(d, 40)) roles |= 1u << dice_roll(d, ROLE_BIT_TWIN);
    return roles & ROLE_SILENT ? ROLE_SILENT : roles;
}

static void add_twin(struct plan *p, uint32_t validator)
{
    p->roles[validator] = ROLE_TWIN;
    p->twin_of[p->node_count++] = validator;
}

static void make_liars(struct plan *p)
{
    struct dice d = dice_for(p->seed, FOR_ROLES);
    p->over_third = dice_chance(&d, 8) && p->validator_count <= 7;
    bool none = dice_chance(&d, 25);
    uint32_t count = p->over_third ? p->validator_count / 2 : (p->validator_count - 1) / 3;
    for (uint32_t i = 0; i < count; i++) {
        /* Any validator may lie: 3 has no common factor with 4, 5, 7 or 10; with 6 it has, which
         * only means fewer liars there. */
        uint32_t validator = (dice_roll(&d, SIM_NODES_MAX) + 3 * i) % p->validator_count;
        uint32_t role = draw_role(&d);
        bool twin = dice_chance(&d, 15);
        if ((none && !p->over_third) || p->roles[validator]) continue;
        if (p->over_third) role |= ROLE_YES_MAN | ROLE_EQUIVOCATOR;
        if (twin && !p->over_third)
            add_twin(p, validator);
        else
            p->roles[validator] = role;
    }
}

static void make_honest(struct plan *p)
{
    memset(p->roles, 0, sizeof(p->roles));
    p->node_count = p->validator_count;
    p->over_third = false;
}

/* ---- faults ---- */

static uint32_t draw_amount(enum fault_kind kind, struct dice *d)
{
    switch (kind) {
    case FAULT_LOSS: return dice_between(d, 5, 60);
    case FAULT_DELAY: return dice_between(d, 20, 600);
    case FAULT_DUPLICATE: return dice_between(d, 5, 50);
    case FAULT_CRASH:
    case FAULT_CRASH_ALL:
    case FAULT_LOSE_LOG: return dice_between(d, 1, 40);
    case FAULT_SLOW: return dice_between(d, 20, 400);
    case FAULT_CLOCK: return dice_between(d, 60, 160);
    case FAULT_PARTITION:
    case FAULT_ONE_WAY:
    case FAULT_PAUSE:
    case FAULT_DISK_FULL:
    case FAULT_BUILD_FAILS: return 0;
    case FAULT_KIND_COUNT: break;
    }
    assert(0 && "no such fault");
    return 0;
}

static enum fault_kind draw_kind(struct dice *d)
{
    const uint8_t often[] = {FAULT_LOSS,      FAULT_LOSS,  FAULT_DELAY,  FAULT_DUPLICATE,
                             FAULT_PARTITION, FAULT_CRASH, FAULT_CRASH,  FAULT_CRASH,
                             FAULT_PARTITION, FAULT_PAUSE, FAULT_ONE_WAY};
    if (dice_chance(d, 70)) return (enum fault_kind)often[dice_roll(d, sizeof(often))];
    return (enum fault_kind)dice_roll(d, FAULT_KIND_COUNT);
}

static uint32_t draw_length(struct dice *d)
{
    if (dice_chance(d, 5)) return dice_between(d, 5000, 15000);
    return dice_chance(d, 50) ? dice_between(d, 5, 150) : dice_between(d, 100, 2000);
}

static void make_faults(struct plan *p)
{
    struct dice d = dice_for(p->seed, FOR_FAULTS);
    uint32_t gap_max_ms = dice_chance(&d, 40) ? 2000 : dice_between(&d, 50, 600);
    uint64_t at_ms = 0;
    p->fault_count = SIM_FAULTS_MAX;
    for (uint32_t i = 0; i < p->fault_count; i++) {
        struct fault *f = &p->faults[i];
        at_ms += dice_between(&d, 1, gap_max_ms);
        f->at_ms = at_ms;
        f->kind = draw_kind(&d);
        f->amount = draw_amount(f->kind, &d);
        f->for_ms = draw_length(&d);
        f->node = dice_roll(&d, 12); /* more than there are: it hits nobody */
        f->side = dice_next(&d);
    }
}

/* ---- the plan ---- */

static void take_away(struct plan *p, const struct plan_cut *cut)
{
    if (cut->honest) make_honest(p);
    if (cut->calm) p->loss_percent = p->duplicate_percent = 0;
    for (uint32_t i = 0; i < p->fault_count; i++)
        p->faults[i].cut_off = cut->keep_fault && !cut->keep_fault[i];
}

void plan_make(struct plan *out, uint64_t seed, uint32_t views, const struct plan_cut *cut)
{
    memset(out, 0, sizeof(*out));
    out->seed = seed;
    out->views = views;
    make_cluster(out);
    if (cut->nodes != 0) out->validator_count = cut->nodes;
    out->node_count = out->validator_count;
    make_weights(out);
    make_liars(out);
    make_faults(out);
    take_away(out, cut);
    assert(out->node_count <= SIM_NODES_MAX);
}

void plan_make_calm(struct plan *out, uint32_t nodes, uint32_t views)
{
    memset(out, 0, sizeof(*out));
    out->views = views;
    out->validator_count = out->node_count = nodes;
    out->epoch_blocks = 1000000;
    out->timing = (struct timing){.delta_ms = 100, .idle_interval_ms = 20};
    out->hop_min_ms = 10;
    out->hop_max_ms = 12;
    out->build_ms = 5;
    out->disk_ms = 2;
    for (uint32_t i = 0; i < nodes; i++)
        out->weights[i] = 100;
}

uint32_t plan_validator(const struct plan *p, uint32_t node)
{
    assert(node < p->node_count);
    return node < p->validator_count ? node : p->twin_of[node];
}

bool plan_honest(const struct plan *p, uint32_t node)
{
    return p->roles[plan_validator(p, node)] == 0;
}

/* ---- epochs ---- */

static void add_member(struct epoch *e, const struct plan *p, uint32_t validator, uint32_t percent)
{
    struct validator *v = &e->validators[e->validator_count++];
    v->consensus_address = v->operator_address = *sim_address(validator);
    v->weight = (uint64_t)p->weights[validator] * percent + 1;
}

/* Liars weigh more than a third and less than a quorum, or else less than a third. */
static bool weight_fits(const struct plan *p, const struct epoch *e)
{
    uint64_t lying = plan_lying_weight(p, e);
    if (p->over_third) return 3 * lying > e->total_weight && lying < epoch_quorum(e);
    return 3 * lying < e->total_weight;
}

static void draw_set(struct epoch *e, const struct plan *p, struct dice *d, bool change)
{
    e->validator_count = 0;
    for (uint32_t i = 0; i < p->validator_count; i++) {
        bool in = !change || dice_chance(d, 80);
        uint32_t percent = change ? dice_between(d, 50, 150) : 100;
        if (in) add_member(e, p, i, percent);
    }
    if (e->validator_count == 0) add_member(e, p, dice_roll(d, p->validator_count), 100);
    enum status status = epoch_seal(e);
    assert(status == OK);
    (void)status;
}

/* Where no draw fits: every lying weight moves towards what fits. */
static void force_fit(struct epoch *e, const struct plan *p)
{
    while (!weight_fits(p, e)) {
        bool too_much = !p->over_third || plan_lying_weight(p, e) >= epoch_quorum(e);
        for (uint32_t i = 0; i < e->validator_count; i++) {
            struct validator *v = &e->validators[i];
            uint32_t key = 0;
            while (!address_equal(sim_address(key), &v->consensus_address))
                key++;
            if (p->roles[key]) v->weight = too_much ? v->weight * 3 / 4 + 1 : v->weight * 3 / 2;
            if (!p->roles[key] && too_much) v->weight += 2;
        }
        enum status status = epoch_seal(e);
        assert(status == OK);
        (void)status;
    }
}

struct epoch plan_epoch(const struct plan *p, uint64_t number, const struct hash *start_block,
                        uint64_t start_number)
{
    struct epoch e = {.chain_id = SIM_CHAIN_ID, .number = number, .start_block = *start_block};
    struct dice d = dice_for(p->seed, FOR_EPOCH + 16 * (number + 1));
    uint8_t seed[16];
    store_be64(seed, p->seed);
    store_be64(seed + 8, number);
    e.seed = keccak256(bytes_of(seed, sizeof(seed)));
    e.start_number = start_number;
    e.last_number = start_number + p->epoch_blocks;
    bool change = p->sets_change && number > 0;
    for (int i = 0; i < 8; i++) {
        draw_set(&e, p, &d, change);
        if (weight_fits(p, &e)) return e;
    }
    draw_set(&e, p, &d, false);
    force_fit(&e, p);
    return e;
}

uint64_t plan_lying_weight(const struct plan *p, const struct epoch *e)
{
    uint64_t weight = 0;
    for (uint32_t i = 0; i < p->validator_count; i++) {
        uint32_t index = p->roles[i] ? epoch_index_of(e, sim_address(i)) : e->validator_count;
        if (index < e->validator_count) weight += e->validators[index].weight;
    }
    return weight;
}

/* ---- in words ---- */

static void print_roles(FILE *out, uint32_t roles)
{
#define PRINT_ROLE(name, text)                                                                     \
    if (roles & ROLE_##name) fprintf(out, "; %s", text);
    ROLES(PRINT_ROLE)
#undef PRINT_ROLE
}

static void print_side(FILE *out, const struct plan *p, uint64_t side)
{
    const char *comma = "";
    fprintf(out, "{");
    for (uint32_t i = 0; i < p->node_count; i++) {
        if (!(side >> (i % 64) & 1)) continue;
        fprintf(out, "%s%u", comma, i);
        comma = ",";
    }
    fprintf(out, "} ");
}

static bool hits_a_node(enum fault_kind kind)
{
    return kind == FAULT_PAUSE || kind == FAULT_CRASH || kind == FAULT_DISK_FULL ||
           kind == FAULT_LOSE_LOG || kind == FAULT_BUILD_FAILS || kind == FAULT_SLOW ||
           kind == FAULT_CLOCK;
}

struct fault_text {
    const char *text;
    const char *rest;
};

static const struct fault_text FAULT_TEXTS[] = {
#define FAULT_TEXT(name, text, rest) {text, rest},
    FAULTS(FAULT_TEXT)
#undef FAULT_TEXT
};

void fault_print(FILE *out, const struct plan *p, const struct fault *f)
{
    fprintf(out, "%6llu ms, for %u ms: ", (unsigned long long)f->at_ms, f->for_ms);
    if (hits_a_node(f->kind)) fprintf(out, "node %u ", f->node);
    if (f->kind == FAULT_PARTITION || f->kind == FAULT_ONE_WAY) print_side(out, p, f->side);
    fprintf(out, "%s", FAULT_TEXTS[f->kind].text);
    if (FAULT_TEXTS[f->kind].rest) fprintf(out, "%u%s", f->amount, FAULT_TEXTS[f->kind].rest);
    fprintf(out, "\n");
}

void plan_print(FILE *out, const struct plan *p)
{
    fprintf(out, "%u validators, %s, epochs of %llu blocks%s\n", p->validator_count,
            p->over_third ? "over a third lie" : "less than a third lie",
            (unsigned long long)p->epoch_blocks, p->sets_change ? " with changing sets" : "");
    fprintf(out, "hop %u..%u ms, delta %u ms, idle %u ms, build %u ms, disk up to %u ms",
            p->hop_min_ms, p->hop_max_ms, p->timing.delta_ms, p->timing.idle_interval_ms,
            p->build_ms, p->disk_ms);
    fprintf(out, "; loss %u%%, duplicates %u%%\n", p->loss_percent, p->duplicate_percent);
    for (uint32_t i = 0; i < p->node_count; i++) {
        uint32_t validator = plan_validator(p, i);
        fprintf(out, "node %u: weight %u%s", i, p->weights[validator],
                p->roles[validator] ? "" : ", honest");
        if (i != validator) fprintf(out, ", has the key of node %u", validator);
        print_roles(out, p->roles[validator]);
        fprintf(out, "\n");
    }
    for (uint32_t i = 0; i < p->fault_count; i++) {
        if (p->faults[i].cut_off) continue;
        fprintf(out, "%3u ", i);
        fault_print(out, p, &p->faults[i]);
    }
}
