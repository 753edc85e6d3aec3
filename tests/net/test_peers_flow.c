/* Much to say: priorities, shedding, slow readers, fast talkers. */
#include "tests/net/peers_fixture.h"

#include "net/peer_queue.h"

#include <signal.h>

#define MIB (1u << 20)

static struct node a, b;

static int setup(void **state)
{
    (void)state;
    loop = event_base_new();
    return loop == NULL;
}

static int teardown(void **state)
{
    (void)state;
    if (a.peers != NULL) node_close(&a);
    if (b.peers != NULL) node_close(&b);
    event_base_free(loop);
    return 0;
}

/* a dials b. */
static void connect_both(struct peers_limits limits_a, struct peers_limits limits_b)
{
    struct peers_config config = plain_config();
    config.limits = limits_a;
    node_open(&a, config);
    config.limits = limits_b;
    node_open(&b, config);
    node_dial(&a, &b);
    wait_until(a.opened == 1 && b.opened == 1);
}

static struct parcel *parcel_of(enum wire_type type, size_t size)
{
    uint8_t *payload = calloc(1, size);
    struct parcel *parcel = parcel_create(type, bytes_of(payload, size));
    free(payload);
    return parcel;
}

static bool send_from_a(enum wire_type type, size_t size)
{
    struct parcel *parcel = parcel_of(type, size);
    bool sent = peers_send(a.peers, a.last.peer, parcel);
    parcel_release(parcel);
    return sent;
}

static void a_vote_overtakes_the_blocks_that_wait(void **state)
{
    (void)state;
    connect_both((struct peers_limits){0}, (struct peers_limits){0});
    for (int i = 0; i < 3; i++)
        assert_true(send_from_a(WIRE_BLOCK, 4 * MIB - 1000));
    event_base_loop(loop, EVLOOP_ONCE); /* the first block begins */
    assert_true(send_from_a(WIRE_VOTE, 124));
    wait_until(b.messages == 4);
    assert_int_equal(b.heard[0].type, WIRE_BLOCK);
    assert_int_equal(b.heard[1].type, WIRE_VOTE);
    assert_int_equal(b.heard[2].size, 4 * MIB - 1000);
}

static void what_is_too_much_is_shed_from_the_least_channel(void **state)
{
    struct peer_info info;
    (void)state;
    connect_both((struct peers_limits){.send_bytes = 6 * MIB}, (struct peers_limits){0});
    assert_true(send_from_a(WIRE_BODY, MIB));
    for (int i = 0; i < 20; i++)
        assert_true(send_from_a(WIRE_VOTE, 124));
    for (int i = 0; i < 10; i++)
        assert_true(send_from_a(WIRE_BLOCK, MIB));
    assert_false(send_from_a(WIRE_BODY, MIB)); /* the newcomer is the least */
    assert_true(peers_info(a.peers, &info, a.last.peer));
    assert_int_equal(info.shed, 7); /* two bodies and five blocks */
    assert_true(info.queued_bytes <= 6 * MIB);
    wait_until(b.messages == 25);
    assert_int_equal(b.by_type[WIRE_VOTE], 20);
    assert_int_equal(b.by_type[WIRE_BLOCK], 5);
    assert_int_equal(b.by_type[WIRE_BODY], 0);
}

static void room_is_told_and_comes_back(void **state)
{
    (void)state;
    connect_both((struct peers_limits){0}, (struct peers_limits){0});
    size_t before = peers_room(a.peers, a.last.peer, CHANNEL_SYNC);
    assert_in_range(before, 4 * MIB + 32, PEER_ANSWER_BYTES_MAX);
    assert_true(send_from_a(WIRE_BODY, 4 * MIB));
    size_t full = peers_room(a.peers, a.last.peer, CHANNEL_SYNC);
    assert_int_equal(before - full, 4 * MIB + FRAME_HEAD_SIZE + PARCEL_COST);
    wait_until(b.messages == 1);
    assert_int_equal(peers_room(a.peers, a.last.peer, CHANNEL_SYNC), before);
}

static void one_who_does_not_read_is_dropped_and_holds_up_nobody(void **state)
{
    static struct client deaf;
    struct parcel *block = parcel_of(WIRE_BLOCK, 4 * MIB);
    struct parcel *vote = parcel_of(WIRE_VOTE, 124);
    size_t votes = 0;
    (void)state;
    connect_both((struct peers_limits){.stuck_ms = 700}, (struct peers_limits){0});
    uint64_t to_b = a.last.peer;
    client_greet(&deaf, &a, LOCALHOST, NULL);
    wait_until(a.opened == 2);
    uint64_t to_deaf = a.last.peer;
    uint64_t begun = monotonic_ms();
    for (int i = 0; i < 4; i++)
        (void)peers_send(a.peers, to_deaf, block);
    while (a.closed == 0) {
        assert_true(peers_send(a.peers, to_b, vote));
        (void)peers_send(a.peers, to_deaf, vote);
        votes++;
        wait_until(b.messages == votes);
        assert_true(monotonic_ms() - begun < 9000);
    }
    assert_true(monotonic_ms() - begun >= 700);
    assert_true(votes > 20); /* each came while the other was stuck */
    assert_int_equal(peers_count(a.peers), 1);
    parcel_release(block);
    parcel_release(vote);
    client_close(&deaf);
}

static void a_busy_honest_peer_is_slowed_down_and_never_banned(void **state)
{
    struct peer_info info;
    size_t sent = 0;
    (void)state;
    connect_both((struct peers_limits){0}, (struct peers_limits){.rate_bytes = 4 * MIB});
    uint64_t begun = monotonic_ms();
    while (b.messages < 16) { /* 16 MiB at 4 a second, 8 of them at once */
        if (sent < 16 && peers_room(a.peers, a.last.peer, CHANNEL_BLOCKS) > MIB)
            sent += send_from_a(WIRE_BLOCK, MIB);
        turn_ms(1);
        assert_true(monotonic_ms() - begun < 20000);
    }
    assert_true(monotonic_ms() - begun >= 1500);
    assert_true(peers_info(b.peers, &info, b.last.peer));
    assert_int_equal(info.score, 0);
    assert_int_equal(a.closed + b.closed, 0);
}

static void many_small_messages_are_slowed_down_too(void **state)
{
    (void)state;
    connect_both((struct peers_limits){0}, (struct peers_limits){.rate_messages = 1000});
    uint64_t begun = monotonic_ms();
    for (int i = 0; i < 4000; i++) /* 1,000 a second, 2,000 of them at once */
        assert_true(send_from_a(WIRE_VOTE, 124));
    wait_until(b.messages == 4000);
    assert_true(monotonic_ms() - begun >= 1500);
    assert_int_equal(a.closed + b.closed, 0);
}

/* An end and then a reset, between two turns of the loop: Linux answers the next write with
 * SIGPIPE, of which this program would die. */
static void writing_to_one_who_has_just_gone_is_survived(void **state)
{
    static struct client c;
    struct linger abort_at_once = {1, 0};
    struct parcel *block = parcel_of(WIRE_BLOCK, 4 * MIB);
    (void)state;
    node_open(&a, plain_config());
    client_greet(&c, &a, LOCALHOST, NULL);
    wait_until(a.opened == 1);
    signal(SIGPIPE, SIG_DFL); /* whoever started us may have ignored it */
    shutdown(c.fd, SHUT_WR);
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &abort_at_once, sizeof abort_at_once);
    client_close(&c);
    assert_true(peers_send(a.peers, a.last.peer, block));
    wait_until(a.closed == 1);
    assert_false(peers_send(a.peers, a.last.peer, block));
    parcel_release(block);
}

static void drop_at_once(void *context, const struct peer_info *peer)
{
    struct node *n = context;
    n->opened++;
    n->last = *peer;
    assert_true(peers_send_bytes(n->peers, peer->peer, WIRE_VOTE, bytes_of("x", 1)));
    peers_drop(n->peers, peer->peer, "the handler says so");
    assert_false(peers_send_bytes(n->peers, peer->peer, WIRE_VOTE, bytes_of("x", 1)));
}

static void think_and_send(void *context, const struct peer_info *peer)
{
    struct node *n = context;
    uint64_t begun = monotonic_ms();
    n->opened++;
    n->last = *peer;
    while (monotonic_ms() < begun + 3)
        ;
    assert_true(peers_send_bytes(n->peers, peer->peer, WIRE_VOTE, bytes_of("x", 1)));
}

static void charge_at_once(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    struct node *n = context;
    n->messages++;
    n->by_type[type]++;
    peers_charge(n->peers, peer, OFFENCE_FORGED, "the handler says so");
    n->bytes += payload.data[payload.size - 1]; /* still there */
}

static void open_with(struct node *n, struct peers_handlers handlers)
{
    struct peers_config config = plain_config();
    char error[PEERS_ERROR_SIZE];
    uint8_t seed[32] = {3};
    handlers.context = n;
    n->identity = identity_create();
    n->book = book_create(seed);
    assert_int_equal(peers_open(&n->peers, error, loop, n->identity, n->book, &config, &handlers),
                     OK);
    peers_start(n->peers);
}

static void a_handler_may_take_its_time_before_it_sends(void **state)
{
    (void)state;
    open_with(&a, (struct peers_handlers){NULL, think_and_send, node_on_message, node_on_close,
                                          NULL, NULL});
    node_open(&b, plain_config());
    node_dial(&b, &a);
    wait_until(b.messages == 1);
    turn_ms(300);
    assert_int_equal(a.closed, 0); /* nobody is stuck or silent for it */
}

static void a_handler_may_drop_and_charge_whom_it_is_called_for(void **state)
{
    (void)state;
    open_with(&a, (struct peers_handlers){NULL, drop_at_once, node_on_message, node_on_close, NULL,
                                          NULL});
    node_open(&b, plain_config());
    node_dial(&b, &a);
    wait_until(a.opened >= 1 && a.closed == a.opened);
    node_close(&a);
    node_close(&b);
    open_with(
        &a, (struct peers_handlers){NULL, node_on_open, charge_at_once, node_on_close, NULL, NULL});
    node_open(&b, plain_config());
    node_dial(&b, &a);
    wait_until(b.opened == 1);
    for (int i = 0; i < 10; i++)
        (void)peers_send_bytes(b.peers, b.last.peer, WIRE_TXS, bytes_of("ten in one record", 17));
    wait_until(a.closed == 1);
    assert_int_equal(a.messages, 1); /* nothing more of one who is banned */
}

int main(void)
{
#define IN_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_LOOP(a_vote_overtakes_the_blocks_that_wait),
        IN_LOOP(what_is_too_much_is_shed_from_the_least_channel),
        IN_LOOP(room_is_told_and_comes_back),
        IN_LOOP(one_who_does_not_read_is_dropped_and_holds_up_nobody),
        IN_LOOP(a_busy_honest_peer_is_slowed_down_and_never_banned),
        IN_LOOP(many_small_messages_are_slowed_down_too),
        IN_LOOP(writing_to_one_who_has_just_gone_is_survived),
        IN_LOOP(a_handler_may_take_its_time_before_it_sends),
        IN_LOOP(a_handler_may_drop_and_charge_whom_it_is_called_for),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
