/* The gateway's server against its real client over loopback. */
#include "compute/gateway_server.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/merkle.h"
#include "client/frame_stream.h"
#include "client/gateway.h"
#include "compute/gateway_meter.h"
#include "compute/known_jobs.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE  (700 * 1024 + 123) /* several chunks, and a short leaf at the end */
#define JOB   5
#define QUOTA (256u << 20)

static char folder[64];
static char file_path[128];
static char back_path[128];
static char blob_folder[128];
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
    at(blob_folder, "blobs");
    if (blobs_open(&store, blob_folder, QUOTA) != OK) return 1;
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
                                .timeout_ms = 30000};
    char error[JSON_ERROR_SIZE] = "";
    struct gateway *g = NULL;
    enum status status = gateway_open(&g, error, &peer, who);
    if (status != OK) fail_msg("gateway_open: %s", error);
    return g;
}

static struct blob_state state_of(const struct gateway_content *c)
{
    return blobs_state(store, &(struct blob_key){c->job, c->root});
}

static void check_back(void)
{
    struct buffer back = {0};
    assert_int_equal(file_read(&back, back_path, SIZE), OK);
    assert_int_equal(back.size, SIZE);
    assert_memory_equal(back.data, content, SIZE);
    buffer_finish(&back);
}

static void a_bundle_goes_up_and_comes_back_unchanged(void **state)
{
    (void)state;
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    assert_true(state_of(&bundle).whole);
    assert_int_equal(gateway_get(g, &bundle, back_path, NULL), OK);
    check_back();
    gateway_close(g);
}

/* What an uploader that was cut off has left behind: all hashes, and one chunk. */
static void leave_one_chunk(uint64_t offset)
{
    struct leaf_tree tree;
    struct blob_key key = {JOB, bundle.root};
    leaf_tree_init(&tree, SIZE);
    leaf_hashes(tree.nodes, bytes_of(content, SIZE));
    struct bytes all = bytes_of(tree.nodes, (size_t)tree.leaf_count * 32);
    assert_int_equal(blobs_offer(store, &key, &job.renter, SIZE, 0, all), OK);
    struct bytes chunk = bytes_of(content + offset, GATEWAY_CHUNK_MAX);
    assert_int_equal(blobs_put(store, &key, offset, chunk), OK);
    leaf_tree_finish(&tree);
}

static void an_upload_sends_only_what_is_missing(void **state)
{
    (void)state;
    leave_one_chunk(GATEWAY_CHUNK_MAX); /* not the first: what is held may have holes */
    struct gateway *g = open_as(&renter);
    struct gateway_sizes sizes;
    assert_int_equal(gateway_stat(g, &sizes, &bundle), OK);
    assert_int_equal(sizes.size, SIZE);
    assert_int_equal(sizes.held, GATEWAY_CHUNK_MAX);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    assert_in_range(gateway_traffic(g), SIZE - GATEWAY_CHUNK_MAX, SIZE - GATEWAY_CHUNK_MAX + 2000);
    gateway_close(g);
    assert_true(state_of(&bundle).whole);
}

struct stopper {
    uint64_t at_bytes;
};

static bool stop_at(void *context, uint64_t done, uint64_t size)
{
    const struct stopper *s = context;
    (void)size;
    return done < s->at_bytes;
}

static void a_stopped_transfer_goes_on_where_it_was(void **state)
{
    (void)state;
    struct stopper stopper = {2 * GATEWAY_CHUNK_MAX};
    struct gateway_progress progress = {stop_at, &stopper};
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, &progress), E_STATE);
    assert_non_null(strstr(gateway_problem(g), "stopped here"));
    gateway_close(g);
    g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    assert_int_equal(gateway_get(g, &bundle, back_path, &progress), E_STATE);
    gateway_close(g);
    g = open_as(&renter);
    assert_int_equal(gateway_get(g, &bundle, back_path, NULL), OK);
    assert_in_range(gateway_traffic(g), SIZE - 2 * GATEWAY_CHUNK_MAX, SIZE - GATEWAY_CHUNK_MAX);
    gateway_close(g);
    check_back();
}

static void a_stranger_may_neither_write_nor_read(void **state)
{
    (void)state;
    struct key stranger;
    key_generate(&stranger);
    struct gateway *g = open_as(&stranger);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), E_DENIED);
    assert_int_equal(blobs_used(store), 0);
    assert_int_equal(gateway_get(g, &bundle, back_path, NULL), E_DENIED);
    assert_int_not_equal(access(back_path, F_OK), 0);
    gateway_close(g);
}

static void a_file_that_is_not_the_content_is_not_sent(void **state)
{
    (void)state;
    content[400000] ^= 1;
    assert_int_equal(file_write_atomic(file_path, bytes_of(content, SIZE), 0600), OK);
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), E_MALFORMED);
    assert_non_null(strstr(gateway_problem(g), "does not have that root"));
    gateway_close(g);
    assert_int_equal(blobs_used(store), 0);
}

/* The hashes were of the content, the chunks are not: the worker says so at the first. */
static void a_wrong_chunk_is_refused_at_once(void **state)
{
    (void)state;
    leave_one_chunk(0);
    content[400000] ^= 1;
    assert_int_equal(file_write_atomic(file_path, bytes_of(content, SIZE), 0600), OK);
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), E_MALFORMED);
    assert_non_null(strstr(gateway_problem(g), "these bytes are not the content"));
    gateway_close(g);
    assert_false(state_of(&bundle).whole);
    content[400000] ^= 1;
    assert_int_equal(file_write_atomic(file_path, bytes_of(content, SIZE), 0600), OK);
    g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    gateway_close(g);
}

static void a_content_of_no_bytes_goes_both_ways(void **state)
{
    (void)state;
    struct gateway_content none = {.job = JOB, .root = merkle_root((struct bytes){0})};
    job.bundle_root = none.root;
    job.bundle_size = 0;
    assert_true(known_jobs_put(known, &job));
    assert_int_equal(file_write_atomic(file_path, (struct bytes){0}, 0600), OK);
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &none, file_path, NULL), OK);
    assert_true(state_of(&none).whole);
    assert_int_equal(gateway_get(g, &none, back_path, NULL), OK);
    gateway_close(g);
    assert_int_equal(access(back_path, F_OK), 0);
}

/* So many leaves that their level is not read whole for one of them. */
static void parts_of_a_large_content_are_read_with_little_else(void **state)
{
    (void)state;
    size_t size = (80u << 20) + 5000;
    struct buffer large = {0}, part = {0};
    uint8_t *data = buffer_extend(&large, size);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 17);
    struct gateway_content c = {JOB, merkle_root(buffer_bytes(&large)), size};
    assert_int_equal(file_write_atomic(file_path, buffer_bytes(&large), 0600), OK);
    struct blob_key key = {JOB, c.root};
    assert_int_equal(blobs_adopt(store, &key, &job.renter, file_path), OK);
    job.gives_result = true;
    assert_true(known_jobs_put(known, &job));
    struct known_root image = {c.root, size};
    assert_true(known_jobs_set_roots(known, JOB, &image, 1));
    struct gateway *g = open_as(&renter);
    static const uint64_t offsets[] = {0, 4096u * 8191, 4096u * 20000, 80u << 20};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        size_t left = size - (size_t)offsets[i], wanted = left < 12288 ? left : 12288;
        buffer_clear(&part);
        assert_int_equal(gateway_read(g, &part, &c, offsets[i], 12288), OK);
        assert_int_equal(part.size, wanted);
        assert_memory_equal(part.data, large.data + offsets[i], wanted);
    }
    assert_true(gateway_traffic(g) < 4 * 200000);
    gateway_close(g);
    buffer_finish(&large);
    buffer_finish(&part);
}

/* ---- a slow link ---- */

#define SLOW_BYTES       (24u << 20)
#define SLOW_STEP_BYTES  (64u << 10)
#define SLOW_STEP_US     3000 /* 22 MB/s */
#define SLOW_BUFFER_SIZE (64 << 10)

/* Passes one connection on, from the client no faster than that. */
struct slow_link {
    int listener;
    char endpoint[64];
    pthread_t thread;
    uint64_t bytes; /* from the client; read after the thread has ended */
};

static bool pass_on(int from, int to, uint64_t *count, useconds_t pause_us)
{
    static uint8_t step[SLOW_STEP_BYTES];
    ssize_t got = read(from, step, sizeof step);
    if (got <= 0) return false;
    for (ssize_t done = 0; done < got;) {
        ssize_t put = write(to, step + done, (size_t)(got - done));
        if (put <= 0) return false;
        done += put;
    }
    *count += (uint64_t)got;
    usleep(pause_us * (useconds_t)got / SLOW_STEP_BYTES);
    return true;
}

static void *run_link(void *context)
{
    struct slow_link *link = context;
    uint64_t back = 0;
    int far = -1, near = accept(link->listener, NULL, NULL);
    bool open = socket_connect(&far, gateway_server_endpoint(server), 5000) == OK;
    struct pollfd ends[2] = {{.fd = near, .events = POLLIN}, {.fd = far, .events = POLLIN}};
    (void)fcntl(far, F_SETFL, fcntl(far, F_GETFL) & ~O_NONBLOCK);
    while (open && poll(ends, 2, 10000) > 0) {
        if (ends[0].revents) open = pass_on(near, far, &link->bytes, SLOW_STEP_US);
        if (open && ends[1].revents) open = pass_on(far, near, &back, 0);
    }
    close(near);
    close(far);
    return NULL;
}

static void open_link(struct slow_link *link)
{
    struct sockaddr_in at_loopback = {.sin_family = AF_INET};
    socklen_t size = sizeof at_loopback;
    int small = SLOW_BUFFER_SIZE;
    at_loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    link->listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(link->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(bind(link->listener, (struct sockaddr *)&at_loopback, size), 0);
    assert_int_equal(listen(link->listener, 1), 0);
    assert_int_equal(getsockname(link->listener, (struct sockaddr *)&at_loopback, &size), 0);
    snprintf(link->endpoint, sizeof link->endpoint, "127.0.0.1:%u", ntohs(at_loopback.sin_port));
    assert_int_equal(pthread_create(&link->thread, NULL, run_link, link), 0);
}

static void what_shrinks_is_packed_where_the_link_is_slow(void **state)
{
    (void)state;
    struct buffer text = {0};
    for (unsigned i = 0; text.size < SLOW_BYTES; i++)
        buffer_print(&text, "line %u of a text that says little\n", i);
    assert_int_equal(file_write_atomic(file_path, buffer_bytes(&text), 0600), OK);
    struct gateway_content c = {JOB, merkle_root(buffer_bytes(&text)), text.size};
    job.bundle_root = c.root;
    job.bundle_size = c.size;
    assert_true(known_jobs_put(known, &job));
    struct slow_link link = {0};
    open_link(&link);
    struct gateway_peer peer = {link.endpoint, gateway_server_key_hash(server), 30000, 0};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    assert_int_equal(gateway_open(&g, error, &peer, &renter), OK);
    assert_int_equal(gateway_put(g, &c, file_path, NULL), OK);
    gateway_close(g);
    pthread_join(link.thread, NULL);
    close(link.listener);
    assert_true(state_of(&c).whole);
    assert_true(link.bytes < SLOW_BYTES * 2 / 3); /* what buffers took at first was plain */
    buffer_finish(&text);
}

/* ---- who may read ---- */

static enum status get_as(const struct key *who, const struct gateway_content *c)
{
    struct gateway *g = open_as(who);
    unlink(back_path);
    enum status status = gateway_get(g, c, back_path, NULL);
    gateway_close(g);
    return status;
}

static struct gateway_content keep(const char *text)
{
    struct bytes bytes = bytes_of_text(text);
    struct gateway_content c = {JOB, merkle_root(bytes), bytes.size};
    char path[128];
    at(path, "kept");
    assert_int_equal(file_write_atomic(path, bytes, 0600), OK);
    assert_int_equal(blobs_adopt(store, &(struct blob_key){JOB, c.root}, &job.renter, path), OK);
    return c;
}

static void providers_and_drawn_readers_read_what_is_theirs(void **state)
{
    (void)state;
    struct key provider, reader, stranger;
    key_generate(&provider);
    key_generate(&reader);
    key_generate(&stranger);
    struct address providers[] = {key_address(&provider)}, readers[] = {key_address(&reader)};
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    gateway_close(g);
    struct gateway_content result = keep("result"), image = keep("image"), other = keep("other");
    job.result_root = result.root;
    job.result_size = result.size;
    assert_true(known_jobs_set_providers(known, JOB, providers, 1));
    assert_true(known_jobs_set_readers(known, JOB, readers, 1));
    assert_true(known_jobs_set_roots(known, JOB, &(struct known_root){image.root, image.size}, 1));
    assert_true(known_jobs_put(known, &job)); /* forgets nothing of the above */
    assert_int_equal(get_as(&provider, &bundle), OK);
    assert_int_equal(get_as(&reader, &bundle), OK);
    assert_int_equal(get_as(&stranger, &bundle), E_DENIED);
    assert_int_equal(get_as(&provider, &result), E_DENIED); /* nobody before it is revealed */
    assert_int_equal(get_as(&reader, &result), E_STATE);
    assert_int_equal(get_as(&reader, &image), E_STATE);
    assert_int_equal(get_as(&renter, &result), E_STATE);
    job.gives_result = true;
    assert_true(known_jobs_put(known, &job));
    assert_int_equal(get_as(&reader, &result), OK);
    assert_int_equal(get_as(&reader, &image), OK);
    assert_int_equal(get_as(&renter, &result), OK);
    assert_int_equal(get_as(&provider, &result), E_DENIED);
    assert_int_equal(get_as(&provider, &image), E_DENIED);
    assert_int_equal(get_as(&reader, &other), E_NOT_FOUND); /* no root of the job's entry */
    assert_int_equal(get_as(&stranger, &result), E_DENIED);
    g = open_as(&reader);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK); /* it is whole: sends nothing */
    gateway_close(g);
    assert_true(known_jobs_set_readers(known, JOB, NULL, 0));
    assert_int_equal(get_as(&reader, &bundle), E_DENIED);
}

static void who_may_read_may_not_write(void **state)
{
    (void)state;
    struct key provider;
    key_generate(&provider);
    struct address providers[] = {key_address(&provider)};
    assert_true(known_jobs_set_providers(known, JOB, providers, 1));
    struct gateway *g = open_as(&provider);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), E_DENIED);
    gateway_close(g);
    assert_int_equal(blobs_used(store), 0);
}

static void nobody_reads_for_ever(void **state)
{
    (void)state;
    struct gateway_name name = {JOB, bundle.root};
    struct address who = key_address(&renter);
    struct gateway_meter *m = gateway_meter_create();
    uint64_t limit = gateway_meter_limit(SIZE), got = 0;
    while (gateway_meter_add(m, &name, &who, SIZE, 100000))
        got += 100000;
    assert_in_range(got, limit - 100000, limit);
    assert_true(gateway_meter_add(m, &name, &who, SIZE, limit - got));
    assert_false(gateway_meter_add(m, &name, &who, SIZE, 1));
    name.job++;
    assert_true(gateway_meter_add(m, &name, &who, SIZE, 1));
    gateway_meter_destroy(m);
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    enum status status = OK;
    for (int i = 0; i < 100 && status == OK; i++)
        status = gateway_get(g, &bundle, back_path, NULL);
    assert_int_equal(status, E_LIMIT);
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
    assert_int_equal(blobs_used(store), 0);
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

/* An account's connections push out none but its own. */
static void an_account_has_its_share_of_connections(void **state)
{
    (void)state;
    struct gateway *own[GATEWAY_PER_ACCOUNT_MAX + 1];
    struct gateway_sizes sizes;
    for (size_t i = 0; i <= GATEWAY_PER_ACCOUNT_MAX; i++)
        own[i] = open_as(&renter);
    assert_int_not_equal(gateway_stat(own[0], &sizes, &bundle), OK);
    for (size_t i = 1; i <= GATEWAY_PER_ACCOUNT_MAX; i++)
        assert_int_equal(gateway_stat(own[i], &sizes, &bundle), OK);
    for (size_t i = 0; i <= GATEWAY_PER_ACCOUNT_MAX; i++)
        gateway_close(own[i]);
}

static void a_thousand_connections_from_one_address_keep_nobody_out(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static int silent[MANY];
    for (size_t i = 0; i < MANY; i++)
        silent[i] = raw_connection_from(2);
    struct gateway *g = open_as(&renter);
    assert_int_equal(gateway_put(g, &bundle, file_path, NULL), OK);
    gateway_close(g);
    for (size_t i = 0; i < MANY; i++)
        close(silent[i]);
}

/* ---- frames that no client of ours sends ---- */

/* A connection whose account is proved, to send what one likes. */
static void open_raw(struct frame_stream *stream, SSL_CTX **tls)
{
    int fd = -1;
    uint8_t type;
    struct bytes body;
    struct buffer out = {0};
    uint8_t exporter[GATEWAY_EXPORTER_BYTES];
    struct hash key_hash = gateway_server_key_hash(server);
    *tls = tls_context_create(false);
    assert_int_equal(socket_connect(&fd, gateway_server_endpoint(server), 5000), OK);
    assert_int_equal(frame_stream_open(stream, *tls, fd, false, 5000), OK);
    assert_int_equal(tls_exporter(exporter, stream), OK);
    struct hash digest = gateway_hello_digest(&key_hash, exporter);
    struct gateway_hello hello = {.version = GATEWAY_VERSION, .address = key_address(&renter)};
    hello.signature = key_sign(&renter, &digest);
    gateway_put_hello(&out, &hello);
    assert_int_equal(frame_stream_write(stream, buffer_bytes(&out)), OK);
    assert_int_equal(frame_stream_read(stream, &type, &body), OK);
    buffer_finish(&out);
}

static enum gateway_result exchange(struct frame_stream *stream, struct bytes frames)
{
    uint8_t type = 0;
    struct bytes body;
    struct gateway_answer answer = {0};
    assert_int_equal(frame_stream_write(stream, frames), OK);
    assert_int_equal(frame_stream_read(stream, &type, &body), OK);
    assert_int_equal(type, GATEWAY_RESULT);
    assert_int_equal(gateway_read_answer(&answer, body), OK);
    return answer.code;
}

static enum gateway_result answer_to(struct bytes frames)
{
    struct frame_stream stream = {0};
    SSL_CTX *tls = NULL;
    open_raw(&stream, &tls);
    enum gateway_result code = exchange(&stream, frames);
    frame_stream_close(&stream);
    SSL_CTX_free(tls);
    return code;
}

static void hostile_frames_are_refused(void **state)
{
    (void)state;
    struct buffer out = {0};
    leave_one_chunk(0);
    struct gateway_put put = {.name = {JOB, bundle.root}};
    static const uint8_t bomb[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 4, 1};
    put.piece =
        (struct gateway_piece){GATEWAY_CHUNK_MAX, 4096, GATEWAY_ZSTD, bytes_of(bomb, sizeof bomb)};
    gateway_put_put(&out, &put); /* says that 64 MiB come out of it */
    assert_int_equal(answer_to(buffer_bytes(&out)), GATEWAY_RESULT_MALFORMED);
    buffer_clear(&out);
    put.piece = (struct gateway_piece){GATEWAY_CHUNK_MAX, 100, GATEWAY_PLAIN,
                                       bytes_of(content, 100)}; /* half a leaf */
    gateway_put_put(&out, &put);
    assert_int_equal(answer_to(buffer_bytes(&out)), GATEWAY_RESULT_SIZE);
    buffer_clear(&out);
    put.piece = (struct gateway_piece){1 << 20, 4096, GATEWAY_PLAIN, bytes_of(content, 4096)};
    gateway_put_put(&out, &put); /* beyond the end */
    assert_int_equal(answer_to(buffer_bytes(&out)), GATEWAY_RESULT_SIZE);
    uint8_t head[5] = {0xff, 0xff, 0xff, 0xff, GATEWAY_PUT};
    assert_int_equal(answer_to(bytes_of(head, 5)), GATEWAY_RESULT_LIMIT);
    uint8_t unknown[5] = {0, 0, 0, 1, 99};
    assert_int_equal(answer_to(bytes_of(unknown, 5)), GATEWAY_RESULT_MALFORMED);
    assert_int_equal(state_of(&bundle).held, GATEWAY_CHUNK_MAX);
    buffer_finish(&out);
}

static void who_sends_wrong_leaves_is_let_go(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct frame_stream stream = {0};
    SSL_CTX *tls = NULL;
    uint8_t type;
    struct bytes body;
    leave_one_chunk(0);
    struct gateway_put put = {.name = {JOB, bundle.root}};
    put.piece =
        (struct gateway_piece){GATEWAY_CHUNK_MAX, 4096, GATEWAY_PLAIN, bytes_of(content, 4096)};
    gateway_put_put(&out, &put);
    open_raw(&stream, &tls);
    for (int i = 0; i < 3; i++)
        assert_int_equal(exchange(&stream, buffer_bytes(&out)), GATEWAY_RESULT_LEAF);
    (void)!frame_stream_write(&stream, buffer_bytes(&out));
    assert_int_equal(frame_stream_read(&stream, &type, &body), E_IO);
    frame_stream_close(&stream);
    SSL_CTX_free(tls);
    buffer_finish(&out);
}

static void another_version_is_told_so(void **state)
{
    (void)state;
    int fd = -1;
    struct frame_stream stream = {0};
    SSL_CTX *tls = tls_context_create(false);
    assert_int_equal(socket_connect(&fd, gateway_server_endpoint(server), 5000), OK);
    assert_int_equal(frame_stream_open(&stream, tls, fd, false, 5000), OK);
    uint8_t hello[5 + 86] = {0, 0, 0, 87, GATEWAY_HELLO, 1}; /* as version 1 said it */
    assert_int_equal(exchange(&stream, bytes_of(hello, sizeof hello)), GATEWAY_RESULT_VERSION);
    frame_stream_close(&stream);
    SSL_CTX_free(tls);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_bundle_goes_up_and_comes_back_unchanged),
        WITH_SERVER(an_upload_sends_only_what_is_missing),
        WITH_SERVER(a_stopped_transfer_goes_on_where_it_was),
        WITH_SERVER(a_stranger_may_neither_write_nor_read),
        WITH_SERVER(a_file_that_is_not_the_content_is_not_sent),
        WITH_SERVER(a_wrong_chunk_is_refused_at_once),
        WITH_SERVER(a_content_of_no_bytes_goes_both_ways),
        WITH_SERVER(parts_of_a_large_content_are_read_with_little_else),
        WITH_SERVER(what_shrinks_is_packed_where_the_link_is_slow),
        WITH_SERVER(providers_and_drawn_readers_read_what_is_theirs),
        WITH_SERVER(who_may_read_may_not_write),
        WITH_SERVER(nobody_reads_for_ever),
        WITH_SERVER(a_worker_with_another_key_is_not_talked_to),
        WITH_SERVER(a_bundle_of_another_size_is_refused_before_a_byte_is_stored),
        WITH_SERVER(strangers_on_every_place_do_not_keep_a_renter_out),
        WITH_SERVER(silent_and_talkative_strangers_do_not_keep_a_renter_out),
        WITH_SERVER(an_account_has_its_share_of_connections),
        WITH_SERVER(a_thousand_connections_from_one_address_keep_nobody_out),
        WITH_SERVER(hostile_frames_are_refused),
        WITH_SERVER(who_sends_wrong_leaves_is_let_go),
        WITH_SERVER(another_version_is_told_so),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
