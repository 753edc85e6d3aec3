/* Transactions between pools over real connections, and a peer that lies about them. */
#include "tests/net/peers_fixture.h"

#include "node/tx_relay.h"
#include "tests/node/network.h"

#include <sys/eventfd.h>

struct side { /* a pool, and peers that only relay */
    struct store *store;
    struct ledger *ledger;
    struct pool *pool;
    struct tx_relay *relay;
    struct node node; /* its peers */
    int wake_fd;
};

static struct network network;

static void on_open(void *context, const struct peer_info *info)
{
    struct side *s = context;
    s->node.opened++;
    tx_relay_peer_open(s->relay, info->peer, monotonic_ms());
}

static void on_close(void *context, uint64_t peer)
{
    struct side *s = context;
    s->node.closed++;
    tx_relay_peer_closed(s->relay, peer);
}

static void on_message(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    struct side *s = context;
    s->node.by_type[type]++;
    tx_relay_message(s->relay, peer, type, payload, monotonic_ms());
}

static void side_open_pool(struct side *s, const char *name)
{
    char journal[32], error[POOL_ERROR_SIZE];
    snprintf(journal, sizeof journal, "%s.journal", name);
    s->store = network_store(&network, name);
    s->ledger = network_ledger(&network, s->store);
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct pool_setup setup = {s->store, &network.genesis->config, &ledger_head(s->ledger)->header,
                               network_path(&network, journal), s->wake_fd};
    assert_int_equal(pool_open(&s->pool, error, &setup), OK);
}

static void side_open(struct side *s, const char *name)
{
    struct peers_handlers handlers = {s, on_open, on_message, on_close, NULL, NULL};
    struct peers_config config = plain_config();
    char error[PEERS_ERROR_SIZE] = "";
    uint8_t seed[32] = {7};
    *s = (struct side){0};
    side_open_pool(s, name);
    s->node.identity = identity_create();
    s->node.book = book_create(seed);
    assert_int_equal(
        peers_open(&s->node.peers, error, loop, s->node.identity, s->node.book, &config, &handlers),
        OK);
    s->relay = tx_relay_create(s->node.peers, s->pool);
    peers_start(s->node.peers);
}

static void side_close(struct side *s)
{
    node_close(&s->node);
    tx_relay_destroy(s->relay);
    pool_close(s->pool);
    ledger_close(s->ledger);
    store_close(s->store);
    close(s->wake_fd);
}

static void join(struct side *a, struct node *b)
{
    size_t before = a->node.opened;
    node_dial(&a->node, b);
    wait_until(a->node.opened == before + 1 && b->opened > 0);
}

static struct hash give(struct side *s, uint64_t nonce)
{
    struct buffer wire = {0};
    struct hash hash;
    network_transfer(&network, &wire, nonce);
    assert_int_equal(pool_submit(s->pool, &hash, buffer_bytes(&wire)), TX_FINE);
    buffer_finish(&wire);
    return hash;
}

/* As the node does: at each arrival and each RELAY_PAUSE_MS. */
static bool turned(struct side *a, struct side *b)
{
    if (a != NULL) tx_relay_turn(a->relay, monotonic_ms());
    if (b != NULL) tx_relay_turn(b->relay, monotonic_ms());
    return true;
}

static void a_pool_is_told_what_another_has_and_asks_once(void **state)
{
    struct side a, b;
    (void)state;
    side_open(&a, "a1");
    side_open(&b, "b1");
    give(&a, 0); /* before they meet */
    join(&a, &b.node);
    for (uint64_t nonce = 1; nonce < 10; nonce++)
        give(&a, nonce);
    wait_until(turned(&a, &b) && pool_count(b.pool) == 10);
    size_t asked = a.node.by_type[WIRE_TX_REQUEST];
    assert_in_range(asked, 1, 10);
    for (int i = 0; i < 20; i++) {
        turn_ms(5);
        turned(&a, &b);
    }
    assert_int_equal(a.node.by_type[WIRE_TX_ANNOUNCE], 0); /* nothing comes back */
    assert_int_equal(a.node.by_type[WIRE_TX_REQUEST], asked);
    side_close(&a);
    side_close(&b);
}

/* ---- a liar ---- */

static uint64_t liar_peer(const struct node *liar)
{
    struct peer_info info;
    assert_int_equal(peers_list(liar->peers, &info, 1), 1);
    return info.peer;
}

static void send_hash(struct node *liar, struct hash hash)
{
    struct buffer b = {0};
    wire_hashes_encode(&b, &hash, 1);
    assert_true(peers_send_bytes(liar->peers, liar_peer(liar), WIRE_TX_ANNOUNCE, buffer_bytes(&b)));
    buffer_finish(&b);
}

static void send_tx(struct node *liar, struct bytes wire)
{
    struct buffer b = {0};
    wire_tx_append(&b, wire);
    assert_true(peers_send_bytes(liar->peers, liar_peer(liar), WIRE_TXS, buffer_bytes(&b)));
    buffer_finish(&b);
}

static void takes_nothing_that_it_did_not_ask_for(void **state)
{
    struct side a;
    struct node liar = {0};
    struct buffer wire = {0};
    (void)state;
    side_open(&a, "a2");
    node_open(&liar, plain_config());
    join(&a, &liar);
    network_transfer(&network, &wire, 0);
    send_tx(&liar, buffer_bytes(&wire));
    wait_until(a.node.by_type[WIRE_TXS] == 1);
    assert_int_equal(pool_count(a.pool), 0);
    assert_int_equal(a.node.closed, 0); /* it may have been late: no offence */
    buffer_finish(&wire);
    node_close(&liar);
    side_close(&a);
}

static void asks_the_next_when_the_first_to_announce_does_not_answer(void **state)
{
    struct side a, b;
    struct node liar = {0};
    (void)state;
    side_open(&a, "a3");
    side_open(&b, "b3");
    node_open(&liar, plain_config());
    join(&a, &liar);
    join(&a, &b.node);
    struct hash hash = give(&b, 0);
    send_hash(&liar, hash);
    wait_until(liar.by_type[WIRE_TX_REQUEST] == 1); /* it was asked, and keeps silent */
    wait_until(turned(&a, &b) && pool_count(a.pool) == 1);
    side_close(&b);
    node_close(&liar);
    side_close(&a);
}

static void drops_who_announces_and_sends_what_nobody_signed(void **state)
{
    struct side a;
    struct node liar = {0};
    struct buffer wire = {0};
    (void)state;
    side_open(&a, "a4");
    node_open(&liar, plain_config());
    join(&a, &liar);
    for (uint64_t nonce = 0; nonce < 2; nonce++) { /* two such offences end it */
        buffer_clear(&wire);
        network_transfer(&network, &wire, nonce);
        memset(wire.data + wire.size - 32, 0xff, 32); /* s is out of range */
        struct bytes bad = buffer_bytes(&wire);
        send_hash(&liar, tx_hash_of_wire(bad));
        wait_until(liar.by_type[WIRE_TX_REQUEST] == nonce + 1);
        send_tx(&liar, bad);
        wait_until(a.node.by_type[WIRE_TXS] == nonce + 1);
    }
    wait_until(a.node.closed == 1);
    assert_int_equal(pool_count(a.pool), 0);
    buffer_finish(&wire);
    node_close(&liar);
    side_close(&a);
}

static void announcing_without_end_holds_up_nobody_else(void **state)
{
    struct side a, b;
    struct node liar = {0};
    struct hash made_up[WIRE_HASHES_MAX];
    (void)state;
    side_open(&a, "a5");
    side_open(&b, "b5");
    node_open(&liar, plain_config());
    join(&a, &liar);
    join(&a, &b.node);
    random_bytes((uint8_t *)made_up, sizeof made_up);
    for (uint32_t i = 0; i < 40; i++) { /* many times what one may have open */
        struct buffer b2 = {0};
        for (size_t k = 0; k < WIRE_HASHES_MAX; k++)
            store_be32(made_up[k].b, i);
        wire_hashes_encode(&b2, made_up, WIRE_HASHES_MAX);
        (void)!peers_send_bytes(liar.peers, liar_peer(&liar), WIRE_TX_ANNOUNCE, buffer_bytes(&b2));
        buffer_finish(&b2);
    }
    wait_until(a.node.by_type[WIRE_TX_ANNOUNCE] == 40);
    give(&b, 0);
    wait_until(turned(&a, &b) && pool_count(a.pool) == 1);
    side_close(&b);
    node_close(&liar);
    side_close(&a);
}

static void who_announces_hangs_up_and_comes_again_fills_nothing_for_ever(void **state)
{
    struct side a;
    struct hash made_up[WIRE_HASHES_MAX];
    struct buffer b = {0};
    (void)state;
    side_open(&a, "a6");
    for (uint64_t peer = 1; peer <= 2 * RELAY_WANTED_MAX / WIRE_HASHES_MAX; peer++) {
        random_bytes((uint8_t *)made_up, sizeof made_up);
        buffer_clear(&b);
        wire_hashes_encode(&b, made_up, WIRE_HASHES_MAX);
        tx_relay_peer_open(a.relay, peer << 32, 1000);
        tx_relay_message(a.relay, peer << 32, WIRE_TX_ANNOUNCE, buffer_bytes(&b), 1000);
        tx_relay_peer_closed(a.relay, peer << 32);
    }
    struct node friend = {0};
    node_open(&friend, plain_config());
    join(&a, &friend);
    tx_relay_turn(a.relay, 1500); /* well before their time is over */
    send_hash(&friend, (struct hash){{1}});
    wait_until(friend.by_type[WIRE_TX_REQUEST] == 1);
    buffer_finish(&b);
    node_close(&friend);
    side_close(&a);
}

static void answers_as_fast_as_the_answers_are_taken(void **state)
{
    struct side a;
    struct node greedy = {0};
    struct hash same[WIRE_HASHES_MAX];
    struct buffer b = {0};
    struct peer_info info;
    (void)state;
    side_open(&a, "a7");
    node_open(&greedy, plain_config());
    join(&a, &greedy);
    same[0] = give(&a, 0);
    for (size_t i = 1; i < WIRE_HASHES_MAX; i++)
        same[i] = same[0];
    wire_hashes_encode(&b, same, WIRE_HASHES_MAX);
    assert_int_equal(peers_list(a.node.peers, &info, 1), 1);
    for (int i = 0; i < 1000; i++)
        tx_relay_message(a.relay, info.peer, WIRE_TX_REQUEST, buffer_bytes(&b), 1000);
    assert_true(peers_info(a.node.peers, &info, info.peer));
    assert_true(info.queued_bytes > 0);
    assert_int_equal(info.shed, 0);
    buffer_finish(&b);
    node_close(&greedy);
    side_close(&a);
}

static void asks_ever_less_of_who_sends_what_the_pool_cannot_use(void **state)
{
    struct side a;
    struct node liar = {0};
    struct buffer wire = {0};
    struct network poor = network;
    size_t answered = 0;
    (void)state;
    side_open(&a, "a8");
    node_open(&liar, plain_config());
    join(&a, &liar);
    poor.rich = network_key(77); /* has nothing */
    network_transfer(&poor, &wire, 0);
    uint64_t start_ms = monotonic_ms();
    for (int i = 0; i < 1500; i++) {
        send_hash(&liar, tx_hash_of_wire(buffer_bytes(&wire)));
        turn_ms(1);
        if (liar.by_type[WIRE_TX_REQUEST] == answered) continue;
        answered = liar.by_type[WIRE_TX_REQUEST];
        send_tx(&liar, buffer_bytes(&wire));
        wait_until(a.node.by_type[WIRE_TXS] == answered);
    }
    uint64_t most = RELAY_VAIN_RATE * (3 + (monotonic_ms() - start_ms) / 1000) + 1;
    assert_in_range(answered, 2 * RELAY_VAIN_RATE, most);
    assert_int_equal(a.node.closed, 0); /* no offence either */
    buffer_finish(&wire);
    node_close(&liar);
    side_close(&a);
}

static int make_network(void **state)
{
    (void)state;
    loop = event_base_new();
    network_make(&network, 50, 100);
    return 0;
}

static int remove_network(void **state)
{
    (void)state;
    event_base_free(loop);
    network_remove(&network);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_is_told_what_another_has_and_asks_once),
        cmocka_unit_test(takes_nothing_that_it_did_not_ask_for),
        cmocka_unit_test(asks_the_next_when_the_first_to_announce_does_not_answer),
        cmocka_unit_test(drops_who_announces_and_sends_what_nobody_signed),
        cmocka_unit_test(announcing_without_end_holds_up_nobody_else),
        cmocka_unit_test(who_announces_hangs_up_and_comes_again_fills_nothing_for_ever),
        cmocka_unit_test(answers_as_fast_as_the_answers_are_taken),
        cmocka_unit_test(asks_ever_less_of_who_sends_what_the_pool_cannot_use),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_network, remove_network);
}
