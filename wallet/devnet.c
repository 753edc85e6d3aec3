/* The network's folder, its record, and its processes. */
#include "wallet/devnet.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "wallet/output.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RECORD_BYTES_MAX (256u << 10)
#define START_MS         20000u
#define END_MS           8000u
#define STEP_MS          20u

void devnet_path(char out[PATH_MAX], const struct devnet *d, const char *format, ...)
{
    char part[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(part, sizeof part, format, arguments);
    va_end(arguments);
    if (snprintf(out, PATH_MAX, "%s/%s", d->dir, part) >= PATH_MAX) fatal("joining a path");
}

void devnet_url(char out[64], const struct devnet *d)
{
    snprintf(out, 64, "http://127.0.0.1:%llu", (unsigned long long)d->rpc_port);
}

/* ---- the record ---- */

static json_t *worker_to_json(const struct devnet_worker *w)
{
    return json_pack("{s:o,s:I,s:o,s:o,s:o,s:s}", "process", process_to_json(&w->process), "port",
                     (json_int_t)w->port, "owner", abi_address(&w->owner), "workerKey",
                     abi_address(&w->key), "tlsKeyHash", abi_hash(&w->tls_key_hash), "fault",
                     w->fault);
}

int devnet_save(const struct session *s, const struct devnet *d)
{
    char path[PATH_MAX];
    char url[64];
    json_t *workers = json_array();
    for (size_t i = 0; i < d->worker_count; i++)
        json_array_append_new(workers, worker_to_json(&d->workers[i]));
    devnet_url(url, d);
    devnet_path(path, d, "devnet.json");
    json_t *o = json_pack("{s:I,s:I,s:I,s:s,s:o,s:o}", "chainId", (json_int_t)DEVNET_CHAIN_ID,
                          "blockMs", (json_int_t)d->block_ms, "rpcPort", (json_int_t)d->rpc_port,
                          "rpc", url, "node", process_to_json(&d->node), "workers", workers);
    enum status status = json_save_path(o, path, 0600);
    json_decref(o);
    if (status != OK) return fail(s, CODE_FAILED, "cannot write %s: %s", path, strerror(errno));
    return CODE_DONE;
}

static bool worker_from_json(struct devnet_worker *w, const json_t *o)
{
    w->port = abi_get_u64(o, "port");
    w->owner = abi_get_address(o, "owner");
    w->key = abi_get_address(o, "workerKey");
    w->tls_key_hash = abi_get_hash(o, "tlsKeyHash");
    snprintf(w->fault, sizeof w->fault, "%s", abi_get_text(o, "fault"));
    /* one that never started has no process yet */
    if (!process_from_json(&w->process, abi_get(o, "process"))) w->process = (struct process){0};
    return w->port != 0;
}

enum status devnet_load(struct devnet *out, char error[JSON_ERROR_SIZE], const char *dir)
{
    struct devnet d = {0};
    char path[PATH_MAX];
    json_t *o = NULL;
    if (snprintf(d.dir, sizeof d.dir, "%s", dir) >= PATH_MAX - 256) return E_LIMIT;
    devnet_path(path, &d, "devnet.json");
    enum status status = json_load_path(&o, error, path, RECORD_BYTES_MAX);
    if (status != OK) return status;
    const json_t *workers = abi_get(o, "workers");
    d.rpc_port = abi_get_u64(o, "rpcPort");
    d.block_ms = abi_get_u64(o, "blockMs");
    d.worker_count = json_array_size(workers);
    bool ok = d.worker_count <= DEVNET_WORKERS_MAX && d.rpc_port <= UINT16_MAX;
    if (!process_from_json(&d.node, abi_get(o, "node"))) d.node = (struct process){0};
    for (size_t i = 0; i < d.worker_count && ok; i++)
        ok = worker_from_json(&d.workers[i], json_array_get(workers, i));
    json_decref(o);
    if (!ok) {
        snprintf(error, JSON_ERROR_SIZE, "%.200s is damaged", path);
        return E_MALFORMED;
    }
    *out = d;
    return OK;
}

/* ---- processes ---- */

static void wait_a_step(void)
{
    struct timespec pause = {.tv_nsec = STEP_MS * 1000000L};
    nanosleep(&pause, NULL);
}

static int log_tail(const struct session *s, const char *what, const char *log_path)
{
    struct buffer text = {0};
    char last[400] = "";
    if (file_read(&text, log_path, 16u << 20) == OK) {
        const char *start = buffer_text(&text);
        size_t size = strlen(start);
        while (size > 0 && start[size - 1] == '\n')
            size--;
        size_t from = size;
        while (from > 0 && start[from - 1] != '\n')
            from--;
        snprintf(last, sizeof last, "%.*s", (int)(size - from), start + from);
    }
    buffer_finish(&text);
    return fail(s, CODE_FAILED, "%s did not start: %s (log: %s)", what,
                last[0] != '\0' ? last : "it printed nothing", log_path);
}

static enum status read_port(uint64_t *out, const char *path)
{
    struct buffer text = {0};
    struct u256 n;
    enum status status = file_read(&text, path, 64);
    if (status == OK) {
        const char *start = buffer_text(&text);
        status = u256_from_decimal(&n, bytes_of(start, strspn(start, "0123456789")));
    }
    buffer_finish(&text);
    if (status == OK && (u256_is_zero(n) || u256_bit_length(n) > 16)) status = E_RANGE;
    if (status == OK) *out = u256_to_u64(n);
    return status;
}

/* The node answers when its chain is open. */
static bool node_answers(const struct devnet *d)
{
    char url[64];
    char error[JSON_ERROR_SIZE];
    struct rpc *r = NULL;
    uint64_t number = 0;
    struct rpc_options options = {.urls = url, .timeout_ms = 1000};
    devnet_url(url, d);
    if (rpc_create(&r, &options, error) != OK) return false;
    enum status status = rpc_call_u64(r, &number, "eth_blockNumber", NULL);
    rpc_destroy(r);
    return status == OK;
}

static int await_node(struct session *s, struct devnet *d, const char *log_path)
{
    char path[PATH_MAX];
    devnet_path(path, d, "node-1/rpc.port");
    for (uint32_t waited = 0; waited < START_MS; waited += STEP_MS) {
        if (!process_alive(&d->node)) break;
        if (read_port(&d->rpc_port, path) == OK && node_answers(d)) return CODE_DONE;
        wait_a_step();
    }
    process_end(&d->node, END_MS);
    return log_tail(s, "leaseholdd", log_path);
}

int devnet_start_node(struct session *s, struct devnet *d)
{
    char program[PATH_MAX];
    char data[PATH_MAX];
    char genesis[PATH_MAX];
    char key[PATH_MAX];
    char log[PATH_MAX];
    char listen[40];
    devnet_path(data, d, "node-1");
    devnet_path(genesis, d, "genesis.json");
    devnet_path(key, d, "validator-1.key");
    devnet_path(log, d, "node-1.log");
    snprintf(listen, sizeof listen, "127.0.0.1:%llu", (unsigned long long)d->rpc_port);
    if (process_find_program(program, sizeof program, "leaseholdd") != OK)
        return fail(s, CODE_FAILED, "leaseholdd is neither beside this program nor in the PATH");
    char stale[PATH_MAX];
    char *argv[] = {program, (char[]){"--data-dir"},
                    data,    (char[]){"--genesis"},
                    genesis, (char[]){"--validator-key"},
                    key,     (char[]){"--rpc-listen"},
                    listen,  NULL};
    devnet_path(stale, d, "node-1/rpc.port");
    unlink(stale);
    if (process_start(&d->node, "node-1", argv, log) != OK)
        return fail(s, CODE_FAILED, "cannot start %s: %s", program, strerror(errno));
    return await_node(s, d, log);
}

static int await_worker(struct session *s, struct devnet_worker *w, const char *ready,
                        const char *log_path)
{
    for (uint32_t waited = 0; waited < START_MS; waited += STEP_MS) {
        if (!process_alive(&w->process)) break;
        if (access(ready, R_OK) == 0) return CODE_DONE;
        wait_a_step();
    }
    process_end(&w->process, END_MS);
    return log_tail(s, "leasehold-worker", log_path);
}

/* The key file of an account in the network's own key store. */
static int key_path(struct session *s, char out[PATH_MAX], const struct devnet *d,
                    const struct address *a)
{
    char keystore[PATH_MAX];
    char text[43];
    char error[JSON_ERROR_SIZE] = "";
    struct keystore_account account;
    address_to_text(text, a);
    devnet_path(keystore, d, "keystore");
    if (keystore_find(&account, error, keystore, text) != OK)
        return fail(s, CODE_FAILED, "%s", error);
    memcpy(out, account.path, PATH_MAX);
    return CODE_DONE;
}

int devnet_start_worker(struct session *s, struct devnet *d, size_t index)
{
    struct devnet_worker *w = &d->workers[index];
    char program[PATH_MAX], data[PATH_MAX], key[PATH_MAX], password[PATH_MAX], log[PATH_MAX];
    char ready[PATH_MAX], url[64], owner[43], listen[40], name[24];
    int code = key_path(s, key, d, &w->key);
    if (code != CODE_DONE) return code;
    snprintf(name, sizeof name, "worker-%zu", index + 1);
    devnet_path(data, d, "%s", name);
    devnet_path(log, d, "%s.log", name);
    devnet_path(password, d, "password");
    devnet_path(ready, d, "%s/gateway.json", name);
    devnet_url(url, d);
    address_to_text(owner, &w->owner);
    snprintf(listen, sizeof listen, "127.0.0.1:%llu", (unsigned long long)w->port);
    if (process_find_program(program, sizeof program, "leasehold-worker") != OK)
        return fail(s, CODE_FAILED,
                    "leasehold-worker is neither beside this program nor in the "
                    "PATH");
    char *argv[] = {program, (char[]){"--data-dir"},      data,     (char[]){"--rpc"},
                    url,     (char[]){"--owner"},         owner,    (char[]){"--worker-key"},
                    key,     (char[]){"--password-file"}, password, (char[]){"--listen"},
                    listen,  (char[]){"--fault"},         w->fault, NULL};
    unlink(ready);
    if (process_start(&w->process, name, argv, log) != OK)
        return fail(s, CODE_FAILED, "cannot start %s: %s", program, strerror(errno));
    return await_worker(s, w, ready, log);
}

void devnet_stop(struct devnet *d)
{
    for (size_t i = 0; i < d->worker_count; i++)
        process_end(&d->workers[i].process, END_MS);
    process_end(&d->node, END_MS);
}
