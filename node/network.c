#include "node/network.h"

#include "base/fatal.h"
#include "node/clock.h"
#include "node/loop.h"
#include "node/network_core.h"

#include <assert.h>

#define FETCH_MS     40
#define VIEW_MS      200
#define REPORT_MS    1000
#define BOOK_SAVE_MS 300000

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

void network_on_sync_timer(void *context)
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
    pthread_mutex_lock(&n->lock);
    n->evidence[n->evidence_count++ % NETWORK_EVIDENCE_MAX] = *evidence;
    pthread_mutex_unlock(&n->lock);
    reporter_add(n->reporter, evidence, clock_ms());
}

struct driver_wire network_wire(struct network *n)
{
    return (struct driver_wire){n,         wire_send,    wire_fetch_block, wire_fetch_certificates,
                                wire_sync, wire_evidence};
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
    tx_relay_peer_open(n->relay, info->peer, clock_ms());
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
    case WIRE_PEERS: assert(false); break; /* peers keeps these to itself */
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

struct peers_handlers network_handlers(struct network *n)
{
    return (struct peers_handlers){n, on_open, on_message, on_close, in_set, head};
}

struct sync_setup network_sync_setup(struct network *n)
{
    return (struct sync_setup){n->ledger, &n->genesis->config, &SIGNER_SECP256K1,
                               n,         send_bytes,          charge,
                               adopt,     wake_sync,           clock_ms};
}

struct serve_setup network_serve_setup(struct network *n)
{
    return (struct serve_setup){.ledger = n->ledger,
                                .config = &n->genesis->config,
                                .context = n,
                                .send = send_bytes,
                                .room = room,
                                .charge = charge};
}

/* ---- time ---- */

static bool due(uint64_t *last_ms, uint64_t now_ms, uint64_t pause_ms)
{
    if (now_ms - *last_ms < pause_ms) return false;
    *last_ms = now_ms;
    return true;
}

void network_on_tick(void *context)
{
    struct network *n = context;
    uint64_t now_ms = clock_ms();
    uint64_t epoch = ledger_head(n->ledger)->record->epoch.number;
    loop_timer_set(n->tick, NETWORK_TICK_MS);
    if (epoch != n->epoch) gossip_epoch(n->gossip);
    n->epoch = epoch;
    tx_relay_turn(n->relay, now_ms);
    if (due(&n->fetched_ms, now_ms, FETCH_MS)) fetch_turn(n->fetch, now_ms);
    if (due(&n->reported_ms, now_ms, REPORT_MS)) reporter_turn(n->reporter, now_ms);
    if (due(&n->saved_ms, now_ms, BOOK_SAVE_MS)) network_save_book(n);
    if (!due(&n->viewed_ms, now_ms, VIEW_MS)) return;
    network_renew_view(n);
    progress_line_turn(n->progress, &n->view.sync, now_ms);
}

void network_poke(struct network *n)
{
    tx_relay_turn(n->relay, clock_ms());
}
