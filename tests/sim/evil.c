#include "tests/sim/evil.h"

#include "tests/sim/keys.h"
#include "tests/sim/world.h"

#include <assert.h>

/* ---- words of its own ---- */

static uint32_t own_index(const struct node *n)
{
    return epoch_index_of(&n->epoch, sim_address(n->validator));
}

static bool in_set(const struct node *n)
{
    return own_index(n) < n->epoch.validator_count;
}

static void sign(const struct node *n, struct vote *v)
{
    struct hash digest = vote_digest(SIM_CHAIN_ID, v);
    v->signature = n->world->signer->sign(sim_key(n->validator), &digest);
}

static void post(struct node *n, struct parcel *p, uint32_t percent)
{
    wire_send_some(n->world, n->index, p, percent);
    parcel_drop(&n->world->parcels, p);
}

static void say_vote(struct node *n, const struct vote *v, uint32_t percent)
{
    struct parcel *p = parcel_take(&n->world->parcels, PARCEL_VOTE);
    p->forged = v->epoch != n->epoch.number; /* its index there is somebody else's */
    vote_encode(&p->bytes, v);
    post(n, p, percent);
}

/* A vote of its own on what `about` is about. */
static void vote_for(struct node *n, enum vote_kind kind, const struct vote *about,
                     const struct hash *block, uint32_t percent)
{
    struct vote v = {.epoch = about->epoch, .view = about->view, .kind = kind};
    if (v.epoch != n->epoch.number || v.view == 0 || !in_set(n)) return;
    if (kind != VOTE_NULLIFY && hash_is_zero(block)) return;
    v.signer = (uint16_t)own_index(n);
    if (kind == VOTE_NOTARIZE)
        v.parent_view = about->kind == VOTE_NOTARIZE ? about->parent_view : about->view - 1;
    if (kind != VOTE_NULLIFY) v.block = *block;
    sign(n, &v);
    say_vote(n, &v, percent);
}

/* Another block of the same view, or one that nobody ever made. */
static struct hash another_block(struct node *n, const struct vote *v)
{
    const struct blocks *blocks = &n->world->blocks;
    for (uint32_t i = blocks->count; i > 0 && i + 64 > blocks->count; i--) {
        const struct sim_block *b = &blocks->items[i - 1];
        if (b->epoch == v->epoch && b->view == v->view && !hash_equal(&b->hash, &v->block))
            return b->hash;
    }
    struct hash none = v->block;
    none.b[0] ^= 0x55;
    return none;
}

/* ---- proposals ---- */

static uint32_t make_block(struct node *n, const struct vote *v, const struct hash *parent,
                           uint64_t number, bool invalid)
{
    struct blocks *blocks = &n->world->blocks;
    struct sim_block fields = {.parent_hash = *parent,
                               .parent = blocks_find(blocks, parent),
                               .author = n->validator,
                               .epoch = v->epoch,
                               .view = v->view,
                               .parent_view = v->parent_view,
                               .number = number,
                               .invalid = invalid};
    uint32_t block = blocks_add(blocks, &fields);
    set_put(&blocks_get(blocks, block)->held, n->index, true);
    return block;
}

static void say_proposal(struct node *n, struct proposal *p, uint32_t block, bool with_body,
                         uint32_t percent)
{
    struct world *w = n->world;
    struct parcel *parcel = parcel_take(&w->parcels, PARCEL_PROPOSAL);
    uint8_t body[BLOCK_BYTES_SIZE];
    p->vote.block = blocks_get(&w->blocks, block)->hash;
    sign(n, &p->vote);
    blocks_encode(body, block);
    proposal_encode(&parcel->bytes, p, bytes_of(body, with_body ? sizeof(body) : 0));
    post(n, parcel, percent);
}

static struct proposal *copy_proposal(struct node *n, const struct proposal *from)
{
    struct proposal *p = n->world->lie;
    p->vote = from->vote;
    p->certificate_count = from->certificate_count;
    for (uint32_t i = 0; i < from->certificate_count; i++)
        p->certificates[i] = from->certificates[i];
    return p;
}

/* A second block for the same view, beside the lawful one. */
static void equivocate(struct node *n, const struct proposal *lawful)
{
    uint32_t block = blocks_find(&n->world->blocks, &lawful->vote.block);
    const struct sim_block *b = blocks_get(&n->world->blocks, block);
    if (b->view != lawful->vote.view) return; /* the boundary block again */
    struct hash parent = b->parent_hash;
    uint64_t number = b->number;
    struct proposal *p = copy_proposal(n, lawful);
    block = make_block(n, &p->vote, &parent, number, false);
    say_proposal(n, p, block, true, dice_between(&n->world->dice, 20, 100));
}

static void attach(struct node *n, struct proposal *p, uint64_t view, enum vote_kind kind)
{
    const struct certificate *c = consensus_certificate(n->core, n->epoch.number, view, kind);
    if (c && p->certificate_count < PROPOSAL_CERTIFICATES_MAX)
        p->certificates[p->certificate_count++] = *c;
}

/* A block upon an older one than the newest that is certified: its gap is not nullified. */
static bool skip_a_block(struct node *n, const struct proposal *lawful)
{
    struct proposal *p = n->world->lie;
    uint64_t view = lawful->vote.view;
    uint64_t back = 2 + dice_roll(&n->world->dice, 3);
    if (view <= back) return false;
    uint64_t parent_view = view - back;
    const struct certificate *c =
        consensus_certificate(n->core, n->epoch.number, parent_view, VOTE_NOTARIZE);
    uint32_t parent = c ? blocks_find(&n->world->blocks, &c->block) : BLOCK_NONE;
    if (parent == BLOCK_NONE) return false;
    p->vote = lawful->vote;
    p->vote.parent_view = parent_view;
    p->certificate_count = 0;
    attach(n, p, parent_view, VOTE_NOTARIZE);
    for (uint64_t u = parent_view + 1; u < view; u++)
        attach(n, p, u, VOTE_NULLIFY);
    const struct sim_block *b = blocks_get(&n->world->blocks, parent);
    struct hash hash = b->hash;
    say_proposal(n, p, make_block(n, &p->vote, &hash, b->number + 1, false), true, 100);
    return true;
}

static void propose_invalid(struct node *n, const struct proposal *lawful)
{
    uint32_t block = blocks_find(&n->world->blocks, &lawful->vote.block);
    struct hash parent = blocks_get(&n->world->blocks, block)->parent_hash;
    uint64_t number = blocks_get(&n->world->blocks, block)->number;
    struct proposal *p = copy_proposal(n, lawful);
    bool flagged = dice_chance(&n->world->dice, 50);
    if (!flagged) number++; /* or at the wrong height */
    say_proposal(n, p, make_block(n, &p->vote, &parent, number, flagged), true, 100);
}

/* The block as it is, with the parent misnamed or what justifies it left out. */
static void propose_crooked(struct node *n, const struct proposal *lawful)
{
    struct proposal *p = copy_proposal(n, lawful);
    uint32_t block = blocks_find(&n->world->blocks, &lawful->vote.block);
    if (dice_chance(&n->world->dice, 50))
        p->certificate_count = 0;
    else if (p->vote.parent_view > 0)
        p->vote.parent_view--;
    say_proposal(n, p, block, true, 100);
}

/* The epoch's boundary block when it is not due, or a block upon it when it is. */
static void propose_over_boundary(struct node *n, const struct proposal *lawful)
{
    struct proposal *p = copy_proposal(n, lawful);
    uint32_t block = blocks_find(&n->world->blocks, &lawful->vote.block);
    const struct sim_block *b = blocks_get(&n->world->blocks, block);
    if (b->parent == BLOCK_NONE) return;
    if (b->number == n->epoch.last_number) {
        struct hash parent = b->hash;
        block = make_block(n, &p->vote, &parent, b->number + 1, false);
    } else {
        block = b->parent; /* not a boundary block, yet proposed again */
    }
    say_proposal(n, p, block, true, 100);
}

static void lead_badly(struct node *n, const struct proposal *lawful)
{
    switch (dice_roll(&n->world->dice, 4)) {
    case 0: propose_invalid(n, lawful); break;
    case 1:
        if (!skip_a_block(n, lawful)) propose_crooked(n, lawful);
        break;
    case 2: propose_crooked(n, lawful); break;
    default: propose_over_boundary(n, lawful); break;
    }
}

static void send_proposal(struct node *n, const struct message *m)
{
    if (n->roles & ROLE_BAD_LEADER) {
        lead_badly(n, m->proposal);
        return;
    }
    if (n->roles & ROLE_WITHHOLDER) {
        struct proposal *p = copy_proposal(n, m->proposal);
        uint32_t block = blocks_find(&n->world->blocks, &p->vote.block);
        say_proposal(n, p, block, false, 60);
        say_proposal(n, p, block, true, 60);
        return;
    }
    if (n->roles & ROLE_EQUIVOCATOR) equivocate(n, m->proposal);
    node_send_message(n, m);
}

/* ---- votes ---- */

static void contradict(struct node *n, const struct vote *v)
{
    struct hash other = another_block(n, v);
    uint32_t percent = dice_between(&n->world->dice, 20, 100);
    switch (v->kind) {
    case VOTE_NOTARIZE:
        vote_for(n, VOTE_NOTARIZE, v, &other, percent);
        vote_for(n, VOTE_FINALIZE, v, &other, percent);
        break;
    case VOTE_FINALIZE:
        vote_for(n, dice_chance(&n->world->dice, 50) ? VOTE_NULLIFY : VOTE_FINALIZE, v, &other,
                 percent);
        break;
    case VOTE_NULLIFY: vote_for(n, VOTE_FINALIZE, v, &other, percent); break;
    case VOTE_KIND_COUNT: break;
    }
}

static void send_vote(struct node *n, const struct message *m)
{
    const struct vote *v = &m->vote;
    if (n->roles & ROLE_CONFLICTING_VOTER) contradict(n, v);
    if (n->roles & ROLE_NULLIFIER) {
        vote_for(n, VOTE_NULLIFY, v, NULL, 100);
        if (v->kind == VOTE_NOTARIZE) vote_for(n, VOTE_FINALIZE, v, &v->block, 100);
    }
    node_send_message(n, m);
}

void evil_send(struct node *n, const struct message *m)
{
    if (n->roles & ROLE_SILENT) return;
    switch (m->kind) {
    case MESSAGE_PROPOSAL: send_proposal(n, m); break;
    case MESSAGE_VOTE: send_vote(n, m); break;
    case MESSAGE_CERTIFICATE:
        if (!(n->roles & ROLE_WITHHOLDER)) node_send_message(n, m);
        break;
    }
}

/* ---- what others' words bring it to ---- */

/* Once for what each vote says, not for each who says it. */
static bool said_before(struct node *n, const struct vote *v)
{
    uint64_t mark = hash_head(&v->block) + v->view * VOTE_KIND_COUNT + v->kind;
    for (int i = 0; i < YES_MARKS; i++)
        if (n->yes_marks[i] == mark) return true;
    n->yes_marks[n->yes_next++ % YES_MARKS] = mark;
    return false;
}

static void say_yes(struct node *n, const struct vote *v)
{
    const uint32_t percent = 70;
    if (v->epoch != n->epoch.number || said_before(n, v)) return;
    if (v->kind == VOTE_NOTARIZE) {
        vote_for(n, VOTE_NOTARIZE, v, &v->block, percent);
        vote_for(n, VOTE_FINALIZE, v, &v->block, percent);
    } else if (v->kind == VOTE_FINALIZE) {
        vote_for(n, VOTE_FINALIZE, v, &v->block, percent);
    }
    if (dice_chance(&n->world->dice, 30)) vote_for(n, VOTE_NULLIFY, v, NULL, percent);
}

static void forge_vote(struct node *n, struct vote v)
{
    struct parcel *p = parcel_take(&n->world->parcels, PARCEL_VOTE);
    p->forged = true;
    v.signer = (uint16_t)dice_roll(&n->world->dice, n->epoch.validator_count + 1);
    if (v.kind == VOTE_NOTARIZE) v.block.b[0] ^= 2;
    if (dice_chance(&n->world->dice, 50)) sign(n, &v); /* else another vote's signature */
    vote_encode(&p->bytes, &v);
    post(n, p, 60);
}

/* In others' names but all signed by itself; or in its own alone, which is no quorum. */
static void forge_certificate(struct node *n, struct vote v)
{
    struct certificate *c = &n->world->lie->certificates[0];
    struct parcel *p = parcel_take(&n->world->parcels, PARCEL_CERTIFICATE);
    p->forged = true;
    v.kind = (enum vote_kind)dice_roll(&n->world->dice, VOTE_KIND_COUNT);
    if (v.kind == VOTE_NULLIFY) memset(&v.block, 0, sizeof(v.block));
    if (v.kind != VOTE_NULLIFY && hash_is_zero(&v.block)) v.block.b[0] = 1;
    if (v.kind != VOTE_NOTARIZE) v.parent_view = 0;
    sign(n, &v);
    certificate_start(c, &v);
    bool alone = in_set(n) && dice_chance(&n->world->dice, 40);
    uint32_t first = alone ? own_index(n) : 0;
    uint32_t last = alone ? first : dice_roll(&n->world->dice, n->epoch.validator_count);
    for (uint32_t i = first; i <= last; i++) {
        v.signer = (uint16_t)i;
        certificate_add(c, &v);
    }
    certificate_encode(&p->bytes, c);
    post(n, p, 60);
}

static void impersonate(struct node *n, const struct vote *v)
{
    if (dice_chance(&n->world->dice, 50))
        forge_vote(n, *v);
    else
        forge_certificate(n, *v);
}

static void flood_votes(struct node *n, const struct vote *v)
{
    struct vote far = *v;
    for (int i = 0; i < 6 && in_set(n); i++) {
        far.view = v->view + 1 + dice_roll(&n->world->dice, i < 3 ? 8 : 1000000);
        far.kind = VOTE_NULLIFY;
        far.parent_view = 0;
        memset(&far.block, 0, sizeof(far.block));
        if (dice_chance(&n->world->dice, 20)) far.epoch += dice_roll(&n->world->dice, 3);
        far.signer = (uint16_t)own_index(n);
        sign(n, &far);
        say_vote(n, &far, 40);
    }
}

/* What it heard, with a few bits changed or an end missing. */
static void flood_damaged(struct node *n, const struct parcel *heard)
{
    struct dice *d = &n->world->dice;
    struct parcel *p = parcel_take(&n->world->parcels, heard->kind);
    p->forged = true;
    buffer_append(&p->bytes, buffer_bytes(&heard->bytes));
    if (dice_chance(d, 30)) p->bytes.size = dice_roll(d, (uint32_t)p->bytes.size + 1);
    for (int i = 0; i < 3 && p->bytes.size > 0; i++)
        p->bytes.data[dice_roll(d, (uint32_t)p->bytes.size)] ^= (uint8_t)(1u << dice_roll(d, 8));
    post(n, p, 60);
}

static void repeat_old(struct node *n, const struct parcel *heard)
{
    struct world *w = n->world;
    struct parcel **kept = &n->memory[dice_roll(&w->dice, OLD_WORDS)];
    if (*kept && dice_chance(&w->dice, 10)) wire_send_some(w, n->index, *kept, 50);
    if (*kept && !dice_chance(&w->dice, 3)) return; /* the older the better */
    parcel_drop(&w->parcels, *kept);
    *kept = parcel_take(&w->parcels, heard->kind);
    (*kept)->forged = heard->forged;
    buffer_append(&(*kept)->bytes, buffer_bytes(&heard->bytes));
}

static bool read_vote(struct vote *out, const struct parcel *p)
{
    struct bytes bytes = buffer_bytes(&p->bytes);
    if (p->kind == PARCEL_PROPOSAL && bytes.size > VOTE_SIZE) bytes.size = VOTE_SIZE;
    return vote_decode(out, bytes) == OK;
}

void evil_hear(struct node *n, const struct parcel *p)
{
    struct vote v;
    if (!n->core || (n->roles & ROLE_SILENT) || p->forged) return;
    if (n->roles & ROLE_OUTDATED) repeat_old(n, p);
    if (p->kind > PARCEL_VOTE || !read_vote(&v, p)) return;
    struct dice *d = &n->world->dice;
    if (n->roles & ROLE_YES_MAN) say_yes(n, &v);
    if ((n->roles & ROLE_IMPERSONATOR) && dice_chance(d, 10)) impersonate(n, &v);
    if ((n->roles & ROLE_FLOODER) && dice_chance(d, 5)) flood_votes(n, &v);
    if ((n->roles & ROLE_FLOODER) && dice_chance(d, 10)) flood_damaged(n, p);
}
