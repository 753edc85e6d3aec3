/* sync.h - catching up with the chain from finality certificates alone.
 *
 * A node that is behind knows one thing for sure: its own final block and, from its state, the set
 * of the epoch that follows. From there: EPOCH messages carry it from boundary to boundary (each
 * with F by the set known so far, and the next set, whose hash the boundary's header commits to);
 * FINAL gives the newest block with its F, which the set of its epoch must have signed. Then, epoch
 * by epoch, headers from the verified end downwards by parent hash; then blocks by hash, from
 * several peers at once, one request in flight for each; executed in order and handed to the driver
 * in batches. What a peer claims of its height moves nothing; only certificates do.
 *
 * Everything that is committed is in the store, so a killed node goes on where it stopped. A peer
 * that does not answer within SYNC_ANSWER_MS loses the request to the next one and is asked less;
 * one that answers with what cannot be is charged. Memory: a window of SYNC_WINDOW_BLOCKS and
 * SYNC_WINDOW_BYTES of blocks, and 32 bytes a block of the epoch at hand.
 *
 * One thread, that of the event loop. Knows no socket: it speaks through `send` and `charge`. */
#ifndef LEASEHOLD_NODE_SYNC_H
#define LEASEHOLD_NODE_SYNC_H

#include "chain/consensus/signer.h"
#include "net/peers.h"
#include "node/ledger.h"

#define SYNC_ANSWER_MS     5000
#define SYNC_WINDOW_BLOCKS 64
#define SYNC_WINDOW_BYTES  (16u << 20)
#define SYNC_PEERS_MAX     256
#define SYNC_PEER_ASKS     16   /* objects asked of one peer at a time */
#define SYNC_EPOCHS_MAX    4096 /* proved ahead of the head; beyond, `target` is a lower bound */
#define SYNC_BATCH_BLOCKS  32   /* committed at once ... */
#define SYNC_BATCH_BYTES   (4u << 20)
#define SYNC_NEAR_BLOCKS   8    /* a gap not above this is consensus' own to close ... */
#define SYNC_PATIENCE_MS   3000 /* ... for so long */

struct sync;

struct sync_setup { /* pointers are kept */
    struct ledger *ledger;
    const struct chain_config *config;
    const struct signer *signer;
    void *context;
    /* As peers_send_bytes. */
    bool (*send)(void *context, uint64_t peer, enum wire_type type, struct bytes payload);
    void (*charge)(void *context, uint64_t peer, enum offence offence, const char *reason);
    /* chain[0..count) are held and executed, the first upon the head, and known to be final:
     * commit them (the head is there when this returns) and tell consensus. `certificate`
     * finalizes the last, or is empty; an epoch's last block always is the last, and has one. Of
     * sync's functions only sync_want may be called from within. */
    void (*adopt)(void *context, const struct hash *chain, size_t count, struct bytes certificate);
    /* Ask for a sync_turn after so long (an earlier wish is forgotten); 0: in the next turn. */
    void (*wake)(void *context, uint64_t delay_ms);
    uint64_t (*clock_ms)(void); /* what bounds a turn; NULL: node/clock.h's */
};

struct sync *sync_create(const struct sync_setup *setup);
void sync_destroy(struct sync *s); /* takes NULL */

/* A peer that may be asked; claimed_number is a hint for the order of asking. */
void sync_peer_open(struct sync *s, uint64_t peer, uint64_t claimed_number, uint64_t now_ms);
void sync_peer_closed(struct sync *s, uint64_t peer, uint64_t now_ms);

/* consensus' ACTION_SYNC: a verified F of the running epoch beyond what single fetches heal, or
 * NULL: somebody (`peer`, 0 unknown) spoke of a later epoch. Cheap to repeat. */
void sync_want(struct sync *s, const struct certificate *certificate, uint64_t peer,
               uint64_t now_ms);
/* FINAL, EPOCH, HEADERS, BODY; the payload is borrowed. */
void sync_message(struct sync *s, uint64_t peer, enum wire_type type, struct bytes payload,
                  uint64_t now_ms);
/* Time passes; also executes, about SYNC_TURN_MS a turn at most, so that the loop lives. */
void sync_turn(struct sync *s, uint64_t now_ms);
#define SYNC_TURN_MS 50

struct sync_progress {
    bool active;      /* blocks are being fetched: consensus alone does not close the gap */
    uint64_t start;   /* head when it began */
    uint64_t current; /* head */
    uint64_t target;  /* the highest verified final number */
    uint64_t epoch;   /* verified up to */
    uint64_t since_ms;
};
struct sync_progress sync_progress(const struct sync *s);

#endif
