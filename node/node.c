#include "node/node.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/key.h"
#include "base/log.h"
#include "net/http.h"
#include "node/driver.h"
#include "node/ledger.h"
#include "node/loop.h"
#include "node/network.h"
#include "node/pool.h"
#include "node/rpc_filters.h"
#include "node/rpc_pool.h"
#include "node/rpc_session.h"
#include "node/validator_key.h"
#include "node/version.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE       1024
#define RPC_THREADS_MAX 16

struct node {
    const struct config *config;
    int lock_fd; /* -1: not held */
    struct genesis *genesis;
    struct store *store;
    struct ledger *ledger;
    struct counters *counters;
    struct loop *loop;
    struct loop_watch *pool_watch;
    struct pool *pool;
    struct network *network;
    struct driver *driver;
    struct filters *filters;
    struct rpc_shared shared;
    struct session *sessions[RPC_THREADS_MAX];
    struct rpc_pool *rpc_pool;
    struct http_server *http;
};

static const char *path_in(char out[PATH_SIZE], const struct node *n, const char *name)
{
    int size = snprintf(out, PATH_SIZE, "%s/%s", n->config->data_dir, name);
    assert(size > 0 && size < PATH_SIZE); /* open_directory has checked the length */
    return out;
}

/* ---- data directory ---- */

static enum status open_directory(struct node *n, char *error)
{
    const char *dir = n->config->data_dir;
    char path[PATH_SIZE];
    if (dir[0] == 0 || strlen(dir) > PATH_SIZE - 64) {
        snprintf(error, NODE_ERROR_SIZE, "say where to keep the chain: --data-dir DIR");
        return E_RANGE;
    }
    enum status status = directory_make(dir, 0700);
    if (status != OK) {
        snprintf(error, NODE_ERROR_SIZE, "cannot make the data directory %s: %s", dir,
                 strerror(errno));
        return status;
    }
    status = file_lock(&n->lock_fd, path_in(path, n, "lock"));
    if (status == OK) return OK;
    n->lock_fd = -1;
    if (status == E_EXISTS)
        snprintf(error, NODE_ERROR_SIZE,
                 "%s is in use by another leaseholdd (process %ld): stop it, or use another "
                 "--data-dir",
                 dir, file_lock_holder(path));
    else
        snprintf(error, NODE_ERROR_SIZE, "cannot lock %s: %s", path, strerror(errno));
    return status;
}

static enum status parse_genesis(struct node *n, char *error, const char *path,
                                 const struct buffer *text)
{
    char reason[JSON_ERROR_SIZE] = "";
    enum status status = genesis_parse(&n->genesis, reason, buffer_bytes(text));
    if (status != OK) snprintf(error, NODE_ERROR_SIZE, "%s: %s", path, reason);
    return status;
}

/* The file given, else the copy of the first start. */
static enum status load_genesis(struct node *n, char *error)
{
    char kept[PATH_SIZE];
    struct buffer text = {0};
    bool given = n->config->genesis[0] != 0;
    const char *path = given ? n->config->genesis : path_in(kept, n, "genesis.json");
    enum status status = file_read(&text, path, GENESIS_SIZE_MAX);
    if (status == E_NOT_FOUND && !given)
        snprintf(error, NODE_ERROR_SIZE, "%s is new: say which network it is for: --genesis FILE",
                 n->config->data_dir);
    else if (status != OK)
        snprintf(error, NODE_ERROR_SIZE, "cannot read the genesis file %s: %s", path,
                 status_text(status));
    if (status == OK) status = parse_genesis(n, error, path, &text);
    if (status == OK && given && access(path_in(kept, n, "genesis.json"), F_OK) != 0) {
        status = file_write_atomic(kept, buffer_bytes(&text), 0644);
        if (status != OK)
            snprintf(error, NODE_ERROR_SIZE, "cannot write %s: %s", kept, strerror(errno));
    }
    buffer_finish(&text);
    return status;
}

static enum status open_chain(struct node *n, char *error)
{
    char path[PATH_SIZE];
    char reason[LEDGER_ERROR_SIZE] = "";
    uint64_t map_key[2];
    random_bytes((uint8_t *)map_key, sizeof map_key);
    enum status status = store_open(&n->store, reason, path_in(path, n, "store"), map_key);
    if (status == OK) status = ledger_open(&n->ledger, reason, n->store, n->genesis);
    if (status != OK) snprintf(error, NODE_ERROR_SIZE, "%s", reason);
    return status;
}

/* ---- consensus ---- */

static void on_pool_wake(void *context)
{
    struct node *n = context;
    if (n->driver == NULL) return;
    driver_poke(n->driver);
    network_poke(n->network);
}

static void find_senders(void *context, struct address *out, const struct hash *hashes,
                         size_t count)
{
    struct node *n = context;
    pool_senders(n->pool, out, hashes, count);
}

static enum status open_pool(struct node *n, char *error)
{
    char path[PATH_SIZE];
    n->pool_watch = loop_watch_create(n->loop, on_pool_wake, n);
    struct pool_setup setup = {
        .store = n->store,
        .config = &n->genesis->config,
        .head = &ledger_head(n->ledger)->header,
        .journal_path = path_in(path, n, "pool.journal"),
        .wake_fd = loop_watch_fd(n->pool_watch),
    };
    enum status status = pool_open(&n->pool, error, &setup);
    if (status == OK) ledger_ask_senders(n->ledger, find_senders, n);
    return status;
}

static enum status open_network(struct node *n, char *error, const struct key *key)
{
    char reason[NETWORK_ERROR_SIZE] = "";
    struct network_setup setup = {.loop = n->loop,
                                  .ledger = n->ledger,
                                  .store = n->store,
                                  .pool = n->pool,
                                  .options = n->config,
                                  .genesis = n->genesis,
                                  .counters = n->counters,
                                  .key = key};
    enum status status = network_open(&n->network, reason, &setup);
    if (status != OK) snprintf(error, NODE_ERROR_SIZE, "%s", reason);
    return status;
}

static enum status open_driver(struct node *n, char *error, const struct key *key)
{
    char path[PATH_SIZE], chain[PATH_SIZE];
    struct driver_setup setup = {
        .loop = n->loop,
        .ledger = n->ledger,
        .pool = n->pool,
        .config = &n->genesis->config,
        .counters = n->counters,
        .key = key,
        .vote_log_path = path_in(path, n, "votes.log"),
        .hash_chain_path = path_in(chain, n, "hash_chain"),
        .wire = network_wire(n->network),
    };
    return driver_open(&n->driver, error, &setup);
}

/* What signs: the driver votes, the peers prove who they are, the reporter sends. */
static enum status open_signers(struct node *n, char *error)
{
    struct key key = {{0}};
    enum status status = OK;
    bool votes = n->config->validator_key[0] != 0;
    if (votes) status = validator_key_load(&key, error, n->config->validator_key);
    if (status == OK) status = open_network(n, error, votes ? &key : NULL);
    if (status == OK) status = open_driver(n, error, votes ? &key : NULL);
    key_finish(&key);
    return status;
}

/* ---- RPC ---- */

static void on_post(void *context, struct http_request *request, struct bytes body)
{
    struct node *n = context;
    rpc_pool_submit(n->rpc_pool, request, body, false);
}

static void on_get(void *context, struct http_request *request, const char *path)
{
    struct node *n = context;
    if (strcmp(path, "/metrics") == 0)
        rpc_pool_submit(n->rpc_pool, request, (struct bytes){0}, true);
    else
        http_reply(request, 404, "text/plain", bytes_of_text("POST JSON-RPC to /, GET /metrics\n"));
}

static enum status write_port(struct node *n, char *error)
{
    char path[PATH_SIZE];
    struct buffer text = {0};
    buffer_print(&text, "%u\n", (unsigned)http_server_port(n->http));
    enum status status = file_write_atomic(path_in(path, n, "rpc.port"), buffer_bytes(&text), 0644);
    buffer_finish(&text);
    if (status != OK)
        snprintf(error, NODE_ERROR_SIZE, "cannot write %s: %s", path, strerror(errno));
    return status;
}

static enum status open_rpc(struct node *n, char *error)
{
    size_t threads = (size_t)n->config->rpc_threads;
    void *sessions[RPC_THREADS_MAX];
    struct http_config http = {.listen = n->config->rpc_listen, .hosts = n->config->rpc_hosts};
    struct http_handlers handlers = {n, on_post, on_get};
    assert(threads >= 1 && threads <= RPC_THREADS_MAX);
    n->filters = filters_create();
    n->shared = (struct rpc_shared){n->config,   &n->genesis->config, n->store,  n->pool,
                                    n->counters, n->filters,          n->network};
    enum status status = http_server_open(&n->http, error, loop_base(n->loop), &http, &handlers);
    if (status != OK) return status;
    for (size_t i = 0; i < threads; i++)
        sessions[i] = n->sessions[i] = session_create(&n->shared);
    n->rpc_pool = rpc_pool_create(n->loop, threads, n->config->rpc_call_ms, session_work, sessions);
    return write_port(n, error);
}

/* ---- the whole ---- */

static void say_hello(const struct node *n)
{
    const struct ledger_head *head = ledger_head(n->ledger);
    char hash[67];
    hash_to_text(hash, &head->hash);
    log_info("node", "started version=%s network=%s chain=%llu number=%llu hash=%s validator=%s",
             NODE_VERSION, n->genesis->config.name, (unsigned long long)n->genesis->config.chain_id,
             (unsigned long long)head->header.number, hash,
             n->config->validator_key[0] != 0 ? "yes" : "no");
    log_info("rpc", "listening address=%s port=%u", n->config->rpc_listen,
             (unsigned)http_server_port(n->http));
    if (network_port(n->network) != 0)
        log_info("peer", "listening address=%s port=%u", n->config->listen,
                 (unsigned)network_port(n->network));
    printf("rpc port %u\n", (unsigned)http_server_port(n->http));
    fflush(stdout);
}

enum status node_open(struct node **out, char error[NODE_ERROR_SIZE], const struct config *config)
{
    struct node *n = must_alloc(sizeof *n);
    n->config = config;
    n->lock_fd = -1;
    n->counters = must_alloc(sizeof *n->counters);
    n->loop = loop_create();
    enum status status = open_directory(n, error);
    if (status == OK) status = load_genesis(n, error);
    if (status == OK) status = open_chain(n, error);
    if (status == OK) status = open_pool(n, error);
    if (status == OK) status = open_signers(n, error);
    if (status == OK) status = open_rpc(n, error);
    if (status == OK)
        *out = n;
    else
        node_close(n);
    return status;
}

void node_run(struct node *n)
{
    signal(SIGPIPE, SIG_IGN);
    loop_stop_on(n->loop, SIGTERM);
    loop_stop_on(n->loop, SIGINT);
    say_hello(n);
    network_start(n->network, n->driver);
    driver_start(n->driver);
    loop_run(n->loop);
    log_info("node", "stopped number=%llu",
             (unsigned long long)ledger_head(n->ledger)->header.number);
}

void node_close(struct node *n)
{
    if (n == NULL) return;
    rpc_pool_destroy(n->rpc_pool);
    http_server_close(n->http);
    for (size_t i = 0; i < RPC_THREADS_MAX; i++)
        session_destroy(n->sessions[i]);
    filters_destroy(n->filters);
    network_close(n->network);
    driver_close(n->driver);
    pool_close(n->pool);
    loop_watch_destroy(n->pool_watch);
    ledger_close(n->ledger);
    store_close(n->store);
    genesis_destroy(n->genesis);
    loop_destroy(n->loop);
    free(n->counters);
    if (n->lock_fd >= 0) close(n->lock_fd);
    free(n);
}
