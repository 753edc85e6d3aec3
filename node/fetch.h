/* fetch.h - single blocks and certificates that consensus lacks, asked of peers.
 *
 * One request in flight for each block: first of a peer that spoke of it (a hint), then of the
 * others in turn; whoever has not answered within the time limit, or does not have it, is passed
 * over for this block. When all were asked it waits for consensus to ask again. A block whose
 * proposal may just be on its way from its leader is given FETCH_GRACE_MS first. Certificates are
 * asked of two peers at once, and not again for a while. At most FETCH_BLOCKS_MAX blocks: when more
 * are wanted the one asked for longest ago makes room. One thread. */
#ifndef LEASEHOLD_NODE_FETCH_H
#define LEASEHOLD_NODE_FETCH_H

#include "net/peers.h"

#define FETCH_BLOCKS_MAX 64
#define FETCH_VIEWS      64
#define FETCH_GRACE_MS   40
#define FETCH_TRIES_MAX  64

struct driver;
struct fetch;

/* Kept by pointer. answer_ms: how long a peer may take. */
struct fetch *fetch_create(struct peers *peers, uint64_t answer_ms);
void fetch_destroy(struct fetch *f); /* takes NULL */

void fetch_block(struct fetch *f, const struct hash *block, uint64_t now_ms);
/* This peer speaks of this block: it will have it. Remembered for a while, wanted or not. */
void fetch_hint(struct fetch *f, const struct hash *block, uint64_t peer);
void fetch_done(struct fetch *f, const struct hash *block); /* it came another way */
void fetch_certificates(struct fetch *f, uint64_t epoch, uint64_t view, uint64_t now_ms);
void fetch_peer_closed(struct fetch *f, uint64_t peer);
/* BLOCK: what came goes to the driver; an answer to nothing is charged. */
void fetch_message(struct fetch *f, struct driver *driver, uint64_t peer, struct bytes payload);
/* Time passes: call every FETCH_GRACE_MS or so. */
void fetch_turn(struct fetch *f, uint64_t now_ms);

#endif
