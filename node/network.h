/* network.h - everything of a node that speaks with other nodes, put together.
 *
 * Owns identity, address book, peers, gossip, fetching, transaction relay, sync, serving and the
 * reporter; hands each message to whom it is for; gives the driver its wire. Keeps in the data
 * directory: node.key (TLS), peers (the book), p2p.port.
 *
 * The thread of the event loop, but for the last three calls, which any thread may use: RPC threads
 * see peers and progress through a copy that is renewed several times a second. */
#ifndef LEASEHOLD_NODE_NETWORK_H
#define LEASEHOLD_NODE_NETWORK_H

#include "chain/genesis.h"
#include "net/peers.h"
#include "node/driver.h"
#include "node/options.h"
#include "node/sync.h"

#define NETWORK_ERROR_SIZE   512
#define NETWORK_EVIDENCE_MAX 64 /* kept for people, the newest */
#define NETWORK_PEERS_MAX                                                                          \
    (PEERS_IN_MAX + PEERS_OUT_MAX + PEERS_VALIDATOR_EACH * PEERS_VALIDATOR_SLOTS)

struct network;

struct network_setup { /* all kept by pointer, but for the key */
    struct loop *loop;
    struct ledger *ledger;
    struct store *store;
    struct pool *pool;
    const struct config *options;
    const struct genesis *genesis;
    struct counters *counters;
    const struct key *key; /* of the validator; NULL: none */
};

/* On failure `error` says what to change. */
MUST_CHECK enum status network_open(struct network **out, char error[NETWORK_ERROR_SIZE],
                                    const struct network_setup *setup);
struct driver_wire network_wire(struct network *n);
void network_start(struct network *n, struct driver *driver); /* listens and dials */
void network_close(struct network *n);                        /* takes NULL */
uint16_t network_port(const struct network *n);               /* 0: not listening */
/* The pool has new transactions. */
void network_poke(struct network *n);

/* ---- any thread ---- */

struct network_view {
    struct hash id;
    uint16_t port;
    struct sync_progress sync;
    uint64_t epoch;
    uint64_t view;
    struct address leader; /* consensus address of the view's leader */
    bool refusing;         /* told to refuse peers */
    size_t peer_count;
    struct peer_info peers[NETWORK_PEERS_MAX];
};
/* A copy, at most about 200 ms old. It is large: keep it on the heap. */
void network_look(struct network *n, struct network_view *out);
/* What was found since the start, the oldest first; room for NETWORK_EVIDENCE_MAX. */
size_t network_evidence(struct network *n, struct evidence *out);
/* As peers_refuse; done in the loop's next turn. At most NETWORK_PEERS_MAX ids. */
void network_refuse(struct network *n, const struct hash *ids, size_t count, bool everybody);

#endif
