/* The renter's uploads: sent once where workers pass the bundle on, to everybody where they do not.
 * Real gateways and relays on loopback. */
#include "wallet/job_upload.h"

#include "base/fatal.h"
#include "base/file.h"
#include "compute/bundle_relay.h"
#include "compute/gateway_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE (12u * 1024 * 1024 + 5)
#define JOB  3

struct node {
    char folder[100];
    struct blobs *blobs;
    struct gateway_server *server;
    struct bundle_relay *relay;
};

static char folder[64];
static char path[128];
static struct gateway_content bundle;
static struct key renter, hot;
static struct node nodes[2];
static struct uploads uploads;

static enum gateway_result policy(void *context, struct gateway_right *out,
                                  const struct gateway_name *name, const struct address *who)
{
    (void)context;
    (void)name;
    struct address own = key_address(&renter);
    *out = (struct gateway_right){address_equal(who, &own), true, SIZE, own};
    return GATEWAY_RESULT_OK;
}

static void start(struct node *n, unsigned number)
{
    char blobs[200], key[200], certificate[200], error[JSON_ERROR_SIZE] = "";
    snprintf(n->folder, sizeof n->folder, "%s/%u", folder, number);
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
                                       .policy = policy};
    assert_int_equal(gateway_server_start(&n->server, error, &o), OK);
    n->relay = bundle_relay_create(n->blobs, &hot);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/leasehold-upload-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/bundle.tar", folder);
    uint8_t *content = must_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)(i * 2654435761u >> 13);
    bundle = (struct gateway_content){JOB, merkle_root(bytes_of(content, SIZE)), SIZE};
    if (file_write_atomic(path, bytes_of(content, SIZE), 0600) != OK) return 1;
    free(content);
    key_generate(&renter);
    key_generate(&hot);
    for (unsigned i = 0; i < 2; i++)
        start(&nodes[i], i);
    uploads_init(&uploads, &bundle, path, &renter);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    uploads_stop(&uploads);
    for (unsigned i = 0; i < 2; i++) {
        bundle_relay_destroy(nodes[i].relay);
        gateway_server_stop(nodes[i].server);
        blobs_close(nodes[i].blobs);
    }
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* As Jobs.getReplicas shows it. */
static void start_upload(unsigned index, const char *endpoint)
{
    struct address provider = {{(uint8_t)(index + 1)}};
    struct hash key_hash = gateway_server_key_hash(nodes[index].server);
    json_t *replica = json_pack("{s:o,s:o,s:s}", "provider", abi_address(&provider), "tlsKeyHash",
                                abi_hash(&key_hash), "endpoint", endpoint);
    uploads_start(&uploads, index, replica);
    json_decref(replica);
}

static void start_relay(unsigned of, unsigned from)
{
    struct relay_source source = {.tls_key_hash = gateway_server_key_hash(nodes[from].server)};
    struct address owner = key_address(&renter);
    snprintf(source.endpoint, sizeof source.endpoint, "%s",
             gateway_server_endpoint(nodes[from].server));
    bundle_relay_want(nodes[of].relay, &bundle, &owner, &source, 1);
}

static bool comes_whole(unsigned index)
{
    struct blob_key key = {JOB, bundle.root};
    for (int i = 0; i < 1500 && upload_state(&uploads.items[index]) == UPLOAD_RUNNING; i++)
        usleep(10000);
    return upload_state(&uploads.items[index]) == UPLOAD_DONE &&
           blobs_state(nodes[index].blobs, &key).whole;
}

static void the_second_worker_gets_it_from_the_first(void **state)
{
    (void)state;
    start_relay(1, 0);
    start_upload(0, gateway_server_endpoint(nodes[0].server));
    start_upload(1, gateway_server_endpoint(nodes[1].server));
    assert_true(comes_whole(0));
    assert_true(comes_whole(1));
    assert_false(atomic_load(&uploads.items[0].relayed));
    assert_true(atomic_load(&uploads.items[1].relayed));
}

static void a_worker_to_whom_nobody_passes_it_on_gets_it_from_the_renter(void **state)
{
    (void)state;
    start_upload(0, gateway_server_endpoint(nodes[0].server));
    start_upload(1, gateway_server_endpoint(nodes[1].server));
    assert_true(comes_whole(0));
    assert_true(comes_whole(1));
    assert_false(atomic_load(&uploads.items[1].relayed));
}

static void a_first_worker_that_is_away_does_not_hold_up_the_second(void **state)
{
    (void)state;
    char text[TRANSFER_TEXT_SIZE + 40];
    start_relay(1, 0);
    start_upload(0, "127.0.0.1:1");
    start_upload(1, gateway_server_endpoint(nodes[1].server));
    assert_true(comes_whole(1));
    assert_int_equal(upload_state(&uploads.items[0]), UPLOAD_RUNNING); /* still trying */
    assert_true(uploads_text(&uploads, text));
    assert_non_null(strstr(text, "uploading to worker 1: 0 B of 12.0 MiB"));
}

static void the_rate_is_that_of_the_last_seconds(void **state)
{
    (void)state;
    struct transfer t = {0};
    char text[TRANSFER_TEXT_SIZE];
    uint64_t mib = 1u << 20;
    transfer_text(text, &t, 100 * mib, 1024 * mib, 1000); /* what an earlier try had brought */
    assert_string_equal(text, "100.0 MiB of 1.0 GiB");
    transfer_text(text, &t, 120 * mib, 1024 * mib, 2000);
    assert_string_equal(text, "120.0 MiB of 1.0 GiB, 20.0 MiB/s, 45 s left");
    for (uint64_t s = 3; s < 30; s++)
        transfer_text(text, &t, (120 + s) * mib, 1024 * mib, s * 1000);
    assert_string_equal(text, "149.0 MiB of 1.0 GiB, 1.0 MiB/s, 14 min left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_second_worker_gets_it_from_the_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_worker_to_whom_nobody_passes_it_on_gets_it_from_the_renter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_first_worker_that_is_away_does_not_hold_up_the_second,
                                        set_up, tear_down),
        cmocka_unit_test(the_rate_is_that_of_the_last_seconds),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
