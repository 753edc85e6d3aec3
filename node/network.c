#include "node/network.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "node/clock.h"
#include "node/fetch.h"
#include "node/gossip.h"
#include "node/loop.h"
#include "node/progress_line.h"
#include "node/reporter.h"
#include "node/serve.h"
#include "node/tx_relay.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS      20
#define FETCH_MS     40
#define VIEW_MS      200
#define REPORT_MS    1000
#define BOOK_SAVE_MS 300000
#define ANSWER_MIN   500 /* the least time that a peer has to answer a request for a block */
#define PATH_SIZE    1024

struct network {
    const struct config *options;
    const struct genesis *genesis;
    struct ledger *ledger;
    struct counters *counters;
    struct identity *identity;
    struct book *book;
    struct peers *peers;
    struct driver *driver;
    struct gossip *gossip;
    struct fetch *fetch;
    struct tx_relay *relay;
    struct sync *sync;
    struct serve *serve;
    struct reporter *reporter;
    struct progress_line *progress;
    struct loop_timer *tick;
    struct loop_timer *sync_timer;
    struct loop_watch *control;
    struct address own; /* consensus address; zero: none */
    uint64_t epoch;     /* gossip was last told of */
    uint64_t fetched_ms, viewed_ms, reported_ms, saved_ms;

    pthread_mutex_t lock; /* of all below */
    struct network_view view;
    bool refuse_asked;
    bool refuse_everybody;
    size_t refuse_count;
    struct hash refuse[NETWORK_PEERS_MAX];
};

/* ---- what the parts use of each other ---- */

static bool send_bytes(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    struct network *n = context;
    return peers_send_bytes(n->peers, peer, type, payload);
}

static size_t room(void *context, uint64_t peer, enum channel channel)
{
    struct network *n = context;
    return peers_room(n->peers, peer, channel);
}

static void charge(void *context, uint64_t peer, enum offence offence, const char *reason)
{
    struct network *n = context;
    peers_charge(n->peers, peer, offence, reason);
}

static void adopt(void *context, const struct hash *chain, size_t count, struct bytes certificate)
{
    struct network *n = context;
    driver_adopt(n->driver, chain, count, certificate);
}

static void wake_sync(void *context, uint64_t delay_ms)
{
    struct network *n = context;
    loop_timer_set(n->sync_timer, delay_ms);
}

static void on_sync_timer(void *context)
{
    struct network *n = context;
    sync_turn(n->sync, clock_ms());
}

/* ---- the driver's wire ---- */

static void wire_send(void *context, const struct message *m, struct bytes block)
{
    struct network *n = context;
    gossip_send(n->gossip, m, block);
}

static void wire_fetch_block(void *context, const struct hash *block)
{
    struct network *n = context;
    fetch_block(n->fetch, block, clock_ms());
}

static void wire_fetch_certificates(void *context, uint64_t epoch, uint64_t view)
{
    struct network *n = context;
    fetch_certificates(n->fetch, epoch, view, clock_ms());
}

static void wire_sync(void *context, const struct certificate *certificate, uint64_t peer)
{
    struct network *n = context;
    sync_want(n->sync, certificate, peer, clock_ms());
}

static void wire_evidence(void *context, const struct evidence *evidence)
{
    struct network *n = context;
    n->counters->evidence_found++;
    reporter_add(n->reporter, evidence, clock_ms());
}

static void wire_on_final(void *context)
{
    (void)context; /* the tick looks */
}

struct driver_wire network_wire(struct network *n)
{
    return (struct driver_wire){n,         wire_send,     wire_fetch_block, wire_fetch_certificates,
                                wire_sync, wire_evidence, wire_on_final};
}

/* ---- peers ---- */

static void on_open(void *context, const struct peer_info *info)
{
    struct network *n = context;
    char address[64];
    net_address_to_text(address, &info->remote);
    if (info->is_validator && address_equal(&info->validator, &n->own))
        fatal("another node, at %s, signs with this validator's key; two nodes with one key "
              "contradict each other and lose the stake: run only one of them",
              address);
    gossip_peer_open(n->gossip, info);
    tx_relay_peer_open(n->relay, info->peer);
    sync_peer_open(n->sync, info->peer, info->claimed_number, clock_ms());
}

static void on_close(void *context, uint64_t peer)
{
    struct network *n = context;
    gossip_peer_closed(n->gossip, peer);
    tx_relay_peer_closed(n->relay, peer);
    fetch_peer_closed(n->fetch, peer);
    serve_peer_closed(n->serve, peer);
    sync_peer_closed(n->sync, peer, clock_ms());
}

static void on_message(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    struct network *n = context;
    uint64_t now_ms = clock_ms();
    switch (type) {
    case WIRE_HELLO:
    case WIRE_PING:
    case WIRE_PONG:
    case WIRE_PEERS_REQUEST:
    case WIRE_PEERS: assert(!"peers keeps these to itself"); break;
    case WIRE_MESH:
    case WIRE_VOTE:
    case WIRE_CERTIFICATE:
    case WIRE_CERTIFICATE_REQUEST:
    case WIRE_PROPOSAL: gossip_message(n->gossip, peer, type, payload); break;
    case WIRE_BLOCK:
        fetch_message(n->fetch, n->driver, peer, payload);
        gossip_block_came(n->gossip);
        break;
    case WIRE_TX_ANNOUNCE:
    case WIRE_TX_REQUEST:
    case WIRE_TXS: tx_relay_message(n->relay, peer, type, payload, now_ms); break;
    case WIRE_BLOCK_REQUEST:
    case WIRE_FINAL_REQUEST:
    case WIRE_EPOCH_REQUEST:
    case WIRE_HEADERS_REQUEST:
    case WIRE_BODY_REQUEST: serve_message(n->serve, peer, type, payload, now_ms); break;
    case WIRE_FINAL:
    case WIRE_EPOCH:
    case WIRE_HEADERS:
    case WIRE_BODY: sync_message(n->sync, peer, type, payload, now_ms); break;
    }
}

static bool in_set(void *context, const struct address *validator)
{
    struct network *n = context;
    const struct epoch *e = &ledger_head(n->ledger)->record->epoch;
    return epoch_index_of(e, validator) < e->validator_count;
}

static void head(void *context, uint64_t *epoch, uint64_t *number)
{
    struct network *n = context;
    *epoch = ledger_head(n->ledger)->record->epoch.number;
    *number = ledger_head(n->ledger)->header.number;
}

/* ---- time ---- */

static void renew_view(struct network *n)
{
    const struct consensus *c = driver_consensus(n->driver);
    const struct epoch *e = consensus_epoch(c);
    pthread_mutex_lock(&n->lock);
    struct network_view *v = &n->view;
    v->epoch = e->number;
    v->view = consensus_view(c);
    v->leader = e->validators[epoch_leader(e, v->view)].consensus_address;
    v->sync = sync_progress(n->sync);
    v->peer_count = peers_list(n->peers, v->peers, NETWORK_PEERS_MAX);
    n->counters->peers = v->peer_count;
    pthread_mutex_unlock(&n->lock);
}

static void save_book(const struct network *n)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/peers", n->options->data_dir);
    if (book_save(n->book, path) != OK) log_warn("peer", "cannot write %s", path);
}

static bool due(uint64_t *last_ms, uint64_t now_ms, uint64_t pause_ms)
{
    if (now_ms - *last_ms < pause_ms) return false;
    *last_ms = now_ms;
    return true;
}

static void on_tick(void *context)
{
    struct network *n = context;
    uint64_t now_ms = clock_ms();
    uint64_t epoch = ledger_head(n->ledger)->record->epoch.number;
    loop_timer_set(n->tick, TICK_MS);
    if (epoch != n->epoch) gossip_epoch(n->gossip);
    n->epoch = epoch;
    tx_relay_turn(n->relay, now_ms);
    if (due(&n->fetched_ms, now_ms, FETCH_MS)) fetch_turn(n->fetch, now_ms);
    if (due(&n->reported_ms, now_ms, REPORT_MS)) reporter_turn(n->reporter, now_ms);
    if (due(&n->saved_ms, now_ms, BOOK_SAVE_MS)) save_book(n);
    if (!due(&n->viewed_ms, now_ms, VIEW_MS)) return;
    renew_view(n);
    progress_line_turn(n->progress, &n->view.sync, now_ms);
}

void network_poke(struct network *n)
{
    tx_relay_turn(n->relay, clock_ms());
}

/* ---- asked for by other threads ---- */

void network_look(struct network *n, struct network_view *out)
{
    pthread_mutex_lock(&n->lock);
    *out = n->view;
    pthread_mutex_unlock(&n->lock);
}

void network_refuse(struct network *n, const struct hash *ids, size_t count, bool everybody)
{
    assert(count <= NETWORK_PEERS_MAX);
    pthread_mutex_lock(&n->lock);
    n->refuse_asked = true;
    n->refuse_everybody = everybody;
    n->refuse_count = count;
    if (count > 0) memcpy(n->refuse, ids, count * sizeof *ids);
    pthread_mutex_unlock(&n->lock);
    loop_wake(loop_watch_fd(n->control));
}

static void on_control(void *context)
{
    struct network *n = context;
    pthread_mutex_lock(&n->lock);
    if (n->refuse_asked) peers_refuse(n->peers, n->refuse, n->refuse_count, n->refuse_everybody);
    n->refuse_asked = false;
    n->view.refusing = n->refuse_everybody || n->refuse_count > 0;
    pthread_mutex_unlock(&n->lock);
}

/* ---- opening ---- */

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
    struct peers_handlers handlers = {n, on_open, on_message, on_close, in_set, head};
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
    struct sync_setup sync = {setup->ledger,
                              &setup->genesis->config,
                              &SIGNER_SECP256K1,
                              n,
                              send_bytes,
                              charge,
                              adopt,
                              wake_sync,
                              clock_ms};
    struct serve_setup serve = {setup->ledger, setup->store, &setup->genesis->config, n, send_bytes,
                                room,          charge};
    n->fetch = fetch_create(n->peers, answer_ms(setup->genesis));
    n->relay = tx_relay_create(n->peers, setup->pool);
    n->sync = sync_create(&sync);
    n->serve = serve_create(&serve);
    n->reporter = reporter_create(setup->ledger, setup->pool, &setup->genesis->config, setup->key);
    n->progress = progress_line_create();
    n->tick = loop_timer_create(setup->loop, on_tick, n);
    n->sync_timer = loop_timer_create(setup->loop, on_sync_timer, n);
    n->control = loop_watch_create(setup->loop, on_control, n);
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
    renew_view(n);
    peers_start(n->peers);
    loop_timer_set(n->tick, TICK_MS);
}

uint16_t network_port(const struct network *n)
{
    return peers_port(n->peers);
}

void network_close(struct network *n)
{
    if (n == NULL) return;
    if (n->gossip != NULL) save_book(n);
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
