/* tx_relay.h - transactions between peers: announced by hash, pulled by who lacks them.
 *
 * What enters the pool is announced to every peer that is not known to have it: at once when
 * nothing was announced for RELAY_PAUSE_MS, else collected for so long. A hash that is new here is
 * asked for from one peer at a time; if it does not come within RELAY_ANSWER_MS the next announcer
 * is asked. Only what was asked for is taken, so nobody can push work on this node; what cannot be
 * (a bad signature, bytes that do not decode) is charged, what merely does not fit the pool is not.
 *
 * Bounds: each peer may have RELAY_PEER_WANTED_MAX hashes on their way, so that announcing what
 * does not exist holds up nobody else's; RELAY_ANNOUNCERS are remembered for each; each peer has a
 * table of RELAY_KNOWN digests. Who sends more than RELAY_VAIN_RATE that the pool refuses is not
 * asked for a while: looking at them costs us more than it costs him. One thread, the loop's. */
#ifndef LEASEHOLD_NODE_TX_RELAY_H
#define LEASEHOLD_NODE_TX_RELAY_H

#include "net/peers.h"
#include "node/pool.h"

#define RELAY_PAUSE_MS        20
#define RELAY_ANSWER_MS       2000
#define RELAY_PEER_WANTED_MAX 512
#define RELAY_WANTED_MAX                                                                           \
    (RELAY_PEER_WANTED_MAX *                                                                       \
     (PEERS_IN_MAX + PEERS_OUT_MAX + PEERS_VALIDATOR_EACH * PEERS_VALIDATOR_SLOTS))
#define RELAY_ANNOUNCERS 3
#define RELAY_VAIN_RATE  200 /* a second: refused ones of a peer; beyond, it is not asked */
#define RELAY_KNOWN      8192

struct tx_relay;

/* Kept by pointer. */
struct tx_relay *tx_relay_create(struct peers *peers, struct pool *pool);
void tx_relay_destroy(struct tx_relay *r); /* takes NULL */

/* It is told what waits here. */
void tx_relay_peer_open(struct tx_relay *r, uint64_t peer, uint64_t now_ms);
void tx_relay_peer_closed(struct tx_relay *r, uint64_t peer);
/* The pool has new ones, or time passes: call at each and every RELAY_PAUSE_MS. */
void tx_relay_turn(struct tx_relay *r, uint64_t now_ms);
/* TX_ANNOUNCE, TX_REQUEST, TXS. */
void tx_relay_message(struct tx_relay *r, uint64_t peer, enum wire_type type, struct bytes payload,
                      uint64_t now_ms);

#endif
