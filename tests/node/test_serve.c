/* What a node tells those who ask for its chain. */
#include "node/serve.h"

#include "tests/node/sync_sim.h"

#define ASKER 7

static struct finality finality;
static struct sim_source shorter;

struct answers {
    struct serve *serve;
    struct buffer messages[64];
    enum wire_type types[64];
    uint64_t peers[64];
    size_t count;
    size_t room, charges;
    bool nothing_kept; /* only counted */
    size_t bytes;
};

static bool keep(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    struct answers *a = context;
    a->bytes += payload.size;
    if (!a->nothing_kept) {
        assert_true(a->count < 64);
        buffer_clear(&a->messages[a->count]);
        buffer_append(&a->messages[a->count], payload);
        a->types[a->count] = type;
        a->peers[a->count] = peer;
    }
    a->count++;
    return true;
}

static size_t room(void *context, uint64_t peer, enum channel channel)
{
    (void)peer;
    (void)channel;
    return ((struct answers *)context)->room;
}

static void charge(void *context, uint64_t peer, enum offence offence, const char *reason)
{
    (void)peer;
    (void)reason;
    assert_int_equal(offence, OFFENCE_MALFORMED);
    ((struct answers *)context)->charges++;
}

static void begin(struct answers *a, struct store *store, struct ledger *ledger)
{
    *a = (struct answers){.room = 12u << 20};
    struct serve_setup setup = {.ledger = ledger,
                                .store = store,
                                .config = &finality.genesis->config,
                                .context = a,
                                .send = keep,
                                .room = room,
                                .charge = charge};
    a->serve = serve_create(&setup);
}

static void end(struct answers *a)
{
    serve_destroy(a->serve);
    for (size_t i = 0; i < 64; i++)
        buffer_finish(&a->messages[i]);
}

static void ask(struct answers *a, enum wire_type type, const struct buffer *payload, uint64_t ms)
{
    serve_message(a->serve, ASKER, type, buffer_bytes(payload), ms);
}

static void ask_blocks(struct answers *a, enum wire_type type, const struct hash *hashes,
                       size_t count, uint64_t ms)
{
    struct buffer payload = {0};
    wire_hashes_encode(&payload, hashes, count);
    ask(a, type, &payload, ms);
    buffer_finish(&payload);
}

static void ask_headers(struct answers *a, uint64_t first, uint16_t count)
{
    struct buffer payload = {0};
    struct wire_range range = {first, count};
    wire_range_encode(&payload, &range);
    ask(a, WIRE_HEADERS_REQUEST, &payload, 1000);
    buffer_finish(&payload);
}

static void ask_number(struct answers *a, enum wire_type type, uint64_t number)
{
    struct buffer payload = {0};
    wire_number_encode(&payload, number);
    ask(a, type, &payload, 1000);
    buffer_finish(&payload);
}

static struct wire_block block_at(const struct answers *a, size_t index)
{
    struct wire_block w;
    assert_int_equal(wire_block_decode(&w, buffer_bytes(&a->messages[index])), OK);
    return w;
}

static struct hash final_hash(uint64_t number)
{
    struct hash hash;
    struct store_snapshot *view = store_snapshot_create(finality.store);
    assert_true(store_hash_of_number(view, number, &hash));
    store_snapshot_destroy(view);
    return hash;
}

static void assert_is_block(struct wire_block w, const struct hash *hash)
{
    struct arena arena = {0};
    struct block block;
    assert_int_equal(block_decode(&block, &arena, w.block), OK);
    struct hash real = block_hash(&block);
    assert_memory_equal(real.b, hash->b, 32);
    assert_memory_equal(w.hash.b, hash->b, 32);
    arena_finish(&arena);
}

/* ---- answers ---- */

static void blocks_come_in_the_order_asked_final_or_not(void **state)
{
    struct answers a;
    (void)state;
    begin(&a, finality.store, finality.ledger);
    struct hash unfinished = finality_build(&finality, &ledger_head(finality.ledger)->hash);
    struct hash hashes[4] = {final_hash(9), {{0xee}}, unfinished, final_hash(2)};
    for (int body = 0; body < 2; body++) {
        a.count = 0;
        ask_blocks(&a, body ? WIRE_BODY_REQUEST : WIRE_BLOCK_REQUEST, hashes, 4, 1000);
        assert_int_equal(a.count, 4);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(a.types[i], body ? WIRE_BODY : WIRE_BLOCK);
        assert_is_block(block_at(&a, 0), &hashes[0]);
        assert_int_equal(block_at(&a, 1).block.size, 0);
        assert_memory_equal(block_at(&a, 1).hash.b, hashes[1].b, 32);
        assert_is_block(block_at(&a, 2), &hashes[2]);
        assert_is_block(block_at(&a, 3), &hashes[3]);
    }
    end(&a);
}

static void headers_come_all_or_none(void **state)
{
    const struct {
        uint64_t first;
        uint16_t count, got;
    } cases[] = {{1, SIM_WHOLE, SIM_WHOLE},
                 {7, 3, 3},
                 {0, 1, 1},
                 {SIM_WHOLE, 1, 1},
                 {SIM_WHOLE, 2, 0},
                 {SIM_WHOLE + 1, 1, 0},
                 {1, 1024, 0},
                 {UINT64_MAX - 1, 1, 0}};
    struct answers a;
    struct wire_headers h;
    (void)state;
    begin(&a, finality.store, finality.ledger);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        a.count = 0;
        ask_headers(&a, cases[i].first, cases[i].count);
        assert_int_equal(a.count, 1);
        assert_int_equal(wire_headers_decode(&h, buffer_bytes(&a.messages[0])), OK);
        assert_int_equal(h.first, cases[i].first);
        assert_int_equal(h.count, cases[i].got);
        for (uint64_t n = h.first; h.count > 0; n++) {
            struct hash got = keccak256(wire_header_next(&h)), want = final_hash(n);
            assert_memory_equal(got.b, want.b, 32);
        }
    }
    end(&a);
}

/* The set of an epoch, of those that are over the one after it too. */
static void set_of(struct epoch *out, uint64_t epoch)
{
    struct buffer bytes = {0};
    struct epoch_record *record = must_alloc(sizeof *record);
    struct store_snapshot *view = store_snapshot_create(finality.store);
    assert_true(store_set(view, epoch, &bytes));
    assert_int_equal(epoch_record_decode(record, buffer_bytes(&bytes)), OK);
    *out = record->epoch;
    store_snapshot_destroy(view);
    buffer_finish(&bytes);
    free(record);
}

static void past_epochs_come_with_the_next_set_and_its_proof(void **state)
{
    struct answers a;
    struct wire_epoch e;
    struct epoch epoch;
    struct header h;
    struct certificate c;
    (void)state;
    begin(&a, finality.store, finality.ledger);
    for (uint64_t number = 0; number < SIM_WHOLE / SIM_EPOCH_BLOCKS; number++) {
        a.count = 0;
        set_of(&epoch, number);
        ask_number(&a, WIRE_EPOCH_REQUEST, number);
        assert_int_equal(wire_epoch_decode(&e, buffer_bytes(&a.messages[0])), OK);
        assert_int_equal(e.epoch, number);
        assert_int_equal(header_decode(&h, e.header), OK);
        assert_int_equal(h.number, epoch.last_number);
        assert_int_equal(certificate_decode(&c, e.certificate), OK);
        assert_int_equal(certificate_verify(&c, &epoch, &SIGNER_SECP256K1), OK);
        struct hash hash = keccak256(e.header),
                    set = validators_hash(e.validators, e.validator_count);
        assert_memory_equal(c.block.b, hash.b, 32);
        assert_memory_equal(h.extra.next_validators_hash.b, set.b, 32);
        assert_memory_not_equal(h.extra.validators_hash.b, set.b, 32); /* the sets do differ */
    }
    const uint64_t lacking[] = {SIM_WHOLE / SIM_EPOCH_BLOCKS, 1000, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof lacking / sizeof *lacking; i++) {
        a.count = 0;
        ask_number(&a, WIRE_EPOCH_REQUEST, lacking[i]);
        assert_int_equal(wire_epoch_decode(&e, buffer_bytes(&a.messages[0])), OK);
        assert_int_equal(e.epoch, lacking[i]);
        assert_int_equal(e.header.size, 0);
    }
    end(&a);
}

static uint64_t final_number(struct answers *a)
{
    struct wire_final f;
    struct header h;
    struct certificate c;
    struct epoch epoch;
    a->count = 0;
    serve_message(a->serve, ASKER, WIRE_FINAL_REQUEST, (struct bytes){0}, 1000);
    assert_int_equal(a->count, 1);
    assert_int_equal(wire_final_decode(&f, buffer_bytes(&a->messages[0])), OK);
    if (f.header.size == 0) return 0;
    assert_int_equal(header_decode(&h, f.header), OK);
    assert_int_equal(certificate_decode(&c, f.certificate), OK);
    set_of(&epoch, h.extra.epoch);
    assert_int_equal(certificate_verify(&c, &epoch, &SIGNER_SECP256K1), OK);
    return h.number;
}

/* Blocks that were made final without a certificate of their own, as while catching up. */
static void commit_bare(struct ledger *ledger, uint64_t count)
{
    struct store_snapshot *view = store_snapshot_create(finality.store);
    for (uint64_t i = 0; i < count; i++) {
        struct buffer bytes = {0};
        char error[LEDGER_ERROR_SIZE];
        uint64_t number = ledger_head(ledger)->header.number + 1;
        struct hash hash = final_hash(number);
        assert_true(store_block_by_number(view, number, &bytes));
        assert_int_equal(ledger_hold(ledger, &hash, buffer_bytes(&bytes)), OK);
        assert_int_equal(ledger_verify(ledger, error, &hash, 1), OK);
        struct ledger_commit commit = {.chain = &hash, .count = 1};
        ledger_commit(ledger, &commit);
        buffer_finish(&commit.spenders);
        buffer_finish(&bytes);
    }
    store_snapshot_destroy(view);
}

static void the_newest_final_block_is_one_that_can_be_proved(void **state)
{
    struct answers a;
    (void)state;
    begin(&a, finality.store, finality.ledger);
    assert_int_equal(final_number(&a), SIM_WHOLE);
    end(&a);
    begin(&a, shorter.store, shorter.ledger);
    assert_int_equal(final_number(&a), SIM_SHORT);
    commit_bare(shorter.ledger, 2);
    assert_int_equal(final_number(&a), SIM_EVEN);
    end(&a);
    struct sim_source fresh = sim_source_open(&finality, "fresh");
    begin(&a, fresh.store, fresh.ledger);
    assert_int_equal(final_number(&a), 0);
    end(&a);
    sim_source_close(&fresh);
}

/* ---- limits ---- */

static void who_asks_for_too_much_is_refused_and_others_are_not(void **state)
{
    struct answers a;
    struct hash hashes[WIRE_BLOCKS_MAX];
    (void)state;
    begin(&a, finality.store, finality.ledger);
    a.nothing_kept = true;
    for (size_t i = 0; i < WIRE_BLOCKS_MAX; i++)
        hashes[i] = final_hash(1 + i);
    for (int i = 0; i < 20000; i++)
        ask_blocks(&a, WIRE_BODY_REQUEST, hashes, WIRE_BLOCKS_MAX, 1000);
    size_t refusals = 20000ull * WIRE_BLOCKS_MAX * 32;
    assert_in_range(a.bytes, SERVE_PEER_BYTES, 2ull * SERVE_PEER_BYTES + refusals + BLOCK_SIZE_MAX);
    assert_int_equal(a.count, 20000 * WIRE_BLOCKS_MAX); /* each is answered */
    a.nothing_kept = false;
    a.count = 0;
    ask_blocks(&a, WIRE_BODY_REQUEST, hashes, 1, 1000);
    assert_int_equal(block_at(&a, 0).block.size, 0);
    struct buffer payload = {0};
    wire_hashes_encode(&payload, hashes, 1);
    a.count = 0;
    serve_message(a.serve, ASKER + 1, WIRE_BODY_REQUEST, buffer_bytes(&payload), 1000);
    assert_is_block(block_at(&a, 0), &hashes[0]);
    a.count = 0;
    ask_blocks(&a, WIRE_BODY_REQUEST, hashes, 1, 1500); /* time passes */
    assert_is_block(block_at(&a, 0), &hashes[0]);
    buffer_finish(&payload);
    end(&a);
}

static void what_the_queue_has_no_room_for_is_refused(void **state)
{
    struct answers a;
    struct hash hash = final_hash(3);
    struct wire_headers h;
    (void)state;
    begin(&a, finality.store, finality.ledger);
    a.room = 100;
    ask_blocks(&a, WIRE_BODY_REQUEST, &hash, 1, 1000);
    assert_int_equal(block_at(&a, 0).block.size, 0);
    a.count = 0;
    ask_headers(&a, 1, 10);
    assert_int_equal(wire_headers_decode(&h, buffer_bytes(&a.messages[0])), OK);
    assert_int_equal(h.count, 0);
    a.count = 0;
    a.room = 10;
    ask_blocks(&a, WIRE_BODY_REQUEST, &hash, 1, 1000);
    ask_headers(&a, 1, 10);
    ask_number(&a, WIRE_EPOCH_REQUEST, 0);
    serve_message(a.serve, ASKER, WIRE_FINAL_REQUEST, (struct bytes){0}, 1000);
    assert_int_equal(a.count, 0);
    end(&a);
}

static void requests_that_do_not_decode_are_charged(void **state)
{
    static const enum wire_type types[] = {WIRE_BLOCK_REQUEST, WIRE_BODY_REQUEST,
                                           WIRE_HEADERS_REQUEST, WIRE_EPOCH_REQUEST,
                                           WIRE_FINAL_REQUEST};
    struct answers a;
    (void)state;
    begin(&a, finality.store, finality.ledger);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        serve_message(a.serve, ASKER, types[i], bytes_of_text("xyz"), 1000);
    assert_int_equal(a.charges, sizeof types / sizeof *types);
    assert_int_equal(a.count, 0);
    end(&a);
}

static void peers_beyond_the_table_wait_until_one_leaves(void **state)
{
    struct answers a;
    (void)state;
    begin(&a, finality.store, finality.ledger);
    a.nothing_kept = true;
    for (uint64_t peer = 1; peer <= SERVE_PEERS_MAX + 1; peer++)
        serve_message(a.serve, peer, WIRE_FINAL_REQUEST, (struct bytes){0}, 1000);
    assert_int_equal(a.count, SERVE_PEERS_MAX);
    serve_peer_closed(a.serve, 5);
    serve_message(a.serve, SERVE_PEERS_MAX + 1, WIRE_FINAL_REQUEST, (struct bytes){0}, 1000);
    assert_int_equal(a.count, SERVE_PEERS_MAX + 1);
    end(&a);
}

static void who_asks_for_the_newest_block_without_end_gets_ever_fewer_answers(void **state)
{
    struct answers a;
    (void)state;
    begin(&a, finality.store, finality.ledger);
    a.nothing_kept = true;
    for (int i = 0; i < 1000; i++)
        serve_message(a.serve, ASKER, WIRE_FINAL_REQUEST, (struct bytes){0}, 1000);
    assert_int_equal(a.count, 2 * SERVE_FINAL_RATE + 1);
    serve_message(a.serve, ASKER, WIRE_FINAL_REQUEST, (struct bytes){0}, 3000);
    assert_int_equal(a.count, 2 * SERVE_FINAL_RATE + 2);
    end(&a);
}

static int make_chain(void **state)
{
    (void)state;
    sim_make_chain(&finality);
    shorter = sim_source_open(&finality, "short");
    return 0;
}

static int remove_chain(void **state)
{
    (void)state;
    sim_source_close(&shorter);
    finality_remove(&finality);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_in_the_order_asked_final_or_not),
        cmocka_unit_test(headers_come_all_or_none),
        cmocka_unit_test(past_epochs_come_with_the_next_set_and_its_proof),
        cmocka_unit_test(the_newest_final_block_is_one_that_can_be_proved),
        cmocka_unit_test(who_asks_for_too_much_is_refused_and_others_are_not),
        cmocka_unit_test(what_the_queue_has_no_room_for_is_refused),
        cmocka_unit_test(requests_that_do_not_decode_are_charged),
        cmocka_unit_test(peers_beyond_the_table_wait_until_one_leaves),
        cmocka_unit_test(who_asks_for_the_newest_block_without_end_gets_ever_fewer_answers),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_chain, remove_chain);
}
