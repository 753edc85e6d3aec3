/* serve.h - answers what peers ask of our chain: blocks, headers, epochs, the newest final block.
 *
 * Reads the ledger (blocks not yet final) and the store. Answers only as much as the asker's queue
 * has room for, so a peer that asks and does not read costs nothing; and within a byte budget a
 * peer and second, for what it does not cover the asker asks somebody else. One thread, that of the
 * loop. */
#ifndef LEASEHOLD_NODE_SERVE_H
#define LEASEHOLD_NODE_SERVE_H

#include "net/peers.h"
#include "node/ledger.h"

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
