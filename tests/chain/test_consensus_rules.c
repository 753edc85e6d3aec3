/* One core, validator 0 of 4 equal ones, and hand-made messages: the rules one by one. */
#include "tests/chain/bus.h"

#include <setjmp.h>
#include <stdarg.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

struct rig {
    struct bus *bus; /* only for keys and room */
    struct consensus *core;
    struct epoch epoch;
    struct certificate cert;
    uint64_t sequence;
};

static const struct hash GENESIS = {{0x99}};

static struct rig rig_up(uint64_t last_number)
{
    struct rig r = {.bus = bus_create(4, 1, &SIGNER_STUB)};
    r.epoch = bus_epoch(r.bus, 0, &GENESIS, 0);
    r.epoch.last_number = last_number;
    struct consensus_config config = {.epoch = r.epoch,
                                      .final = {0, GENESIS, 0},
                                      .key = &r.bus->nodes[0].key,
                                      .signer = &SIGNER_STUB,
                                      .timing = {.delta_ms = 100},
                                      .views_max = VIEWS_MIN};
    r.core = consensus_create(&config);
    return r;
}

static void rig_down(struct rig *r)
{
    consensus_destroy(r->core);
    bus_destroy(r->bus);
}

static void step(struct rig *r, const struct event *event)
{
    consensus_step(r->core, event, r->bus->actions);
    for (uint32_t i = 0; i < r->bus->actions->count; i++)
        if (r->bus->actions->items[i].kind == ACTION_PERSIST)
            r->sequence = r->bus->actions->items[i].persist.sequence;
}

static void start(struct rig *r)
{
    struct event event = {.kind = EVENT_START};
    step(r, &event);
}

/* The nth action of this kind in the last step, or NULL. */
static const struct action *find(const struct rig *r, enum action_kind kind, uint32_t nth)
{
    for (uint32_t i = 0; i < r->bus->actions->count; i++)
        if (r->bus->actions->items[i].kind == kind && nth-- == 0) return &r->bus->actions->items[i];
    return NULL;
}

/* The nth action of this kind, which must be there. */
static const struct action *get(const struct rig *r, enum action_kind kind, uint32_t nth)
{
    const struct action *a = find(r, kind, nth);
    if (!a) {
        fail_msg("no action of kind %d", (int)kind);
        abort(); /* fail_msg does not return, but the compiler is not told */
    }
    return a;
}

/* Whether the last step wrote an own vote of this kind. */
static bool signs(const struct rig *r, enum vote_kind kind)
{
    for (uint32_t i = 0; i < r->bus->actions->count; i++) {
        const struct action *a = &r->bus->actions->items[i];
        if (a->kind == ACTION_PERSIST && a->persist.record.kind == RECORD_VOTE &&
            a->persist.record.vote.kind == kind)
            return true;
    }
    return false;
}

static struct vote vote_of(const struct rig *r, uint32_t signer, enum vote_kind kind, uint64_t view,
                           uint64_t parent, uint8_t block)
{
    struct vote v = {.view = view, .kind = kind, .signer = (uint16_t)signer, .block = {{block}}};
    if (kind == VOTE_NOTARIZE) v.parent_view = parent;
    struct hash digest = vote_digest(r->epoch.chain_id, &v);
    v.signature = stub_sign(&r->bus->nodes[signer].key, &digest);
    return v;
}

static void give_vote(struct rig *r, struct vote v)
{
    struct event event = {.kind = EVENT_VOTE, .from = v.signer + 1u, .vote = v};
    step(r, &event);
}

/* A certificate of the three others. */
static void give_cert(struct rig *r, enum vote_kind kind, uint64_t view, uint64_t parent,
                      uint8_t block)
{
    struct vote subject = vote_of(r, 1, kind, view, parent, block);
    certificate_start(&r->cert, &subject);
    for (uint32_t i = 1; i < 4; i++) {
        struct vote v = vote_of(r, i, kind, view, parent, block);
        certificate_add(&r->cert, &v);
    }
    struct event event = {.kind = EVENT_CERTIFICATE, .from = 2, .certificate = &r->cert};
    step(r, &event);
}

static void give_proposal(struct rig *r, uint64_t view, uint64_t parent, uint8_t block, bool held)
{
    uint32_t leader = epoch_leader(&r->epoch, view);
    r->bus->proposal->vote = vote_of(r, leader, VOTE_NOTARIZE, view, parent, block);
    r->bus->proposal->certificate_count = 0;
    struct event event = {.kind = EVENT_PROPOSAL, .from = leader + 1u};
    event.proposal.proposal = r->bus->proposal;
    event.proposal.block_held = held;
    step(r, &event);
}

static void give_block(struct rig *r, uint8_t block)
{
    struct event event = {.kind = EVENT_BLOCK_HELD, .block_held = {{block}}};
    step(r, &event);
}

static void give_verdict(struct rig *r, uint64_t view, uint8_t block, bool valid)
{
    struct event event = {.kind = EVENT_VERDICT, .verdict = {view, {{block}}, valid}};
    step(r, &event);
}

static void give_durable(struct rig *r)
{
    struct event event = {.kind = EVENT_DURABLE, .durable_sequence = r->sequence};
    step(r, &event);
}

static void give_timer(struct rig *r, enum timer timer)
{
    struct event event = {.kind = EVENT_TIMER, .timer = {timer, consensus_view(r->core)}};
    step(r, &event);
}

/* Brings the core to the next view that somebody else leads (or we do), all before nullified. */
static uint64_t reach_view(struct rig *r, bool led_by_us)
{
    uint64_t view = consensus_view(r->core);
    while ((epoch_leader(&r->epoch, view) == 0) != led_by_us) {
        give_cert(r, VOTE_NULLIFY, view, 0, 0);
        view++;
    }
    assert_int_equal(consensus_view(r->core), view);
    return view;
}

static void notarizes_the_first_justified_valid_proposal_and_no_other(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    give_proposal(&r, view, 0, 7, true);
    assert_non_null(find(&r, ACTION_VERIFY, 0));
    give_verdict(&r, view, 7, true);
    assert_true(signs(&r, VOTE_NOTARIZE));
    give_proposal(&r, view, 0, 8, true);
    assert_non_null(find(&r, ACTION_EVIDENCE, 0)); /* E1 of the leader */
    assert_null(find(&r, ACTION_VERIFY, 0));
    assert_false(signs(&r, VOTE_NOTARIZE));
    rig_down(&r);
}

static void notarizes_nothing_of_a_leader_that_contradicts_itself(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    uint32_t leader = epoch_leader(&r.epoch, view);
    give_proposal(&r, view, 0, 7, true);
    give_vote(&r, vote_of(&r, leader, VOTE_NOTARIZE, view, 0, 8));
    give_verdict(&r, view, 7, true);
    assert_false(signs(&r, VOTE_NOTARIZE));
    rig_down(&r);
}

static void sees_that_a_leader_contradicts_itself_though_it_is_guilty_of_more(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    uint32_t leader = epoch_leader(&r.epoch, view);
    give_proposal(&r, view, 0, 7, true);
    give_vote(&r, vote_of(&r, leader, VOTE_FINALIZE, view, 0, 9)); /* E4: it is accused */
    assert_non_null(find(&r, ACTION_EVIDENCE, 0));
    give_vote(&r, vote_of(&r, leader, VOTE_NOTARIZE, view, 0, 8));
    give_verdict(&r, view, 7, true);
    assert_false(signs(&r, VOTE_NOTARIZE));
    rig_down(&r);
}

static void asks_no_verdict_before_the_gap_is_nullified(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t before = reach_view(&r, false);
    give_cert(&r, VOTE_NOTARIZE, before, 0, 7); /* not held here: no entering by it */
    uint64_t view = before + 2;
    while (epoch_leader(&r.epoch, view) == 0)
        view++;
    give_cert(&r, VOTE_NULLIFY, view - 1, 0, 0); /* jumps; the views between stay unknown */
    give_proposal(&r, view, 0, 8, true);
    assert_null(
        find(&r, ACTION_VERIFY, 0)); /* view `before` has N, not X: this skips it unjustly */
    give_cert(&r, VOTE_NULLIFY, before, 0, 0);
    for (uint64_t u = before + 1; u + 1 < view; u++) {
        assert_null(find(&r, ACTION_VERIFY, 0));
        give_cert(&r, VOTE_NULLIFY, u, 0, 0);
    }
    assert_non_null(find(&r, ACTION_VERIFY, 0)); /* now all of them are nullified */
    rig_down(&r);
}

static void fetches_what_justifies_a_proposal(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = 3;
    while (epoch_leader(&r.epoch, view) == 0)
        view++;
    give_cert(&r, VOTE_NULLIFY, view - 1, 0, 0);
    give_proposal(&r, view, 0, 8, false);
    const struct action *a = get(&r, ACTION_FETCH_CERT, 0);
    assert_int_equal(a->fetch_cert.view, 1);
    a = get(&r, ACTION_FETCH_BLOCK, 0);
    assert_int_equal(a->fetch_block.block.b[0], 8);
    give_timer(&r, TIMER_RETRY); /* and asks again while it is missing */
    assert_non_null(find(&r, ACTION_FETCH_CERT, 0));
    assert_non_null(find(&r, ACTION_FETCH_BLOCK, 0));
    rig_down(&r);
}

static void enters_by_a_notarized_block_once_it_is_valid_and_durable(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    give_cert(&r, VOTE_NOTARIZE, view, 0, 7);
    assert_non_null(find(&r, ACTION_FETCH_BLOCK, 0));
    assert_int_equal(consensus_view(r.core), view);
    give_block(&r, 7);
    give_verdict(&r, view, 7, true);
    assert_int_equal(consensus_view(r.core), view);
    give_durable(&r);
    assert_int_equal(consensus_view(r.core), view + 1);
    assert_true(signs(&r, VOTE_FINALIZE));
    rig_down(&r);
}

static void never_finalizes_a_view_that_it_nullified(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    give_timer(&r, TIMER_LEADER);
    assert_true(signs(&r, VOTE_NULLIFY));
    give_cert(&r, VOTE_NOTARIZE, view, 0, 7);
    give_block(&r, 7);
    give_verdict(&r, view, 7, true);
    give_durable(&r);
    assert_int_equal(consensus_view(r.core), view + 1);
    assert_false(signs(&r, VOTE_FINALIZE));
    rig_down(&r);
}

static void never_finalizes_another_block_than_it_notarized(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    uint64_t view = 1;
    while (epoch_leader(&r.epoch, view) == 0)
        view++;
    struct record vote = {.kind = RECORD_VOTE, .vote = vote_of(&r, 0, VOTE_NOTARIZE, view, 0, 7)};
    assert_int_equal(consensus_restore(r.core, &vote), OK);
    start(&r); /* what the leader said was forgotten in the crash; what we said was not */
    for (uint64_t u = 1; u < view; u++)
        give_cert(&r, VOTE_NULLIFY, u, 0, 0);
    give_cert(&r, VOTE_NOTARIZE, view, 0, 8);
    give_block(&r, 8);
    give_verdict(&r, view, 8, true);
    give_durable(&r);
    assert_int_equal(consensus_view(r.core), view + 1);
    assert_false(signs(&r, VOTE_FINALIZE));
    rig_down(&r);
}

static void nullifies_at_once_what_is_invalid(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    give_proposal(&r, view, 0, 7, true);
    give_verdict(&r, view, 7, false);
    assert_true(signs(&r, VOTE_NULLIFY));
    rig_down(&r);
}

static void nullifies_at_once_when_the_leader_does(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    give_vote(&r, vote_of(&r, epoch_leader(&r.epoch, view), VOTE_NULLIFY, view, 0, 0));
    assert_true(signs(&r, VOTE_NULLIFY));
    rig_down(&r);
}

/* A nullify certificate of all but the last. */
static void nullify_without_last(struct rig *r, struct certificate *out, uint64_t view)
{
    struct vote subject = vote_of(r, 0, VOTE_NULLIFY, view, 0, 0);
    certificate_start(out, &subject);
    for (uint32_t i = 0; i < 3; i++) {
        struct vote v = vote_of(r, i, VOTE_NULLIFY, view, 0, 0);
        certificate_add(out, &v);
    }
}

static void hears_a_leader_long_silent_before_the_certificates_that_it_brings(void **state)
{
    struct rig r = rig_up(1000);
    uint64_t view = 1;
    (void)state;
    start(&r);
    for (; view <= 2 * INACTIVE_VIEWS || epoch_leader(&r.epoch, view) != 3; view++) {
        struct event skip = {.kind = EVENT_CERTIFICATE, .from = 2, .certificate = &r.cert};
        nullify_without_last(&r, &r.cert, view);
        if (epoch_leader(&r.epoch, view + 1) != 3 || view < 2 * INACTIVE_VIEWS) step(&r, &skip);
    }
    struct proposal *p = r.bus->proposal;
    struct event event = {.kind = EVENT_PROPOSAL, .from = 4};
    assert_int_equal(consensus_view(r.core), view - 1);
    p->vote = vote_of(&r, 3, VOTE_NOTARIZE, view, 0, 7);
    p->certificate_count = 1;
    nullify_without_last(&r, &p->certificates[0], view - 1);
    event.proposal.proposal = p;
    event.proposal.block_held = true;
    step(&r, &event);
    assert_int_equal(consensus_view(r.core), view);
    assert_false(signs(&r, VOTE_NULLIFY));
    give_verdict(&r, view, 7, true);
    assert_true(signs(&r, VOTE_NOTARIZE));
    rig_down(&r);
}

static void waits_for_the_advance_timer_when_there_is_a_proposal(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    give_proposal(&r, view, 0, 7, true);
    give_timer(&r, TIMER_LEADER);
    assert_false(signs(&r, VOTE_NULLIFY));
    give_timer(&r, TIMER_ADVANCE);
    assert_true(signs(&r, VOTE_NULLIFY));
    give_verdict(&r, view, 7, true); /* too late for a notarize */
    assert_false(signs(&r, VOTE_NOTARIZE));
    rig_down(&r);
}

static void commits_nothing_over_an_ancestry_that_is_not_justified(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    give_cert(&r, VOTE_NOTARIZE, 3, 0, 7); /* skips views 1 and 2 */
    give_block(&r, 7);
    give_cert(&r, VOTE_FINALIZE, 3, 0, 7);
    assert_int_equal(consensus_view(r.core), 4); /* it leads on all the same */
    assert_null(find(&r, ACTION_COMMIT, 0));
    give_cert(&r, VOTE_NULLIFY, 1, 0, 0);
    assert_null(find(&r, ACTION_VERIFY, 0));
    give_cert(&r, VOTE_NULLIFY, 2, 0, 0);
    assert_non_null(find(&r, ACTION_VERIFY, 0));
    give_verdict(&r, 3, 7, true);
    give_durable(&r);
    const struct action *a = get(&r, ACTION_COMMIT, 0);
    assert_int_equal(a->commit.count, 1);
    assert_int_equal(a->commit.chain[0].number, 1);
    rig_down(&r);
}

static void offers_the_same_votes_again_after_a_restart(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    uint64_t view = 1;
    while (epoch_leader(&r.epoch, view) == 0)
        view++;
    struct record block = {.kind = RECORD_BLOCK, .block = {0, view, 0, {{7}}}};
    struct record vote = {.kind = RECORD_VOTE, .vote = vote_of(&r, 0, VOTE_NOTARIZE, view, 0, 7)};
    assert_int_equal(consensus_restore(r.core, &block), OK);
    assert_int_equal(consensus_restore(r.core, &vote), OK);
    start(&r);
    assert_int_equal(consensus_view(r.core), view);
    const struct action *a = get(&r, ACTION_SEND, 0);
    assert_int_equal(a->send.kind, MESSAGE_VOTE);
    assert_true(vote_same(&a->send.vote, &vote.vote));
    assert_null(find(&r, ACTION_FETCH_BLOCK, 0)); /* its bytes came back with the log */
    give_proposal(&r, view, 0, 8, true);          /* another one moves it no more */
    assert_false(signs(&r, VOTE_NOTARIZE));
    rig_down(&r);
}

static void builds_nothing_twice_in_a_view_over_a_restart(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    uint64_t view = 1;
    while (epoch_leader(&r.epoch, view) != 0)
        view++;
    struct record vote = {.kind = RECORD_VOTE, .vote = vote_of(&r, 0, VOTE_NULLIFY, view, 0, 0)};
    assert_int_equal(consensus_restore(r.core, &vote), OK);
    start(&r);
    assert_int_equal(consensus_view(r.core), view);
    assert_null(find(&r, ACTION_BUILD, 0)); /* never after its own nullify */
    rig_down(&r);
}

static void proposes_the_boundary_block_again_until_it_is_final(void **state)
{
    struct rig r = rig_up(1); /* the first block is the last */
    (void)state;
    start(&r);
    uint64_t first = reach_view(&r, false);
    give_cert(&r, VOTE_NOTARIZE, first, 0, 7);
    give_block(&r, 7);
    give_verdict(&r, first, 7, true);
    give_durable(&r);
    uint64_t view = reach_view(&r, true);
    assert_null(find(&r, ACTION_BUILD, 0));
    give_durable(&r);
    const struct action *a = NULL;
    for (uint32_t n = 0; !a || a->send.kind != MESSAGE_PROPOSAL; n++)
        a = get(&r, ACTION_SEND, n);
    const struct proposal *p = a->send.proposal;
    if (!p) abort();
    uint64_t between = view - first - 1;
    assert_int_equal(p->certificate_count, 1 + between); /* N and the X */
    assert_int_equal(p->vote.parent_view, first);
    assert_int_equal(p->vote.view, view);
    assert_memory_equal(p->vote.block.b, (struct hash){{7}}.b, 32);
    give_cert(&r, VOTE_NOTARIZE, view, first, 7);
    give_cert(&r, VOTE_FINALIZE, view, 0, 7);
    a = get(&r, ACTION_COMMIT, 0);
    assert_int_equal(a->commit.count, 1); /* one block, though two views carried it */
    assert_true(a->commit.epoch_ends);
    rig_down(&r);
}

static void builds_nothing_upon_a_boundary_block(void **state)
{
    struct rig r = rig_up(1);
    (void)state;
    start(&r);
    uint64_t first = reach_view(&r, false);
    give_cert(&r, VOTE_NOTARIZE, first, 0, 7);
    give_block(&r, 7);
    give_verdict(&r, first, 7, true);
    give_durable(&r);
    uint64_t view = first + 1;
    for (; epoch_leader(&r.epoch, view) == 0; view++)
        give_cert(&r, VOTE_NULLIFY, view, 0, 0);
    give_proposal(&r, view, first, 8, true); /* a child of it: against the rules */
    assert_null(find(&r, ACTION_VERIFY, 0));
    assert_true(signs(&r, VOTE_NULLIFY));
    rig_down(&r);
}

static void hands_a_far_finality_to_range_sync(void **state)
{
    struct rig r = rig_up(1000000);
    (void)state;
    start(&r);
    give_cert(&r, VOTE_FINALIZE, 100000, 0, 7);
    const struct action *a = get(&r, ACTION_SYNC, 0);
    assert_int_equal(a->sync.certificate->view, 100000);
    struct event event = {.kind = EVENT_SYNCED, .synced = {100000, {{7}}, 99000}};
    step(&r, &event);
    assert_int_equal(consensus_view(r.core), 100001);
    assert_int_equal(consensus_final(r.core).number, 99000);
    rig_down(&r);
}

static void uses_a_far_finality_once_it_has_come_near(void **state)
{
    struct rig r = rig_up(1000000);
    (void)state;
    start(&r);
    give_cert(&r, VOTE_FINALIZE, 100000, 0, 7);
    struct event event = {.kind = EVENT_SYNCED, .synced = {99999, {{6}}, 99000}};
    step(&r, &event); /* another peer brought us to the block before */
    assert_int_equal(consensus_view(r.core), 100001);
    give_cert(&r, VOTE_NOTARIZE, 100000, 99999, 7);
    give_block(&r, 7);
    give_verdict(&r, 100000, 7, true);
    give_durable(&r);
    const struct action *a = get(&r, ACTION_COMMIT, 0);
    assert_int_equal(a->commit.chain[0].number, 99001);
    rig_down(&r);
}

/* What the last step set the leader timer to, or 0. */
static uint32_t leader_timer_ms(const struct rig *r)
{
    for (uint32_t i = 0; i < r->bus->actions->count; i++) {
        const struct action *a = &r->bus->actions->items[i];
        if (a->kind == ACTION_SET_TIMER && a->set_timer.timer == TIMER_LEADER)
            return a->set_timer.delay_ms;
    }
    return 0;
}

static void waits_no_longer_than_finality_that_came_near_asks_for(void **state)
{
    struct rig r = rig_up(1000000);
    (void)state;
    start(&r);
    assert_int_equal(leader_timer_ms(&r), 200);
    give_cert(&r, VOTE_FINALIZE, 20, 0, 7); /* its blocks are still to come */
    assert_int_equal(consensus_view(r.core), 21);
    assert_true(leader_timer_ms(&r) > 5000);
    struct event event = {.kind = EVENT_SYNCED, .synced = {20, {{7}}, 15}};
    step(&r, &event);
    assert_int_equal(consensus_view(r.core), 21);
    assert_int_equal(leader_timer_ms(&r), 200);
    step(&r, &event); /* and only then */
    assert_int_equal(leader_timer_ms(&r), 0);
    rig_down(&r);
}

static void answers_an_old_epoch_with_its_end_but_never_an_answer(void **state)
{
    struct rig r = rig_up(1);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    give_cert(&r, VOTE_NOTARIZE, view, 0, 7);
    give_block(&r, 7);
    give_verdict(&r, view, 7, true);
    give_durable(&r);
    give_cert(&r, VOTE_FINALIZE, view, 0, 7);
    assert_non_null(find(&r, ACTION_COMMIT, 0));
    struct hash boundary = {{7}};
    struct epoch next = bus_epoch(r.bus, 1, &boundary, 1);
    struct event event = {.kind = EVENT_EPOCH, .epoch = &next};
    step(&r, &event);
    give_vote(&r, vote_of(&r, 1, VOTE_NULLIFY, view + 1, 0, 0));
    assert_int_equal(r.bus->actions->admission, ADMISSION_OUTSIDE);
    const struct action *a = get(&r, ACTION_SEND, 0);
    assert_int_equal(a->send.peer, 2);
    assert_int_equal(a->send.certificate->kind, VOTE_FINALIZE);
    give_cert(&r, VOTE_FINALIZE, view, 0, 7);
    assert_null(find(&r, ACTION_SEND, 0));
    rig_down(&r);
}

static void takes_no_block_that_was_asked_for_in_an_earlier_epoch(void **state)
{
    struct rig r = rig_up(1);
    struct hash boundary = {{7}};
    struct event turn = {.kind = EVENT_EPOCH}, built = {.kind = EVENT_BUILT};
    (void)state;
    start(&r);
    /* An epoch in which we lead view 1 again. */
    struct epoch next = bus_epoch(r.bus, 1, &boundary, 1);
    for (uint8_t n = 0; epoch_leader(&next, 1) != 0; n++)
        next.seed.b[0] = n;
    turn.epoch = &next;
    step(&r, &turn);
    assert_int_equal(get(&r, ACTION_BUILD, 0)->build.place.view, 1);
    built.built.view = 1;
    built.built.ok = true;
    built.built.block.b[0] = 9;
    step(&r, &built); /* of epoch 0 */
    assert_false(signs(&r, VOTE_NOTARIZE));
    built.built.epoch = 1;
    step(&r, &built);
    assert_true(signs(&r, VOTE_NOTARIZE));
    rig_down(&r);
}

static void tells_how_an_epoch_ended_after_a_restart_too(void **state)
{
    struct rig r = rig_up(1);
    struct hash boundary = {{7}};
    (void)state;
    struct vote subject = vote_of(&r, 1, VOTE_FINALIZE, 3, 0, 7);
    certificate_start(&r.cert, &subject);
    consensus_destroy(r.core);
    struct consensus_config config = {.epoch = bus_epoch(r.bus, 1, &boundary, 1),
                                      .final = {0, boundary, 1},
                                      .key = &r.bus->nodes[0].key,
                                      .signer = &SIGNER_STUB,
                                      .timing = {.delta_ms = 100},
                                      .views_max = VIEWS_MIN,
                                      .boundary = &r.cert};
    r.core = consensus_create(&config);
    start(&r);
    give_vote(&r, vote_of(&r, 1, VOTE_NULLIFY, 4, 0, 0)); /* still in epoch 0 */
    assert_int_equal(r.bus->actions->admission, ADMISSION_OUTSIDE);
    const struct action *a = get(&r, ACTION_SEND, 0);
    assert_int_equal(a->send.peer, 2);
    assert_true(hash_equal(&a->send.certificate->block, &boundary));
    rig_down(&r);
}

static void keeps_a_vote_of_its_own_that_it_does_not_remember(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    give_vote(&r, vote_of(&r, 0, VOTE_NOTARIZE, view, 0, 8)); /* from its twin */
    give_proposal(&r, view, 0, 7, true);
    give_verdict(&r, view, 7, true);
    assert_false(signs(&r, VOTE_NOTARIZE));
    rig_down(&r);
}

static struct record listed[64];
static size_t listed_count;

static void list(void *context, const struct record *record)
{
    (void)context;
    assert_true(listed_count < 64);
    listed[listed_count++] = *record;
}

static void lists_what_a_fresh_log_needs(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    uint64_t view = reach_view(&r, false);
    give_proposal(&r, view, 0, 7, true);
    give_verdict(&r, view, 7, true);
    listed_count = 0;
    consensus_records(r.core, list, NULL);
    assert_int_equal(listed[0].kind, RECORD_EPOCH);
    assert_int_equal(listed[listed_count - 2].kind, RECORD_BLOCK); /* ahead of the vote for it */
    assert_int_equal(listed[listed_count - 1].kind, RECORD_VOTE);
    assert_int_equal(listed[listed_count - 1].vote.view, view);
    struct rig again = rig_up(1000);
    for (size_t i = 0; i < listed_count; i++)
        assert_int_equal(consensus_restore(again.core, &listed[i]), OK);
    start(&again);
    assert_int_equal(consensus_view(again.core), view);
    rig_down(&again);
    rig_down(&r);
}

/* A leader's vote may name another parent than the certificate that forms; by then the driver may
 * have dropped the block, which was no good on the first one. */
static void looks_for_a_block_again_that_was_invalid_on_another_parent(void **state)
{
    struct rig r = rig_up(1000);
    (void)state;
    start(&r);
    give_cert(&r, VOTE_NULLIFY, 1, 0, 0);
    give_proposal(&r, 2, 0, 0xb0, true);
    give_verdict(&r, 2, 0xb0, false);
    give_cert(&r, VOTE_NOTARIZE, 1, 0, 0xa0);
    give_cert(&r, VOTE_NOTARIZE, 2, 1, 0xb0);
    bool asked = false;
    for (uint32_t n = 0; find(&r, ACTION_FETCH_BLOCK, n) != NULL; n++)
        asked |= find(&r, ACTION_FETCH_BLOCK, n)->fetch_block.block.b[0] == 0xb0;
    assert_true(asked);
    rig_down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notarizes_the_first_justified_valid_proposal_and_no_other),
        cmocka_unit_test(notarizes_nothing_of_a_leader_that_contradicts_itself),
        cmocka_unit_test(sees_that_a_leader_contradicts_itself_though_it_is_guilty_of_more),
        cmocka_unit_test(asks_no_verdict_before_the_gap_is_nullified),
        cmocka_unit_test(fetches_what_justifies_a_proposal),
        cmocka_unit_test(enters_by_a_notarized_block_once_it_is_valid_and_durable),
        cmocka_unit_test(never_finalizes_a_view_that_it_nullified),
        cmocka_unit_test(never_finalizes_another_block_than_it_notarized),
        cmocka_unit_test(nullifies_at_once_what_is_invalid),
        cmocka_unit_test(nullifies_at_once_when_the_leader_does),
        cmocka_unit_test(hears_a_leader_long_silent_before_the_certificates_that_it_brings),
        cmocka_unit_test(waits_for_the_advance_timer_when_there_is_a_proposal),
        cmocka_unit_test(commits_nothing_over_an_ancestry_that_is_not_justified),
        cmocka_unit_test(offers_the_same_votes_again_after_a_restart),
        cmocka_unit_test(builds_nothing_twice_in_a_view_over_a_restart),
        cmocka_unit_test(proposes_the_boundary_block_again_until_it_is_final),
        cmocka_unit_test(builds_nothing_upon_a_boundary_block),
        cmocka_unit_test(hands_a_far_finality_to_range_sync),
        cmocka_unit_test(uses_a_far_finality_once_it_has_come_near),
        cmocka_unit_test(waits_no_longer_than_finality_that_came_near_asks_for),
        cmocka_unit_test(answers_an_old_epoch_with_its_end_but_never_an_answer),
        cmocka_unit_test(takes_no_block_that_was_asked_for_in_an_earlier_epoch),
        cmocka_unit_test(tells_how_an_epoch_ended_after_a_restart_too),
        cmocka_unit_test(keeps_a_vote_of_its_own_that_it_does_not_remember),
        cmocka_unit_test(lists_what_a_fresh_log_needs),
        cmocka_unit_test(looks_for_a_block_again_that_was_invalid_on_another_parent),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
