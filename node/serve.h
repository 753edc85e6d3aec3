/* serve.h - answers what peers ask of our chain: blocks, headers, epochs, the newest final block.
 *
 * Reads the ledger (blocks not yet final) and the store. Every request is answered, if need be with
 * "do not have" (headers: all that were asked for or none), so that the asker goes on to somebody
 * else at once: also when its bytes a second are used up, or its queue has no room for the answer.
 * Only a queue without room for the refusal gets nothing: who asks and does not read costs nothing;
 * nor do FINAL_REQUESTs beyond SERVE_FINAL_RATE, which no honest node comes near.
 * Refusals for lack of bytes are made before anything is read.
 *
 * One thread, that of the loop. Limits: SERVE_PEER_BYTES a second for each peer and
 * SERVE_TOTAL_BYTES for all, bursts of twice that; SERVE_PEERS_MAX peers. */
#ifndef LEASEHOLD_NODE_SERVE_H
#define LEASEHOLD_NODE_SERVE_H

#include "net/peers.h"
#include "node/ledger.h"

#define SERVE_PEER_BYTES  (16u << 20)
#define SERVE_TOTAL_BYTES (64u << 20)
#define SERVE_PEERS_MAX   256
#define SERVE_FINAL_RATE  10 /* FINAL_REQUESTs of a peer a second, bursts of twice that */

struct serve;

struct serve_setup { /* pointers are kept */
    struct ledger *ledger;
    struct store *store;
    const struct chain_config *config;
    void *context;
    bool (*send)(void *context, uint64_t peer, enum wire_type type, struct bytes payload);
    size_t (*room)(void *context, uint64_t peer, enum channel channel); /* as peers_room */
    void (*charge)(void *context, uint64_t peer, enum offence offence, const char *reason);
};

struct serve *serve_create(const struct serve_setup *setup);
void serve_destroy(struct serve *s); /* takes NULL */
void serve_peer_closed(struct serve *s, uint64_t peer);
/* BLOCK_REQUEST, BODY_REQUEST, HEADERS_REQUEST, EPOCH_REQUEST, FINAL_REQUEST. */
void serve_message(struct serve *s, uint64_t peer, enum wire_type type, struct bytes payload,
                   uint64_t now_ms);

#endif
