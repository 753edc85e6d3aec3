#include "tests/sim/court.h"

#include "base/fatal.h"
#include "tests/sim/keys.h"
#include "tests/sim/world.h"

#include <assert.h>
#include <stdlib.h>

uint64_t hash_head(const struct hash *h)
{
    return load_be64(h->b) | 1; /* 0 means none */
}

static void add_block(uint64_t blocks[2], uint64_t block)
{
    if (blocks[0] == 0)
        blocks[0] = block;
    else if (blocks[0] != block && blocks[1] == 0)
        blocks[1] = block;
}

/* E1 to E4. */
bool said_guilty(const struct said *s)
{
    if (s->notarized[1] != 0 || s->finalized[1] != 0) return true;
    if (s->finalized[0] != 0 && s->nullified) return true;
    return s->finalized[0] != 0 && s->notarized[0] != 0 && s->finalized[0] != s->notarized[0];
}

bool said_add(struct said *s, const struct vote *v)
{
    bool before = said_guilty(s);
    switch (v->kind) {
    case VOTE_NOTARIZE: add_block(s->notarized, hash_head(&v->block)); break;
    case VOTE_FINALIZE: add_block(s->finalized, hash_head(&v->block)); break;
    case VOTE_NULLIFY: s->nullified = true; break;
    case VOTE_KIND_COUNT: break;
    }
    return !before && said_guilty(s);
}

/* ---- files ---- */

void court_init(struct court *court, uint32_t said_count)
{
    *court = (struct court){.room = 1024, .said_count = said_count, .final_room = 1024};
    court->files = must_alloc(court->room * sizeof(struct view_file *));
    court->final = must_alloc(court->final_room * sizeof(*court->final));
    memset(court->final, 0xff, court->final_room * sizeof(*court->final));
}

void court_finish(struct court *court)
{
    for (uint32_t i = 0; i < court->room; i++)
        free(court->files[i]);
    free(court->files);
    free(court->final);
    *court = (struct court){0};
}

static uint32_t place_of(const struct court *court, uint64_t epoch, uint64_t view)
{
    uint32_t at = (uint32_t)(epoch * 2654435761u + view * 40503u) & (court->room - 1);
    while (court->files[at] && (court->files[at]->epoch != epoch || court->files[at]->view != view))
        at = (at + 1) & (court->room - 1);
    return at;
}

static void grow(struct court *court)
{
    struct view_file **old = court->files;
    uint32_t old_room = court->room;
    court->room *= 2;
    court->files = must_alloc(court->room * sizeof(struct view_file *));
    for (uint32_t i = 0; i < old_room; i++)
        if (old[i]) court->files[place_of(court, old[i]->epoch, old[i]->view)] = old[i];
    free(old);
}

static struct view_file *file_of(struct court *court, uint64_t epoch, uint64_t view)
{
    uint32_t at = place_of(court, epoch, view);
    if (court->files[at]) return court->files[at];
    if (2 * court->count >= court->room) {
        grow(court);
        at = place_of(court, epoch, view);
    }
    struct view_file *f = must_alloc(sizeof(*f) + court->said_count * sizeof(struct said));
    f->said = (struct said *)(f + 1);
    f->epoch = epoch;
    f->view = view;
    court->count++;
    court->files[at] = f;
    return f;
}

/* ---- verdicts ---- */

static bool is_honest(const struct world *w, const struct epoch *e, uint32_t signer)
{
    for (uint32_t i = 0; i < w->plan->validator_count; i++)
        if (address_equal(sim_address(i), &e->validators[signer].consensus_address))
            return w->plan->roles[i] == 0;
    return true;
}

void court_hear_vote(struct world *w, const struct epoch *e, const struct vote *v)
{
    if (v->epoch != e->number || v->signer >= e->validator_count) return;
    struct view_file *f = file_of(&w->court, v->epoch, v->view);
    if (!said_add(&f->said[v->signer], v) || !is_honest(w, e, v->signer)) return;
    world_fail(w, "honest guilt",
               "the honest validator %u contradicts itself in epoch %llu view %llu", v->signer,
               (unsigned long long)v->epoch, (unsigned long long)v->view);
}

static uint64_t convicted_weight(const struct view_file *f, const struct epoch *e)
{
    uint64_t weight = 0;
    for (uint32_t i = 0; i < e->validator_count; i++)
        if (said_guilty(&f->said[i])) weight += e->validators[i].weight;
    return weight;
}

/* Two final blocks conflict. Lawful only where a third lies, and only if the signatures that
 * honest nodes have seen convict more than a third in one view. */
static void judge_fork(struct world *w, const struct epoch *e, const char *what)
{
    uint64_t worst = 0;
    if (!world_lawless(w, e)) world_fail(w, "fork", "%s", what);
    for (uint32_t i = 0; i < w->court.room; i++) {
        const struct view_file *f = w->court.files[i];
        uint64_t weight = f && f->epoch == e->number ? convicted_weight(f, e) : 0;
        if (weight > worst) worst = weight;
    }
    if (3 * worst <= e->total_weight)
        world_fail(w, "unconvicted fork", "%s, and only %llu of %llu are convicted", what,
                   (unsigned long long)worst, (unsigned long long)e->total_weight);
    w->report->forks++;
    w->over = true;
}

static void check_view(struct world *w, const struct epoch *e, const struct view_file *f)
{
    if (f->finalized != 0 && f->nullified && !world_lawless(w, e))
        world_fail(w, "X and F", "epoch %llu view %llu is nullified and final",
                   (unsigned long long)f->epoch, (unsigned long long)f->view);
}

void court_hear_certificate(struct world *w, const struct epoch *e, const struct certificate *c)
{
    if (c->epoch != e->number) return;
    if (certificate_verify(c, e, w->signer) != OK)
        world_fail(w, "certificate", "one of epoch %llu view %llu kind %d does not hold",
                   (unsigned long long)c->epoch, (unsigned long long)c->view, (int)c->kind);
    for (uint32_t i = 0; i < c->signature_count; i++) {
        struct vote v = certificate_vote(c, i);
        court_hear_vote(w, e, &v);
    }
    struct view_file *f = file_of(&w->court, c->epoch, c->view);
    if (c->kind == VOTE_NULLIFY) f->nullified = true;
    if (c->kind == VOTE_NOTARIZE) f->notarized = hash_head(&c->block);
    if (c->kind == VOTE_FINALIZE) {
        uint64_t block = hash_head(&c->block);
        if (f->finalized != 0 && f->finalized != block) judge_fork(w, e, "two F in one view");
        f->finalized = block;
        uint32_t known = blocks_find(&w->blocks, &c->block);
        if (known != BLOCK_NONE && !w->over) court_hear_final(w, e, known);
    }
    check_view(w, e, f);
}

static void final_grow(struct court *court, uint64_t number)
{
    while (court->final_room <= number) {
        court->final = must_realloc(court->final, 2 * court->final_room * sizeof(uint32_t));
        memset(court->final + court->final_room, 0xff, court->final_room * sizeof(uint32_t));
        court->final_room *= 2;
    }
}

void court_hear_final(struct world *w, const struct epoch *e, uint32_t block)
{
    struct court *court = &w->court;
    final_grow(court, blocks_get(&w->blocks, block)->number);
    for (;;) {
        const struct sim_block *b = blocks_get(&w->blocks, block);
        uint32_t *final = &court->final[b->number];
        if (*final == block) return;
        if (*final != BLOCK_NONE) {
            judge_fork(w, e, "two blocks at one height are final");
            return;
        }
        *final = block;
        if (b->number > court->highest) court->highest = b->number;
        if (b->parent == BLOCK_NONE) return;
        block = b->parent;
    }
}

void court_hear_evidence(struct world *w, const struct epoch *e, const struct evidence *proof)
{
    const struct vote *votes[] = {&proof->first, &proof->second};
    w->court.proofs++;
    if (proof->kind == EVIDENCE_NONE ||
        evidence_between(&proof->first, &proof->second) != proof->kind)
        world_fail(w, "evidence", "two votes that do not contradict each other");
    for (int i = 0; i < 2; i++) {
        struct hash digest = vote_digest(SIM_CHAIN_ID, votes[i]);
        struct address signer;
        if (w->signer->recover(&signer, &votes[i]->signature, &digest) != OK ||
            !address_equal(&signer, &e->validators[proof->first.signer].consensus_address))
            world_fail(w, "evidence", "a vote that its signer did not sign");
    }
    if (is_honest(w, e, proof->first.signer))
        world_fail(w, "evidence", "against the honest validator %u", proof->first.signer);
}
