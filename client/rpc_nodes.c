/* Which node is asked, and the asking. */
#include "base/fatal.h"
#include "client/rpc_answer.h"
#include "client/rpc_state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FIRST_PAUSE_MS   100u
#define LONGEST_PAUSE_MS 2000u
#define STOP_STEP_MS     50u
#define STALE_MS         5000u /* no new block for so long: perhaps only this node stands still */
#define LOOK_MS          2000u /* for a look at a node */
#define LOOK_ID          0u    /* ids of calls start at 1 */

uint64_t rpc_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- one request to the current node ---- */

static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}

static enum status on_curl_failure(struct rpc *r, CURLcode code, uint32_t timeout_ms)
{
    if (r->body_too_large) {
        rpc_set_problem(r, "the answer of %s is larger than %u MiB", rpc_url(r),
                        RPC_ANSWER_BYTES_MAX >> 20);
        return E_LIMIT;
    }
    if (rpc_stopped(r)) return E_STATE;
    if (code == CURLE_OPERATION_TIMEDOUT) {
        rpc_set_problem(r, "no answer from %s within %u ms", rpc_url(r), timeout_ms);
        return E_TIMEOUT;
    }
    rpc_set_problem(r, "cannot reach a node at %s: %s", rpc_url(r), curl_easy_strerror(code));
    return E_IO;
}

static enum status post(struct rpc *r, struct bytes request, uint32_t timeout_ms)
{
    buffer_clear(&r->body);
    r->body_too_large = false;
    curl_easy_setopt(r->curl, CURLOPT_URL, rpc_url(r));
    curl_easy_setopt(r->curl, CURLOPT_PROXY, is_loopback(rpc_url(r)) ? "" : NULL);
    curl_easy_setopt(r->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, (const char *)request.data);
    curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request.size);
    CURLcode code = curl_easy_perform(r->curl);
    if (code != CURLE_OK) return on_curl_failure(r, code, timeout_ms);
    long http_status = 0;
    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &http_status);
    if (http_status >= 400 && (r->body.size == 0 || r->body.data[0] != '{')) {
        rpc_set_problem(r, "%s answered with HTTP status %ld", rpc_url(r), http_status);
        return E_IO;
    }
    return OK;
}

static enum status read_answer(struct rpc *r, json_t **out, uint64_t id)
{
    enum status status = rpc_answer_read(out, &r->error, buffer_bytes(&r->body), id);
    if (status == E_MALFORMED) rpc_set_problem(r, "%s does not speak JSON-RPC", rpc_url(r));
    if (status == E_DENIED) rpc_set_problem(r, "%s", r->error.message);
    return status;
}

static bool worth_another_try(enum status status)
{
    return status == E_IO || status == E_TIMEOUT || status == E_MALFORMED;
}

/* ---- heights ---- */

static void note_height(struct rpc *r, const json_t *quantity)
{
    struct u256 n;
    const char *text = json_string_value(quantity);
    if (text == NULL || u256_from_quantity(&n, bytes_of_text(text)) != OK) return;
    uint64_t height = u256_to_u64_saturating(n);
    if (height <= r->height_seen) return;
    r->height_seen = height;
    r->grew_at_ms = rpc_now_ms();
}

static void note_answer(struct rpc *r, const char *method, const json_t *answer)
{
    if (strcmp(method, "eth_blockNumber") == 0) note_height(r, answer);
    if (strcmp(method, "eth_getBlockByNumber") == 0)
        note_height(r, json_object_get(answer, "number"));
    if (strcmp(method, "eth_getTransactionReceipt") == 0)
        note_height(r, json_object_get(answer, "blockNumber"));
}

/* ---- looking at a node before trusting it ---- */

static enum status look(struct rpc *r, json_t **out, const char *method)
{
    char request[120];
    uint32_t timeout_ms = r->timeout_ms < LOOK_MS ? r->timeout_ms : LOOK_MS;
    snprintf(request, sizeof request,
             "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\",\"params\":[]}", LOOK_ID, method);
    enum status status = post(r, bytes_of_text(request), timeout_ms);
    return status == OK ? read_answer(r, out, LOOK_ID) : status;
}

/* The current node's height. */
static enum status look_at_height(struct rpc *r, uint64_t *out)
{
    json_t *answer = NULL;
    struct u256 n;
    enum status status = look(r, &answer, "eth_blockNumber");
    if (status != OK) return status;
    const char *text = json_string_value(answer);
    status = text == NULL ? E_MALFORMED : u256_from_quantity(&n, bytes_of_text(text));
    json_decref(answer);
    if (status != OK) {
        rpc_set_problem(r, "%s answered eth_blockNumber with no quantity", rpc_url(r));
        return E_MALFORMED;
    }
    *out = u256_to_u64_saturating(n);
    return OK;
}

/* E_IO: it does not know yet what another node has told us, or it is catching up. */
static enum status look_whether_fit(struct rpc *r)
{
    json_t *syncing = NULL;
    uint64_t height = 0;
    enum status status = look(r, &syncing, "eth_syncing");
    bool catching_up = status == OK && json_is_object(syncing);
    json_decref(syncing);
    if (status == E_DENIED) status = OK; /* a node without that method */
    if (status != OK) return status;
    if (catching_up && !r->syncing_allowed) {
        r->saw_syncing = true;
        rpc_set_problem(r, "the node at %s is still catching up", rpc_url(r));
        return E_IO;
    }
    if (r->height_seen == 0) return OK;
    status = look_at_height(r, &height);
    if (status != OK) return status == E_DENIED ? E_IO : status;
    if (height >= r->height_seen) return OK;
    rpc_set_problem(r, "the node at %s is behind: block %llu, others have %llu", rpc_url(r),
                    (unsigned long long)height, (unsigned long long)r->height_seen);
    return E_IO;
}

/* No new block for a while: takes a node that has one, if there is. */
static void look_around(struct rpc *r)
{
    size_t before = r->current;
    r->grew_at_ms = rpc_now_ms();
    for (size_t i = 0; i < r->url_count && !rpc_stopped(r); i++) {
        uint64_t height = 0;
        r->current = (before + i) % r->url_count;
        if (look_at_height(r, &height) != OK || height <= r->height_seen) continue;
        r->height_seen = height;
        return;
    }
    r->current = before;
}

/* ---- until one answers ---- */

static enum status ask_current(struct rpc *r, json_t **out, struct bytes request, uint64_t id)
{
    enum status status = r->doubted && r->url_count > 1 ? look_whether_fit(r) : OK;
    if (status == OK) status = post(r, request, r->timeout_ms);
    if (status == OK) status = read_answer(r, out, id);
    if (!worth_another_try(status)) r->doubted = false;
    return status;
}

static enum status one_round(struct rpc *r, json_t **out, struct bytes request, uint64_t id)
{
    enum status status = E_IO;
    for (size_t i = 0; i < r->url_count; i++) {
        if (rpc_stopped(r)) return E_STATE;
        status = ask_current(r, out, request, id);
        if (!worth_another_try(status)) return status;
        r->current = (r->current + 1) % r->url_count;
        r->doubted = true;
    }
    return status;
}

static void pause_ms(const struct rpc *r, uint32_t length_ms)
{
    for (uint32_t slept = 0; slept < length_ms && !rpc_stopped(r); slept += STOP_STEP_MS) {
        struct timespec t = {.tv_nsec = STOP_STEP_MS * 1000000L};
        nanosleep(&t, NULL);
    }
}

enum status rpc_ask_nodes(struct rpc *r, json_t **out, const char *method, struct bytes request,
                          uint64_t id)
{
    assert(r->current < r->url_count && id != LOOK_ID);
    uint64_t deadline = rpc_now_ms() + r->patience_ms;
    if (r->url_count > 1 && rpc_now_ms() - r->grew_at_ms > STALE_MS) look_around(r);
    for (uint32_t pause = FIRST_PAUSE_MS;;) {
        r->syncing_allowed = r->saw_syncing = false;
        enum status status = one_round(r, out, request, id);
        r->syncing_allowed = r->saw_syncing;
        if (worth_another_try(status) && r->saw_syncing) status = one_round(r, out, request, id);
        if (status == OK) note_answer(r, method, *out);
        if (!worth_another_try(status)) return status;
        if (rpc_now_ms() + pause > deadline) return status;
        pause_ms(r, pause);
        pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
    }
}
