/* The network's processes: starting them, waiting for them, asking them, ending them. */
#include "wallet/devnet.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "wallet/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define START_MS       60000u
#define FIRST_BLOCK_MS 60000u
#define LEVEL_MS       30000u
#define END_MS         8000u
#define STEP_MS        20u
#define ASK_MS         1000u

bool devnet_wait_a_step(void)
{
    struct timespec pause = {.tv_nsec = STEP_MS * 1000000L};
    nanosleep(&pause, NULL);
    return !__atomic_load_n(stop_flag(), __ATOMIC_RELAXED);
}

int devnet_find_program(const struct session *s, char out[PATH_MAX], const char *program)
{
    if (process_find_program(out, PATH_MAX, program) == OK) return CODE_DONE;
    return fail(s, CODE_FAILED, "%s is neither beside this program nor in the PATH", program);
}

int devnet_log_tail(const struct session *s, const char *what, const char *log_path)
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
    if (__atomic_load_n(stop_flag(), __ATOMIC_RELAXED)) return fail(s, CODE_STOPPED, "stopped");
    return fail(s, CODE_FAILED, "%s did not start: %s (log: %s)", what,
                last[0] != '\0' ? last : "it printed nothing", log_path);
}

/* ---- nodes ---- */

enum status devnet_ask(json_t **out, const struct devnet_node *n, const char *method,
                       json_t *params, char problem[RPC_PROBLEM_SIZE])
{
    char url[DEVNET_URL_SIZE];
    char error[JSON_ERROR_SIZE];
    struct rpc *r = NULL;
    struct rpc_options options = {.urls = url, .timeout_ms = ASK_MS};
    devnet_url(url, n);
    if (rpc_create(&r, &options, error) != OK) fatal("making a client of %s: %s", url, error);
    enum status status = rpc_call(r, out, method, params);
    if (status != OK) snprintf(problem, RPC_PROBLEM_SIZE, "%s", rpc_problem(r));
    rpc_destroy(r);
    return status;
}

static bool find_height(const struct devnet_node *n, uint64_t *out)
{
    char problem[RPC_PROBLEM_SIZE];
    json_t *answer = NULL;
    struct u256 number;
    if (devnet_ask(&answer, n, "eth_blockNumber", NULL, problem) != OK) return false;
    const char *text = json_string_value(answer);
    bool ok = text != NULL && u256_from_quantity(&number, bytes_of_text(text)) == OK;
    json_decref(answer);
    if (ok) *out = u256_to_u64_saturating(number);
    return ok;
}

/* "127.0.0.1:30301,..." of all others. */
static void list_peers(char out[DEVNET_URLS_SIZE], const struct devnet *d, size_t index)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < d->node_count; i++) {
        if (i == index) continue;
        used += (size_t)snprintf(out + used, DEVNET_URLS_SIZE - used, "%s127.0.0.1:%u",
                                 used > 0 ? "," : "", (unsigned)(uint16_t)d->nodes[i].p2p_port);
    }
}

static int launch_node(struct session *s, struct devnet *d, size_t index)
{
    struct devnet_node *n = &d->nodes[index];
    char program[PATH_MAX], data[PATH_MAX], genesis[PATH_MAX], key[PATH_MAX], log[PATH_MAX];
    char stale[PATH_MAX], name[24], rpc[40], p2p[40], peers[DEVNET_URLS_SIZE];
    int code = devnet_find_program(s, program, "leaseholdd");
    if (code != CODE_DONE) return code;
    snprintf(name, sizeof name, "node-%zu", index + 1);
    devnet_path(data, d, "%s", name);
    devnet_path(log, d, "%s.log", name);
    devnet_path(stale, d, "%s/rpc.port", name);
    devnet_path(genesis, d, "genesis.json");
    devnet_path(key, d, "validator-%zu.key", index + 1);
    snprintf(rpc, sizeof rpc, "127.0.0.1:%u", (unsigned)(uint16_t)n->rpc_port);
    snprintf(p2p, sizeof p2p, "127.0.0.1:%u", (unsigned)(uint16_t)n->p2p_port);
    list_peers(peers, d, index);
    char *argv[] = {program,
                    (char[]){"--data-dir"},
                    data,
                    (char[]){"--genesis"},
                    genesis,
                    (char[]){"--validator-key"},
                    key,
                    (char[]){"--rpc-listen"},
                    rpc,
                    (char[]){"--listen"},
                    p2p,
                    (char[]){"--rpc-control"},
                    (char[]){"--peers"},
                    peers,
                    NULL};
    if (d->node_count == 1) argv[12] = NULL; /* nobody to name */
    unlink(stale);
    if (process_start(&n->process, name, argv, log) != OK)
        return fail(s, CODE_FAILED, "cannot start %s: %s", program, strerror(errno));
    n->killed = false;
    return CODE_DONE;
}

/* It answers when its chain is open; the file is there once the port is its own. */
static bool node_ready(const struct devnet *d, size_t index)
{
    char path[PATH_MAX];
    uint64_t height = 0;
    devnet_path(path, d, "node-%zu/rpc.port", index + 1);
    return access(path, R_OK) == 0 && find_height(&d->nodes[index], &height);
}

static int await_node(struct session *s, struct devnet *d, size_t index)
{
    char log[PATH_MAX];
    char what[40];
    for (uint32_t waited = 0; waited < START_MS; waited += STEP_MS) {
        if (!process_alive(&d->nodes[index].process)) break;
        if (node_ready(d, index)) return CODE_DONE;
        if (!devnet_wait_a_step()) break;
    }
    process_end(&d->nodes[index].process, END_MS);
    devnet_path(log, d, "node-%zu.log", index + 1);
    snprintf(what, sizeof what, "node %zu", index + 1);
    return devnet_log_tail(s, what, log);
}

static uint64_t best_height(const struct devnet *d)
{
    uint64_t best = 0;
    for (size_t i = 0; i < d->node_count; i++) {
        uint64_t height = 0;
        if (!process_alive(&d->nodes[i].process)) continue;
        if (find_height(&d->nodes[i], &height) && height > best) best = height;
    }
    return best;
}

/* Several nodes that answer need not have found each other yet. */
static int await_block(struct session *s, struct devnet *d)
{
    uint64_t before = best_height(d);
    for (uint32_t waited = 0; waited < FIRST_BLOCK_MS; waited += STEP_MS) {
        if (best_height(d) > before) return CODE_DONE;
        if (!devnet_wait_a_step()) return fail(s, CODE_STOPPED, "stopped");
    }
    return fail(s, CODE_FAILED, "the nodes run, but no block becomes final (logs: %s/node-*.log)",
                d->dir);
}

uint64_t devnet_await_level(const struct devnet *d, size_t index, uint64_t *out_height)
{
    uint64_t goal = best_height(d);
    *out_height = 0;
    for (uint32_t waited = 0; waited < LEVEL_MS; waited += STEP_MS) {
        if (find_height(&d->nodes[index], out_height) && *out_height >= goal) return 0;
        if (!devnet_wait_a_step()) break;
    }
    return goal - *out_height;
}

int devnet_start_nodes(struct session *s, struct devnet *d)
{
    int code = CODE_DONE;
    for (size_t i = 0; i < d->node_count && code == CODE_DONE; i++)
        if (!process_alive(&d->nodes[i].process)) code = launch_node(s, d, i);
    if (code == CODE_DONE) code = devnet_save(s, d);
    for (size_t i = 0; i < d->node_count && code == CODE_DONE; i++)
        code = await_node(s, d, i);
    if (code == CODE_DONE && d->node_count > 1) code = await_block(s, d);
    return code;
}

int devnet_start_node(struct session *s, struct devnet *d, size_t index)
{
    int code = launch_node(s, d, index);
    if (code == CODE_DONE) code = devnet_save(s, d);
    return code == CODE_DONE ? await_node(s, d, index) : code;
}

/* ---- workers ---- */

static int await_worker(struct session *s, struct devnet_worker *w, const char *ready,
                        const char *log_path)
{
    for (uint32_t waited = 0; waited < START_MS; waited += STEP_MS) {
        if (!process_alive(&w->process)) break;
        if (access(ready, R_OK) == 0) return CODE_DONE;
        if (!devnet_wait_a_step()) break;
    }
    process_end(&w->process, END_MS);
    return devnet_log_tail(s, "leasehold-worker", log_path);
}

int devnet_key_path(struct session *s, char out[PATH_MAX], const struct devnet *d,
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
    char ready[PATH_MAX], urls[DEVNET_URLS_SIZE], owner[43], listen[40], name[24];
    int code = devnet_key_path(s, key, d, &w->key);
    if (code == CODE_DONE) code = devnet_find_program(s, program, "leasehold-worker");
    if (code != CODE_DONE) return code;
    snprintf(name, sizeof name, "worker-%zu", index + 1);
    devnet_path(data, d, "%s", name);
    devnet_path(log, d, "%s.log", name);
    devnet_path(password, d, "password");
    devnet_path(ready, d, "%s/gateway.json", name);
    devnet_urls(urls, d, index % d->node_count); /* the workers' load is spread over the nodes */
    address_to_text(owner, &w->owner);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", (unsigned)(uint16_t)w->port);
    char *argv[] = {program, (char[]){"--data-dir"},      data,     (char[]){"--rpc"},
                    urls,    (char[]){"--owner"},         owner,    (char[]){"--worker-key"},
                    key,     (char[]){"--password-file"}, password, (char[]){"--listen"},
                    listen,  (char[]){"--fault"},         w->fault, NULL};
    unlink(ready);
    if (process_start(&w->process, name, argv, log) != OK)
        return fail(s, CODE_FAILED, "cannot start %s: %s", program, strerror(errno));
    code = devnet_save(s, d);
    return code == CODE_DONE ? await_worker(s, w, ready, log) : code;
}

/* ---- all ---- */

bool devnet_any_node_alive(const struct devnet *d)
{
    for (size_t i = 0; i < d->node_count; i++)
        if (process_alive(&d->nodes[i].process)) return true;
    return false;
}

void devnet_stop(struct devnet *d)
{
    for (size_t i = 0; i < d->worker_count; i++)
        process_interrupt(&d->workers[i].process);
    for (size_t i = 0; i < d->node_count; i++)
        process_ask_to_end(&d->nodes[i].judge.process);
    for (size_t i = 0; i < d->worker_count; i++)
        process_end(&d->workers[i].process, END_MS);
    for (size_t i = 0; i < d->node_count; i++)
        process_end(&d->nodes[i].judge.process, END_MS);
    for (size_t i = 0; i < d->node_count; i++)
        process_ask_to_end(&d->nodes[i].process);
    for (size_t i = 0; i < d->node_count; i++)
        process_end(&d->nodes[i].process, END_MS);
}
