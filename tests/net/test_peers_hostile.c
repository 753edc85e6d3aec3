/* What strangers may try, and what it gets them: nothing kept, a line in the log, often a ban. */
#include "tests/net/peers_fixture.h"

#include <signal.h>

#define PATIENT_MS 60000 /* whoever is dropped sooner is dropped for another reason */

static struct node node;

static int setup(void **state)
{
    (void)state;
    loop = event_base_new();
    return loop == NULL;
}

static int teardown(void **state)
{
    (void)state;
    node_close(&node);
    event_base_free(loop);
    return 0;
}

static struct peers_limits quick(void)
{
    return (struct peers_limits){.handshake_ms = 500};
}

static void open_node(struct peers_limits limits)
{
    struct peers_config config = plain_config();
    config.limits = limits;
    node_open(&node, config);
}

/* Somebody honest gets in all the same. */
static void expect_open_for_others(uint32_t from_ip)
{
    struct client c;
    size_t before = node.opened;
    client_greet(&c, &node, from_ip, NULL);
    wait_until(node.opened == before + 1);
    client_close(&c);
}

/* ------------------------------------------------------------------------ handshakes */

static void who_says_nothing_is_gone_when_the_handshake_time_is_over(void **state)
{
    struct client c;
    (void)state;
    open_node(quick());
    client_dial(&c, &node, LOCALHOST);
    uint64_t begun = monotonic_ms();
    assert_true(client_is_dropped(&c));
    assert_in_range(monotonic_ms() - begun, 490, 3000);
    client_close(&c);
    expect_open_for_others(LOCALHOST);
}

static void the_handshake_time_is_five_seconds_for_all_of_it(void **state)
{
    struct client c;
    (void)state;
    open_node((struct peers_limits){0});
    client_dial(&c, &node, LOCALHOST);
    turn_ms(1); /* the node has it */
    uint64_t begun = monotonic_ms();
    assert_true(client_is_dropped(&c));
    assert_in_range(monotonic_ms() - begun, 4900, 9000);
    client_close(&c);
}

static void a_byte_now_and_then_buys_no_time(void **state)
{
    static const uint8_t BEGINNING[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
    struct client c;
    (void)state;
    open_node(quick());
    client_dial(&c, &node, LOCALHOST);
    uint64_t begun = monotonic_ms();
    for (size_t i = 0; monotonic_ms() - begun < 4000 && !c.gone; i++) {
        char byte;
        if (send(c.fd, &BEGINNING[i < 10 ? i : 10], 1, MSG_NOSIGNAL) < 0) c.gone = true;
        turn_ms(20);
        if (recv(c.fd, &byte, 1, 0) == 0) c.gone = true;
    }
    assert_true(c.gone);
    assert_in_range(monotonic_ms() - begun, 490, 3500);
    client_close(&c);
}

static void tls_without_a_hello_is_half_a_handshake(void **state)
{
    struct client c;
    (void)state;
    open_node(quick());
    client_dial(&c, &node, LOCALHOST);
    client_use_tls(&c);
    assert_true(client_shake(&c));
    assert_true(client_is_dropped(&c));
    assert_int_equal(node.opened, 0);
    client_close(&c);
}

static void what_is_not_tls_is_dropped_at_once(void **state)
{
    static const char HTTP[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct client c;
    (void)state;
    open_node((struct peers_limits){0});
    client_dial(&c, &node, LOCALHOST);
    uint64_t begun = monotonic_ms();
    assert_true(send(c.fd, HTTP, sizeof HTTP - 1, 0) > 0);
    assert_true(client_is_dropped(&c));
    assert_true(monotonic_ms() - begun < 4000); /* not for its time */
    client_close(&c);
}

static void expect_refused_by_tls(SSL_CTX *context)
{
    struct client c;
    client_dial(&c, &node, LOCALHOST);
    c.ssl = SSL_new(context);
    SSL_set_fd(c.ssl, c.fd);
    SSL_set_connect_state(c.ssl);
    if (client_shake(&c)) { /* in TLS 1.3 the client ends first, and learns of it later */
        struct wire_hello hello = plain_hello();
        client_send_hello(&c, &hello);
        assert_true(client_is_dropped(&c));
    }
    assert_int_equal(node.opened, 0);
    client_close(&c);
    SSL_CTX_free(context);
}

/* A client with a key and a certificate of its own. */
static SSL_CTX *context_with(const char *kind, const char *group, const EVP_MD *digest)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, kind, group);
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 1000);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, digest) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

static void older_tls_is_refused(void **state)
{
    SSL_CTX *context = context_with("ED25519", NULL, NULL);
    (void)state;
    open_node(quick());
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    expect_refused_by_tls(context);
}

static void a_client_without_a_certificate_is_refused(void **state)
{
    (void)state;
    open_node(quick());
    expect_refused_by_tls(SSL_CTX_new(TLS_client_method()));
}

static void a_key_of_another_kind_is_refused(void **state)
{
    (void)state;
    open_node(quick());
    expect_refused_by_tls(context_with("EC", "P-256", EVP_sha256()));
}

/* -------------------------------------------------------------------------- messages */

/* Sends the frame, is dropped, and cannot come again with the same key. */
static void expect_banned_for(bool greeted, const void *frame, size_t size)
{
    struct client c;
    client_dial(&c, &node, LOCALHOST);
    client_use_tls(&c);
    assert_true(client_shake(&c));
    struct wire_hello hello = plain_hello();
    if (greeted) client_send_hello(&c, &hello);
    client_send(&c, bytes_of(frame, size));
    assert_true(client_is_dropped(&c));
    struct identity *same = c.identity;
    c.identity = NULL;
    client_close(&c);
    size_t before = node.opened;
    client_dial(&c, &node, LOCALHOST);
    c.identity = same;
    c.ssl = SSL_new(identity_context(same));
    SSL_set_fd(c.ssl, c.fd);
    SSL_set_connect_state(c.ssl);
    if (client_shake(&c)) client_send_hello(&c, &hello);
    assert_true(client_is_dropped(&c));
    assert_int_equal(node.opened, before);
    client_close(&c);
}

static void broken_frames_are_banned_before_they_are_stored(void **state)
{
    static const uint8_t EMPTY[] = {0, 0, 0, 0, WIRE_VOTE};
    static const uint8_t HUGE[] = {0xff, 0xff, 0xff, 0xff, WIRE_BLOCK};
    static const uint8_t LARGE_VOTE[] = {0, 0, 0, 126, WIRE_VOTE};
    static const uint8_t UNKNOWN[] = {0, 0, 0, 1, 255};
    static const uint8_t PING[] = {0, 0, 0, 2, WIRE_PING, 0};
    (void)state;
    open_node((struct peers_limits){0});
    expect_banned_for(true, EMPTY, sizeof EMPTY);
    expect_banned_for(true, HUGE, sizeof HUGE);
    expect_banned_for(true, LARGE_VOTE, sizeof LARGE_VOTE);
    expect_banned_for(true, UNKNOWN, sizeof UNKNOWN);
    expect_banned_for(true, PING, sizeof PING);
    assert_int_equal(node.messages, 0);
    assert_int_equal(node.opened, node.closed);
}

static void hello_is_the_first_message_and_comes_once(void **state)
{
    static const uint8_t VOTE[] = {0, 0, 0, 2, WIRE_VOTE, 1};
    static const uint8_t PROMISED_BLOCK[] = {0, 64, 0, 0, WIRE_BLOCK};
    static const uint8_t SHORT_HELLO[] = {0, 0, 0, 3, WIRE_HELLO, 0, WIRE_VERSION};
    (void)state;
    open_node((struct peers_limits){0});
    expect_banned_for(false, VOTE, sizeof VOTE);
    expect_banned_for(false, PROMISED_BLOCK, sizeof PROMISED_BLOCK);
    expect_banned_for(false, SHORT_HELLO, sizeof SHORT_HELLO);
    assert_int_equal(node.opened, 0);
    expect_banned_for(true, SHORT_HELLO, sizeof SHORT_HELLO); /* the second */
    assert_int_equal(node.messages, 0);
}

static void expect_dropped_not_banned(struct wire_hello hello)
{
    struct client c;
    client_dial(&c, &node, LOCALHOST);
    client_use_tls(&c);
    assert_true(client_shake(&c));
    client_send_hello(&c, &hello);
    assert_true(client_is_dropped(&c));
    client_close(&c);
}

static void nodes_of_another_network_are_dropped_and_not_banned(void **state)
{
    struct wire_hello hello = plain_hello();
    (void)state;
    open_node((struct peers_limits){.strict_loopback = true}); /* an address could be banned */
    hello.chain_id++;
    expect_dropped_not_banned(hello);
    hello = plain_hello();
    hello.genesis.b[0]++;
    expect_dropped_not_banned(hello);
    assert_int_equal(node.opened, 0);
    expect_open_for_others(LOCALHOST);
}

static void another_version_is_dropped_and_not_banned(void **state)
{
    static const uint8_t NEXT[] = {0, 0, 0, 4, WIRE_HELLO, 0, WIRE_VERSION + 1, 42};
    struct client c;
    (void)state;
    open_node((struct peers_limits){.strict_loopback = true});
    client_dial(&c, &node, LOCALHOST);
    client_use_tls(&c);
    assert_true(client_shake(&c));
    client_send(&c, bytes_of(NEXT, sizeof NEXT)); /* what follows is for that version to say */
    assert_true(client_is_dropped(&c));
    client_close(&c);
    expect_open_for_others(LOCALHOST);
}

static void addresses_nobody_asked_for_are_an_offence(void **state)
{
    struct client c;
    struct buffer payload = {0};
    struct wire_peer lie = {.address = local_address(1)};
    (void)state;
    open_node((struct peers_limits){0});
    client_greet(&c, &node, LOCALHOST, NULL);
    wait_until(node.opened == 1);
    wire_peers_encode(&payload, &lie, 1);
    size_t before = book_count(node.book);
    client_send_frame(&c, WIRE_PEERS, buffer_bytes(&payload));
    turn_ms(50);
    struct peer_info info;
    assert_true(peers_info(node.peers, &info, node.last.peer));
    assert_int_equal(info.score, 20);
    for (int i = 0; i < 4; i++)
        client_send_frame(&c, WIRE_PEERS, buffer_bytes(&payload));
    assert_true(client_is_dropped(&c));
    assert_int_equal(book_count(node.book), before);
    buffer_finish(&payload);
    client_close(&c);
}

static void a_stream_of_key_updates_is_cut_off(void **state)
{
    struct client c;
    (void)state;
    open_node((struct peers_limits){0});
    client_greet(&c, &node, LOCALHOST, NULL);
    wait_until(node.opened == 1);
    for (int i = 0; i < 1000 && !c.gone; i++) {
        assert_int_equal(SSL_key_update(c.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        int answer = SSL_do_handshake(c.ssl);
        if (answer != 1) (void)client_must_wait(&c, answer);
        turn_ms(1);
        if (node.closed > 0) break;
    }
    assert_int_equal(node.closed, 1);
    client_close(&c);
}

static void a_message_that_never_ends_is_given_up(void **state)
{
    struct client c;
    uint8_t some[64] = {0};
    (void)state;
    open_node((struct peers_limits){.frame_ms = 300});
    client_greet(&c, &node, LOCALHOST, NULL);
    wait_until(node.opened == 1);
    store_be32(some, 1 << 20);
    some[4] = WIRE_BLOCK;
    uint64_t begun = monotonic_ms();
    while (node.closed == 0 && monotonic_ms() - begun < 8000) {
        client_send(&c, bytes_of(some, sizeof some));
        memset(some, 0, sizeof some);
        turn_ms(20);
    }
    assert_int_equal(node.closed, 1);
    assert_true(monotonic_ms() - begun >= 290);
    client_close(&c);
}

static void who_falls_silent_is_gone_after_a_while(void **state)
{
    struct client c;
    (void)state;
    open_node((struct peers_limits){.ping_ms = 100, .silent_ms = 400});
    client_greet(&c, &node, LOCALHOST, NULL);
    wait_until(node.opened == 1);
    uint64_t begun = monotonic_ms();
    wait_until(node.closed == 1); /* it answers no PING: a machine that lost its power */
    assert_in_range(monotonic_ms() - begun, 290, 8000);
    client_close(&c);
}

/* ---------------------------------------------------------------------------- proofs */

static void a_validator_proves_its_key_by_the_connection(void **state)
{
    struct client c;
    struct key key;
    (void)state;
    key_generate(&key);
    open_node((struct peers_limits){0});
    client_greet(&c, &node, LOCALHOST, &key);
    wait_until(node.opened == 1);
    struct address want = key_address(&key);
    assert_true(node.last.is_validator);
    assert_memory_equal(&node.last.validator, &want, sizeof want);
    client_close(&c);
}

static void open_validator_node(struct node *n, struct key *key)
{
    struct peers_config config = plain_config();
    key_generate(key);
    config.validator_key = key;
    node_open(n, config);
}

/* Whatever address it recovers to, it is not the validator's. */
static void expect_not_taken_for(const struct node *n, const struct key *key)
{
    struct address validator = key_address(key);
    wait_until(n->opened == 1 || n->closed == n->opened);
    assert_memory_not_equal(&n->last.validator, &validator, sizeof validator);
}

static void a_proof_reflected_to_its_maker_proves_nothing(void **state)
{
    struct client c;
    struct key key;
    (void)state;
    open_validator_node(&node, &key);
    client_dial(&c, &node, LOCALHOST);
    client_use_tls(&c);
    assert_true(client_shake(&c));
    struct wire_hello hello = plain_hello();
    hello.proof = client_hear_hello(&c).proof;
    client_send_hello(&c, &hello);
    wait_until(node.opened == 1);
    expect_not_taken_for(&node, &key);
    client_close(&c);
}

static void a_proof_carried_over_to_another_connection_proves_nothing(void **state)
{
    struct node validator = {0};
    struct client to_validator;
    struct client c;
    struct key key;
    (void)state;
    open_node((struct peers_limits){0});
    open_validator_node(&validator, &key);
    client_dial(&to_validator, &validator, LOCALHOST);
    client_use_tls(&to_validator);
    assert_true(client_shake(&to_validator));
    struct wire_hello hello = plain_hello();
    hello.proof = client_hear_hello(&to_validator).proof;
    client_dial(&c, &node, LOCALHOST);
    client_use_tls(&c);
    assert_true(client_shake(&c));
    client_send_hello(&c, &hello);
    wait_until(node.opened == 1);
    expect_not_taken_for(&node, &key);
    client_close(&c);
    client_close(&to_validator);
    node_close(&validator);
}

static void what_is_no_signature_at_all_is_a_forgery(void **state)
{
    struct client c;
    (void)state;
    open_node((struct peers_limits){0});
    client_dial(&c, &node, LOCALHOST);
    client_use_tls(&c);
    assert_true(client_shake(&c));
    struct wire_hello hello = plain_hello();
    memset(hello.proof.b, 0xff, sizeof hello.proof.b - 1); /* r and s out of range */
    client_send_hello(&c, &hello);
    assert_true(client_is_dropped(&c));
    assert_int_equal(node.opened, 0);
    client_close(&c);
}

/* ------------------------------------------------------------------- crowds and bans */

static void a_ban_is_by_address_and_ends(void **state)
{
    static const uint8_t EMPTY[] = {0, 0, 0, 0, WIRE_VOTE};
    struct client c;
    (void)state;
    open_node(
        (struct peers_limits){.strict_loopback = true, .ban_ms = 2000, .handshake_ms = PATIENT_MS});
    client_greet(&c, &node, LOCALHOST, NULL);
    client_send(&c, bytes_of(EMPTY, sizeof EMPTY));
    assert_true(client_is_dropped(&c));
    client_close(&c);
    client_dial(&c, &node, LOCALHOST); /* with whatever key: refused at the door */
    assert_true(client_is_dropped(&c));
    client_close(&c);
    expect_open_for_others(LOCALHOST + 1);
    turn_ms(2100);
    expect_open_for_others(LOCALHOST);
}

static void of_loopback_only_the_id_is_banned(void **state)
{
    static const uint8_t EMPTY[] = {0, 0, 0, 0, WIRE_VOTE};
    (void)state;
    open_node((struct peers_limits){0});
    expect_banned_for(true, EMPTY, sizeof EMPTY);
    expect_open_for_others(LOCALHOST);
}

#define CROWD 1000

static size_t count_alive(const int *sockets)
{
    size_t alive = 0;
    for (size_t i = 0; i < CROWD; i++) {
        char byte;
        alive += recv(sockets[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
    }
    return alive;
}

static void a_thousand_connections_of_one_address_leave_room_for_others(void **state)
{
    static int sockets[CROWD];
    struct client c;
    (void)state;
    open_node((struct peers_limits){.strict_loopback = true});
    for (size_t i = 0; i < CROWD; i++) {
        client_dial(&c, &node, LOCALHOST);
        sockets[i] = c.fd;
        if (i % 50 == 0) turn_ms(1);
    }
    turn_ms(100);
    assert_in_range(count_alive(sockets), 1, PEERS_ADDRESS_MAX);
    expect_open_for_others(LOCALHOST + 256);
    for (size_t i = 0; i < CROWD; i++)
        close(sockets[i]);
}

static void handshakes_are_bounded_and_the_oldest_makes_room(void **state)
{
    static struct client old[8];
    (void)state;
    open_node((struct peers_limits){.handshakes = 4, .handshake_ms = PATIENT_MS});
    for (size_t i = 0; i < 8; i++) {
        client_dial(&old[i], &node, LOCALHOST);
        turn_ms(5);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(client_is_dropped(&old[i]));
        client_close(&old[i]);
    }
    expect_open_for_others(LOCALHOST);
    for (size_t i = 4; i < 8; i++)
        client_close(&old[i]);
}

static void who_tries_too_often_waits_for_the_next_minute(void **state)
{
    struct client c;
    (void)state;
    open_node((struct peers_limits){.strict_loopback = true, .handshake_ms = PATIENT_MS});
    for (size_t i = 0; i < PEERS_ATTEMPTS_MINUTE; i++)
        expect_open_for_others(LOCALHOST);
    client_dial(&c, &node, LOCALHOST);
    assert_true(client_is_dropped(&c));
    assert_int_equal(node.opened, PEERS_ATTEMPTS_MINUTE);
    client_close(&c);
    expect_open_for_others(LOCALHOST + 1);
}

static void a_full_house_has_room_for_validators_of_the_set(void **state)
{
    struct peers_config config = plain_config();
    static struct client c[4];
    struct key keys[2];
    (void)state;
    config.in_max = 1;
    key_generate(&keys[0]);
    key_generate(&keys[1]);
    node.set[0] = key_address(&keys[0]);
    node.set_count = 1;
    node_open(&node, config);
    client_greet(&c[0], &node, LOCALHOST, NULL);
    wait_until(node.opened == 1);
    client_greet(&c[1], &node, LOCALHOST, NULL); /* nobody */
    assert_true(client_is_dropped(&c[1]));
    client_greet(&c[2], &node, LOCALHOST, &keys[1]); /* a key, but not in the set */
    assert_true(client_is_dropped(&c[2]));
    client_greet(&c[3], &node, LOCALHOST, &keys[0]);
    wait_until(node.opened == 2);
    assert_int_equal(node.closed, 0);
    for (size_t i = 0; i < 4; i++)
        client_close(&c[i]);
}

static void a_validator_has_few_reserved_places_whatever_ids_it_makes(void **state)
{
    struct peers_config config = plain_config();
    static struct client c[PEERS_VALIDATOR_EACH + 2];
    struct key key;
    (void)state;
    config.in_max = 1;
    key_generate(&key);
    node.set[0] = key_address(&key);
    node.set_count = 1;
    node_open(&node, config);
    for (size_t i = 0; i < PEERS_VALIDATOR_EACH + 1; i++) { /* the last in an ordinary place */
        client_greet(&c[i], &node, LOCALHOST, &key);
        wait_until(node.opened == i + 1);
    }
    client_greet(&c[PEERS_VALIDATOR_EACH + 1], &node, LOCALHOST, &key);
    assert_true(client_is_dropped(&c[PEERS_VALIDATOR_EACH + 1]));
    for (size_t i = 0; i < PEERS_VALIDATOR_EACH + 2; i++)
        client_close(&c[i]);
}

static void a_crowded_subnet_makes_room_for_another(void **state)
{
    struct peers_config config = plain_config();
    static struct client c[5];
    (void)state;
    config.in_max = 3;
    node_open(&node, config);
    for (size_t i = 0; i < 3; i++) {
        client_greet(&c[i], &node, LOCALHOST, NULL);
        wait_until(node.opened == i + 1);
    }
    client_greet(&c[3], &node, LOCALHOST + 256, NULL);
    wait_until(node.opened == 4);
    assert_true(client_is_dropped(&c[2])); /* the newest of the three */
    client_greet(&c[4], &node, LOCALHOST + 256, NULL);
    assert_true(client_is_dropped(&c[4])); /* two and one are as mixed as one and two */
    assert_int_equal(peers_count(node.peers), 3);
    for (size_t i = 0; i < 5; i++)
        client_close(&c[i]);
}

static void a_liar_about_its_address_keeps_nobody_from_being_dialled(void **state)
{
    struct node victim = {0};
    struct client c;
    (void)state;
    open_node((struct peers_limits){0});
    node_open(&victim, plain_config());
    client_dial(&c, &node, LOCALHOST);
    client_use_tls(&c);
    assert_true(client_shake(&c));
    struct wire_hello hello = plain_hello();
    hello.address = local_address(peers_port(victim.peers));
    client_send_hello(&c, &hello);
    wait_until(node.opened == 1);
    node_dial(&node, &victim);
    wait_until(node.opened == 2 && victim.opened == 1);
    client_close(&c);
    node_close(&victim);
}

int main(void)
{
#define IN_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_LOOP(who_says_nothing_is_gone_when_the_handshake_time_is_over),
        IN_LOOP(the_handshake_time_is_five_seconds_for_all_of_it),
        IN_LOOP(a_byte_now_and_then_buys_no_time),
        IN_LOOP(tls_without_a_hello_is_half_a_handshake),
        IN_LOOP(what_is_not_tls_is_dropped_at_once),
        IN_LOOP(older_tls_is_refused),
        IN_LOOP(a_client_without_a_certificate_is_refused),
        IN_LOOP(a_key_of_another_kind_is_refused),
        IN_LOOP(broken_frames_are_banned_before_they_are_stored),
        IN_LOOP(hello_is_the_first_message_and_comes_once),
        IN_LOOP(nodes_of_another_network_are_dropped_and_not_banned),
        IN_LOOP(another_version_is_dropped_and_not_banned),
        IN_LOOP(addresses_nobody_asked_for_are_an_offence),
        IN_LOOP(a_stream_of_key_updates_is_cut_off),
        IN_LOOP(a_message_that_never_ends_is_given_up),
        IN_LOOP(who_falls_silent_is_gone_after_a_while),
        IN_LOOP(a_validator_proves_its_key_by_the_connection),
        IN_LOOP(a_proof_reflected_to_its_maker_proves_nothing),
        IN_LOOP(a_proof_carried_over_to_another_connection_proves_nothing),
        IN_LOOP(what_is_no_signature_at_all_is_a_forgery),
        IN_LOOP(a_ban_is_by_address_and_ends),
        IN_LOOP(of_loopback_only_the_id_is_banned),
        IN_LOOP(a_thousand_connections_of_one_address_leave_room_for_others),
        IN_LOOP(handshakes_are_bounded_and_the_oldest_makes_room),
        IN_LOOP(who_tries_too_often_waits_for_the_next_minute),
        IN_LOOP(a_full_house_has_room_for_validators_of_the_set),
        IN_LOOP(a_validator_has_few_reserved_places_whatever_ids_it_makes),
        IN_LOOP(a_crowded_subnet_makes_room_for_another),
        IN_LOOP(a_liar_about_its_address_keeps_nobody_from_being_dialled),
    };
    signal(SIGPIPE, SIG_IGN); /* the hostile clients' own; nodes need no such thing */
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
