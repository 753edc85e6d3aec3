/* Four cores on a bus: what the protocol promises, case by case. */
#include "tests/chain/bus.h"

#include <setjmp.h>
#include <stdarg.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

#ifdef SANITIZED
#define LIVES 2 /* each costs many times as much */
#else
#define LIVES 20
#endif

static void commits_the_same_chain_on_all_four(void **state)
{
    struct bus *b = bus_create(4, 1, &SIGNER_SECP256K1);
    (void)state;
    bus_begin(b);
    assert_true(bus_run_to_height(b, 20, 5000));
    for (uint32_t i = 0; i < 4; i++) /* a block every view: nothing was skipped */
        assert_int_equal(b->nodes[i].final.number, b->nodes[i].final.view);
    for (uint32_t i = 1; i < 4; i++)
        assert_memory_equal(b->nodes[i].chain, b->nodes[0].chain, 20 * sizeof(struct hash));
    assert_int_equal(b->nullified_views, 0);
    assert_int_equal(b->evidence_count, 0);
    bus_destroy(b);
}

static void finalizes_three_hops_after_the_proposal(void **state)
{
    struct bus *b = bus_create(4, 2, &SIGNER_STUB);
    (void)state;
    b->delay_min_ms = b->delay_max_ms = 100;
    b->build_ms = 0;
    b->timing.delta_ms = 1000;
    bus_begin(b);
    bus_run_until(b, 299); /* proposal, notarize, finalize: 100 ms each */
    assert_int_equal(bus_lowest_final(b), 0);
    bus_run_until(b, 340);
    assert_int_equal(bus_lowest_final(b), 1);
    bus_run_until(b, 5000); /* a block every two hops: 2 * (100 + disk) ms */
    assert_true(bus_lowest_final(b) >= 22);
    bus_destroy(b);
}

static void skips_the_views_of_a_dead_leader(void **state)
{
    struct bus *b = bus_create(4, 3, &SIGNER_STUB);
    (void)state;
    bus_begin(b);
    bus_run_until(b, 300);
    bus_crash(b, 2);
    assert_true(bus_run_to_height(b, 30, 30000));
    assert_true(b->nullified_views > 0);
    assert_true(b->nodes[0].final.view > b->nodes[0].final.number);
    assert_int_equal(b->evidence_count, 0);
    bus_destroy(b);
}

static void skips_a_leader_long_inactive_without_waiting_for_it(void **state)
{
    struct bus *b = bus_create(4, 4, &SIGNER_STUB);
    (void)state;
    b->delay_min_ms = b->delay_max_ms = 10;
    b->timing.delta_ms = 1000; /* a wait for a leader would cost two seconds */
    bus_begin(b);
    bus_crash(b, 1);
    bus_run_until(b, 60000);
    uint64_t before = bus_lowest_final(b);
    bus_run_until(b, 70000);
    assert_true(bus_lowest_final(b) - before > 90);
    struct item up = {.kind = ITEM_RESTART, .to = 1};
    bus_push(b, up, 0);
    bus_run_until(b, 80000); /* heard again, it leads again */
    uint64_t skipped = b->nodes[0].final.view - b->nodes[0].final.number;
    bus_run_until(b, 90000);
    assert_true(b->nodes[0].final.view - b->nodes[0].final.number <= skipped + 2);
    assert_int_equal(b->nodes[1].final.number + 3 > b->nodes[0].final.number, 1);
    bus_destroy(b);
}

static void skips_a_leader_whose_builds_fail(void **state)
{
    struct bus *b = bus_create(4, 5, &SIGNER_STUB);
    (void)state;
    b->nodes[0].never_builds = true;
    b->timing.delta_ms = 2000;
    bus_begin(b);
    bus_run_until(b, 5000); /* its own nullify spares everybody the wait */
    assert_true(bus_lowest_final(b) >= 30);
    assert_true(b->nullified_views > 0);
    bus_destroy(b);
}

static void goes_on_when_one_cannot_verify(void **state)
{
    struct bus *b = bus_create(4, 6, &SIGNER_STUB);
    (void)state;
    b->nodes[3].never_verifies = true;
    bus_begin(b);
    bus_run_until(b, 8000);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(b->nodes[i].final.number >= 20);
    for (size_t i = 0; i < BUS_VOTES_MAX; i++) /* it vouches for no block but its own */
        if (b->nodes[3].signed_held[i] && b->nodes[3].signed_votes[i].kind == VOTE_NOTARIZE)
            assert_int_equal(epoch_leader(&b->nodes[3].epoch, b->nodes[3].signed_votes[i].view), 3);
    assert_true(consensus_view(b->nodes[3].core) > 10); /* finality of others carries it along */
    bus_destroy(b);
}

static void stands_still_in_a_partition_and_goes_on_after_it(void **state)
{
    struct bus *b = bus_create(4, 7, &SIGNER_STUB);
    (void)state;
    bus_begin(b);
    bus_run_until(b, 1000);
    bus_partition(b, 3, true); /* two and two: no quorum on either side */
    bus_run_until(b, 1500);
    uint64_t stuck = bus_lowest_final(b);
    bus_run_until(b, 30000);
    assert_true(bus_lowest_final(b) <= stuck + 1);
    bus_partition(b, 3, false);
    assert_true(bus_run_to_height(b, stuck + 20, 60000));
    assert_int_equal(b->evidence_count, 0);
    bus_destroy(b);
}

static void brings_back_one_that_was_cut_off_for_long(void **state)
{
    struct bus *b = bus_create(4, 8, &SIGNER_STUB);
    (void)state;
    bus_begin(b);
    bus_run_until(b, 500);
    bus_partition(b, 1, true);
    bus_run_until(b, 40000); /* far beyond the window of views */
    assert_true(b->nodes[1].final.view > b->nodes[0].final.view + BUS_VIEWS_MAX);
    bus_partition(b, 1, false);
    bus_run_until(b, 60000);
    assert_true(b->nodes[0].final.number + 5 > b->nodes[1].final.number);
    assert_int_equal(b->evidence_count, 0);
    bus_destroy(b);
}

static void remembers_its_votes_over_a_crash_in_mid_view(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= LIVES;
         seed++) { /* the bus checks every vote against all before */
        struct bus *b = bus_create(4, seed, &SIGNER_STUB);
        bus_begin(b);
        for (int i = 0; i < 30; i++) {
            bus_run_until(b, b->now_ms + 20 + bus_random(b, 60));
            uint32_t node = bus_random(b, 4);
            bus_crash(b, node);
            bus_start(b, node);
        }
        uint64_t height = bus_lowest_final(b);
        assert_true(bus_run_to_height(b, height + 5, 30000));
        assert_int_equal(b->evidence_count, 0);
        bus_destroy(b);
    }
}

static void survives_a_crash_of_the_whole_cluster(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        struct bus *b = bus_create(4, seed, &SIGNER_STUB);
        bus_begin(b);
        for (int i = 0; i < 5; i++) {
            bus_run_until(b, b->now_ms + 200 + bus_random(b, 300));
            for (uint32_t node = 0; node < 4; node++)
                bus_crash(b, node);
            for (uint32_t node = 0; node < 4; node++)
                bus_start(b, node);
        }
        uint64_t height = bus_lowest_final(b);
        assert_true(bus_run_to_height(b, height + 5, 60000));
        bus_destroy(b);
    }
}

static void proves_the_guilt_of_an_equivocating_leader(void **state)
{
    struct bus *b = bus_create(4, 9, &SIGNER_STUB);
    (void)state;
    b->nodes[1].equivocates = true;
    bus_begin(b);
    assert_true(bus_run_to_height(b, 40, 60000));
    assert_true(b->evidence_count > 0);
    assert_int_equal(b->evidence_honest, 0);
    bus_destroy(b);
}

static void bears_duplicates_and_disorder(void **state)
{
    struct bus *b = bus_create(4, 10, &SIGNER_STUB);
    (void)state;
    b->duplicate = true;
    b->delay_min_ms = 1;
    b->delay_max_ms = 90; /* below delta, so nothing needs skipping, but in any order */
    bus_begin(b);
    assert_true(bus_run_to_height(b, 30, 20000));
    assert_int_equal(b->evidence_count, 0);
    bus_destroy(b);
}

static void commits_alone(void **state)
{
    struct bus *b = bus_create(1, 11, &SIGNER_SECP256K1);
    (void)state;
    bus_begin(b);
    assert_true(bus_run_to_height(b, 20, 3000));
    bus_crash(b, 0);
    bus_start(b, 0);
    assert_true(bus_run_to_height(b, 40, 3000));
    assert_int_equal(b->nullified_views, 0);
    bus_destroy(b);
}

static void passes_from_epoch_to_epoch(void **state)
{
    struct bus *b = bus_create(4, 12, &SIGNER_STUB);
    (void)state;
    b->epoch_blocks = 7;
    bus_begin(b);
    assert_true(bus_run_to_height(b, 40, 20000));
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(b->nodes[i].epoch.number, (b->nodes[i].final.number) / 7);
    bus_destroy(b);
}

static void passes_epochs_with_a_lossy_wire(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        struct bus *b = bus_create(4, seed, &SIGNER_STUB);
        b->epoch_blocks = 3; /* finality is often late, so boundary blocks come again */
        b->loss_percent = 25;
        bus_begin(b);
        bus_run_until(b, 5000);
        b->loss_percent = 0;
        assert_true(bus_run_to_height(b, bus_lowest_final(b) + 12, 90000));
        assert_int_equal(b->evidence_count, 0);
        bus_destroy(b);
    }
}

static void follows_without_a_key(void **state)
{
    struct bus *b = bus_create(5, 13, &SIGNER_STUB);
    (void)state;
    b->nodes[4].observer = true;
    b->epoch_blocks = 15;
    bus_begin(b);
    assert_true(bus_run_to_height(b, 40, 20000));
    for (size_t i = 0; i < BUS_VOTES_MAX; i++)
        assert_false(b->nodes[4].signed_held[i]);
    assert_false(consensus_is_validator(b->nodes[4].core));
    bus_destroy(b);
}

static void signs_nothing_before_the_epoch_it_may(void **state)
{
    struct bus *b = bus_create(1, 14, &SIGNER_STUB);
    (void)state;
    bus_begin(b);
    struct consensus_config config = {.epoch = b->nodes[0].epoch,
                                      .final = b->nodes[0].final,
                                      .key = &b->nodes[0].key,
                                      .signer = &SIGNER_STUB,
                                      .timing = b->timing,
                                      .sign_from_epoch = 1};
    struct consensus *c = consensus_create(&config);
    struct event event = {.kind = EVENT_START};
    consensus_step(c, &event, b->actions);
    for (uint32_t i = 0; i < b->actions->count; i++)
        assert_int_not_equal(b->actions->items[i].kind, ACTION_BUILD);
    event = (struct event){.kind = EVENT_TIMER, .timer = {TIMER_ADVANCE, 1}};
    consensus_step(c, &event, b->actions);
    assert_int_equal(b->actions->count, 0); /* no nullify either */
    struct epoch next = b->nodes[0].epoch;
    next.number = 1;
    next.start_number = next.last_number;
    next.last_number += 10;
    event = (struct event){.kind = EVENT_EPOCH, .epoch = &next};
    consensus_step(c, &event, b->actions);
    bool builds = false;
    for (uint32_t i = 0; i < b->actions->count; i++)
        builds = builds || b->actions->items[i].kind == ACTION_BUILD;
    assert_true(builds);
    consensus_destroy(c);
    bus_destroy(b);
}

static void lets_no_vote_out_before_it_is_durable(void **state)
{
    struct bus *b = bus_create(1, 15, &SIGNER_STUB);
    (void)state;
    b->nodes[0].epoch = bus_epoch(b, 0, &(struct hash){{1}}, 0);
    struct consensus_config config = {.epoch = b->nodes[0].epoch,
                                      .final = {0, {{1}}, 0},
                                      .key = &b->nodes[0].key,
                                      .signer = &SIGNER_STUB,
                                      .timing = b->timing};
    struct consensus *c = consensus_create(&config);
    struct event event = {.kind = EVENT_START};
    consensus_step(c, &event, b->actions);
    event = (struct event){.kind = EVENT_BUILT, .built = {1, true, {{2}}}};
    consensus_step(c, &event, b->actions);
    assert_int_equal(b->actions->count, 2); /* the block, then the vote, both only to disk */
    assert_int_equal(b->actions->items[0].persist.record.kind, RECORD_BLOCK);
    assert_int_equal(b->actions->items[1].persist.record.kind, RECORD_VOTE);
    event = (struct event){.kind = EVENT_DURABLE};
    event.durable_sequence = b->actions->items[0].persist.sequence;
    consensus_step(c, &event, b->actions); /* the block alone does not release the vote */
    assert_int_equal(b->actions->count, 0);
    event.durable_sequence++;
    consensus_step(c, &event, b->actions);
    assert_true(b->actions->count > 0);
    assert_int_equal(b->actions->items[0].kind, ACTION_SEND);
    assert_int_equal(b->actions->items[0].send.kind, MESSAGE_PROPOSAL);
    consensus_destroy(c);
    bus_destroy(b);
}

static void refuses_a_vote_that_its_signer_did_not_sign(void **state)
{
    struct bus *b = bus_create(4, 16, &SIGNER_SECP256K1);
    (void)state;
    bus_begin(b);
    struct event event = {.kind = EVENT_VOTE, .from = 2};
    event.vote = (struct vote){.view = 1, .kind = VOTE_NULLIFY, .signer = 1};
    struct hash digest = vote_digest(7117, &event.vote);
    event.vote.signature = key_sign(&b->nodes[2].key, &digest);
    consensus_step(b->nodes[0].core, &event, b->actions);
    assert_int_equal(b->actions->admission, ADMISSION_BAD);
    event.vote.signature = key_sign(&b->nodes[1].key, &digest);
    consensus_step(b->nodes[0].core, &event, b->actions);
    assert_int_equal(b->actions->admission, ADMISSION_NEW);
    consensus_step(b->nodes[0].core, &event, b->actions);
    assert_int_equal(b->actions->admission, ADMISSION_KNOWN);
    event.vote.view = 3; /* beyond the next view */
    consensus_step(b->nodes[0].core, &event, b->actions);
    assert_int_equal(b->actions->admission, ADMISSION_OUTSIDE);
    bus_destroy(b);
}

static void refuses_a_log_that_contradicts_itself(void **state)
{
    struct bus *b = bus_create(4, 17, &SIGNER_STUB);
    (void)state;
    bus_begin(b);
    struct consensus_config config = {.epoch = b->nodes[0].epoch,
                                      .final = b->nodes[0].final,
                                      .key = &b->nodes[0].key,
                                      .signer = &SIGNER_STUB,
                                      .timing = b->timing};
    struct consensus *c = consensus_create(&config);
    struct record r = {.kind = RECORD_VOTE};
    r.vote = (struct vote){.view = 4, .kind = VOTE_FINALIZE, .block = {{7}}};
    assert_int_equal(consensus_restore(c, &r), OK);
    assert_int_equal(consensus_restore(c, &r), OK); /* the same again is harmless */
    assert_int_equal(consensus_view(c), 4);         /* the floor came back */
    r.vote = (struct vote){.view = 4, .kind = VOTE_NULLIFY};
    assert_int_equal(consensus_restore(c, &r), E_MALFORMED);
    r.vote = (struct vote){.view = 5, .kind = VOTE_NULLIFY, .signer = 1};
    assert_int_equal(consensus_restore(c, &r), E_MALFORMED);
    consensus_destroy(c);
    bus_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_the_same_chain_on_all_four),
        cmocka_unit_test(finalizes_three_hops_after_the_proposal),
        cmocka_unit_test(skips_the_views_of_a_dead_leader),
        cmocka_unit_test(skips_a_leader_long_inactive_without_waiting_for_it),
        cmocka_unit_test(skips_a_leader_whose_builds_fail),
        cmocka_unit_test(goes_on_when_one_cannot_verify),
        cmocka_unit_test(stands_still_in_a_partition_and_goes_on_after_it),
        cmocka_unit_test(brings_back_one_that_was_cut_off_for_long),
        cmocka_unit_test(remembers_its_votes_over_a_crash_in_mid_view),
        cmocka_unit_test(survives_a_crash_of_the_whole_cluster),
        cmocka_unit_test(proves_the_guilt_of_an_equivocating_leader),
        cmocka_unit_test(bears_duplicates_and_disorder),
        cmocka_unit_test(commits_alone),
        cmocka_unit_test(passes_from_epoch_to_epoch),
        cmocka_unit_test(passes_epochs_with_a_lossy_wire),
        cmocka_unit_test(follows_without_a_key),
        cmocka_unit_test(signs_nothing_before_the_epoch_it_may),
        cmocka_unit_test(lets_no_vote_out_before_it_is_durable),
        cmocka_unit_test(refuses_a_vote_that_its_signer_did_not_sign),
        cmocka_unit_test(refuses_a_log_that_contradicts_itself),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
