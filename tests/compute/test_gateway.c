/* The gateway's server against its real client over loopback. */
#include "compute/gateway_server.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/merkle.h"
#include "client/frame_stream.h"
#include "client/gateway.h"
#include "compute/known_jobs.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE (700 * 1024 + 123) /* several chunks, and a short leaf at the end */
#define JOB  5

static char folder[64];
static char file_path[128];
static char back_path[128];
static uint8_t *content;
static struct key renter;
static struct blobs *store;
static struct known_jobs *known;
static struct known_job job;
static struct gateway_server *server;
static struct gateway_content bundle;

static void at(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", folder, name);
}

static int start_server(void)
{
    char key_path[128];
    char certificate_path[128];
    char error[JSON_ERROR_SIZE] = "";
    at(key_path, "tls.key");
    at(certificate_path, "tls.crt");
    if (access(key_path, F_OK) != 0 && tls_identity_create(key_path, certificate_path) != OK)
        return 1;
    struct gateway_server_options options = {.listen = "127.0.0.1:0",
                                             .key_path = key_path,
                                             .certificate_path = certificate_path,
                                             .blobs = store,
                                             .policy = known_jobs_policy,
                                             .context = known};
    enum status status = gateway_server_start(&server, error, &options);
    if (status != OK) fprintf(stderr, "%s\n", error);
    return status != OK;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/leasehold-gateway-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    content = must_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)(i * 2654435761u >> 11);
    key_generate(&renter);
    at(file_path, "bundle");
    at(back_path, "back");
    if (file_write_atomic(file_path, bytes_of(content, SIZE), 0600) != OK) return 1;
    char blob_folder[128];
    at(blob_folder, "blobs");
    if (blobs_open(&store, blob_folder, 4 << 20) != OK) return 1;
    known = known_jobs_create();
    bundle = (struct gateway_content){
        .job = JOB, .root = merkle_root(bytes_of(content, SIZE)), .size = SIZE};
    job = (struct known_job){.id = JOB,
                             .renter = key_address(&renter),
                             .bundle_root = bundle.root,
                             .bundle_size = SIZE,
                             .takes_bundle = true};
    known_jobs_put(known, &job);
    return start_server();
}

static int tear_down(void **state)
{
    (void)state;
    gateway_server_stop(server);
    server = NULL;
    known_jobs_destroy(known);
    blobs_close(store);
    free(content);
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct gateway *open_as(const struct key *who)
{
    struct gateway_peer peer = {.endpoint = gateway_server_endpoint(server),
                                .tls_key_hash = gateway_server_key_hash(server),
                                .timeout_ms = 5000};
    char error[JSON_ERROR_SIZE] = "";
    struct gateway *g = NULL;
    enum status status = gateway_open(&g, error, &peer, who);
    if (status != OK) fail_msg("gateway_open: %s", error);
    return g;
}

static void a_bundle_goes_up_and_comes_back_unchanged(void **state)
{
    (void)state;
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    bool whole = false;
    assert_int_equal(blobs_held(store, JOB, &bundle.root, &whole), SIZE);
    assert_true(whole);
    assert_int_equal(gateway_get(g, &bundle, back_path, NULL), OK);
    struct buffer back = {0};
    assert_int_equal(file_read(&back, back_path, SIZE), OK);
    assert_int_equal(back.size, SIZE);
    assert_memory_equal(back.data, content, SIZE);
    buffer_finish(&back);
    gateway_close(g);
}

static void an_upload_continues_on_a_new_connection(void **state)
{
    (void)state;
    struct bytes first = bytes_of(content, GATEWAY_CHUNK_MAX);
    assert_int_equal(blobs_append(store, JOB, &bundle.root, SIZE, 0, first), OK);
    struct gateway *g = open_as(&renter);
    struct gateway_sizes sizes;
    assert_int_equal(gateway_stat(g, &sizes, &bundle), OK);
    assert_int_equal(sizes.size, SIZE);
    assert_int_equal(sizes.held, GATEWAY_CHUNK_MAX);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    gateway_close(g);
    bool whole = false;
    (void)blobs_held(store, JOB, &bundle.root, &whole);
    assert_true(whole);
}

static void a_stranger_may_neither_write_nor_read(void **state)
{
    (void)state;
    struct key stranger;
    key_generate(&stranger);
    struct gateway *g = open_as(&stranger);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), E_DENIED);
    assert_int_equal(blobs_held(store, JOB, &bundle.root, NULL), 0);
    assert_int_equal(gateway_get(g, &bundle, back_path, NULL), E_DENIED);
    assert_int_not_equal(access(back_path, F_OK), 0);
    gateway_close(g);
}

static void an_upload_whose_last_byte_came_before_a_crash_is_finished(void **state)
{
    (void)state;
    char part[256], name[67], blob_folder[128];
    hash_to_text(name, &bundle.root);
    snprintf(part, sizeof part, "%s/blobs/%s.%d.part", folder, name + 2, JOB);
    gateway_server_stop(server);
    blobs_close(store);
    assert_int_equal(file_write_atomic(part, bytes_of(content, SIZE), 0600), OK);
    at(blob_folder, "blobs");
    assert_int_equal(blobs_open(&store, blob_folder, 4 << 20), OK);
    assert_int_equal(start_server(), 0);
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    bool whole = false;
    assert_int_equal(blobs_held(store, JOB, &bundle.root, &whole), SIZE);
    assert_true(whole);
    gateway_close(g);
}

static void a_result_is_served_only_once_it_is_revealed(void **state)
{
    (void)state;
    char result_path[128];
    at(result_path, "result");
    assert_int_equal(file_write_atomic(result_path, bytes_of("result", 6), 0600), OK);
    struct gateway_content result = {.job = JOB, .size = 6};
    result.root = merkle_root(bytes_of("result", 6));
    assert_int_equal(blobs_adopt(store, &result.root, result_path), OK);
    job.result_root = result.root;
    job.result_size = 6;
    job.gives_result = false;
    assert_true(known_jobs_put(known, &job));
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_get(g, &result, back_path, NULL), E_STATE);
    job.gives_result = true;
    assert_true(known_jobs_put(known, &job));
    assert_int_equal(gateway_get(g, &result, back_path, NULL), OK);
    gateway_close(g);
}

static void a_worker_with_another_key_is_not_talked_to(void **state)
{
    (void)state;
    struct gateway_peer peer = {.endpoint = gateway_server_endpoint(server), .timeout_ms = 5000};
    peer.tls_key_hash = gateway_server_key_hash(server);
    peer.tls_key_hash.b[0] ^= 1;
    char error[JSON_ERROR_SIZE] = "";
    struct gateway *g = NULL;
    assert_int_equal(gateway_open(&g, error, &peer, &renter), E_DENIED);
    assert_true(error[0] != 0);
}

static void a_bundle_of_another_size_is_refused_before_a_byte_is_stored(void **state)
{
    (void)state;
    job.bundle_size = SIZE - 1;
    assert_true(known_jobs_put(known, &job));
    struct gateway *g = open_as(&renter);
    assert_int_not_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    assert_int_equal(blobs_held(store, JOB, &bundle.root, NULL), 0);
    gateway_close(g);
}

/* From 127.0.0.`host`; says nothing. */
static int raw_connection_from(uint8_t host)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
    const char *endpoint = gateway_server_endpoint(server);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((uint16_t)strtoul(strrchr(endpoint, ':') + 1, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void silent_and_talkative_strangers_do_not_keep_a_renter_out(void **state)
{
    (void)state;
    int silent[GATEWAY_PER_ADDRESS_MAX - 2];
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        silent[i] = raw_connection_from(1);
    int garbage = raw_connection_from(1);
    char noise[512];
    memset(noise, 'x', sizeof noise);
    (void)!write(garbage, noise, sizeof noise);
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    gateway_close(g);
    close(garbage);
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        close(silent[i]);
}

static void strangers_on_every_place_do_not_keep_a_renter_out(void **state)
{
    (void)state;
    int silent[GATEWAY_CONNECTIONS_MAX];
    for (size_t i = 0; i < GATEWAY_CONNECTIONS_MAX; i++)
        silent[i] = raw_connection_from((uint8_t)(1 + i / GATEWAY_PER_ADDRESS_MAX));
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    int more[GATEWAY_CONNECTIONS_MAX]; /* nor do later ones push out whom the chain knows */
    for (size_t i = 0; i < GATEWAY_CONNECTIONS_MAX; i++)
        more[i] = raw_connection_from((uint8_t)(1 + i / GATEWAY_PER_ADDRESS_MAX));
    assert_int_equal(gateway_get(g, &bundle, back_path, NULL), OK);
    gateway_close(g);
    for (size_t i = 0; i < GATEWAY_CONNECTIONS_MAX; i++) {
        close(silent[i]);
        close(more[i]);
    }
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_bundle_goes_up_and_comes_back_unchanged),
        WITH_SERVER(an_upload_continues_on_a_new_connection),
        WITH_SERVER(a_stranger_may_neither_write_nor_read),
        WITH_SERVER(an_upload_whose_last_byte_came_before_a_crash_is_finished),
        WITH_SERVER(a_result_is_served_only_once_it_is_revealed),
        WITH_SERVER(a_worker_with_another_key_is_not_talked_to),
        WITH_SERVER(a_bundle_of_another_size_is_refused_before_a_byte_is_stored),
        WITH_SERVER(strangers_on_every_place_do_not_keep_a_renter_out),
        WITH_SERVER(silent_and_talkative_strangers_do_not_keep_a_renter_out),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
