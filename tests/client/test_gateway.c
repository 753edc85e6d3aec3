/* The client of the data gateway against a small server in this process, over real TLS sockets.
 * The server holds one content in memory and can be told to misbehave. */
#include "client/gateway_state.h"

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

enum fault {
    FAULT_NONE,
    FAULT_BYTES,
    FAULT_HASHES,
    FAULT_DROP,
    FAULT_DENY,
    FAULT_BOMB,
    FAULT_VERSION,
};

struct server {
    SSL_CTX *context;
    struct hash key_hash;
    int listener;
    char endpoint[64];
    pthread_t thread;
    enum fault fault;
    struct buffer content; /* what it holds */
    struct hash root;
    struct address seen; /* who said hello */
    int served;          /* connections to serve, then stop */
    size_t chunks;       /* sent over all connections */
    size_t pages;        /* of hashes */
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
    enum gateway_result code = ok ? GATEWAY_RESULT_OK : GATEWAY_RESULT_DENIED;
    if (s->fault == FAULT_VERSION) code = GATEWAY_RESULT_VERSION;
    gateway_put_result(&out, code, s->fault == FAULT_VERSION ? 7 : GATEWAY_READS_ZSTD, NULL);
    enum status status = frame_stream_write(stream, buffer_bytes(&out));
    buffer_finish(&out);
    return ok && status == OK;
}

static struct bytes content_of(const struct server *s)
{
    return buffer_bytes(&s->content);
}

static void serve_get(struct server *s, struct buffer *out, struct bytes body)
{
    struct gateway_get m;
    assert_int_equal(gateway_read_get(&m, body), OK);
    size_t left = s->content.size - (size_t)m.offset;
    size_t size = m.length < left ? m.length : left;
    struct gateway_piece piece = {.offset = m.offset, .size = (uint32_t)size};
    piece.bytes = bytes_slice(content_of(s), (size_t)m.offset, size);
    size_t start = out->size;
    static const uint8_t bomb[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 4, 1};
    if (s->fault == FAULT_BOMB) {
        piece.coding = GATEWAY_ZSTD;
        piece.bytes = bytes_of(bomb, sizeof bomb);
    }
    gateway_put_chunk(out, &piece);
    if (s->fault == FAULT_BYTES && m.offset > 0) out->data[start + 100] ^= 1;
    s->chunks++;
}

static void serve_nodes(struct server *s, struct buffer *out, struct bytes body)
{
    struct gateway_nodes m;
    struct leaf_tree tree;
    assert_int_equal(gateway_read_nodes(&m, body), OK);
    leaf_tree_init(&tree, s->content.size);
    for (uint64_t i = 0; i < tree.leaf_count; i++) {
        size_t at = (size_t)i * MERKLE_LEAF_BYTES, left = s->content.size - at;
        size_t size = left < MERKLE_LEAF_BYTES ? left : MERKLE_LEAF_BYTES;
        leaf_hashes(&tree.nodes[i], bytes_slice(content_of(s), at, size));
    }
    (void)leaf_tree_join(&tree);
    uint64_t left = leaf_width(s->content.size, m.level) - m.first;
    size_t count = m.count < left ? m.count : (size_t)left;
    struct hash *first = &tree.nodes[leaf_level_start(s->content.size, m.level) + m.first];
    if (s->fault == FAULT_HASHES) first->b[5] ^= 1;
    gateway_put_hashes(
        out, &(struct gateway_hashes){m.level, m.first, bytes_of(first, count * sizeof *first)});
    leaf_tree_finish(&tree);
    s->pages++;
}

static void serve_one(struct server *s, struct frame_stream *stream)
{
    uint8_t type = 0;
    struct bytes body;
    struct buffer out = {0};
    while (frame_stream_read(stream, &type, &body) == OK) {
        if (type == GATEWAY_GET) serve_get(s, &out, body);
        if (type == GATEWAY_NODES) serve_nodes(s, &out, body);
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
    struct gateway_peer peer = {s->endpoint, s->key_hash, 5000, 0};
    struct key key = sample_key();
    return gateway_open(g, error, &peer, &key);
}

static struct gateway_content whole_of(const struct server *s)
{
    return (struct gateway_content){JOB, merkle_root(content_of(s)), s->content.size};
}

static void downloads_a_content_and_says_who_asks(void **state)
{
    (void)state;
    struct server s = {0};
    struct buffer back = {0};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    char to[PATH_MAX];
    fill(&s.content);
    start(&s, 1);
    in_folder(to, "to");
    struct gateway_content c = whole_of(&s);
    assert_int_equal(connect_client(&g, error, &s), OK);
    assert_int_equal(gateway_get(g, &c, to, NULL), OK);
    gateway_close(g);
    assert_int_equal(file_read(&back, to, CONTENT_SIZE + 1), OK);
    assert_true(bytes_equal(buffer_bytes(&back), content_of(&s)));
    stop(&s);
    struct key key = sample_key();
    struct address me = key_address(&key);
    assert_true(address_equal(&s.seen, &me));
    buffer_finish(&back);
}

/* A leaf here and there, with no more hashes than prove it. */
static void reads_parts_of_a_content_with_their_proofs(void **state)
{
    (void)state;
    static const uint64_t offsets[] = {0, 4096, 3u * 1024 * 1024, 1u << 20};
    struct server s = {0};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    fill(&s.content);
    start(&s, 1);
    struct gateway_content c = whole_of(&s);
    assert_int_equal(connect_client(&g, error, &s), OK);
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct buffer out = {0};
        size_t size = CONTENT_SIZE - offsets[i] < 8192 ? (size_t)(CONTENT_SIZE - offsets[i]) : 8192;
        assert_int_equal(gateway_read(g, &out, &c, offsets[i], 8192), OK);
        struct bytes expected = bytes_slice(content_of(&s), (size_t)offsets[i], size);
        assert_true(bytes_equal(buffer_bytes(&out), expected));
        buffer_finish(&out);
    }
    struct buffer none = {0};
    assert_int_equal(gateway_read(g, &none, &c, 4u << 20, 4096), E_RANGE);
    gateway_close(g);
    stop(&s);
}

static void hangs_up_on_another_tls_key(void **state)
{
    (void)state;
    struct server s = {0};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    start(&s, 1);
    struct key key = sample_key();
    struct gateway_peer peer = {s.endpoint, s.key_hash, 5000, 0};
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

static void tells_that_the_worker_speaks_another_version(void **state)
{
    (void)state;
    struct server s = {.fault = FAULT_VERSION};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    start(&s, 1);
    assert_int_equal(connect_client(&g, error, &s), E_UNSUPPORTED);
    assert_non_null(
        strstr(error, "speaks version 7 of the gateway's protocol, this program speaks 2"));
    stop(&s);
}

static void check_lying_worker(enum fault fault, const char *complaint)
{
    struct server s = {.fault = fault};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    char to[PATH_MAX];
    fill(&s.content);
    start(&s, 1);
    in_folder(to, "lie");
    struct gateway_content c = whole_of(&s);
    assert_int_equal(connect_client(&g, error, &s), OK);
    assert_int_equal(gateway_get(g, &c, to, NULL), E_MALFORMED);
    assert_non_null(strstr(gateway_problem(g), complaint));
    assert_int_equal(access(to, F_OK), -1);
    gateway_close(g);
    stop(&s);
    char part[PATH_MAX];
    unlink(in_folder(part, "lie.part"));
    unlink(in_folder(part, "lie.leaves"));
}

static void believes_no_bytes_that_do_not_fit_the_root(void **state)
{
    (void)state;
    check_lying_worker(FAULT_BYTES, "sent bytes that are not the content");
    check_lying_worker(FAULT_HASHES, "do not make the root");
    check_lying_worker(FAULT_BOMB, "does not unpack"); /* says that 64 MiB come out of it */
}

static void continues_a_broken_download(void **state)
{
    (void)state;
    struct server s = {.fault = FAULT_DROP};
    struct gateway *g = NULL;
    char error[JSON_ERROR_SIZE] = "";
    char to[PATH_MAX];
    fill(&s.content);
    start(&s, 2);
    in_folder(to, "twice");
    struct gateway_content c = whole_of(&s);
    assert_int_equal(connect_client(&g, error, &s), OK);
    assert_int_not_equal(gateway_get(g, &c, to, NULL), OK);
    gateway_close(g);
    assert_int_equal(connect_client(&g, error, &s), OK);
    assert_int_equal(gateway_get(g, &c, to, NULL), OK);
    gateway_close(g);
    size_t chunks = s.chunks;
    size_t pages = s.pages;
    struct hash root;
    assert_int_equal(merkle_root_of_path(&root, NULL, to), OK);
    assert_true(hash_equal(&root, &c.root));
    /* 13 chunks in all: 4 were sent before the break, of which the reset may lose some */
    assert_in_range(chunks, 14, 18);
    assert_int_equal(pages, 1); /* the hashes were kept */
    stop(&s);
}

static void refuses_pieces_that_are_out_of_bounds(void **state)
{
    (void)state;
    struct buffer frame = {0};
    struct gateway_put out;
    uint8_t leaf[10] = {0};
    struct gateway_put m = {.piece = {.size = 10, .bytes = bytes_of(leaf, 10)}};
    gateway_put_put(&frame, &m);
    struct bytes body = bytes_slice(buffer_bytes(&frame), 5, frame.size - 5);
    uint8_t *offset = frame.data + 5 + 40, *size = offset + 8, *coding = size + 4;
    assert_int_equal(gateway_read_put(&out, body), OK);
    assert_int_equal(out.piece.bytes.size, 10);
    store_be64(offset, 5); /* no leaf's start */
    assert_int_equal(gateway_read_put(&out, body), E_MALFORMED);
    store_be64(offset, UINT64_MAX & ~4095ull);
    assert_int_equal(gateway_read_put(&out, body), E_MALFORMED);
    store_be64(offset, 0);
    store_be32(size, GATEWAY_CHUNK_MAX + 1);
    assert_int_equal(gateway_read_put(&out, body), E_LIMIT);
    store_be32(size, 11); /* plain, and a byte is missing */
    assert_int_equal(gateway_read_put(&out, body), E_MALFORMED);
    *coding = GATEWAY_ZSTD;
    assert_int_equal(gateway_read_put(&out, body), OK);
    store_be32(size, 9); /* packed larger than it was */
    assert_int_equal(gateway_read_put(&out, body), E_MALFORMED);
    *coding = GATEWAY_CODING_COUNT;
    store_be32(size, 11);
    assert_int_equal(gateway_read_put(&out, body), E_MALFORMED);
    for (size_t i = 0; i < 54; i++)
        assert_int_not_equal(gateway_read_put(&out, bytes_slice(body, 0, i)), OK);
    buffer_finish(&frame);
}

static void unpacks_what_was_packed_and_nothing_larger(void **state)
{
    (void)state;
    static uint8_t text[GATEWAY_CHUNK_MAX];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i / 100);
    struct chunk_coder from = {.may_pack = true, .waited_per_kib = 1000000}, to = {0};
    struct gateway_piece piece = {0};
    struct bytes back;
    chunk_pack(&from, &piece, bytes_of(text, sizeof text));
    assert_int_equal(piece.coding, GATEWAY_ZSTD);
    assert_true(piece.bytes.size < sizeof text / 4);
    assert_int_equal(chunk_unpack(&to, &back, &piece), OK);
    assert_true(bytes_equal(back, bytes_of(text, sizeof text)));
    piece.size--;
    assert_int_equal(chunk_unpack(&to, &back, &piece), E_MALFORMED);
    piece.size++;
    piece.bytes.size--;
    assert_int_equal(chunk_unpack(&to, &back, &piece), E_MALFORMED);
    chunk_coder_finish(&from);
    chunk_coder_finish(&to);
}

static void packs_only_where_the_link_is_slow_and_the_content_shrinks(void **state)
{
    (void)state;
    struct buffer noise = {0};
    static uint8_t zeros[GATEWAY_CHUNK_MAX];
    struct chunk_coder c = {.may_pack = true};
    struct gateway_piece piece = {0};
    fill(&noise);
    uint64_t sent = 0, waited_ns = 0;
    for (int i = 0; i < 50; i++) /* a link that one hardly waits for */
        chunk_coder_note(&c, sent += GATEWAY_CHUNK_MAX, waited_ns += 1000);
    chunk_pack(&c, &piece, bytes_of(zeros, sizeof zeros));
    assert_int_equal(piece.coding, GATEWAY_PLAIN);
    for (int i = 0; i < 50; i++) /* 5 MB/s */
        chunk_coder_note(&c, sent += GATEWAY_CHUNK_MAX, waited_ns += 50000000);
    chunk_pack(&c, &piece, bytes_of(zeros, sizeof zeros));
    assert_int_equal(piece.coding, GATEWAY_ZSTD);
    chunk_pack(&c, &piece, bytes_of(noise.data, GATEWAY_CHUNK_MAX));
    assert_int_equal(piece.coding, GATEWAY_PLAIN);
    chunk_pack(&c, &piece, bytes_of(zeros, 100));
    assert_int_equal(piece.coding, GATEWAY_PLAIN);
    c.may_pack = false;
    chunk_pack(&c, &piece, bytes_of(zeros, sizeof zeros));
    assert_int_equal(piece.coding, GATEWAY_PLAIN);
    chunk_coder_finish(&c);
    buffer_finish(&noise);
}

static void the_window_follows_bandwidth_and_delay_within_bounds(void **state)
{
    (void)state;
    struct gateway_pace p;
    uint64_t now_ns = 1000000000;
    pace_init(&p);
    pace_note_delay(&p, 100000000); /* 100 ms */
    pace_start(&p, 4ull << 30, now_ns);
    unsigned first = p.window;
    for (int i = 0; i < 100; i++) /* 26 MB/s: 10 chunks in the link */
        pace_note_answer(&p, GATEWAY_CHUNK_MAX, now_ns += 10000000);
    assert_in_range(p.window, first + 18, first + 20);
    for (int i = 0; i < 1000; i++) /* 2.6 GB/s */
        pace_note_answer(&p, GATEWAY_CHUNK_MAX, now_ns += 100000);
    assert_int_equal(p.window, GATEWAY_WINDOW_MAX);
    pace_start(&p, 1ull << 30, now_ns); /* a 128th of 1 GiB */
    assert_int_equal(p.window, 32);
}

static void computes_the_same_root_from_leaves_as_from_bytes(void **state)
{
    (void)state;
    struct buffer content = {0};
    fill(&content);
    static const size_t sizes[] = {0, 1, 4096, 4097, 12288, 20480, 28673, 1u << 20, CONTENT_SIZE};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bytes part = bytes_slice(buffer_bytes(&content), 0, sizes[i]);
        struct leaf_tree tree;
        leaf_tree_init(&tree, sizes[i]);
        leaf_hashes(tree.nodes, part); /* two leaves at once where the processor can */
        struct hash a = leaf_tree_join(&tree);
        struct hash b = merkle_root(part);
        assert_true(hash_equal(&a, &b));
        leaf_tree_finish(&tree);
    }
    buffer_finish(&content);
}

static void a_map_of_leaves_survives_the_wire(void **state)
{
    (void)state;
    struct leaf_map a, b;
    struct buffer bits = {0};
    leaf_map_init(&a, 1001);
    leaf_map_init(&b, 1001);
    leaf_map_add(&a, 0, 17);
    leaf_map_add(&a, 999, 2);
    assert_int_equal(leaf_map_next_missing(&a, 0), 17);
    assert_int_equal(leaf_map_next_missing(&a, 999), 1001);
    leaf_map_encode(&a, &bits, 0, 504);
    leaf_map_merge(&b, 0, buffer_bytes(&bits));
    buffer_clear(&bits);
    leaf_map_encode(&a, &bits, 504, 497);
    leaf_map_merge(&b, 504, buffer_bytes(&bits));
    assert_int_equal(b.set, 19);
    assert_memory_equal(a.bits, b.bits, 126);
    buffer_finish(&bits);
    leaf_map_finish(&a);
    leaf_map_finish(&b);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"tls.key", "tls.crt", "to", "twice"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_MAX];
        unlink(in_folder(path, names[i]));
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(downloads_a_content_and_says_who_asks),
        cmocka_unit_test(reads_parts_of_a_content_with_their_proofs),
        cmocka_unit_test(hangs_up_on_another_tls_key),
        cmocka_unit_test(tells_that_the_hello_was_refused),
        cmocka_unit_test(believes_no_bytes_that_do_not_fit_the_root),
        cmocka_unit_test(continues_a_broken_download),
        cmocka_unit_test(tells_that_the_worker_speaks_another_version),
        cmocka_unit_test(refuses_pieces_that_are_out_of_bounds),
        cmocka_unit_test(unpacks_what_was_packed_and_nothing_larger),
        cmocka_unit_test(packs_only_where_the_link_is_slow_and_the_content_shrinks),
        cmocka_unit_test(the_window_follows_bandwidth_and_delay_within_bounds),
        cmocka_unit_test(a_map_of_leaves_survives_the_wire),
        cmocka_unit_test(computes_the_same_root_from_leaves_as_from_bytes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
