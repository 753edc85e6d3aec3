#include "client/rpc.h"

#include "base/fatal.h"
#include "client/rpc_state.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS 10000u
#define URL_BYTES_MAX      512

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) fatal("starting libcurl");
}

static enum status add_url(struct rpc *r, const char *start, size_t size, char *error)
{
    while (size > 0 && *start == ' ') {
        start++;
        size--;
    }
    while (size > 0 && start[size - 1] == ' ')
        size--;
    bool plain = size > 7 && strncmp(start, "http://", 7) == 0;
    bool tls = size > 8 && strncmp(start, "https://", 8) == 0;
    if (size > URL_BYTES_MAX || (!plain && !tls)) {
        snprintf(error, JSON_ERROR_SIZE, "'%.*s' is no node URL; give http://HOST:PORT",
                 (int)(size > 100 ? 100 : size), start);
        return E_MALFORMED;
    }
    if (r->url_count == RPC_URLS_MAX) {
        snprintf(error, JSON_ERROR_SIZE, "more than %d node URLs", RPC_URLS_MAX);
        return E_LIMIT;
    }
    char *copy = must_alloc(size + 1);
    memcpy(copy, start, size);
    r->urls[r->url_count++] = copy;
    return OK;
}

static enum status add_urls(struct rpc *r, const char *urls, char *error)
{
    for (const char *at = urls;;) {
        size_t size = strcspn(at, ",");
        enum status status = add_url(r, at, size, error);
        if (status != OK) return status;
        if (at[size] == '\0') return OK;
        at += size + 1;
    }
}

static size_t on_bytes(char *data, size_t one, size_t count, void *context)
{
    struct rpc *r = context;
    size_t size = one * count;
    if (size > RPC_ANSWER_BYTES_MAX - r->body.size) {
        r->body_too_large = true;
        return 0;
    }
    buffer_append(&r->body, bytes_of(data, size));
    return size;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return rpc_stopped(context) ? 1 : 0;
}

static void set_curl_options(struct rpc *r)
{
    CURL *c = r->curl;
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, r->headers);
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)r->timeout_ms);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, r);
}

enum status rpc_create(struct rpc **out, const struct rpc_options *options,
                       char error[JSON_ERROR_SIZE])
{
    assert(out != NULL && options != NULL);
    pthread_once(&curl_once, start_curl);
    struct rpc *r = must_alloc(sizeof *r);
    enum status status =
        add_urls(r, options->urls != NULL ? options->urls : RPC_DEFAULT_URL, error);
    if (status != OK) {
        rpc_destroy(r);
        return status;
    }
    r->timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    r->patience_ms = options->patience_ms;
    r->stop = options->stop;
    r->doubted = true;
    r->grew_at_ms = rpc_now_ms();
    r->curl = curl_easy_init();
    r->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (r->curl == NULL || r->headers == NULL) fatal("making a libcurl handle");
    struct curl_slist *more = curl_slist_append(r->headers, "Expect:");
    if (more == NULL) fatal("making a libcurl handle");
    set_curl_options(r);
    *out = r;
    return OK;
}

void rpc_destroy(struct rpc *r)
{
    if (r == NULL) return;
    if (r->curl != NULL) curl_easy_cleanup(r->curl);
    curl_slist_free_all(r->headers);
    for (size_t i = 0; i < r->url_count; i++)
        free(r->urls[i]);
    buffer_finish(&r->body);
    free(r);
}

bool rpc_stopped(const struct rpc *r)
{
    return r->stop != NULL && __atomic_load_n(r->stop, __ATOMIC_RELAXED);
}

void rpc_set_patience(struct rpc *r, uint32_t patience_ms)
{
    r->patience_ms = patience_ms;
}

uint32_t rpc_patience(const struct rpc *r)
{
    return r->patience_ms;
}

const struct rpc_error *rpc_error(const struct rpc *r)
{
    return &r->error;
}

const char *rpc_problem(const struct rpc *r)
{
    return r->problem;
}

void rpc_set_problem(struct rpc *r, const char *format, ...)
{
    char text[RPC_PROBLEM_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(r->problem, text, sizeof text);
}

const char *rpc_revert_name(const struct rpc *r)
{
    return r->revert_name;
}

void rpc_set_revert_name(struct rpc *r, const char *name)
{
    snprintf(r->revert_name, sizeof r->revert_name, "%s", name);
}

const char *rpc_url(const struct rpc *r)
{
    return r->urls[r->current];
}

enum status rpc_call(struct rpc *r, json_t **out, const char *method, json_t *params)
{
    assert(out != NULL && method != NULL);
    assert(params == NULL || json_is_array(params));
    uint64_t id = ++r->next_id;
    r->error = (struct rpc_error){0};
    r->revert_name[0] = '\0';
    r->problem[0] = '\0';
    json_t *request = json_pack("{s:s,s:I,s:s,s:o}", "jsonrpc", "2.0", "id", (json_int_t)id,
                                "method", method, "params", params != NULL ? params : json_array());
    char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
    if (text == NULL) fatal("writing a request for %s", method);
    json_decref(request);
    enum status status = rpc_ask_nodes(r, out, method, bytes_of_text(text), id);
    if (status == E_STATE) rpc_set_problem(r, "stopped");
    free(text);
    return status;
}

enum status rpc_call_u256(struct rpc *r, struct u256 *out, const char *method, json_t *params)
{
    json_t *result = NULL;
    enum status status = rpc_call(r, &result, method, params);
    if (status != OK) return status;
    const char *text = json_string_value(result);
    status = text == NULL ? E_MALFORMED : u256_from_quantity(out, bytes_of_text(text));
    if (status != OK) {
        status = E_MALFORMED;
        rpc_set_problem(r, "%s answered %s with no quantity", rpc_url(r), method);
    }
    json_decref(result);
    return status;
}

enum status rpc_call_u64(struct rpc *r, uint64_t *out, const char *method, json_t *params)
{
    struct u256 wide;
    enum status status = rpc_call_u256(r, &wide, method, params);
    if (status != OK) return status;
    if (!u256_fits_u64(wide)) {
        rpc_set_problem(r, "%s answered %s with too large a number", rpc_url(r), method);
        return E_MALFORMED;
    }
    *out = u256_to_u64(wide);
    return OK;
}
