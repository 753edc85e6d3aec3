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
    uint8_t payload[100] = {42};
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
    for (size_t i = 0; i < 5; i++)
        assert_true(peers_send_bytes(a.peers, a.last.peer, TYPES[i],
                                     bytes_of(payload, i == 0 ? 24 : sizeof payload)));
    wait_until(a.messages == 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(a.heard[i].type, TYPES[i]); /* also the order of priority */
        assert_int_equal(a.heard[i].first, 42);
    }
    peers_drop(a.peers, a.last.peer, "the test is over");
    assert_int_equal(peers_count(a.peers), 0);
    assert_false(peers_send_bytes(a.peers, a.last.peer, WIRE_VOTE, bytes_of(payload, 1)));
    assert_int_equal(a.closed, 0); /* told from the loop only */
    wait_until(a.closed == 1 && b.closed == 1);
    node_close(&a);
    node_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_nodes_meet_and_exchange_a_message_of_each_channel,
                                        setup, teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
