/* The network's folder and its record. */
#include "wallet/devnet.h"

#include "base/fatal.h"
#include "base/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RECORD_BYTES_MAX (256u << 10)
#define LOCK_WAIT_MS     60000u
#define LOCK_STEP_MS     50u

void devnet_path(char out[PATH_MAX], const struct devnet *d, const char *format, ...)
{
    char part[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(part, sizeof part, format, arguments);
    va_end(arguments);
    if (snprintf(out, PATH_MAX, "%s/%s", d->dir, part) >= PATH_MAX) fatal("joining a path");
}

void devnet_url(char out[DEVNET_URL_SIZE], const struct devnet_node *n)
{
    snprintf(out, DEVNET_URL_SIZE, "http://127.0.0.1:%u", (unsigned)(uint16_t)n->rpc_port);
}

void devnet_urls(char out[DEVNET_URLS_SIZE], const struct devnet *d, size_t first)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < d->node_count; i++) {
        char url[DEVNET_URL_SIZE];
        devnet_url(url, &d->nodes[(first + i) % d->node_count]);
        used +=
            (size_t)snprintf(out + used, DEVNET_URLS_SIZE - used, "%s%s", i > 0 ? "," : "", url);
    }
}

int devnet_lock(const struct session *s, int *out_fd, const char *dir)
{
    char path[PATH_MAX];
    enum status status = E_EXISTS;
    if (snprintf(path, sizeof path, "%s/devnet.lock", dir) >= PATH_MAX) fatal("joining a path");
    for (uint32_t waited = 0; status == E_EXISTS && waited < LOCK_WAIT_MS; waited += LOCK_STEP_MS) {
        struct timespec pause = {.tv_nsec = LOCK_STEP_MS * 1000000L};
        if (waited > 0) nanosleep(&pause, NULL);
        status = file_lock(out_fd, path);
    }
    if (status == E_EXISTS)
        return fail(s, CODE_FAILED, "another command (pid %ld) works on the network in %s",
                    file_lock_holder(path), dir);
    if (status != OK) return fail(s, CODE_FAILED, "cannot lock %s: %s", path, strerror(errno));
    return CODE_DONE;
}

static json_t *node_to_json(const struct devnet_node *n)
{
    json_t *judge = json_pack("{s:o,s:o,s:s}", "process", process_to_json(&n->judge.process), "key",
                              abi_address(&n->judge.key), "fault", n->judge.fault);
    return json_pack("{s:o,s:I,s:I,s:o,s:o,s:b,s:o}", "process", process_to_json(&n->process),
                     "rpcPort", (json_int_t)n->rpc_port, "p2pPort", (json_int_t)n->p2p_port,
                     "operator", abi_address(&n->operator_address), "consensusAddress",
                     abi_address(&n->consensus_address), "killed", n->killed, "judge", judge);
}

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
    char url[DEVNET_URL_SIZE];
    json_t *nodes = json_array();
    json_t *workers = json_array();
    for (size_t i = 0; i < d->node_count; i++)
        json_array_append_new(nodes, node_to_json(&d->nodes[i]));
    for (size_t i = 0; i < d->worker_count; i++)
        json_array_append_new(workers, worker_to_json(&d->workers[i]));
    devnet_url(url, &d->nodes[0]);
    devnet_path(path, d, "devnet.json");
    json_t *o =
        json_pack("{s:I,s:I,s:I,s:s,s:o,s:o}", "chainId", (json_int_t)DEVNET_CHAIN_ID, "blockMs",
                  (json_int_t)d->block_ms, "epochBlocks", (json_int_t)d->epoch_blocks, "rpc", url,
                  "nodes", nodes, "workers", workers);
    enum status status = json_save_path(o, path, 0600);
    json_decref(o);
    if (status != OK) return fail(s, CODE_FAILED, "cannot write %s: %s", path, strerror(errno));
    return CODE_DONE;
}

static bool is_port(uint64_t port)
{
    return port > 0 && port <= UINT16_MAX;
}

/* A network of an older release has none: all zero. */
static void judge_from_json(struct devnet_judge *j, const json_t *o)
{
    *j = (struct devnet_judge){.key = abi_get_address(o, "key")};
    snprintf(j->fault, sizeof j->fault, "%s", abi_get_text(o, "fault"));
    if (!process_from_json(&j->process, abi_get(o, "process"))) j->process = (struct process){0};
}

static bool node_from_json(struct devnet_node *n, const json_t *o)
{
    n->rpc_port = abi_get_u64(o, "rpcPort");
    n->p2p_port = abi_get_u64(o, "p2pPort");
    n->operator_address = abi_get_address(o, "operator");
    n->consensus_address = abi_get_address(o, "consensusAddress");
    n->killed = abi_get_bool(o, "killed");
    judge_from_json(&n->judge, abi_get(o, "judge"));
    /* one that never started has no process yet */
    if (!process_from_json(&n->process, abi_get(o, "process"))) n->process = (struct process){0};
    return is_port(n->rpc_port) && is_port(n->p2p_port);
}

static bool worker_from_json(struct devnet_worker *w, const json_t *o)
{
    w->port = abi_get_u64(o, "port");
    w->owner = abi_get_address(o, "owner");
    w->key = abi_get_address(o, "workerKey");
    w->tls_key_hash = abi_get_hash(o, "tlsKeyHash");
    snprintf(w->fault, sizeof w->fault, "%s", abi_get_text(o, "fault"));
    if (!process_from_json(&w->process, abi_get(o, "process"))) w->process = (struct process){0};
    return is_port(w->port);
}

static bool devnet_from_json(struct devnet *d, const json_t *o)
{
    const json_t *nodes = abi_get(o, "nodes");
    const json_t *workers = abi_get(o, "workers");
    d->block_ms = abi_get_u64(o, "blockMs");
    d->epoch_blocks = abi_get_u64(o, "epochBlocks");
    d->node_count = json_array_size(nodes);
    d->worker_count = json_array_size(workers);
    bool ok = d->node_count > 0 && d->node_count <= DEVNET_VALIDATORS_MAX &&
              d->worker_count <= DEVNET_WORKERS_MAX;
    for (size_t i = 0; ok && i < d->node_count; i++)
        ok = node_from_json(&d->nodes[i], json_array_get(nodes, i));
    for (size_t i = 0; ok && i < d->worker_count; i++)
        ok = worker_from_json(&d->workers[i], json_array_get(workers, i));
    return ok;
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
    bool older = json_object_get(o, "node") != NULL;
    bool ok = devnet_from_json(&d, o);
    json_decref(o);
    if (ok) {
        *out = d;
        return OK;
    }
    snprintf(error, JSON_ERROR_SIZE,
             older ? "%.200s is of an older release: stop that network with it, then delete the "
                     "folder"
                   : "%.200s is damaged",
             path);
    return E_MALFORMED;
}
