#include "client/gateway.h"

#include "base/fatal.h"
#include "client/gateway_state.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_TIMEOUT_MS 15000u
#define WINDOW_MIN         8

uint64_t gateway_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- pace ---- */

void pace_init(struct gateway_pace *p)
{
    *p = (struct gateway_pace){
        .delay_ns = UINT64_MAX, .window = WINDOW_MIN, .window_max = WINDOW_MIN};
}

void pace_note_delay(struct gateway_pace *p, uint64_t ns)
{
    if (ns < p->delay_ns) p->delay_ns = ns;
}

static void start_round(struct gateway_pace *p, uint64_t now_ns)
{
    p->round_start_ns = now_ns;
    p->round_bytes = 0;
    p->round_answers = 0;
}

void pace_start(struct gateway_pace *p, uint64_t size_bytes, uint64_t now_ns)
{
    uint64_t most = size_bytes / 128 / GATEWAY_CHUNK_MAX;
    p->window_max = most < GATEWAY_WINDOW_MAX ? (unsigned)most : GATEWAY_WINDOW_MAX;
    if (p->window_max < WINDOW_MIN) p->window_max = WINDOW_MIN;
    if (p->window > p->window_max) p->window = p->window_max;
    start_round(p, now_ns);
}

/* A round is a window's worth of answers. */
void pace_note_answer(struct gateway_pace *p, uint64_t bytes, uint64_t now_ns)
{
    p->round_bytes += bytes;
    if (++p->round_answers < p->window) return;
    double seconds = (double)(now_ns - p->round_start_ns + 1) / 1e9;
    double delay_s = p->delay_ns == UINT64_MAX ? 0.001 : (double)p->delay_ns / 1e9;
    double in_link = (double)p->round_bytes / seconds * delay_s / GATEWAY_CHUNK_MAX;
    double wanted = 2 * in_link + WINDOW_MIN;
    p->window = wanted < p->window_max ? (unsigned)wanted : p->window_max;
    start_round(p, now_ns);
}

/* ---- requests and answers ---- */

enum status gateway_complain(struct gateway *g, enum status status, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(g->problem, sizeof g->problem, "worker %.80s: %s", g->endpoint, text);
    return status;
}

const char *gateway_problem(const struct gateway *g)
{
    return g->problem;
}

uint64_t gateway_traffic(const struct gateway *g)
{
    return g->traffic_bytes;
}

enum status gateway_send(struct gateway *g)
{
    enum status status = frame_stream_write(&g->stream, buffer_bytes(&g->out));
    g->traffic_bytes += g->out.size;
    buffer_clear(&g->out);
    if (status == OK) return OK;
    return gateway_complain(g, status, "the connection broke (%s)", status_text(status));
}

static enum status status_of_result(enum gateway_result code)
{
    switch (code) {
    case GATEWAY_RESULT_OK: return OK;
    case GATEWAY_RESULT_DENIED:
    case GATEWAY_RESULT_SIGNATURE: return E_DENIED;
    case GATEWAY_RESULT_NOT_FOUND: return E_NOT_FOUND;
    case GATEWAY_RESULT_NOT_YET:
    case GATEWAY_RESULT_LEAVES:
    case GATEWAY_RESULT_BUSY: return E_STATE;
    case GATEWAY_RESULT_OFFSET: return E_RANGE;
    case GATEWAY_RESULT_LIMIT:
    case GATEWAY_RESULT_SIZE: return E_LIMIT;
    case GATEWAY_RESULT_ROOT:
    case GATEWAY_RESULT_LEAF:
    case GATEWAY_RESULT_MALFORMED: return E_MALFORMED;
    case GATEWAY_RESULT_VERSION: return E_UNSUPPORTED;
    case GATEWAY_RESULT_FAILED: return E_IO;
    }
    return E_MALFORMED;
}

/* What a RESULT other than OK means to a person. */
static enum status complain_of(struct gateway *g, const struct gateway_answer *answer)
{
    enum status status = status_of_result(answer->code);
    if (answer->code != GATEWAY_RESULT_VERSION)
        return gateway_complain(g, status, "%s", answer->text);
    return gateway_complain(g, status,
                            "speaks version %u of the gateway's protocol, this program speaks %d; "
                            "the older of the two must be updated",
                            (unsigned)(uint8_t)answer->value, GATEWAY_VERSION);
}

enum status gateway_receive(struct gateway *g, enum gateway_frame wanted, struct bytes *body,
                            uint64_t *out_value)
{
    uint8_t type = 0;
    enum status status = frame_stream_read(&g->stream, &type, body);
    if (status != OK)
        return gateway_complain(g, status, "the connection broke (%s)", status_text(status));
    g->traffic_bytes += body->size + 5;
    struct gateway_answer answer = {0};
    if (type == GATEWAY_RESULT && gateway_read_answer(&answer, *body) == OK) {
        if (out_value != NULL) *out_value = answer.value;
        if (answer.code != GATEWAY_RESULT_OK) return complain_of(g, &answer);
        if (wanted == GATEWAY_RESULT) return OK;
    }
    if (type == (uint8_t)wanted && wanted != GATEWAY_RESULT) return OK;
    return gateway_complain(g, E_MALFORMED, "answered with a frame that does not belong there");
}

enum status gateway_ask(struct gateway *g, enum gateway_frame wanted, struct bytes *body)
{
    uint64_t start_ns = gateway_now_ns();
    enum status status = gateway_send(g);
    if (status == OK) status = gateway_receive(g, wanted, body, NULL);
    pace_note_delay(&g->pace, gateway_now_ns() - start_ns);
    return status;
}

struct gateway_name gateway_name_of(const struct gateway_content *c)
{
    return (struct gateway_name){c->job, c->root};
}

size_t gateway_chunk_size(uint64_t size, uint64_t offset)
{
    return size - offset < GATEWAY_CHUNK_MAX ? (size_t)(size - offset) : GATEWAY_CHUNK_MAX;
}

uint64_t gateway_next_chunk(const struct leaf_map *have, uint64_t size, uint64_t from)
{
    assert(from % GATEWAY_CHUNK_MAX == 0 || from == size);
    uint64_t leaf = leaf_map_next_missing(have, leaf_count(from));
    if (leaf == have->count) return size;
    return leaf * MERKLE_LEAF_BYTES / GATEWAY_CHUNK_MAX * GATEWAY_CHUNK_MAX;
}

enum status gateway_tell(struct gateway *g, const struct gateway_progress *p, uint64_t done,
                         uint64_t size)
{
    if (p == NULL || p->step == NULL || p->step(p->context, done, size)) return OK;
    return gateway_complain(g, E_STATE, "stopped here");
}

enum status gateway_stat(struct gateway *g, struct gateway_sizes *out,
                         const struct gateway_content *content)
{
    struct bytes body;
    gateway_put_stat(&g->out, &(struct gateway_stat){gateway_name_of(content)});
    enum status status = gateway_ask(g, GATEWAY_SIZES, &body);
    if (status != OK) return status;
    if (gateway_read_sizes(out, body) == OK && out->size == content->size) return OK;
    return gateway_complain(g, E_MALFORMED, "answered with sizes that make no sense");
}

/* ---- the connection ---- */

static enum status say_hello(struct gateway *g, const struct hash *tls_key_hash,
                             const struct key *identity)
{
    struct gateway_hello hello = {.version = GATEWAY_VERSION,
                                  .codings = GATEWAY_READS_ZSTD,
                                  .address = key_address(identity)};
    uint8_t exporter[GATEWAY_EXPORTER_BYTES];
    struct bytes body;
    uint64_t codings = 0;
    enum status status = tls_exporter(exporter, &g->stream);
    if (status != OK) return gateway_complain(g, status, "no TLS exporter");
    struct hash digest = gateway_hello_digest(tls_key_hash, exporter);
    hello.signature = key_sign(identity, &digest);
    gateway_put_hello(&g->out, &hello);
    status = gateway_send(g);
    if (status == OK) status = gateway_receive(g, GATEWAY_RESULT, &body, &codings);
    g->coder.may_pack = (codings & GATEWAY_READS_ZSTD) != 0;
    return status;
}

static enum status connect_to(struct gateway *g, const struct gateway_peer *peer,
                              uint32_t timeout_ms)
{
    int fd = -1;
    enum status status = socket_connect(&fd, peer->endpoint, timeout_ms);
    if (status == E_MALFORMED) return gateway_complain(g, status, "not HOST:PORT");
    if (status == E_NOT_FOUND) return gateway_complain(g, status, "no such host");
    if (status == E_TIMEOUT)
        return gateway_complain(g, status, "no connection in %u ms", timeout_ms);
    if (status != OK) return gateway_complain(g, status, "cannot connect: %s", strerror(errno));
    status = frame_stream_open(&g->stream, g->context, fd, false, timeout_ms);
    if (status != OK)
        return gateway_complain(g, status, "no TLS handshake (%s)", status_text(status));
    if (peer->total_ms != 0) frame_stream_end_after(&g->stream, peer->total_ms);
    struct hash shown = tls_peer_key_hash(&g->stream);
    if (!hash_equal(&shown, &peer->tls_key_hash))
        return gateway_complain(g, E_DENIED, "its TLS key is not the one that the chain names");
    return OK;
}

enum status gateway_open(struct gateway **out, char error[JSON_ERROR_SIZE],
                         const struct gateway_peer *peer, const struct key *identity)
{
    uint32_t timeout_ms = peer->timeout_ms != 0 ? peer->timeout_ms : DEFAULT_TIMEOUT_MS;
    struct gateway *g = must_alloc(sizeof *g);
    snprintf(g->endpoint, sizeof g->endpoint, "%s", peer->endpoint);
    pace_init(&g->pace);
    g->context = tls_context_create(false);
    if (g->context == NULL) fatal("making a TLS context");
    enum status status = connect_to(g, peer, timeout_ms);
    if (status == OK) status = say_hello(g, &peer->tls_key_hash, identity);
    if (status != OK) {
        memcpy(error, g->problem, JSON_ERROR_SIZE);
        gateway_close(g);
        return status;
    }
    *out = g;
    return OK;
}

void gateway_close(struct gateway *g)
{
    if (g == NULL) return;
    frame_stream_close(&g->stream);
    SSL_CTX_free(g->context);
    chunk_coder_finish(&g->coder);
    buffer_finish(&g->out);
    free(g);
}
