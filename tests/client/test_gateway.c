/* The client of the data gateway against a small server in this process, over real TLS sockets.
 * The server holds one content in memory and can be told to misbehave. */
#include "client/gateway.h"

#include "base/fatal.h"
#include "base/file.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define JOB          5
#define CONTENT_SIZE (3u * 1024 * 1024 + 777)

enum fault { FAULT_NONE, FAULT_BYTES, FAULT_HASHES, FAULT_DROP, FAULT_DENY };

struct server {
    SSL_CTX *context;
    struct hash key_hash;
    int listener;
    char endpoint[64];
    pthread_t thread;
    enum fault fault;
    struct buffer content; /* what it holds */
    struct hash root;
    uint64_t size;       /* of the whole */
    struct address seen; /* who said hello */
    int served;          /* connections to serve, then stop */
    size_t chunks;       /* sent over all connections */
};

static char folder[] = "/tmp/leasehold-gateway-XXXXXX";

static const char *in_folder(char out[PATH_MAX], const char *name)
{
    snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return out;
}

static bool greet(struct server *s, struct frame_stream *stream)
{
    uint8_t type = 0;
    struct bytes body;
    struct gateway_hello hello;
    struct address signer;
    struct buffer out = {0};
    uint8_t exporter[GATEWAY_EXPORTER_BYTES];
    if (frame_stream_read(stream, &type, &body) != OK || type != GATEWAY_HELLO) return false;
    if (gateway_read_hello(&hello, body) != OK || tls_exporter(exporter, stream) != OK)
        return false;
    struct hash digest = gateway_hello_digest(&s->key_hash, exporter);
    bool ok = signature_recover(&signer, &hello.signature, &digest, true) == OK &&
              address_equal(&signer, &hello.address) && s->fault != FAULT_DENY;
    s->seen = hello.address;
    gateway_put_result(&out, ok ? GATEWAY_RESULT_OK : GATEWAY_RESULT_DENIED, 0, NULL);
    enum status status = frame_stream_write(stream, buffer_bytes(&out));
    buffer_finish(&out);
    return ok && status == OK;
}

static void serve_put(struct server *s, struct buffer *out, struct bytes body)
{
    struct gateway_put m;
    if (gateway_read_put(&m, body) != OK || m.job != JOB || m.offset > s->content.size) {
        gateway_put_result(out, GATEWAY_RESULT_OFFSET, s->content.size, NULL);
        return;
    }
    s->size = m.size;
    s->content.size = m.offset;
    buffer_append(&s->content, m.chunk);
    struct hash root = merkle_root(buffer_bytes(&s->content));
    if (s->content.size == m.size && !hash_equal(&root, &m.root)) {
        s->content.size = 0;
        gateway_put_result(out, GATEWAY_RESULT_ROOT, 0, NULL);
        return;
    }
    gateway_put_result(out, GATEWAY_RESULT_OK, s->content.size, NULL);
}

static void serve_get(struct server *s, struct buffer *out, struct bytes body)
{
    struct gateway_get m;
    assert_int_equal(gateway_read_get(&m, body), OK);
    size_t left = s->content.size - (size_t)m.offset;
    size_t size = m.length < left ? m.length : left;
    size_t start = out->size;
    gateway_put_chunk(out, &(struct gateway_chunk){m.offset, bytes_slice(buffer_bytes(&s->content),
                                                                         (size_t)m.offset, size)});
    if (s->fault == FAULT_BYTES && m.offset > 0) out->data[start + 100] ^= 1;
    s->chunks++;
}

static void serve_leaves(struct server *s, struct buffer *out, struct bytes body)
{
    struct gateway_leaves m;
    struct buffer hashes = {0};
    assert_int_equal(gateway_read_leaves(&m, body), OK);
    for (uint32_t i = 0; i < m.count; i++) {
        size_t at = (size_t)(m.first + i) * MERKLE_LEAF_BYTES;
        size_t left = s->content.size - at;
        size_t size = left < MERKLE_LEAF_BYTES ? left : MERKLE_LEAF_BYTES;
        struct hash h = gateway_leaf_hash(bytes_slice(buffer_bytes(&s->content), at, size));
        buffer_append(&hashes, hash_bytes(&h));
    }
    if (s->fault == FAULT_HASHES) hashes.data[5] ^= 1;
    gateway_put_hashes(out, &(struct gateway_hashes){m.first, buffer_bytes(&hashes)});
    buffer_finish(&hashes);
}

static void serve_one(struct server *s, struct frame_stream *stream)
{
    uint8_t type = 0;
    struct bytes body;
    struct buffer out = {0};
    while (frame_stream_read(stream, &type, &body) == OK) {
        if (type == GATEWAY_PUT) serve_put(s, &out, body);
        if (type == GATEWAY_GET) serve_get(s, &out, body);
        if (type == GATEWAY_LEAVES) serve_leaves(s, &out, body);
        if (type == GATEWAY_STAT)
            gateway_put_sizes(&out, &(struct gateway_sizes){s->size, s->content.size});
        if (s->fault == FAULT_DROP && s->chunks == 5) break;
        if (frame_stream_write(stream, buffer_bytes(&out)) != OK) break;
        buffer_clear(&out);
    }
    buffer_finish(&out);
}

static void *run_server(void *context)
{
    struct server *s = context;
    for (; s->served > 0; s->served--) {
        struct frame_stream stream = {0};
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0 || frame_stream_open(&stream, s->context, fd, true, 5000) != OK) continue;
        if (greet(s, &stream)) serve_one(s, &stream);
        frame_stream_close(&stream);
        if (s->fault == FAULT_DROP) s->fault = FAULT_NONE;
    }
    return NULL;
}

static void start(struct server *s, int connections)
{
    char key[PATH_MAX];
    char certificate[PATH_MAX];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    s->served = connections;
    s->context = tls_context_create(true);
    in_folder(key, "tls.key");
    in_folder(certificate, "tls.crt");
    if (access(key, F_OK) != 0) assert_int_equal(tls_identity_create(key, certificate), OK);
    assert_int_equal(tls_identity_load(s->context, &s->key_hash, key, certificate), OK);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &size), 0);
    snprintf(s->endpoint, sizeof s->endpoint, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, run_server, s), 0);
}

static void stop(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->listener);
    SSL_CTX_free(s->context);
    buffer_finish(&s->content);
}

static void fill(struct buffer *content)
{
    uint8_t *data = buffer_extend(content, CONTENT_SIZE);
    uint32_t x = 1;
    for (size_t i = 0; i < CONTENT_SIZE; i++) {
        x = x * 1664525u + 1013904223u;
        data[i] = (uint8_t)(x >> 24);
    }
}

static struct key sample_key(void)
{
    struct key key = {0};
    memset(key.secret, 0x42, 32);
    return key;
}

static enum status connect_client(struct gateway **g, char *error, const struct server *s)
{
    struct gateway_peer peer = {s->endpoint, s->key_hash, 5000};
    struct key key = sample_key();
    return gateway_open(g, error, &peer, &key);
}

static void uploads_and_downloads_a_content(void **state)
{
    (void)state;
    struct server s = {0};
    struct buffer content = {0};
    struct buffer back = {0};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    char from[PATH_MAX];
    char to[PATH_MAX];
    start(&s, 1);
    fill(&content);
    in_folder(from, "from");
    in_folder(to, "to");
    assert_int_equal(file_write_atomic(from, buffer_bytes(&content), 0600), OK);
    struct gateway_content c = {JOB, merkle_root(buffer_bytes(&content)), content.size};
    assert_int_equal(connect_client(&g, error, &s), OK);
    assert_int_equal(gateway_put(g, &c, from, NULL), OK);
    struct gateway_sizes sizes;
    assert_int_equal(gateway_stat(g, &sizes, &c), OK);
    assert_int_equal(sizes.held, CONTENT_SIZE);
    assert_int_equal(gateway_get(g, &c, to, NULL), OK);
    gateway_close(g);
    stop(&s);
    assert_int_equal(file_read(&back, to, CONTENT_SIZE + 1), OK);
    assert_true(bytes_equal(buffer_bytes(&back), buffer_bytes(&content)));
    struct key key = sample_key();
    struct address me = key_address(&key);
    assert_true(address_equal(&s.seen, &me));
    buffer_finish(&content);
    buffer_finish(&back);
}

static void hangs_up_on_another_tls_key(void **state)
{
    (void)state;
    struct server s = {0};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    start(&s, 1);
    struct key key = sample_key();
    struct gateway_peer peer = {s.endpoint, s.key_hash, 5000};
    peer.tls_key_hash.b[0] ^= 1;
    assert_int_equal(gateway_open(&g, error, &peer, &key), E_DENIED);
    assert_non_null(strstr(error, "TLS key is not the one"));
    stop(&s);
    assert_true(address_is_zero(&s.seen));
}

static void tells_that_the_hello_was_refused(void **state)
{
    (void)state;
    struct server s = {.fault = FAULT_DENY};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    start(&s, 1);
    assert_int_equal(connect_client(&g, error, &s), E_DENIED);
    assert_non_null(strstr(error, "not a party"));
    stop(&s);
}

static void check_lying_worker(enum fault fault, const char *complaint)
{
    struct server s = {.fault = fault};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    char to[PATH_MAX];
    fill(&s.content);
    s.size = CONTENT_SIZE;
    start(&s, 1);
    in_folder(to, "lie");
    struct gateway_content c = {JOB, merkle_root(buffer_bytes(&s.content)), CONTENT_SIZE};
    assert_int_equal(connect_client(&g, error, &s), OK);
    assert_int_equal(gateway_get(g, &c, to, NULL), E_MALFORMED);
    assert_non_null(strstr(gateway_problem(g), complaint));
    assert_int_equal(access(to, F_OK), -1);
    gateway_close(g);
    stop(&s);
    char part[PATH_MAX];
    unlink(in_folder(part, "lie.part"));
}

static void believes_no_bytes_that_do_not_fit_the_root(void **state)
{
    (void)state;
    check_lying_worker(FAULT_BYTES, "sent bytes that are not the content");
    check_lying_worker(FAULT_HASHES, "do not make the root");
}

static void continues_a_broken_download(void **state)
{
    (void)state;
    struct server s = {.fault = FAULT_DROP};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    char to[PATH_MAX];
    fill(&s.content);
    s.size = CONTENT_SIZE;
    start(&s, 2);
    in_folder(to, "twice");
    struct gateway_content c = {JOB, merkle_root(buffer_bytes(&s.content)), CONTENT_SIZE};
    assert_int_equal(connect_client(&g, error, &s), OK);
    assert_int_not_equal(gateway_get(g, &c, to, NULL), OK);
    gateway_close(g);
    assert_int_equal(connect_client(&g, error, &s), OK);
    assert_int_equal(gateway_get(g, &c, to, NULL), OK);
    gateway_close(g);
    size_t chunks = s.chunks;
    struct hash root;
    assert_int_equal(merkle_root_of_path(&root, NULL, to), OK);
    assert_true(hash_equal(&root, &c.root));
    /* 13 chunks in all: 4 arrived before the break, 1 was lost with it */
    assert_int_equal(chunks, 14);
    stop(&s);
}

static void refuses_frames_that_are_out_of_bounds(void **state)
{
    (void)state;
    struct buffer frame = {0};
    struct gateway_put out;
    uint8_t leaf[10] = {0};
    gateway_put_put(&frame, &(struct gateway_put){1, {{0}}, 10, 0, bytes_of(leaf, 10)});
    struct bytes body = bytes_slice(buffer_bytes(&frame), 5, frame.size - 5);
    assert_int_equal(gateway_read_put(&out, body), OK);
    assert_int_equal(out.chunk.size, 10);
    store_be64(frame.data + 5 + 40, 4096); /* size: now a short leaf in the middle */
    assert_int_equal(gateway_read_put(&out, body), E_MALFORMED);
    store_be64(frame.data + 5 + 40, UINT64_MAX);
    assert_int_equal(gateway_read_put(&out, body), E_MALFORMED);
    store_be64(frame.data + 5 + 40, 10);
    store_be64(frame.data + 5 + 48, 5); /* offset: no leaf's start */
    assert_int_equal(gateway_read_put(&out, body), E_MALFORMED);
    for (size_t size = 0; size < 56; size++)
        assert_int_not_equal(gateway_read_put(&out, bytes_slice(body, 0, size)), OK);
    buffer_finish(&frame);
}

static void computes_the_same_root_from_leaves_as_from_bytes(void **state)
{
    (void)state;
    struct buffer content = {0};
    fill(&content);
    static const size_t sizes[] = {0, 1, 4096, 4097, 12288, 20480, 28673, 1u << 20, CONTENT_SIZE};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bytes part = bytes_slice(buffer_bytes(&content), 0, sizes[i]);
        uint64_t count = gateway_leaf_count(sizes[i]);
        struct hash *level = must_alloc((count + 1) * sizeof *level);
        for (uint64_t k = 0; k < count; k++) {
            size_t at = (size_t)k * MERKLE_LEAF_BYTES;
            size_t size = sizes[i] - at < MERKLE_LEAF_BYTES ? sizes[i] - at : MERKLE_LEAF_BYTES;
            level[k] = gateway_leaf_hash(bytes_slice(part, at, size));
        }
        struct hash a = gateway_root_of_leaves(level, count, sizes[i]);
        struct hash b = merkle_root(part);
        assert_true(hash_equal(&a, &b));
        free(level);
    }
    buffer_finish(&content);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"tls.key", "tls.crt", "from", "to", "twice"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_MAX];
        unlink(in_folder(path, names[i]));
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uploads_and_downloads_a_content),
        cmocka_unit_test(hangs_up_on_another_tls_key),
        cmocka_unit_test(tells_that_the_hello_was_refused),
        cmocka_unit_test(believes_no_bytes_that_do_not_fit_the_root),
        cmocka_unit_test(continues_a_broken_download),
        cmocka_unit_test(refuses_frames_that_are_out_of_bounds),
        cmocka_unit_test(computes_the_same_root_from_leaves_as_from_bytes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
