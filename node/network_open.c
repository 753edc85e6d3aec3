/* A network's beginning and end. */
#include "node/network_core.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/log.h"
#include "node/clock.h"
#include "node/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MIN 500 /* the least time that a peer has to answer a request for a block */
#define PATH_SIZE  1024

void network_save_book(const struct network *n)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/peers", n->options->data_dir);
    if (book_save(n->book, path) != OK) log_warn("peer", "cannot write %s", path);
}

static enum status open_book(struct network *n, char *error)
{
    char path[PATH_SIZE];
    uint8_t seed[32];
    random_bytes(seed, sizeof seed);
    snprintf(path, sizeof path, "%s/peers", n->options->data_dir);
    enum status status = book_load(&n->book, path, seed);
    if (status == E_MALFORMED) log_warn("peer", "%s was damaged and is begun anew", path);
    if (status == E_MALFORMED || status == E_NOT_FOUND) {
        n->book = book_create(seed);
        status = OK;
    }
    if (status != OK)
        snprintf(error, NETWORK_ERROR_SIZE, "cannot read %.300s: %s", path, status_text(status));
    else
        book_allow_private(n->book, n->genesis->config.devnet);
    return status;
}

static enum status add_fixed(struct network *n, char *error, const char *text, const char *where)
{
    struct wire_peer peer;
    if (wire_peer_from_text(&peer, text) != OK) {
        snprintf(error, NETWORK_ERROR_SIZE,
                 "%s: \"%.120s\" is not an address; write 1.2.3.4:30333, [2001:db8::1]:30333 or "
                 "NODEID@ADDRESS:PORT",
                 where, text);
        return E_MALFORMED;
    }
    book_add_fixed(n->book, &peer);
    return OK;
}

/* Those of the genesis file, then those of the command line. */
static enum status add_all_fixed(struct network *n, char *error)
{
    enum status status = OK;
    char *list = must_strdup(n->options->peers);
    char *rest = list;
    for (size_t i = 0; i < n->genesis->bootnode_count && status == OK; i++)
        status = add_fixed(n, error, n->genesis->bootnodes[i], "the genesis file's bootnodes");
    for (char *one = strsep(&rest, ","); one != NULL && status == OK; one = strsep(&rest, ","))
        if (*one != 0) status = add_fixed(n, error, one, "--peers");
    free(list);
    return status;
}

static enum status open_identity(struct network *n, char *error)
{
    char path[PATH_SIZE];
    char reason[IDENTITY_ERROR_SIZE] = "";
    snprintf(path, sizeof path, "%s/node.key", n->options->data_dir);
    enum status status = identity_open(&n->identity, reason, path);
    if (status != OK) snprintf(error, NETWORK_ERROR_SIZE, "%s", reason);
    return status;
}

static enum status write_port(const struct network *n, char *error)
{
    char path[PATH_SIZE];
    struct buffer text = {0};
    snprintf(path, sizeof path, "%s/p2p.port", n->options->data_dir);
    buffer_print(&text, "%u\n", (unsigned)peers_port(n->peers));
    enum status status = file_write_atomic(path, buffer_bytes(&text), 0644);
    buffer_finish(&text);
    if (status != OK)
        snprintf(error, NETWORK_ERROR_SIZE, "cannot write %.300s: %s", path, strerror(errno));
    return status;
}

static enum status open_peers(struct network *n, char *error, const struct network_setup *setup)
{
    char reason[PEERS_ERROR_SIZE] = "";
    struct hash genesis = {{0}};
    struct store_snapshot *view = store_snapshot_create(setup->store);
    if (!store_hash_of_number(view, 0, &genesis)) fatal("reading the genesis block's hash");
    store_snapshot_destroy(view);
    struct peers_config config = {
        .listen = setup->options->listen,
        .advertise = setup->options->advertise,
        .chain_id = setup->genesis->config.chain_id,
        .genesis = genesis,
        .validator_key = setup->key,
        .allow_private = setup->genesis->config.devnet,
    };
    struct peers_handlers handlers = network_handlers(n);
    enum status status = peers_open(&n->peers, reason, loop_base(setup->loop), n->identity, n->book,
                                    &config, &handlers);
    if (status != OK) snprintf(error, NETWORK_ERROR_SIZE, "%s", reason);
    return status == OK ? write_port(n, error) : status;
}

static uint64_t answer_ms(const struct genesis *g)
{
    uint64_t ms = 2 * g->config.delta_ms;
    return ms < ANSWER_MIN ? ANSWER_MIN : ms;
}

static void open_parts(struct network *n, const struct network_setup *setup)
{
    struct sync_setup sync = network_sync_setup(n);
    struct serve_setup serve = network_serve_setup(n);
    serve.store = setup->store;
    n->fetch = fetch_create(n->peers, answer_ms(setup->genesis));
    n->relay = tx_relay_create(n->peers, setup->pool);
    n->sync = sync_create(&sync);
    n->serve = serve_create(&serve);
    n->reporter = reporter_create(setup->ledger, setup->pool, &setup->genesis->config, setup->key);
    n->progress = progress_line_create();
    n->tick = loop_timer_create(setup->loop, network_on_tick, n);
    n->sync_timer = loop_timer_create(setup->loop, network_on_sync_timer, n);
    n->control = loop_watch_create(setup->loop, network_on_control, n);
}

enum status network_open(struct network **out, char error[NETWORK_ERROR_SIZE],
                         const struct network_setup *setup)
{
    struct network *n = must_alloc(sizeof *n);
    n->options = setup->options;
    n->genesis = setup->genesis;
    n->ledger = setup->ledger;
    n->counters = setup->counters;
    if (setup->key != NULL) n->own = key_address(setup->key);
    if (pthread_mutex_init(&n->lock, NULL) != 0) fatal("making the network's lock");
    enum status status = open_book(n, error);
    if (status == OK) status = add_all_fixed(n, error);
    if (status == OK) status = open_identity(n, error);
    if (status == OK) status = open_peers(n, error, setup);
    if (status != OK) {
        network_close(n);
        return status;
    }
    open_parts(n, setup);
    n->view.id = identity_id(n->identity);
    n->view.port = peers_port(n->peers);
    *out = n;
    return OK;
}

void network_start(struct network *n, struct driver *driver)
{
    n->driver = driver;
    n->epoch = ledger_head(n->ledger)->record->epoch.number;
    n->saved_ms = clock_ms();
    n->gossip = gossip_create(n->peers, driver, n->fetch);
    network_renew_view(n);
    peers_start(n->peers);
    loop_timer_set(n->tick, NETWORK_TICK_MS);
}

uint16_t network_port(const struct network *n)
{
    return peers_port(n->peers);
}

void network_close(struct network *n)
{
    if (n == NULL) return;
    if (n->gossip != NULL) network_save_book(n);
    loop_timer_destroy(n->tick);
    loop_timer_destroy(n->sync_timer);
    loop_watch_destroy(n->control);
    peers_close(n->peers);
    gossip_destroy(n->gossip);
    fetch_destroy(n->fetch);
    tx_relay_destroy(n->relay);
    sync_destroy(n->sync);
    serve_destroy(n->serve);
    reporter_destroy(n->reporter);
    progress_line_destroy(n->progress);
    identity_destroy(n->identity);
    book_destroy(n->book);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
