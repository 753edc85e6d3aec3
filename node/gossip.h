/* gossip.h - consensus' messages between this node and its peers: what goes to whom, and once.
 *
 * Own votes and certificates go to every peer; own proposals go whole to validators of the epoch,
 * and without the block's bytes to the others, who fetch them. What a peer sent and consensus found
 * genuine and new goes on:
 *   certificates  to every peer;
 *   votes         to peers that are not themselves connected with the signer (their MESH says with
 *                 whom they are), and to GOSSIP_FANOUT others, so that a validator that tells one
 *                 thing here and another there is found out;
 *   proposals     the leader's vote to every peer that is connected with the leader, for the same
 *                 reason; to the others the proposal without the block, once the block is here for
 *                 them to fetch.
 * Nothing is sent to a peer that sent it or was sent it: each has a small table of what it knows,
 * which may forget but never names what was not there (but for a collision of 64-bit digests, which
 * costs one message). In a full mesh of validators a vote so crosses each link once or twice.
 *
 * Bad messages are charged; messages of other epochs or far views never are. One thread. */
#ifndef LEASEHOLD_NODE_GOSSIP_H
#define LEASEHOLD_NODE_GOSSIP_H

#include "net/peers.h"
#include "node/driver.h"

#define GOSSIP_FANOUT      2
#define GOSSIP_KNOWN       4096 /* digests a peer */
#define GOSSIP_PENDING     8    /* proposals that wait for their block before they go on */
#define GOSSIP_GREETING    16   /* views above the final one that a new peer is told of */
#define GOSSIP_ANSWER_RATE 16   /* views a second that a peer may ask for; bursts of twice that */

struct gossip;
struct fetch;

/* All kept by pointer. */
struct gossip *gossip_create(struct peers *peers, struct driver *driver, struct fetch *fetch);
void gossip_destroy(struct gossip *g); /* takes NULL */

void gossip_peer_open(struct gossip *g, const struct peer_info *info);
void gossip_peer_closed(struct gossip *g, uint64_t peer);
/* The running epoch's set may be another: who is connected with whom is told anew. */
void gossip_epoch(struct gossip *g);

/* A block has come that was asked for: its proposal may go on. */
void gossip_block_came(struct gossip *g);

/* consensus' ACTION_SEND. */
void gossip_send(struct gossip *g, const struct message *m, struct bytes block);
/* VOTE, CERTIFICATE, PROPOSAL, MESH, CERTIFICATE_REQUEST. */
void gossip_message(struct gossip *g, uint64_t peer, enum wire_type type, struct bytes payload);

#endif
