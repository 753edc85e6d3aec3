/* How honest nodes meet, stay and part. */
#include "tests/net/peers_fixture.h"

static int setup(void **state)
{
    (void)state;
    loop = event_base_new();
    return loop == NULL;
}

static int teardown(void **state)
{
    (void)state;
    event_base_free(loop);
    return 0;
}

static void two_nodes_meet_and_exchange_a_message_of_each_channel(void **state)
{
    static const enum wire_type TYPES[] = {WIRE_MESH, WIRE_VOTE, WIRE_BLOCK, WIRE_TXS, WIRE_BODY};
    struct node a = {0};
    struct node b = {.echo = true};
    uint8_t payload[24] = {42};
    (void)state;
    node_open(&a, plain_config());
    node_open(&b, plain_config());
    node_dial(&a, &b);
    wait_until(a.opened == 1 && b.opened == 1);
    assert_true(a.last.outgoing);
    assert_false(b.last.outgoing);
    struct hash id = identity_id(b.identity);
    assert_memory_equal(&a.last.id, &id, sizeof id);
    assert_int_equal(a.last.claimed_epoch, 7);
    assert_int_equal(b.last.claimed_number, 70);
    assert_int_equal(b.last.dial.port, peers_port(a.peers));
    for (size_t i = 5; i-- > 0;)
        assert_true(peers_send_bytes(a.peers, a.last.peer, TYPES[i], bytes_of(payload, 24)));
    wait_until(a.messages == 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(a.heard[i].type, TYPES[i]); /* in the order of priority */
        assert_int_equal(a.heard[i].first, 42);
    }
    node_close(&a);
    node_close(&b);
}

static void what_is_dropped_is_silent_at_once_and_told_from_the_loop(void **state)
{
    struct node a = {0};
    struct node b = {0};
    struct peers_config config = plain_config();
    (void)state;
    node_open(&b, config);
    config.listen = ""; /* else b would dial a */
    node_open(&a, config);
    node_dial(&a, &b);
    wait_until(a.opened == 1 && b.opened == 1);
    peers_drop(a.peers, a.last.peer, "the test says so");
    assert_int_equal(peers_count(a.peers), 0);
    assert_false(peers_send_bytes(a.peers, a.last.peer, WIRE_VOTE, bytes_of("", 0)));
    assert_int_equal(peers_room(a.peers, a.last.peer, CHANNEL_VOTES), 0);
    assert_int_equal(a.closed, 0);
    uint64_t first = a.last.peer;
    wait_until(a.closed == 1 && b.closed == 1);
    wait_until(a.opened == 2 && b.opened == 2); /* no offence: it is dialled again */
    assert_int_not_equal(a.last.peer, first);
    node_close(&a);
    node_close(&b);
}

static void of_two_connections_the_one_of_the_lower_id_stays(void **state)
{
    struct node a = {0};
    struct node b = {0};
    (void)state;
    node_open(&a, plain_config());
    node_open(&b, plain_config());
    node_dial(&a, &b);
    node_dial(&b, &a);
    wait_until(a.opened > 0 && b.opened > 0);
    turn_ms(300);
    assert_int_equal(peers_count(a.peers), 1);
    assert_int_equal(peers_count(b.peers), 1);
    assert_int_equal(a.opened - a.closed, 1);
    assert_int_equal(b.opened - b.closed, 1);
    assert_int_not_equal(a.last.outgoing, b.last.outgoing);
    if (a.closed + b.closed > 0) { /* there were two for a moment */
        struct hash id_a = identity_id(a.identity);
        struct hash id_b = identity_id(b.identity);
        bool a_is_lower = bytes_compare(hash_bytes(&id_a), hash_bytes(&id_b)) < 0;
        assert_int_equal(a.last.outgoing, a_is_lower);
    }
    assert_true(peers_send_bytes(a.peers, a.last.peer, WIRE_VOTE, bytes_of("x", 1)));
    wait_until(b.messages == 1);
    node_close(&a);
    node_close(&b);
}

static void a_node_that_finds_itself_does_not_stay_or_try_again(void **state)
{
    struct node a = {0};
    (void)state;
    node_open(&a, plain_config());
    struct wire_peer self = {.address = local_address(peers_port(a.peers))}; /* the id unknown */
    peers_add(a.peers, &self);
    turn_ms(2500);
    assert_int_equal(a.opened, 0);
    assert_int_equal(peers_count(a.peers), 0);
    node_close(&a);
}

static void another_id_than_the_expected_one_is_not_talked_to(void **state)
{
    struct node a = {0};
    struct node b = {0};
    (void)state;
    node_open(&a, plain_config());
    node_open(&b, plain_config());
    struct wire_peer wrong = node_address(&b);
    wrong.id.b[0] ^= 1;
    peers_add(a.peers, &wrong);
    turn_ms(300);
    assert_int_equal(a.opened + b.opened, 0);
    node_close(&a);
    node_close(&b);
}

static void an_id_that_was_heard_is_put_right_by_the_one_that_is_proved(void **state)
{
    struct node a = {0};
    struct node b = {0};
    (void)state;
    node_open(&a, plain_config());
    node_open(&b, plain_config());
    struct wire_peer hearsay = node_address(&b);
    hearsay.id.b[0] ^= 1;
    assert_true(book_add(a.book, &hearsay, &hearsay.address, calendar_s()));
    wait_until(a.opened == 1 && b.opened == 1);
    struct hash id = identity_id(b.identity);
    assert_memory_equal(&a.last.id, &id, sizeof id);
    node_close(&a);
    node_close(&b);
}

static void but_for_fixed_ones_a_group_of_addresses_is_dialled_once(void **state)
{
    struct node a = {0};
    struct node others[4] = {0};
    struct peers_config config = plain_config();
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        config.listen = i < 3 ? "127.0.0.1:0" : "127.9.0.1:0"; /* another /16 */
        node_open(&others[i], config);
    }
    config.listen = "";
    config.allow_private = false;
    node_open(&a, config);
    book_allow_private(a.book, true); /* the rule is in force, and loopback can be chosen */
    for (size_t i = 0; i < 4; i++) {
        struct wire_peer to = node_address(&others[i]);
        if (i == 3) to.address.ip[13] = 9;
        assert_true(book_add(a.book, &to, &to.address, calendar_s()));
    }
    turn_ms(1500);
    assert_int_equal(a.opened, 2);
    assert_int_equal(others[3].opened, 1);
    for (size_t i = 0; i < 3; i++)
        node_dial(&a, &others[i]);
    wait_until(a.opened == 4);
    node_close(&a);
    for (size_t i = 0; i < 4; i++)
        node_close(&others[i]);
}

static void a_node_learns_of_others_from_whom_it_dialled(void **state)
{
    struct node a = {0};
    struct node b = {0};
    struct node c = {0};
    (void)state;
    node_open(&a, plain_config());
    node_open(&b, plain_config());
    node_open(&c, plain_config());
    node_dial(&c, &b); /* and says in its HELLO where it can be dialled */
    wait_until(b.opened == 1);
    node_dial(&a, &b);
    wait_until(a.opened >= 2 && c.opened >= 2); /* a asked b, heard of c and dialled it */
    struct hash id_c = identity_id(c.identity);
    assert_memory_equal(&a.last.id, &id_c, sizeof id_c);
    node_close(&a);
    node_close(&b);
    node_close(&c);
}

static bool nobody(void *context, const struct wire_peer *peer)
{
    (void)context;
    (void)peer;
    return false;
}

static void outgoing_peers_are_kept_as_anchors_and_dialled_first(void **state)
{
    struct node a = {0};
    struct node b = {0};
    char path[] = "/tmp/peers_book_XXXXXX";
    uint8_t seed[32] = {0};
    struct wire_peer chosen;
    (void)state;
    int fd = mkstemp(path);
    node_open(&a, plain_config());
    node_open(&b, plain_config());
    struct wire_peer address = node_address(&b);
    assert_true(book_add(a.book, &address, &address.address, calendar_s()));
    wait_until(a.opened == 1);
    peers_drop(a.peers, a.last.peer, "the line is cut");
    wait_until(a.closed == 1);
    assert_int_equal(book_save(a.book, path), OK); /* with nobody connected */
    node_close(&a);
    assert_int_equal(book_load(&a.book, path, seed), OK);
    book_allow_private(a.book, true);
    bool found = book_choose(a.book, &chosen, nobody, NULL, calendar_s());
    assert_true(found);
    assert_memory_equal(&chosen.id, &address.id, sizeof chosen.id);
    book_destroy(a.book);
    node_close(&b);
    unlink(path);
    close(fd);
}

static void a_refused_node_is_gone_until_the_partition_heals(void **state)
{
    struct node a = {0};
    struct node b = {0};
    struct node c = {0};
    (void)state;
    node_open(&a, plain_config());
    node_open(&b, plain_config());
    node_open(&c, plain_config());
    node_dial(&a, &b);
    node_dial(&c, &a);
    wait_until(a.opened == 2 && b.opened == 1 && c.opened == 1);
    struct hash ids[] = {identity_id(b.identity), identity_id(c.identity)};
    peers_refuse(a.peers, ids, 2, false);
    wait_until(a.closed == 2 && b.closed == 1 && c.closed == 1);
    turn_ms(2500);
    assert_int_equal(a.opened, 2); /* neither dialled b nor let c in */
    peers_refuse(a.peers, NULL, 0, false);
    uint64_t healed_at = monotonic_ms();
    wait_until(b.opened >= 2);
    assert_true(monotonic_ms() - healed_at < 4000);
    wait_until(c.opened >= 2);
    peers_refuse(a.peers, NULL, 0, true);
    wait_until(a.closed == a.opened);
    turn_ms(1200);
    assert_int_equal(peers_count(a.peers), 0);
    node_close(&a);
    node_close(&b);
    node_close(&c);
}

static void an_idle_connection_is_kept_alive_and_measured(void **state)
{
    struct node a = {0};
    struct node b = {0};
    struct peers_config config = plain_config();
    struct peer_info info;
    (void)state;
    config.limits.ping_ms = 100;
    config.limits.silent_ms = 1500;
    node_open(&a, config);
    node_open(&b, config);
    node_dial(&a, &b);
    wait_until(a.opened == 1 && b.opened == 1);
    turn_ms(2500);
    assert_int_equal(a.closed + b.closed, 0);
    assert_true(peers_info(a.peers, &info, a.last.peer));
    assert_in_range(info.round_trip_ms, 1, 1500);
    assert_true(info.bytes_in > 0 && info.bytes_out > 0);
    assert_int_equal(info.queued_bytes, 0);
    node_close(&a);
    node_close(&b);
}

static void a_full_house_is_not_run_down_by_those_who_want_in(void **state)
{
    struct node a = {0};
    struct node b = {0};
    static struct client c;
    struct peers_config config = plain_config();
    (void)state;
    config.in_max = 1;
    node_open(&b, config);
    client_greet(&c, &b, LOCALHOST, NULL);
    wait_until(b.opened == 1);
    config.listen = ""; /* else b would dial a */
    node_open(&a, config);
    node_dial(&a, &b);
    wait_until(a.opened > 0 && a.closed == a.opened); /* open to us, then hung up by them */
    turn_ms(5000);
    assert_in_range(a.opened, 1, 3); /* now, after two seconds and after four more */
    assert_int_equal(b.opened, 1);
    client_close(&c);
    node_close(&a);
    node_close(&b);
}

static void of_another_chain_nobody_is_kept_or_banned(void **state)
{
    struct node a = {0};
    struct node b = {0};
    struct node c = {0};
    struct peers_config config = plain_config();
    (void)state;
    node_open(&a, config);
    config.chain_id++;
    node_open(&b, config);
    config = plain_config();
    config.genesis.b[31] = 1;
    node_open(&c, config);
    node_dial(&b, &a);
    node_dial(&c, &a);
    turn_ms(1500);
    assert_int_equal(a.opened + b.opened + c.opened, 0);
    struct node d = {0};
    node_open(&d, plain_config());
    node_dial(&d, &a);
    wait_until(a.opened == 1);
    node_close(&a);
    node_close(&b);
    node_close(&c);
    node_close(&d);
}

static void wrong_addresses_are_told_with_what_to_write(void **state)
{
    struct peers_handlers handlers = {NULL,          node_on_open, node_on_message,
                                      node_on_close, NULL,         NULL};
    struct peers_config config = plain_config();
    struct identity *identity = identity_create();
    struct peers *p = NULL;
    char error[PEERS_ERROR_SIZE] = "";
    (void)state;
    config.listen = "somewhere:30333";
    assert_int_equal(peers_open(&p, error, loop, identity, NULL, &config, &handlers), E_MALFORMED);
    assert_non_null(strstr(error, "\"somewhere:30333\""));
    config.listen = "192.0.2.1:1"; /* not an address of this machine */
    assert_int_equal(peers_open(&p, error, loop, identity, NULL, &config, &handlers), E_IO);
    assert_non_null(strstr(error, "192.0.2.1:1"));
    config.listen = "";
    config.advertise = "[::1]:0";
    assert_int_equal(peers_open(&p, error, loop, identity, NULL, &config, &handlers), E_MALFORMED);
    assert_non_null(strstr(error, "[::1]:0"));
    identity_destroy(identity);
}

static void nodes_meet_over_ipv6_and_one_need_not_listen(void **state)
{
    struct node a = {0};
    struct node b = {0};
    struct peers_config config = plain_config();
    (void)state;
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 one = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool has_ipv6 = probe >= 0 && bind(probe, (struct sockaddr *)&one, sizeof one) == 0;
    if (probe >= 0) close(probe);
    if (!has_ipv6) skip();
    config.listen = "[::1]:0";
    node_open(&b, config);
    config.listen = "";
    node_open(&a, config);
    assert_int_equal(peers_port(a.peers), 0);
    struct wire_peer address = {{{[15] = 1}, peers_port(b.peers)}, identity_id(b.identity)};
    peers_add(a.peers, &address);
    wait_until(a.opened == 1 && b.opened == 1);
    assert_int_equal(b.last.dial.port, 0);
    node_close(&a);
    node_close(&b);
}

int main(void)
{
#define IN_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_LOOP(two_nodes_meet_and_exchange_a_message_of_each_channel),
        IN_LOOP(what_is_dropped_is_silent_at_once_and_told_from_the_loop),
        IN_LOOP(of_two_connections_the_one_of_the_lower_id_stays),
        IN_LOOP(a_node_that_finds_itself_does_not_stay_or_try_again),
        IN_LOOP(another_id_than_the_expected_one_is_not_talked_to),
        IN_LOOP(an_id_that_was_heard_is_put_right_by_the_one_that_is_proved),
        IN_LOOP(but_for_fixed_ones_a_group_of_addresses_is_dialled_once),
        IN_LOOP(a_node_learns_of_others_from_whom_it_dialled),
        IN_LOOP(outgoing_peers_are_kept_as_anchors_and_dialled_first),
        IN_LOOP(a_refused_node_is_gone_until_the_partition_heals),
        IN_LOOP(an_idle_connection_is_kept_alive_and_measured),
        IN_LOOP(a_full_house_is_not_run_down_by_those_who_want_in),
        IN_LOOP(of_another_chain_nobody_is_kept_or_banned),
        IN_LOOP(wrong_addresses_are_told_with_what_to_write),
        IN_LOOP(nodes_meet_over_ipv6_and_one_need_not_listen),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
