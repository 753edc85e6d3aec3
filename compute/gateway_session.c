#include "compute/gateway_session.h"

#include "base/log.h"

#include <assert.h>

static enum status answer(struct gateway_session *s, enum gateway_result code, uint64_t value)
{
    buffer_clear(&s->out);
    gateway_put_result(&s->out, code, value, NULL);
    return frame_stream_write(s->stream, buffer_bytes(&s->out));
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
    return answer(s, GATEWAY_RESULT_OK, 0);
}

static enum gateway_result right_of(struct gateway_session *s, struct gateway_right *out,
                                    uint64_t job, const struct hash *root)
{
    *out = (struct gateway_right){0};
    enum gateway_result code = s->options->policy(s->options->context, out, job, root, &s->who);
    if (code == GATEWAY_RESULT_OK) atomic_store(s->known, true);
    return code;
}

static enum gateway_result result_of_append(enum status status)
{
    switch (status) {
    case OK: return GATEWAY_RESULT_OK;
    case E_RANGE: return GATEWAY_RESULT_OFFSET;
    case E_MALFORMED: return GATEWAY_RESULT_ROOT;
    case E_LIMIT: return GATEWAY_RESULT_LIMIT;
    case E_NOT_FOUND:
    case E_EXISTS:
    case E_SIGNATURE:
    case E_STATE:
    case E_DENIED:
    case E_IO:
    case E_TIMEOUT:
    case E_UNSUPPORTED:
    case STATUS_COUNT: break;
    }
    return GATEWAY_RESULT_FAILED;
}

static enum status on_put(struct gateway_session *s, struct bytes body)
{
    struct gateway_put put;
    struct gateway_right right;
    if (gateway_read_put(&put, body) != OK) return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    enum gateway_result code = right_of(s, &right, put.job, &put.root);
    if (code != GATEWAY_RESULT_OK) return answer(s, code, 0);
    if (!right.may_write) return answer(s, GATEWAY_RESULT_DENIED, 0);
    if (put.size != right.size) return answer(s, GATEWAY_RESULT_SIZE, right.size);
    enum status status =
        blobs_append(s->options->blobs, put.job, &put.root, put.size, put.offset, put.chunk);
    return answer(s, result_of_append(status),
                  blobs_held(s->options->blobs, put.job, &put.root, NULL));
}

static enum status on_get(struct gateway_session *s, struct bytes body)
{
    struct gateway_get get;
    struct gateway_right right;
    if (gateway_read_get(&get, body) != OK) return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    enum gateway_result code = right_of(s, &right, get.job, &get.root);
    if (code != GATEWAY_RESULT_OK) return answer(s, code, 0);
    if (!right.may_read) return answer(s, GATEWAY_RESULT_DENIED, 0);
    struct buffer content = {0};
    enum status status = blobs_read(s->options->blobs, &content, &get.root, get.offset, get.length);
    if (status == OK) {
        struct gateway_chunk chunk = {.offset = get.offset, .bytes = buffer_bytes(&content)};
        buffer_clear(&s->out);
        gateway_put_chunk(&s->out, &chunk);
        status = frame_stream_write(s->stream, buffer_bytes(&s->out));
    } else {
        bool missing = status == E_NOT_FOUND || status == E_RANGE;
        status = answer(s, missing ? GATEWAY_RESULT_NOT_FOUND : GATEWAY_RESULT_FAILED, 0);
    }
    buffer_finish(&content);
    return status;
}

static enum status on_stat(struct gateway_session *s, struct bytes body)
{
    struct gateway_stat stat;
    struct gateway_right right;
    if (gateway_read_stat(&stat, body) != OK) return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    enum gateway_result code = right_of(s, &right, stat.job, &stat.root);
    if (code != GATEWAY_RESULT_OK) return answer(s, code, 0);
    enum status status = blobs_finish(s->options->blobs, stat.job, &stat.root, right.size);
    if (status != OK && status != E_MALFORMED) return answer(s, GATEWAY_RESULT_FAILED, 0);
    struct gateway_sizes sizes = {
        .size = right.size, .held = blobs_held(s->options->blobs, stat.job, &stat.root, NULL)};
    buffer_clear(&s->out);
    gateway_put_sizes(&s->out, &sizes);
    return frame_stream_write(s->stream, buffer_bytes(&s->out));
}

/* Leaf hashes are computed as they are asked for: one pass over at most 32 MiB. */
static enum status hash_leaves(struct gateway_session *s, struct buffer *hashes,
                               const struct gateway_leaves *wanted, uint64_t count)
{
    struct buffer leaf = {0};
    enum status status = OK;
    for (uint64_t i = 0; i < count && status == OK; i++) {
        uint64_t offset = (wanted->first + i) * MERKLE_LEAF_BYTES;
        buffer_clear(&leaf);
        status = blobs_read(s->options->blobs, &leaf, &wanted->root, offset, MERKLE_LEAF_BYTES);
        if (status != OK) break;
        struct hash h = gateway_leaf_hash(buffer_bytes(&leaf));
        buffer_append(hashes, hash_bytes(&h));
    }
    buffer_finish(&leaf);
    return status;
}

static enum status on_leaves(struct gateway_session *s, struct bytes body)
{
    struct gateway_leaves leaves;
    struct gateway_right right;
    if (gateway_read_leaves(&leaves, body) != OK) return refuse(s, GATEWAY_RESULT_MALFORMED, 0);
    enum gateway_result code = right_of(s, &right, leaves.job, &leaves.root);
    if (code != GATEWAY_RESULT_OK) return answer(s, code, 0);
    if (!right.may_read) return answer(s, GATEWAY_RESULT_DENIED, 0);
    uint64_t total = gateway_leaf_count(right.size);
    if (leaves.first >= total) return answer(s, GATEWAY_RESULT_NOT_FOUND, 0);
    uint64_t left = total - leaves.first;
    struct buffer hashes = {0};
    enum status status =
        hash_leaves(s, &hashes, &leaves, leaves.count < left ? leaves.count : left);
    if (status == OK) {
        struct gateway_hashes out = {.first = leaves.first, .hashes = buffer_bytes(&hashes)};
        buffer_clear(&s->out);
        gateway_put_hashes(&s->out, &out);
        status = frame_stream_write(s->stream, buffer_bytes(&s->out));
    } else {
        bool missing = status == E_NOT_FOUND || status == E_RANGE;
        status = answer(s, missing ? GATEWAY_RESULT_NOT_FOUND : GATEWAY_RESULT_FAILED, 0);
    }
    buffer_finish(&hashes);
    return status;
}

static enum status on_request(struct gateway_session *s)
{
    uint8_t type;
    struct bytes body;
    enum status status = frame_stream_read(s->stream, &type, &body);
    if (status == E_LIMIT) return refuse(s, GATEWAY_RESULT_LIMIT, GATEWAY_FRAME_MAX);
    if (status != OK) return status;
    switch (type) {
    case GATEWAY_PUT: return on_put(s, body);
    case GATEWAY_GET: return on_get(s, body);
    case GATEWAY_STAT: return on_stat(s, body);
    case GATEWAY_LEAVES: return on_leaves(s, body);
    default: return refuse(s, GATEWAY_RESULT_MALFORMED, type);
    }
}

void gateway_session_run(struct gateway_session *s)
{
    assert(s->stream && s->options && s->options->policy);
    enum status status = on_hello(s);
    while (status == OK)
        status = on_request(s);
    if (status != E_IO)
        log_limited(LOG_INFO, "gateway", "connection ended reason=%s", status_text(status));
    buffer_finish(&s->out);
}
