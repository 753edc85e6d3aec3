/* core_rig.h - one real core, validator 0 of 4 equal ones, as its driver would hold it: a log of
 * which a part is durable, and everything that its peers could ever say about two views.
 *
 * The three others are taken to be byzantine, so certificates for anything exist: blocks 1a and 1b
 * upon genesis, 2a upon 1a, 2b upon genesis, all as named in rules.h. Each step of the core is held
 * against the model: a vote that it signs is one that the model's rules allow by the certificates
 * that the core holds; what leaves was durable; what ever left is no evidence; what it commits is
 * final and extends what was. One thread; core_life.h opens and closes it. */
#ifndef LEASEHOLD_TESTS_MODEL_CORE_RIG_H
#define LEASEHOLD_TESTS_MODEL_CORE_RIG_H

#include "tests/model/core_image.h"
#include "tests/model/rules.h"

#include <stdio.h>

#define RIG_LOG_MAX  64
#define RIG_VIEWS    2    /* of which the peers speak */
#define OTHERS       0xeu /* signers 1, 2, 3 */
#define BLOCK_MARK   0x77
#define GENESIS_MARK 0x99

/* A record of the log, short: votes and certificates are signed anew when it is read. */
struct rig_record {
    uint8_t kind; /* enum record_kind */
    uint8_t vote; /* enum vote_kind */
    uint8_t view;
    uint8_t block;
    uint8_t signers;
};

/* All that changes but the core itself. Validator 0 of `state` is the core. */
struct rig_disk {
    struct state state;     /* sent: what left in all lives; memory: what it signed and kept */
    uint32_t durable_votes; /* a validator's word */
    uint32_t log_count;
    uint32_t log_durable;
    uint32_t log_base;     /* records of earlier lives */
    uint32_t final;        /* a block */
    uint32_t wanted;       /* a bit a block: a fetch was asked for */
    uint32_t verify;       /* a bit a block: a verdict is owed */
    uint32_t misfit;       /* a bit a block: asked about upon a parent that it does not have */
    uint32_t valid;        /* a bit a block: it was told so in this life */
    uint32_t build_view;   /* 0: none is asked for */
    uint32_t build_parent; /* a block */
    struct rig_record log[RIG_LOG_MAX];
};

struct rig {
    struct consensus_config config;
    struct key key;
    struct consensus *core;
    struct consensus *newborn[BLOCKS]; /* as created upon this final block, or NULL */
    struct model model;
    struct rig_disk disk;
    struct actions *actions;
    struct proposal *proposal;
    struct certificate *certificate;
    const char *wrong; /* the first thing that must not be, or NULL */
};

static void rig_check(struct rig *r, bool holds, const char *what)
{
    if (!holds && !r->wrong) r->wrong = what;
}

/* ---- what the others say ---- */

/* Signatures that cost nothing: the signer's number, and the digest. */
static struct address rig_addresses[VALIDATORS];

static struct signature rig_sign(const struct key *key, const struct hash *digest)
{
    struct signature s = {{0}};
    s.b[0] = (uint8_t)(key->secret[31] - 1);
    memcpy(s.b + 33, digest->b, 31);
    return s;
}

static enum status rig_recover(struct address *out, const struct signature *s,
                               const struct hash *digest)
{
    if (s->b[0] >= VALIDATORS || memcmp(s->b + 33, digest->b, 31) != 0) return E_SIGNATURE;
    *out = rig_addresses[s->b[0]];
    return OK;
}

static const struct signer RIG_SIGNER = {rig_sign, rig_recover};

static struct hash rig_hash(uint32_t block)
{
    if (block == 0) return (struct hash){{GENESIS_MARK}};
    return (struct hash){{BLOCK_MARK, (uint8_t)block}};
}

static uint32_t rig_block(const struct hash *hash)
{
    if (hash->b[0] == GENESIS_MARK) return 0;
    assert(hash->b[0] == BLOCK_MARK && hash->b[1] > 0 && hash->b[1] < BLOCKS);
    return hash->b[1];
}

static struct vote rig_vote(const struct rig *r, uint32_t signer, enum vote_kind kind,
                            uint32_t view, uint32_t block)
{
    struct vote v = {.view = view, .kind = kind, .signer = (uint16_t)signer};
    struct key key = {{0}};
    if (kind != VOTE_NULLIFY) v.block = rig_hash(block);
    if (kind == VOTE_NOTARIZE) v.parent_view = block_view(block_parent(&r->disk.state, block));
    key.secret[31] = (uint8_t)(signer + 1);
    struct hash digest = vote_digest(r->config.epoch.chain_id, &v);
    v.signature = rig_sign(&key, &digest);
    return v;
}

static void make_certificate(struct rig *r, enum vote_kind kind, uint32_t view, uint32_t block,
                             uint32_t signers)
{
    struct vote subject = rig_vote(r, 1, kind, view, block);
    certificate_start(r->certificate, &subject);
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        struct vote v = rig_vote(r, i, kind, view, block);
        if ((signers >> i & 1) != 0) certificate_add(r->certificate, &v);
    }
}

/* ---- what the core does, against the model ---- */

static uint32_t word_of(const struct vote *v)
{
    uint32_t letter = v->kind == VOTE_NULLIFY ? 0 : block_letter(rig_block(&v->block));
    assert(v->view <= MODEL_VIEWS);
    return 1u << (VOTE_BITS * (v->view - 1) + vote_bit(v->kind, letter));
}

/* By the certificates that the core holds, and by its database. */
static struct facts facts_held(const struct rig *r)
{
    const struct state *s = &r->disk.state;
    struct facts f = {.justified = 1};
    for (uint32_t view = 1; view <= MODEL_VIEWS; view++) {
        for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
            const struct certificate *c =
                consensus_certificate(r->core, 0, view, (enum vote_kind)kind);
            if (!c) continue;
            struct vote v = certificate_vote(c, 0);
            f.certified |= word_of(&v);
        }
    }
    for (uint32_t id = r->disk.final; id != 0; id = block_parent(s, id))
        f.justified |= 1u << id;
    if (r->disk.final != 0) {
        struct vote v = rig_vote(r, 0, VOTE_FINALIZE, block_view(r->disk.final), r->disk.final);
        f.certified |= word_of(&v);
    }
    for (uint32_t id = 1; id <= LETTERS * RIG_VIEWS; id++)
        if (parent_serves(&r->model, &f, block_parent(s, id), block_view(id)))
            f.justified |= 1u << id;
    return f;
}

static bool block_logged(const struct rig_disk *d, uint32_t block, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (d->log[i].kind == RECORD_BLOCK && d->log[i].block == block) return true;
    return false;
}

/* Rules 3 and 5: verified, and written down ahead of the vote. */
static void check_block_of(struct rig *r, enum vote_kind kind, uint32_t block,
                           const struct facts *f)
{
    const struct rig_disk *d = &r->disk;
    uint32_t before = kind == VOTE_FINALIZE ? d->log_durable : d->log_count;
    rig_check(r, (f->justified >> block & 1) != 0, "it votes for what is not justified");
    rig_check(r, (d->valid >> block & 1) != 0, "it votes for what it has not verified");
    rig_check(r, block_logged(d, block, before), "it votes for what it has not written down");
}

static void check_signed(struct rig *r, const struct vote *v)
{
    struct facts f = facts_held(r);
    uint32_t *memory = &r->disk.state.memory[0];
    uint32_t view = (uint32_t)v->view;
    uint32_t id = v->kind == VOTE_NULLIFY ? 0 : rig_block(&v->block);
    rig_check(r, v->signer == 0, "it signs for somebody else");
    if (id != 0) check_block_of(r, v->kind, id, &f);
    switch (v->kind) {
    case VOTE_NOTARIZE:
        rig_check(r, may_notarize(&r->model, &f, *memory, view, block_letter(id)),
                  "it notarizes against the rules");
        break;
    case VOTE_NULLIFY:
        rig_check(r, may_nullify(&r->model, &f, *memory, view), "it nullifies against the rules");
        break;
    case VOTE_FINALIZE:
        rig_check(r, may_finalize(&r->model, &f, *memory, id), "it finalizes against the rules");
        break;
    case VOTE_KIND_COUNT: assert(0 && "no such vote"); break;
    }
    *memory |= word_of(v);
}

static void check_left(struct rig *r, const struct vote *v)
{
    uint32_t word = word_of(v);
    if (v->signer != 0) return;
    rig_check(r, (r->disk.durable_votes & word) != 0, "a vote left that was not durable");
    r->disk.state.sent[0] |= word;
}

static void on_persist(struct rig *r, const struct action *a)
{
    const struct record *record = &a->persist.record;
    struct rig_disk *d = &r->disk;
    struct rig_record *short_record = &d->log[d->log_count++];
    struct vote v = {.kind = VOTE_NULLIFY};
    assert(d->log_count < RIG_LOG_MAX);
    *short_record = (struct rig_record){.kind = (uint8_t)record->kind};
    rig_check(r, a->persist.sequence == d->log_count - d->log_base, "a sequence number is amiss");
    if (record->kind == RECORD_VOTE) {
        v = record->vote;
        check_signed(r, &v);
    } else if (record->kind == RECORD_CERTIFICATE) {
        v = certificate_vote(record->certificate, 0);
        short_record->signers = record->certificate->signers[0];
    } else if (record->kind == RECORD_BLOCK) {
        v = (struct vote){.kind = VOTE_NOTARIZE, .view = record->block.view};
        v.block = record->block.block;
    }
    short_record->vote = (uint8_t)v.kind;
    short_record->view = (uint8_t)v.view;
    if (v.kind != VOTE_NULLIFY) short_record->block = (uint8_t)rig_block(&v.block);
}

static void on_send(struct rig *r, const struct message *m)
{
    switch (m->kind) {
    case MESSAGE_VOTE: check_left(r, &m->vote); break;
    case MESSAGE_PROPOSAL: check_left(r, &m->proposal->vote); break;
    case MESSAGE_CERTIFICATE:
        for (uint32_t i = 0; i < m->certificate->signature_count; i++) {
            struct vote v = certificate_vote(m->certificate, i);
            check_left(r, &v);
        }
        break;
    }
}

static void on_commit(struct rig *r, const struct action *a)
{
    uint32_t block = rig_block(&a->commit.chain[a->commit.count - 1].block);
    struct facts f = facts_held(r);
    uint32_t id = block;
    rig_check(r, is_final(&r->model, &f, block), "it commits what is not final");
    while (block_view(id) > block_view(r->disk.final))
        id = block_parent(&r->disk.state, id);
    rig_check(r, id == r->disk.final, "it commits against what it committed");
    r->disk.final = block;
}

static void on_verify(struct rig_disk *d, const struct block_place *place)
{
    uint32_t block = rig_block(&place->block);
    d->verify |= 1u << block;
    d->misfit &= ~(1u << block);
    if (rig_block(&place->parent) != block_parent(&d->state, block)) d->misfit |= 1u << block;
}

static void on_action(struct rig *r, const struct action *a)
{
    struct rig_disk *d = &r->disk;
    switch (a->kind) {
    case ACTION_PERSIST: on_persist(r, a); break;
    case ACTION_SEND: on_send(r, &a->send); break;
    case ACTION_BUILD:
        d->build_view = (uint32_t)a->build.place.view;
        d->build_parent = rig_block(&a->build.place.parent);
        break;
    case ACTION_VERIFY: on_verify(d, &a->verify); break;
    case ACTION_FETCH_BLOCK: d->wanted |= 1u << rig_block(&a->fetch_block.block); break;
    case ACTION_COMMIT: on_commit(r, a); break;
    case ACTION_EVIDENCE: rig_check(r, a->evidence.first.signer != 0, "it accuses itself"); break;
    case ACTION_SET_TIMER:
    case ACTION_FETCH_CERT:
    case ACTION_SYNC: break;
    }
}

/* No two votes that ever left are evidence. */
static void check_innocent(struct rig *r)
{
    for (uint32_t view = 1; view <= MODEL_VIEWS; view++) {
        uint32_t votes = in_view(r->disk.state.sent[0], view);
        for (uint32_t i = 0; i < VOTE_BITS; i++)
            for (uint32_t j = 0; j < i; j++)
                if ((votes >> i & votes >> j & 1) != 0)
                    rig_check(r, r->model.guilt[i][j] == EVIDENCE_NONE, "it is guilty");
    }
}

static void rig_step(struct rig *r, const struct event *event)
{
    consensus_step(r->core, event, r->actions);
    for (uint32_t i = 0; i < r->actions->count; i++)
        on_action(r, &r->actions->items[i]);
    check_innocent(r);
}

#endif
