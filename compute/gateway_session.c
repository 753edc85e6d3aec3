#include "compute/gateway_session.h"

#include "base/log.h"

#include <assert.h>

#define WRONG_LEAVES_MAX 3 /* then the peer is let go: checking costs as much as sending */

static enum status send_out(struct gateway_session *s)
{
    return frame_stream_write(s->stream, buffer_bytes(&s->out));
}

static enum status answer(struct gateway_session *s, enum gateway_result code, uint64_t value)
{
    buffer_clear(&s->out);
    gateway_put_result(&s->out, code, value, NULL);
    return send_out(s);
}

/* A peer that broke the protocol is told so and let go. */
static enum status refuse(struct gateway_session *s, enum gateway_result code, uint64_t value)
{
    (void)!answer(s, code, value);
    return E_DENIED;
}

static enum status on_hello(struct gateway_session *s)
{
    uint8_t type;
    struct bytes body;
    struct gateway_hello hello;
    uint8_t exporter[GATEWAY_EXPORTER_BYTES];
    enum status status = frame_stream_read(s->stream, &type, &body);
    if (status != OK) return status;
    if (type != GATEWAY_HELLO || gateway_read_hello(&hello, body) != OK)
        return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    if (hello.version != GATEWAY_VERSION) return refuse(s, GATEWAY_RESULT_VERSION, GATEWAY_VERSION);
    status = tls_exporter(exporter, s->stream);
    if (status != OK) return status;
    struct hash digest = gateway_hello_digest(&s->key_hash, exporter);
    struct address signer;
    status = signature_recover(&signer, &hello.signature, &digest, true);
    if (status != OK || !address_equal(&signer, &hello.address))
        return refuse(s, GATEWAY_RESULT_SIGNATURE, 0);
    s->who = signer;
    s->coder.may_pack = (hello.codings & GATEWAY_READS_ZSTD) != 0;
    s->on_account(s->owner, &signer);
    return answer(s, GATEWAY_RESULT_OK, GATEWAY_READS_ZSTD);
}

static enum gateway_result right_of(struct gateway_session *s, struct gateway_right *out,
                                    const struct gateway_name *name)
{
    *out = (struct gateway_right){0};
    enum gateway_result code = s->options->policy(s->options->context, out, name, &s->who);
    if (code == GATEWAY_RESULT_OK) s->on_granted(s->owner);
    return code;
}

static enum gateway_result right_to_write(struct gateway_session *s, struct gateway_right *out,
                                          const struct gateway_name *name)
{
    enum gateway_result code = right_of(s, out, name);
    return code == GATEWAY_RESULT_OK && !out->may_write ? GATEWAY_RESULT_DENIED : code;
}

static struct blob_key key_of(const struct gateway_name *name)
{
    return (struct blob_key){name->job, name->root};
}

static enum gateway_result result_of(enum status status)
{
    switch (status) {
    case OK: return GATEWAY_RESULT_OK;
    case E_LIMIT: return GATEWAY_RESULT_LIMIT;
    case E_RANGE:
    case E_NOT_FOUND: return GATEWAY_RESULT_NOT_FOUND;
    case E_STATE: return GATEWAY_RESULT_NOT_YET;
    case E_MALFORMED:
    case E_EXISTS:
    case E_SIGNATURE:
    case E_DENIED:
    case E_IO:
    case E_TIMEOUT:
    case E_UNSUPPORTED:
    case STATUS_COUNT: break;
    }
    return GATEWAY_RESULT_FAILED;
}

/* ---- writing ---- */

static enum status on_offer(struct gateway_session *s, struct bytes body)
{
    struct gateway_offer m;
    struct gateway_right right;
    if (gateway_read_offer(&m, body) != OK) return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    enum gateway_result code = right_to_write(s, &right, &m.name);
    if (code != GATEWAY_RESULT_OK) return answer(s, code, 0);
    if (m.size != right.size) return answer(s, GATEWAY_RESULT_SIZE, right.size);
    struct blobs *blobs = s->options->blobs;
    struct blob_key key = key_of(&m.name);
    enum status status = blobs_offer(blobs, &key, &right.owner, m.size, m.first, m.hashes);
    if (status == E_LIMIT) return answer(s, GATEWAY_RESULT_LIMIT, blobs_quota(blobs));
    if (status == E_MALFORMED) return answer(s, GATEWAY_RESULT_ROOT, 0);
    code = status == E_RANGE ? GATEWAY_RESULT_OFFSET : result_of(status);
    return answer(s, code, blobs_state(blobs, &key).offered);
}

static enum status on_wrong_leaf(struct gateway_session *s, uint64_t offset)
{
    if (++s->wrong_leaves >= WRONG_LEAVES_MAX) return refuse(s, GATEWAY_RESULT_LEAF, offset);
    return answer(s, GATEWAY_RESULT_LEAF, offset);
}

/* Answers the oldest chunk that is being stored. */
static enum status answer_put(struct gateway_session *s)
{
    uint64_t offset = 0;
    enum status status = gateway_intake_take(s->intake, &offset);
    if (status == E_UNSUPPORTED) return refuse(s, GATEWAY_RESULT_MALFORMED, offset);
    if (status == E_STATE) return answer(s, GATEWAY_RESULT_LEAVES, offset);
    if (status == E_MALFORMED) return on_wrong_leaf(s, offset);
    if (status == E_RANGE) return answer(s, GATEWAY_RESULT_SIZE, offset);
    return answer(s, result_of(status), offset);
}

static enum status answer_all_puts(struct gateway_session *s)
{
    enum status status = OK;
    while (status == OK && gateway_intake_pending(s->intake) > 0)
        status = answer_put(s);
    return status;
}

static enum status on_put(struct gateway_session *s, struct bytes body)
{
    struct gateway_put m;
    struct gateway_right right;
    enum gateway_result code = GATEWAY_RESULT_MALFORMED;
    enum status status = OK;
    bool sound = gateway_read_put(&m, body) == OK;
    if (sound) code = right_to_write(s, &right, &m.name);
    if (code != GATEWAY_RESULT_OK) { /* in its turn */
        status = answer_all_puts(s);
        if (status != OK) return status;
        return sound ? answer(s, code, 0) : refuse(s, code, 0);
    }
    if (!s->intake) s->intake = gateway_intake_create(s->options->blobs);
    if (gateway_intake_pending(s->intake) == INTAKE_MAX) status = answer_put(s);
    if (status == OK) gateway_intake_push(s->intake, &s->stream->in, &m);
    return status;
}

/* ---- reading ---- */

/* OK: go on. Else the request was answered, and *out_status is what became of that. */
static bool may_read(struct gateway_session *s, struct gateway_right *right,
                     enum status *out_status, const struct gateway_name *name)
{
    enum gateway_result code = right_of(s, right, name);
    if (code == GATEWAY_RESULT_OK && !right->may_read) code = GATEWAY_RESULT_DENIED;
    if (code != GATEWAY_RESULT_OK) *out_status = answer(s, code, 0);
    return code == GATEWAY_RESULT_OK;
}

/* Sends what lies in s->out, if the meter allows. What travels packed counts as what it is. */
static enum status serve(struct gateway_session *s, const struct gateway_right *right,
                         const struct gateway_name *name)
{
    size_t bytes = s->content.size > s->out.size ? s->content.size : s->out.size;
    if (gateway_meter_add(s->meter, name, &s->who, right->size, bytes)) return send_out(s);
    return refuse(s, GATEWAY_RESULT_LIMIT, gateway_meter_limit(right->size));
}

static enum status on_get(struct gateway_session *s, struct bytes body)
{
    struct gateway_get m;
    struct gateway_right right;
    enum status status = OK;
    if (gateway_read_get(&m, body) != OK) return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    if (!may_read(s, &right, &status, &m.name)) return status;
    struct blob_key key = key_of(&m.name);
    buffer_clear(&s->content);
    status = blobs_read(s->options->blobs, &s->content, &key, m.offset, m.length);
    if (status == OK && s->content.size == 0) status = E_RANGE;
    if (status != OK) return answer(s, result_of(status), 0);
    struct gateway_piece piece = {.offset = m.offset};
    chunk_coder_note(&s->coder, s->stream->sent_bytes, s->stream->waited_ns);
    chunk_pack(&s->coder, &piece, buffer_bytes(&s->content));
    buffer_clear(&s->out);
    gateway_put_chunk(&s->out, &piece);
    return serve(s, &right, &m.name);
}

/* Hashes that nobody took further than this, though a restart has forgotten of what size they are:
 * all of them are there, so the last step failed, and it is made again from the start. */
static struct blob_state state_of(struct gateway_session *s, const struct blob_key *key,
                                  uint64_t size)
{
    struct blob_state state = blobs_state(s->options->blobs, key);
    bool stuck = state.size == 0 && state.offered >= leaf_count(size) && !state.whole;
    if (!stuck || state.offered == 0) return state;
    blobs_remove(s->options->blobs, key);
    return (struct blob_state){0};
}

static enum status on_stat(struct gateway_session *s, struct bytes body)
{
    struct gateway_stat m;
    struct gateway_right right;
    enum status status = OK;
    if (gateway_read_stat(&m, body) != OK) return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    if (!may_read(s, &right, &status, &m.name)) return status;
    struct blob_key key = key_of(&m.name);
    struct blob_state state = state_of(s, &key, right.size);
    buffer_clear(&s->content);
    struct gateway_sizes sizes = {.size = right.size, .held = state.held, .offered = state.offered};
    buffer_clear(&s->out);
    gateway_put_sizes(&s->out, &sizes);
    return serve(s, &right, &m.name);
}

static enum status on_nodes(struct gateway_session *s, struct bytes body)
{
    struct gateway_nodes m;
    struct gateway_right right;
    enum status status = OK;
    if (gateway_read_nodes(&m, body) != OK) return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    if (!may_read(s, &right, &status, &m.name)) return status;
    struct blob_key key = key_of(&m.name);
    buffer_clear(&s->content);
    status = blobs_nodes(s->options->blobs, &s->content, &key, m.level, m.first, m.count);
    if (status != OK) return answer(s, result_of(status), 0);
    struct gateway_hashes hashes = {m.level, m.first, buffer_bytes(&s->content)};
    buffer_clear(&s->out);
    gateway_put_hashes(&s->out, &hashes);
    return serve(s, &right, &m.name);
}

static enum status on_map(struct gateway_session *s, struct bytes body)
{
    struct gateway_map m;
    struct gateway_right right;
    enum status status = OK;
    if (gateway_read_map(&m, body) != OK) return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    if (!may_read(s, &right, &status, &m.name)) return status;
    struct blob_key key = key_of(&m.name);
    uint64_t count = m.count;
    buffer_clear(&s->content);
    status = blobs_map(s->options->blobs, &s->content, &key, m.first, &count);
    if (status != OK) return answer(s, result_of(status), 0);
    struct gateway_bits bits = {m.first, (uint32_t)count, buffer_bytes(&s->content)};
    buffer_clear(&s->out);
    gateway_put_bits(&s->out, &bits);
    return serve(s, &right, &m.name);
}

static enum status on_request(struct gateway_session *s)
{
    uint8_t type;
    struct bytes body;
    /* A client that waits for answers sends nothing: so answer before waiting for it. */
    if (gateway_intake_pending(s->intake) > 0 && !frame_stream_has_input(s->stream))
        return answer_put(s);
    enum status status = frame_stream_read(s->stream, &type, &body);
    if (status == OK && type == GATEWAY_PUT) return on_put(s, body);
    if (status == OK || status == E_LIMIT) {
        enum status stored = answer_all_puts(s);
        if (stored != OK) return stored;
    }
    if (status == E_LIMIT) return refuse(s, GATEWAY_RESULT_LIMIT, GATEWAY_FRAME_MAX);
    if (status != OK) return status;
    switch (type) {
    case GATEWAY_GET: return on_get(s, body);
    case GATEWAY_STAT: return on_stat(s, body);
    case GATEWAY_NODES: return on_nodes(s, body);
    case GATEWAY_OFFER: return on_offer(s, body);
    case GATEWAY_MAP: return on_map(s, body);
    default: return refuse(s, GATEWAY_RESULT_MALFORMED, type);
    }
}

void gateway_session_run(struct gateway_session *s)
{
    assert(s->stream && s->options && s->options->policy && s->meter);
    enum status status = on_hello(s);
    while (status == OK)
        status = on_request(s);
    if (status != E_IO)
        log_limited(LOG_INFO, "gateway", "connection ended reason=%s", status_text(status));
    gateway_intake_destroy(s->intake);
    chunk_coder_finish(&s->coder);
    buffer_finish(&s->content);
    buffer_finish(&s->out);
}
