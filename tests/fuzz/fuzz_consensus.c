/* Any events in any order, with every signature accepted, so that all validators but our own may be
 * evil at once: the core's own assertions must hold, and our own votes stay innocent. */
#include "chain/consensus/consensus.h"

#include <stdlib.h>
#include <string.h>

#define VALIDATORS  4
#define EVENT_BYTES 6
#define EVENTS_MAX  400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct address address_of(uint8_t index)
{
    struct address a = {{0}};
    a.b[0] = (uint8_t)(index + 1);
    return a;
}

static struct signature any_sign(const struct key *key, const struct hash *digest)
{
    struct signature s = {{0}};
    (void)key;
    (void)digest;
    return s;
}

static uint8_t accepted_signers[VALIDATORS_MAX];
static uint32_t accepted_next, accepted_count;

/* The signers in the order in which the core will ask. */
static enum status any_recover(struct address *out, const struct signature *s,
                               const struct hash *digest)
{
    (void)s;
    (void)digest;
    if (accepted_next >= accepted_count) return E_SIGNATURE;
    *out = address_of(accepted_signers[accepted_next++]);
    return OK;
}

static const struct signer SIGNER_ANY = {any_sign, any_recover};

struct world {
    struct consensus *core;
    struct epoch epoch;
    struct actions actions;
    struct proposal proposal;
    uint64_t sequence;
    struct vote sent[512][VOTE_KIND_COUNT];
    bool has_sent[512][VOTE_KIND_COUNT];
};

static struct hash block_of(uint8_t id)
{
    struct hash h = {{0}};
    h.b[0] = (uint8_t)(id % 3 + 1);
    h.b[1] = (uint8_t)(id / 3);
    return h;
}

static struct epoch first_epoch(const struct key *key)
{
    struct epoch e = {.chain_id = 1, .start_block = {{0xee}}, .last_number = 4};
    e.validator_count = VALIDATORS;
    for (uint8_t i = 0; i < VALIDATORS; i++) {
        e.validators[i].weight = 1;
        e.validators[i].consensus_address = address_of(i);
    }
    e.validators[0].consensus_address = key_address(key);
    if (epoch_seal(&e) != OK) abort();
    return e;
}

static struct vote make_vote(const struct world *w, const uint8_t *p, enum vote_kind kind)
{
    struct vote v = {.epoch = w->epoch.number, .kind = kind};
    v.view = consensus_view(w->core) + p[1] % 8;
    v.view = v.view > 4 ? v.view - 4 : 1;
    if (kind == VOTE_NOTARIZE) v.parent_view = v.view - 1 - p[2] % v.view % 4;
    if (kind != VOTE_NULLIFY) v.block = block_of(p[3]);
    v.signer = (uint16_t)(1 + p[4] % (VALIDATORS - 1));
    return v;
}

static struct certificate make_certificate(const struct world *w, const uint8_t *p)
{
    struct certificate c = {0};
    struct vote v = make_vote(w, p, (enum vote_kind)(p[5] % VOTE_KIND_COUNT));
    certificate_start(&c, &v);
    for (v.signer = 1; v.signer < VALIDATORS; v.signer++)
        certificate_add(&c, &v);
    return c;
}

static void accept_all(void)
{
    accepted_next = 0;
    accepted_count = VALIDATORS - 1;
    for (uint8_t i = 1; i < VALIDATORS; i++)
        accepted_signers[i - 1] = i;
}

static void accept_one(uint16_t signer)
{
    accepted_next = 0;
    accepted_count = 1;
    accepted_signers[0] = (uint8_t)signer;
}

static void check_innocent(struct world *w, const struct vote *v)
{
    if (v->view >= 512) return;
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++)
        if (w->has_sent[v->view][kind] && w->sent[v->view][kind].epoch == v->epoch &&
            evidence_between(&w->sent[v->view][kind], v) != EVIDENCE_NONE)
            abort();
    w->sent[v->view][v->kind] = *v;
    w->has_sent[v->view][v->kind] = true;
}

static void step(struct world *w, const struct event *event)
{
    consensus_step(w->core, event, &w->actions);
    for (uint32_t i = 0; i < w->actions.count; i++) {
        const struct action *a = &w->actions.items[i];
        if (a->kind == ACTION_PERSIST) w->sequence = a->persist.sequence;
        if (a->kind == ACTION_SEND && a->send.kind == MESSAGE_VOTE)
            check_innocent(w, &a->send.vote);
        if (a->kind == ACTION_SEND && a->send.kind == MESSAGE_PROPOSAL)
            check_innocent(w, &a->send.proposal->vote);
    }
}

static void next_epoch(struct world *w, struct event *event)
{
    struct final_point final = consensus_final(w->core);
    if (final.number != w->epoch.last_number) return;
    w->epoch.number++;
    w->epoch.start_block = final.block;
    w->epoch.start_number = final.number;
    w->epoch.last_number += 4;
    memset(w->has_sent, 0, sizeof(w->has_sent));
    event->kind = EVENT_EPOCH;
    event->epoch = &w->epoch;
    step(w, event);
}

static void one_event(struct world *w, const uint8_t *p)
{
    struct event e = {.from = 1u + p[4] % 3u};
    struct certificate c;
    uint64_t view = consensus_view(w->core);
    switch (p[0] % 11) {
    case 0:
    case 1:
        e.kind = EVENT_VOTE;
        e.vote = make_vote(w, p, (enum vote_kind)(p[5] % VOTE_KIND_COUNT));
        accept_one(e.vote.signer);
        break;
    case 2:
    case 3:
        c = make_certificate(w, p);
        e.kind = EVENT_CERTIFICATE;
        e.certificate = &c;
        accept_all();
        break;
    case 4:
    case 5:
        e.kind = EVENT_PROPOSAL;
        w->proposal.vote = make_vote(w, p, VOTE_NOTARIZE);
        w->proposal.vote.signer = (uint16_t)epoch_leader(&w->epoch, w->proposal.vote.view);
        if (w->proposal.vote.signer == 0) return;
        w->proposal.certificate_count = 0;
        e.proposal.proposal = &w->proposal;
        e.proposal.block_held = p[5] % 4 != 0;
        accept_one(w->proposal.vote.signer);
        break;
    case 6:
        e.kind = EVENT_VERDICT;
        e.verdict.view = view + p[1] % 6 > 3 ? view + p[1] % 6 - 3 : 1;
        e.verdict.block = block_of(p[3]);
        e.verdict.valid = p[5] % 8 != 0;
        break;
    case 7:
        e.kind = EVENT_DURABLE;
        e.durable_sequence = w->sequence;
        break;
    case 8:
        e.kind = EVENT_TIMER;
        e.timer.timer = (enum timer)(p[5] % TIMER_COUNT);
        e.timer.view = view;
        break;
    case 9:
        e.kind = p[5] % 2 ? EVENT_BUILT : EVENT_BLOCK_HELD;
        e.block_held = block_of(p[3]);
        if (e.kind == EVENT_BUILT) {
            e.built.view = view;
            e.built.ok = p[5] % 4 != 1;
            e.built.block = block_of(p[3]);
        }
        break;
    default: next_epoch(w, &e); return;
    }
    step(w, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct key key = {{0}};
    memset(&w, 0, sizeof(w));
    key.secret[31] = 1;
    w.epoch = first_epoch(&key);
    struct consensus_config config = {.epoch = w.epoch,
                                      .final = {0, w.epoch.start_block, 0},
                                      .key = &key,
                                      .signer = &SIGNER_ANY,
                                      .timing = {100, 100},
                                      .views_max = VIEWS_MIN};
    struct event start = {.kind = EVENT_START};
    w.core = consensus_create(&config);
    step(&w, &start);
    for (size_t i = 0; i + EVENT_BYTES <= size && i < EVENTS_MAX * EVENT_BYTES; i += EVENT_BYTES)
        one_event(&w, data + i);
    consensus_destroy(w.core);
    return 0;
}
