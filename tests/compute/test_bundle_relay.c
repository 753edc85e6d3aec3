/* Workers that fetch a bundle from each other, over real gateways on loopback. */
#include "compute/bundle_relay.h"

#include "base/fatal.h"
#include "base/file.h"
#include "compute/gateway_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE (5u * 1024 * 1024 + 99)
#define JOB  3

/* A worker: its store and its gateway, which lets everybody read the job's bundle. */
struct node {
    char folder[100];
    struct blobs *blobs;
    struct gateway_server *server;
};

static char folder[64];
static uint8_t *content;
static struct gateway_content bundle;
static struct key identity;
static struct address owner = {{1}};
static struct node first, second;
static struct bundle_relay *relay; /* of the second */

static enum gateway_result allow(void *context, struct gateway_right *out,
                                 const struct gateway_name *name, const struct address *who)
{
    (void)context;
    (void)name;
    *out = (struct gateway_right){.may_read = true, .size = SIZE, .owner = *who};
    return GATEWAY_RESULT_OK;
}

static void start(struct node *n, const char *name)
{
    char blobs[200], key[200], certificate[200], error[JSON_ERROR_SIZE] = "";
    snprintf(n->folder, sizeof n->folder, "%s/%s", folder, name);
    assert_int_equal(directory_make(n->folder, 0700), OK);
    snprintf(blobs, sizeof blobs, "%s/blobs", n->folder);
    snprintf(key, sizeof key, "%s/tls.key", n->folder);
    snprintf(certificate, sizeof certificate, "%s/tls.crt", n->folder);
    assert_int_equal(blobs_open(&n->blobs, blobs, 64u << 20), OK);
    assert_int_equal(tls_identity_create(key, certificate), OK);
    struct gateway_server_options o = {.listen = "127.0.0.1:0",
                                       .key_path = key,
                                       .certificate_path = certificate,
                                       .blobs = n->blobs,
                                       .policy = allow};
    assert_int_equal(gateway_server_start(&n->server, error, &o), OK);
}

static void stop(struct node *n)
{
    gateway_server_stop(n->server);
    blobs_close(n->blobs);
}

static struct relay_source source_of(const struct node *n)
{
    struct relay_source s = {.tls_key_hash = gateway_server_key_hash(n->server)};
    snprintf(s.endpoint, sizeof s.endpoint, "%s", gateway_server_endpoint(n->server));
    return s;
}

static struct blob_key key_of_bundle(void)
{
    return (struct blob_key){JOB, bundle.root};
}

static void offer_to(struct node *n)
{
    struct leaf_tree tree;
    struct blob_key key = key_of_bundle();
    leaf_tree_init(&tree, SIZE);
    leaf_hashes(tree.nodes, bytes_of(content, SIZE));
    struct bytes all = bytes_of(tree.nodes, (size_t)tree.leaf_count * 32);
    assert_int_equal(blobs_offer(n->blobs, &key, &owner, SIZE, 0, all), OK);
    leaf_tree_finish(&tree);
}

static void put_into(struct node *n, uint64_t from, uint64_t end)
{
    struct blob_key key = key_of_bundle();
    for (uint64_t at = from; at < end; at += GATEWAY_CHUNK_MAX) {
        size_t size = end - at < GATEWAY_CHUNK_MAX ? (size_t)(end - at) : GATEWAY_CHUNK_MAX;
        assert_int_equal(blobs_put(n->blobs, &key, at, bytes_of(content + at, size)), OK);
    }
}

static uint64_t held_by(struct node *n)
{
    struct blob_key key = key_of_bundle();
    return blobs_state(n->blobs, &key).held;
}

/* Ten seconds at most: much longer than it takes. */
static bool comes_to_hold(struct node *n, uint64_t bytes)
{
    for (int i = 0; i < 1000 && held_by(n) < bytes; i++)
        usleep(10000);
    return held_by(n) >= bytes;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/leasehold-relay-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    content = must_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)(i * 2654435761u >> 13);
    bundle = (struct gateway_content){JOB, merkle_root(bytes_of(content, SIZE)), SIZE};
    key_generate(&identity);
    start(&first, "first");
    start(&second, "second");
    relay = bundle_relay_create(second.blobs, &identity);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bundle_relay_destroy(relay);
    stop(&first);
    stop(&second);
    free(content);
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void want_from(struct relay_source *sources, size_t count)
{
    bundle_relay_want(relay, &bundle, &owner, sources, count);
}

static void a_bundle_is_passed_on_while_it_is_still_arriving(void **state)
{
    (void)state;
    struct relay_source sources[] = {source_of(&first)};
    want_from(sources, 1); /* nothing is there yet */
    offer_to(&first);
    put_into(&first, 0, 4 * GATEWAY_CHUNK_MAX);
    assert_true(comes_to_hold(&second, 4 * GATEWAY_CHUNK_MAX));
    assert_true(held_by(&second) < SIZE);
    put_into(&first, 4 * GATEWAY_CHUNK_MAX, SIZE);
    assert_true(comes_to_hold(&second, SIZE));
    struct blob_key key = key_of_bundle();
    assert_true(blobs_state(second.blobs, &key).whole);
}

static void what_the_renter_sends_meanwhile_counts_as_well(void **state)
{
    (void)state;
    struct relay_source sources[] = {source_of(&first)};
    offer_to(&first);
    put_into(&first, 0, 8 * GATEWAY_CHUNK_MAX); /* and stays so: it has stalled */
    want_from(sources, 1);
    assert_true(comes_to_hold(&second, 8 * GATEWAY_CHUNK_MAX));
    put_into(&second, 8 * GATEWAY_CHUNK_MAX, SIZE);
    assert_true(comes_to_hold(&second, SIZE));
}

static void who_is_away_or_is_not_who_the_chain_names_holds_nobody_up(void **state)
{
    (void)state;
    struct relay_source sources[] = {source_of(&first), source_of(&first), source_of(&first)};
    snprintf(sources[0].endpoint, sizeof sources[0].endpoint, "127.0.0.1:1");
    sources[1].tls_key_hash.b[0] ^= 1;
    offer_to(&first);
    put_into(&first, 0, SIZE);
    want_from(sources, 3);
    assert_true(comes_to_hold(&second, SIZE));
}

static void a_dropped_job_is_fetched_no_more(void **state)
{
    (void)state;
    struct relay_source sources[] = {source_of(&first)};
    want_from(sources, 1);
    bundle_relay_drop(relay, JOB);
    usleep(2 * RELAY_PAUSE_MS * 1000);
    offer_to(&first);
    put_into(&first, 0, SIZE);
    usleep(2 * RELAY_PAUSE_MS * 1000);
    assert_int_equal(held_by(&second), 0);
}

#define WITH_WORKERS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORKERS(a_bundle_is_passed_on_while_it_is_still_arriving),
        WITH_WORKERS(what_the_renter_sends_meanwhile_counts_as_well),
        WITH_WORKERS(who_is_away_or_is_not_who_the_chain_names_holds_nobody_up),
        WITH_WORKERS(a_dropped_job_is_fetched_no_more),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
