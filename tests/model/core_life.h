/* core_life.h - the core of core_rig.h is born, restarts from its log, and is closed. */
#ifndef LEASEHOLD_TESTS_MODEL_CORE_LIFE_H
#define LEASEHOLD_TESTS_MODEL_CORE_LIFE_H

#include "tests/model/core_rig.h"

static struct consensus *newborn(struct rig *r, uint32_t final)
{
    if (r->newborn[final]) return r->newborn[final];
    uint64_t number = 0;
    for (uint32_t id = final; id != 0; id = block_parent(&r->disk.state, id))
        number++;
    r->config.final = (struct final_point){block_view(final), rig_hash(final), number};
    r->newborn[final] = consensus_create(&r->config);
    return r->newborn[final];
}

static void restore(struct rig *r, const struct rig_record *from)
{
    struct record record = {.kind = (enum record_kind)from->kind};
    enum vote_kind kind = (enum vote_kind)from->vote;
    if (record.kind == RECORD_EPOCH) return;
    if (record.kind == RECORD_VOTE) {
        record.vote = rig_vote(r, 0, kind, from->view, from->block);
        r->disk.state.memory[0] |= word_of(&record.vote);
    } else if (record.kind == RECORD_CERTIFICATE) {
        make_certificate(r, kind, from->view, from->block, from->signers);
        record.certificate = r->certificate;
    } else {
        uint32_t parent = block_parent(&r->disk.state, from->block);
        record.block =
            (struct record_block){0, from->view, block_view(parent), rig_hash(from->block)};
    }
    rig_check(r, consensus_restore(r->core, &record) == OK, "its own log is refused");
}

static void rig_start(struct rig *r)
{
    struct rig_disk *d = &r->disk;
    d->log_base = d->log_durable = d->log_count;
    d->wanted = d->valid = d->verify = d->misfit = d->build_view = d->build_parent = 0;
    d->state.memory[0] = 0;
    image_become(r->core, newborn(r, d->final));
    for (uint32_t i = 0; i < d->log_count; i++)
        restore(r, &d->log[i]);
    d->durable_votes = d->state.memory[0];
    struct event start = {.kind = EVENT_START};
    rig_step(r, &start);
}

static bool leads(const struct epoch *e, const uint32_t leaders[RIG_VIEWS])
{
    for (uint32_t view = 1; view <= RIG_VIEWS; view++)
        if (epoch_leader(e, view) != leaders[view - 1]) return false;
    return true;
}

static void rig_open(struct rig *r, const uint32_t leaders[RIG_VIEWS])
{
    struct epoch *e = &r->config.epoch;
    memset(r, 0, sizeof(*r));
    *e = (struct epoch){.chain_id = 7117, .start_block = rig_hash(0), .last_number = 1000};
    e->validator_count = VALIDATORS;
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        struct key key = {{0}};
        key.secret[31] = (uint8_t)(i + 1);
        if (i == 0) r->key = key;
        rig_addresses[i] = key_address(&key);
        e->validators[i] = (struct validator){rig_addresses[i], rig_addresses[i], 1};
    }
    enum status status = epoch_seal(e);
    assert(status == OK);
    (void)status;
    while (!leads(e, leaders))
        store_be32(e->seed.b, load_be32(e->seed.b) + 1);
    r->config.key = &r->key;
    r->config.signer = &RIG_SIGNER;
    r->config.timing = (struct timing){.delta_ms = 100};
    r->config.views_max = VIEWS_MIN;
    r->model = (struct model){.views = MODEL_VIEWS, .byzantine = 3};
    model_begin(&r->model);
    const uint32_t parents[] = {0, 0, 0, block_id(1, 0), 0};
    for (uint32_t id = 1; id <= LETTERS * RIG_VIEWS; id++)
        r->disk.state.blocks |= (uint64_t)(parents[id] + 1) << (BLOCK_BITS * (id - 1));
    r->actions = calloc(1, sizeof(*r->actions));
    r->proposal = calloc(1, sizeof(*r->proposal));
    r->certificate = calloc(1, sizeof(*r->certificate));
    assert(r->actions && r->proposal && r->certificate);
    r->core = consensus_create(&(struct consensus_config){.epoch = r->config.epoch,
                                                          .final = {0, rig_hash(0), 0},
                                                          .key = &r->key,
                                                          .signer = &RIG_SIGNER,
                                                          .timing = r->config.timing,
                                                          .views_max = VIEWS_MIN});
    rig_start(r);
}

static void rig_close(struct rig *r)
{
    consensus_destroy(r->core);
    for (uint32_t i = 0; i < BLOCKS; i++)
        consensus_destroy(r->newborn[i]);
    free(r->actions);
    free(r->proposal);
    free(r->certificate);
}

#endif
