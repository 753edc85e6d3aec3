/* Catching up: one case at a time. */
#include "tests/node/sync_sim.h"

#include <malloc.h>

#define MINUTE_MS 60000

static struct finality finality;
static struct sim_source tiny, even, shorter, whole;

static struct sim *start(const char *from)
{
    const struct sim_source sources[2] = {whole, shorter};
    return sim_create(&finality, sources, from, 1);
}

static struct sim *start_upon(struct sim_source source, const char *from)
{
    const struct sim_source sources[2] = {source, source};
    return sim_create(&finality, sources, from, 1);
}

/* ---- chains ---- */

static void catches_up_over_several_epochs_with_one_peer(void **state)
{
    struct sim *sim = start(NULL);
    (void)state;
    sim_add(sim, HONEST);
    assert_true(sim_run(sim, SIM_WHOLE, MINUTE_MS));
    assert_int_equal(sync_progress(sim->sync).target, SIM_WHOLE);
    assert_int_equal(sync_progress(sim->sync).epoch, SIM_WHOLE / SIM_EPOCH_BLOCKS);
    sim_wait(sim, 1000);
    assert_false(sync_progress(sim->sync).active);
    sim_destroy(sim);
}

static void catches_up_within_the_first_epoch(void **state)
{
    struct sim *sim = start_upon(tiny, NULL);
    (void)state;
    sim_add(sim, HONEST);
    assert_true(sim_run(sim, SIM_TINY, MINUTE_MS));
    sim_destroy(sim);
}

static void catches_up_to_an_epochs_end_and_from_one(void **state)
{
    struct sim *sim = start_upon(even, NULL);
    (void)state;
    sim_add(sim, HONEST);
    assert_true(sim_run(sim, SIM_EVEN, MINUTE_MS));
    assert_int_equal(ledger_head(sim->ledger)->record->epoch.number, SIM_EVEN / SIM_EPOCH_BLOCKS);
    sim_destroy(sim);
    sim = start("even");
    sim_add(sim, HONEST);
    assert_true(sim_run(sim, SIM_WHOLE, MINUTE_MS));
    sim_destroy(sim);
}

static void goes_on_from_the_middle_of_an_epoch(void **state)
{
    struct sim *sim = start("short");
    (void)state;
    assert_int_equal(sim_head(sim), SIM_SHORT);
    sim_add(sim, HONEST);
    assert_true(sim_run(sim, SIM_WHOLE, MINUTE_MS));
    assert_int_equal(sim->adopted, SIM_WHOLE - SIM_SHORT);
    sim_destroy(sim);
}

static void does_nothing_where_nothing_is_behind(void **state)
{
    struct sim *sim = start_upon(shorter, "short");
    (void)state;
    for (int i = 0; i < 4; i++)
        sim_add(sim, HONEST);
    sim_wait(sim, 10 * MINUTE_MS);
    assert_int_equal(sim->adopted, 0);
    assert_true(sim_requests(sim) < 100); /* a look around each ten seconds */
    assert_true(sim->turns < 1000);
    sim_destroy(sim);
}

/* Who caught up serves the next one as well as any. */
static void whoever_caught_up_serves_the_next(void **state)
{
    struct sim *first = start(NULL);
    (void)state;
    sim_add(first, HONEST);
    assert_true(sim_run(first, SIM_WHOLE, MINUTE_MS));
    sim_close_node(first);
    finality_copy(&finality, first->name, "second-hand");
    sim_open_node(first);
    sim_destroy(first);
    struct sim_source second_hand = sim_source_open(&finality, "second-hand");
    struct sim *sim = start_upon(second_hand, NULL);
    sim_add(sim, HONEST);
    assert_true(sim_run(sim, SIM_WHOLE, MINUTE_MS));
    sim_destroy(sim);
    sim_source_close(&second_hand);
}

static void follows_a_target_that_moves(void **state)
{
    struct sim *sim = start(NULL);
    (void)state;
    struct sim_peer *p = sim_add(sim, BEHIND);
    assert_true(sim_run(sim, SIM_SHORT - 2, MINUTE_MS));
    p->source = 0; /* its chain grows */
    assert_true(sim_run(sim, SIM_WHOLE, MINUTE_MS));
    sim_destroy(sim);
}

static void leaves_a_small_gap_to_consensus_for_a_while(void **state)
{
    const struct sim_source sources[2] = {shorter, shorter};
    (void)state;
    for (int urgent = 0; urgent < 2; urgent++) {
        struct sim *sim = sim_create(&finality, sources, "even", 1);
        sim_add(sim, HONEST);
        sim_wait(sim, SYNC_PATIENCE_MS / 2);
        assert_int_equal(sim_head(sim), SIM_EVEN);
        if (urgent) sync_want(sim->sync, NULL, 0, sim->now_ms);
        assert_int_equal(sim_run(sim, SIM_SHORT, SYNC_PATIENCE_MS / 4), urgent);
        assert_true(sim_run(sim, SIM_SHORT, MINUTE_MS));
        sim_destroy(sim);
    }
}

/* Three ranges of headers, from the top down, and two of the peers lie about them. */
static void long_epochs_are_linked_range_by_range_from_several_peers(void **state)
{
    struct finality f;
    const size_t blocks = 2 * WIRE_HEADERS_MAX + 100;
    (void)state;
    finality_make(&f, 1000000);
    finality_extend_quickly(&f, blocks);
    const struct sim_source source = {f.store, f.ledger}, sources[2] = {source, source};
    struct sim *sim = sim_create(&f, sources, NULL, 1);
    sim_add(sim, UNLINKED);
    sim_add(sim, SHIFTED);
    sim_add(sim, HONEST);
    assert_true(sim_run(sim, blocks, 5 * MINUTE_MS));
    assert_in_range(sim->adoptions, blocks / SYNC_BATCH_BLOCKS, blocks / 4);
    assert_true(sim->peers[0].charges + sim->peers[1].charges >= 2);
    sim_destroy(sim);
    finality_remove(&f);
}

/* ---- liars ---- */

static bool manner_shows(enum manner m)
{
    return m >= FORGER && m <= CHATTY;
}

static void reaches_the_end_beside_each_kind_of_liar(void **state)
{
    (void)state;
    for (enum manner m = SLOW; m < MANNERS; m++) {
        for (int first = 0; first < 2; first++) {
            struct sim *sim = start(NULL);
            struct sim_peer *liar = NULL;
            if (first) liar = sim_add(sim, m);
            sim_add(sim, HONEST);
            if (!first) liar = sim_add(sim, m);
            if (!sim_run(sim, SIM_WHOLE, 10 * MINUTE_MS))
                fail_msg("held up by manner %d at %d", (int)m, (int)sim_head(sim));
            if (manner_shows(m) && first && liar->charges == 0)
                fail_msg("manner %d was not charged", (int)m);
            sim_destroy(sim);
        }
    }
}

static void is_never_led_astray_by_liars_alone(void **state)
{
    (void)state;
    for (enum manner m = SILENT; m < MANNERS; m++) {
        struct sim *sim = start(NULL);
        for (int i = 0; i < 3; i++)
            sim_add(sim, m);
        sim_wait(sim, 5 * MINUTE_MS); /* what is committed is checked against the honest chain */
        assert_true(sim_requests(sim) < 3000);
        sim_add(sim, HONEST);
        if (!sim_run(sim, SIM_WHOLE, 5 * MINUTE_MS))
            fail_msg("held up by manner %d at %d", (int)m, (int)sim_head(sim));
        sim_destroy(sim);
    }
}

static void a_claimed_height_moves_nothing(void **state)
{
    struct sim *sim = start("short");
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct sim_peer *p = sim_add(sim, LACKING);
        p->source = 1;
        sync_peer_closed(sim->sync, p->id, sim->now_ms);
        sync_peer_open(sim->sync, p->id, UINT64_MAX, sim->now_ms);
    }
    sim_wait(sim, 10 * MINUTE_MS);
    assert_int_equal(sync_progress(sim->sync).target, SIM_SHORT);
    assert_false(sync_progress(sim->sync).active);
    assert_true(sim_requests(sim) < 1000);
    sim_destroy(sim);
}

static void a_silent_peer_costs_one_time_out(void **state)
{
    uint64_t took_ms[2];
    (void)state;
    for (size_t silent = 0; silent < 2; silent++) {
        struct sim *sim = start(NULL);
        uint64_t start_ms = sim->now_ms;
        for (size_t i = 0; i < silent; i++)
            sim_add(sim, SILENT);
        for (size_t i = 0; i < 2; i++)
            sim_add(sim, HONEST);
        sync_want(sim->sync, NULL, 0, sim->now_ms);
        assert_true(sim_run(sim, SIM_WHOLE, 10 * MINUTE_MS));
        took_ms[silent] = sim->now_ms - start_ms;
        sim_destroy(sim);
    }
    assert_in_range(took_ms[1], 0, took_ms[0] + SYNC_ANSWER_MS + 1000);
}

/* Answers come in the order asked, so what is skipped need not be waited for. */
static void a_peer_that_leaves_blocks_out_costs_no_time_out(void **state)
{
    struct sim *sim = start("even");
    (void)state;
    sim_add(sim, DRIPPING);
    sim_add(sim, HONEST);
    uint64_t start_ms = sim->now_ms;
    assert_true(sim_run(sim, SIM_WHOLE, MINUTE_MS));
    assert_true(sim->now_ms - start_ms < SYNC_ANSWER_MS);
    sim_destroy(sim);
}

static bool unwanted(void *context, const struct hash *hash)
{
    (void)context;
    (void)hash;
    return false;
}

/* What gossip brought is not asked for, unless the ledger forgets it again. */
static void blocks_that_the_ledger_forgets_are_fetched(void **state)
{
    struct sim *sim = start("even");
    struct store_snapshot *view = store_snapshot_create(whole.store);
    (void)state;
    for (uint64_t n = SIM_EVEN + 1; n <= SIM_WHOLE; n++) {
        struct buffer bytes = {0};
        struct hash hash = sim_hash(sim, n);
        assert_true(store_block_by_number(view, n, &bytes));
        assert_int_equal(ledger_hold(sim->ledger, &hash, buffer_bytes(&bytes)), OK);
        buffer_finish(&bytes);
    }
    store_snapshot_destroy(view);
    sim_add(sim, HONEST);
    assert_true(sim_run(sim, SIM_EVEN + 1, MINUTE_MS));
    assert_true(sim_head(sim) < SIM_WHOLE);
    ledger_sweep(sim->ledger, unwanted, NULL);
    assert_true(sim_run(sim, SIM_WHOLE, MINUTE_MS));
    sim_destroy(sim);
}

static void keeps_trying_without_haste_while_all_are_silent(void **state)
{
    struct sim *sim = start(NULL);
    (void)state;
    for (int i = 0; i < 5; i++)
        sim_add(sim, SILENT);
    sim_wait(sim, 60 * MINUTE_MS);
    assert_in_range(sim_requests(sim), 100, 3000);
    assert_true(sim->turns < 60 * 60 * 6);
    sim->peers[2].manner = HONEST;
    assert_true(sim_run(sim, SIM_WHOLE, 2 * MINUTE_MS));
    sim_destroy(sim);
}

static void answers_to_nothing_are_charged_and_cost_no_memory(void **state)
{
    static const enum wire_type types[] = {WIRE_FINAL, WIRE_EPOCH, WIRE_HEADERS, WIRE_BODY};
    struct sim *sim = start("short");
    struct buffer junk = {0};
    (void)state;
    struct sim_peer *p = sim_add(sim, CHATTY);
    sim_wait(sim, MINUTE_MS);
    buffer_extend(&junk, 1 << 20);
    size_t before = mallinfo2().uordblks;
    uint64_t charges = p->charges;
    for (int i = 0; i < 1000; i++)
        sync_message(sim->sync, p->id, types[i % 4], buffer_bytes(&junk), sim->now_ms);
    assert_in_range(p->charges - charges, 990, 1000);
    assert_true(mallinfo2().uordblks < before + 65536);
    buffer_finish(&junk);
    sim_destroy(sim);
}

/* ---- beside consensus, and over crashes ---- */

/* What consensus does when it gets there itself. */
static void commit_by_consensus(struct sim *sim, uint64_t count)
{
    struct store_snapshot *view = store_snapshot_create(whole.store);
    for (uint64_t i = 0; i < count && sim_head(sim) < SIM_WHOLE; i++) {
        struct buffer bytes = {0}, certificate = {0};
        char error[LEDGER_ERROR_SIZE];
        uint64_t number = sim_head(sim) + 1;
        struct hash hash = sim_hash(sim, number);
        assert_true(store_block_by_number(view, number, &bytes));
        enum status held = ledger_hold(sim->ledger, &hash, buffer_bytes(&bytes));
        assert_true(held == OK || held == E_EXISTS);
        assert_int_equal(ledger_verify(sim->ledger, error, &hash, 1), OK);
        (void)store_certificate(view, number, &certificate);
        struct ledger_commit commit = {
            .chain = &hash, .count = 1, .certificate = buffer_bytes(&certificate)};
        ledger_commit(sim->ledger, &commit);
        buffer_finish(&commit.spenders);
        buffer_finish(&bytes);
        buffer_finish(&certificate);
    }
    store_snapshot_destroy(view);
}

static void consensus_may_move_the_head_at_any_time(void **state)
{
    (void)state;
    for (uint64_t pace = 1; pace <= 40; pace += 3) {
        struct sim *sim = start(NULL);
        sim_add(sim, HONEST);
        sim_add(sim, HONEST);
        for (uint64_t i = 0; sim_head(sim) < SIM_WHOLE; i++) {
            assert_true(i < 100000);
            sim_step(sim);
            if (i % pace == 0) commit_by_consensus(sim, 1 + i % 3);
        }
        sim_wait(sim, 5000);
        sim_destroy(sim);
    }
}

static void goes_on_after_a_kill_at_any_step(void **state)
{
    (void)state;
    for (uint64_t pace = 5; pace < 200; pace += 24) {
        struct sim *sim = start(NULL);
        sim_add(sim, HONEST);
        sim_add(sim, BEHIND);
        sim_add(sim, HONEST);
        uint64_t highest = 0;
        for (uint64_t i = 1; sim_head(sim) < SIM_WHOLE; i++) {
            assert_true(i < 100000);
            sim_step(sim);
            if (i % pace == 0 && i < 20 * pace) sim_kill(sim);
            assert_true(sim_head(sim) >= highest); /* what is there stays there */
            highest = sim_head(sim);
        }
        sim_destroy(sim);
    }
}

/* ---- what must not be ---- */

struct wicked { /* a block that everybody signed and that does not hold */
    struct hash hash;
    struct buffer header, block, certificate;
};

static void wicked_make(struct wicked *w)
{
    struct arena arena = {0};
    struct block block;
    const struct ledger_head *head = ledger_head(finality.ledger);
    struct hash good = finality_build(&finality, &head->hash);
    assert_int_equal(block_decode(&block, &arena, ledger_bytes(finality.ledger, &good)), OK);
    block.header.state_root.b[7] ^= 1;
    w->hash = block_hash(&block);
    header_encode(&w->header, &block.header);
    block_encode(&w->block, &block);
    finality_certificate(&finality, &w->certificate, &head->record->epoch, block.header.extra.view,
                         &w->hash);
    arena_finish(&arena);
}

static void wicked_answer(struct sim *sim, const struct sim_message *m, const struct wicked *w)
{
    struct buffer out = {0};
    enum wire_type type = (enum wire_type)(m->type + 1);
    if (type == WIRE_FINAL) {
        struct wire_final f = {buffer_bytes(&w->header), buffer_bytes(&w->certificate)};
        wire_final_encode(&out, &f);
    } else if (type == WIRE_HEADERS) {
        wire_headers_begin(&out, SIM_WHOLE + 1);
        wire_headers_add(&out, 0, buffer_bytes(&w->header));
    } else if (type == WIRE_BODY) {
        struct wire_block b = {w->hash, buffer_bytes(&w->block)};
        wire_block_encode(&out, &b);
    } else {
        return;
    }
    sync_message(sim->sync, m->peer, type, buffer_bytes(&out), sim->now_ms);
    buffer_finish(&out);
}

static void stops_at_a_final_block_that_does_not_hold(void **state)
{
    struct wicked w = {0};
    (void)state;
    finality_close(&finality); /* nothing has changed it since the copy */
    finality_copy(&finality, "source", "whole");
    finality_open(&finality);
    whole = (struct sim_source){finality.store, finality.ledger};
    wicked_make(&w);
    struct sim *sim = start("whole");
    sim_add(sim, HONEST);
    for (uint64_t end_ms = sim->now_ms + 2 * MINUTE_MS; sim->now_ms < end_ms;) {
        size_t first = sim_first(sim);
        if (sim->queue_count > 0 && !sim->queue[first].to_node) {
            wicked_answer(sim, &sim->queue[first], &w);
            sim->queue[first].at_ms = 0;
            buffer_finish(&sim->queue[first].payload);
            sim->queue[first] = sim->queue[--sim->queue_count];
        } else {
            sim_step(sim);
        }
    }
    assert_int_equal(sim_head(sim), SIM_WHOLE);
    assert_false(sync_progress(sim->sync).active);
    uint64_t turns = sim->turns;
    sim_wait(sim, MINUTE_MS);
    assert_true(sim->turns - turns < 100); /* it stands still ... */
    assert_int_equal(sim->queue_count, 0); /* ... and asks nobody */
    sim_destroy(sim);
    buffer_finish(&w.header);
    buffer_finish(&w.block);
    buffer_finish(&w.certificate);
}

static void stops_when_its_own_chain_is_another(void **state)
{
    struct finality other;
    char command[300];
    (void)state;
    finality_make(&other, SIM_EPOCH_BLOCKS);
    finality_extend(&other, 3, 1); /* the honest chain has two transfers a block */
    snprintf(command, sizeof command, "cp -r %s %s", finality_path(&other, "source"),
             finality_path(&finality, "other"));
    finality_close(&other);
    assert_int_equal(system(command), 0);
    finality_open(&other);
    finality_remove(&other);
    struct sim *sim = start("other");
    sim_add(sim, HONEST);
    sim_wait(sim, 2 * MINUTE_MS);
    assert_int_equal(sim_head(sim), 3);
    assert_false(sync_progress(sim->sync).active);
    sim_destroy(sim);
}

static int make_chain(void **state)
{
    (void)state;
    sim_make_chain(&finality);
    tiny = sim_source_open(&finality, "tiny");
    even = sim_source_open(&finality, "even");
    shorter = sim_source_open(&finality, "short");
    whole = (struct sim_source){finality.store, finality.ledger};
    return 0;
}

static int remove_chain(void **state)
{
    (void)state;
    sim_source_close(&tiny);
    sim_source_close(&even);
    sim_source_close(&shorter);
    finality_remove(&finality);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catches_up_over_several_epochs_with_one_peer),
        cmocka_unit_test(catches_up_within_the_first_epoch),
        cmocka_unit_test(catches_up_to_an_epochs_end_and_from_one),
        cmocka_unit_test(goes_on_from_the_middle_of_an_epoch),
        cmocka_unit_test(does_nothing_where_nothing_is_behind),
        cmocka_unit_test(whoever_caught_up_serves_the_next),
        cmocka_unit_test(follows_a_target_that_moves),
        cmocka_unit_test(leaves_a_small_gap_to_consensus_for_a_while),
        cmocka_unit_test(long_epochs_are_linked_range_by_range_from_several_peers),
        cmocka_unit_test(reaches_the_end_beside_each_kind_of_liar),
        cmocka_unit_test(is_never_led_astray_by_liars_alone),
        cmocka_unit_test(a_claimed_height_moves_nothing),
        cmocka_unit_test(a_silent_peer_costs_one_time_out),
        cmocka_unit_test(a_peer_that_leaves_blocks_out_costs_no_time_out),
        cmocka_unit_test(blocks_that_the_ledger_forgets_are_fetched),
        cmocka_unit_test(keeps_trying_without_haste_while_all_are_silent),
        cmocka_unit_test(answers_to_nothing_are_charged_and_cost_no_memory),
        cmocka_unit_test(consensus_may_move_the_head_at_any_time),
        cmocka_unit_test(goes_on_after_a_kill_at_any_step),
        cmocka_unit_test(stops_at_a_final_block_that_does_not_hold),
        cmocka_unit_test(stops_when_its_own_chain_is_another),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_chain, remove_chain);
}
