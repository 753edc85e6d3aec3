/* cluster.h - for tests: several whole validators in one process and one loop, joined by real
 * connections on loopback. Everything of a node but its RPC. Time is real: waits end when what they
 * wait for is there. */
#ifndef LEASEHOLD_TESTS_NODE_CLUSTER_H
#define LEASEHOLD_TESTS_NODE_CLUSTER_H

#include "node/clock.h"
#include "node/loop.h"
#include "node/network.h"
#include "node/validator_key.h"
#include "tests/node/network.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CLUSTER_MAX     4
#define CLUSTER_WAIT_MS 30000
#define CLUSTER_STEP_MS 10

struct member {
    struct cluster *cluster;
    struct key key;
    struct config options;
    struct counters counters;
    struct store *store;
    struct ledger *ledger;
    struct loop_watch *watch;
    struct pool *pool;
    struct network *network;
    struct driver *driver;
    char dir[96];
    char peers[64];
};

/* Hash chains take a while to make: kept over the clusters of one test program. */
static char cluster_chains[64];

static inline const char *chain_path(size_t index)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%zu", cluster_chains, index);
    return path;
}

static inline int cluster_setup(void **state)
{
    (void)state;
    snprintf(cluster_chains, sizeof cluster_chains, "/tmp/leasehold-chains-XXXXXX");
    return mkdtemp(cluster_chains) != NULL ? 0 : -1;
}

static inline int cluster_teardown(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", cluster_chains);
    return system(command);
}

struct cluster {
    char dir[64];
    struct loop *loop;
    struct loop_timer *step;
    struct key rich;
    struct genesis *genesis;
    struct buffer genesis_text;
    size_t count;
    struct member members[CLUSTER_MAX];
    bool (*done)(struct cluster *c);
    uint64_t deadline_ms;
    bool reached;
};

static inline void member_poke(void *context)
{
    struct member *m = context;
    if (m->driver == NULL) return;
    driver_poke(m->driver);
    network_poke(m->network);
}

static inline void cluster_step(void *context)
{
    struct cluster *c = context;
    c->reached = c->done(c);
    if (c->reached || clock_ms() >= c->deadline_ms)
        loop_stop(c->loop);
    else
        loop_timer_set(c->step, CLUSTER_STEP_MS);
}

/* Runs everybody until `done`; whether that came within the time. */
static inline bool cluster_run(struct cluster *c, bool (*done)(struct cluster *c), uint64_t ms)
{
    c->done = done;
    c->deadline_ms = clock_ms() + ms;
    loop_timer_set(c->step, 0);
    loop_run(c->loop);
    return c->reached;
}

static inline void put_validator(struct buffer *text, const struct key *key, size_t index,
                                 const char *path)
{
    struct hash_chain *chain = hash_chain_open(key, path);
    struct hash end = hash_chain_end(chain);
    struct address own = key_address(key);
    char end_text[67], own_text[43];
    hash_to_text(end_text, &end);
    address_to_text(own_text, &own);
    buffer_print(text,
                 "%s{\"operator\":\"0x%040zx\",\"consensusAddress\":\"%s\",\"hashChainEnd\":"
                 "\"%s\",\"stakeWei\":\"10000000000000000000000\",\"commissionBps\":500}",
                 index == 0 ? "" : ",", index + 1, own_text, end_text);
    hash_chain_destroy(chain);
}

static inline void cluster_genesis(struct cluster *c, uint64_t epoch_blocks)
{
    struct buffer *text = &c->genesis_text;
    char rich[43], error[JSON_ERROR_SIZE];
    struct address money = key_address(&c->rich);
    address_to_text(rich, &money);
    buffer_print(text,
                 "{\"name\":\"cluster\",\"devnet\":true,\"chainId\":7117,\"timestamp\":1750000000,"
                 "\"gasLimit\":30000000,\"baseFee\":\"1000000000\",\"consensus\":{"
                 "\"blockIntervalMs\":50,\"idleIntervalMs\":200,\"deltaMs\":200,\"epochBlocks\":"
                 "%llu},\"parameters\":{},\"validators\":[",
                 (unsigned long long)epoch_blocks);
    for (size_t i = 0; i < c->count; i++) {
        snprintf(c->members[i].dir, sizeof c->members[i].dir, "%s/%zu", c->dir, i);
        if (directory_make(c->members[i].dir, 0700) != OK) fatal("making a directory");
        put_validator(text, &c->members[i].key, i, chain_path(i));
    }
    buffer_print(text, "],\"alloc\":{\"%s\":{\"balance\":\"1000000000000000000000\"}", rich);
    for (size_t i = 0; i < c->count; i++) { /* so that they can report */
        struct address own = key_address(&c->members[i].key);
        address_to_text(rich, &own);
        buffer_print(text, ",\"%s\":{\"balance\":\"10000000000000000000\"}", rich);
    }
    buffer_print(text, "}}");
    if (genesis_parse(&c->genesis, error, buffer_bytes(text)) != OK) fatal("genesis: %s", error);
}

static inline void member_open_chain(struct member *m)
{
    static const uint64_t map_key[2] = {1, 2};
    char path[128], error[512] = "";
    snprintf(path, sizeof path, "%s/store", m->dir);
    if (store_open(&m->store, error, path, map_key) != OK) fatal("%s", error);
    if (ledger_open(&m->ledger, error, m->store, m->cluster->genesis) != OK) fatal("%s", error);
    m->watch = loop_watch_create(m->cluster->loop, member_poke, m);
    snprintf(path, sizeof path, "%s/journal", m->dir);
    struct pool_setup setup = {m->store, &m->cluster->genesis->config,
                               &ledger_head(m->ledger)->header, path, loop_watch_fd(m->watch)};
    if (pool_open(&m->pool, error, &setup) != OK) fatal("%s", error);
}

static inline void member_open_network(struct member *m)
{
    char error[NETWORK_ERROR_SIZE] = "";
    struct network_setup setup = {m->cluster->loop, m->ledger,           m->store,     m->pool,
                                  &m->options,      m->cluster->genesis, &m->counters, &m->key};
    if (network_open(&m->network, error, &setup) != OK) fatal("%s", error);
}

static inline void member_open_driver(struct member *m)
{
    char votes[128], error[DRIVER_ERROR_SIZE] = "";
    snprintf(votes, sizeof votes, "%s/votes.log", m->dir);
    struct driver_setup setup = {.loop = m->cluster->loop,
                                 .ledger = m->ledger,
                                 .pool = m->pool,
                                 .config = &m->cluster->genesis->config,
                                 .counters = &m->counters,
                                 .key = &m->key,
                                 .vote_log_path = votes,
                                 .hash_chain_path = chain_path((size_t)(m - m->cluster->members)),
                                 .wire = network_wire(m->network)};
    if (driver_open(&m->driver, error, &setup) != OK) fatal("%s", error);
}

/* Listens on a free port, or the one it had; dials the first member. */
static inline void member_open(struct cluster *c, size_t index)
{
    struct member *m = &c->members[index];
    m->cluster = c;
    m->options.data_dir = m->dir;
    m->options.listen = "127.0.0.1:0";
    m->options.advertise = "";
    m->options.peers = m->peers;
    for (size_t i = 0; i < c->count; i++)
        if (i != index && c->members[i].network != NULL)
            snprintf(m->peers, sizeof m->peers, "127.0.0.1:%u",
                     (unsigned)network_port(c->members[i].network));
    member_open_chain(m);
    member_open_network(m);
    member_open_driver(m);
    network_start(m->network, m->driver);
    driver_start(m->driver);
}

static inline void member_close(struct member *m)
{
    network_close(m->network);
    driver_close(m->driver);
    pool_close(m->pool);
    loop_watch_destroy(m->watch);
    ledger_close(m->ledger);
    store_close(m->store);
    m->network = NULL;
    m->driver = NULL;
    m->pool = NULL;
    m->watch = NULL;
    m->ledger = NULL;
    m->store = NULL;
}

static inline struct cluster *cluster_open(size_t count, uint64_t epoch_blocks)
{
    struct cluster *c = must_alloc(sizeof *c);
    snprintf(c->dir, sizeof c->dir, "/tmp/leasehold-cluster-XXXXXX");
    if (mkdtemp(c->dir) == NULL) fatal("making a directory");
    c->loop = loop_create();
    c->step = loop_timer_create(c->loop, cluster_step, c);
    c->count = count;
    c->rich = network_key(9);
    for (size_t i = 0; i < count; i++)
        c->members[i].key = network_key((uint8_t)(100 + i));
    cluster_genesis(c, epoch_blocks);
    for (size_t i = 0; i < count; i++)
        member_open(c, i);
    return c;
}

static inline void cluster_close(struct cluster *c)
{
    char command[128];
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i].network != NULL) member_close(&c->members[i]);
    loop_timer_destroy(c->step);
    loop_destroy(c->loop);
    genesis_destroy(c->genesis);
    buffer_finish(&c->genesis_text);
    snprintf(command, sizeof command, "rm -rf '%s'", c->dir);
    if (system(command) != 0) fatal("removing %s", c->dir);
    free(c);
}

/* ---- what tests wait for ---- */

static inline uint64_t member_height(const struct member *m)
{
    return m->ledger == NULL ? UINT64_MAX : ledger_head(m->ledger)->header.number;
}

static inline uint64_t cluster_lowest(const struct cluster *c)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < c->count; i++)
        if (member_height(&c->members[i]) < lowest) lowest = member_height(&c->members[i]);
    return lowest;
}

/* The same block at this height on all members. */
static inline void cluster_check(const struct cluster *c, uint64_t number)
{
    struct hash first = {{0}};
    for (size_t i = 0; i < c->count; i++) {
        struct hash hash = {{0}};
        if (c->members[i].store == NULL) continue;
        struct store_snapshot *view = store_snapshot_create(c->members[i].store);
        assert_true(store_hash_of_number(view, number, &hash));
        store_snapshot_destroy(view);
        if (hash_is_zero(&first)) first = hash;
        assert_true(hash_equal(&first, &hash));
    }
}

#endif
