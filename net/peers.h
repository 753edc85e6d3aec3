/* peers.h - the node's connections: who is connected, what comes in, what goes out.
 *
 * TCP with TLS 1.3 on both sides (identity.h). After the handshake both send HELLO; only when that
 * fits (version, chain, genesis, proof) is the peer open and anything of it kept or told. Then
 * frames (wire.h) both ways.
 *
 * SENDING never waits. Each peer has a bounded queue for each channel; they leave in order of
 * priority; when the peer's bytes are full the oldest of its least channel are shed. Consensus and
 * sync send again from state what was lost.
 *
 * RECEIVING is bounded: a buffer up to the frame's size, checked against the message's own limit
 * before it grows; bytes and messages a second by token buckets, and when they run out the socket
 * is simply not read for a while (no ban: an honest peer may be fast).
 *
 * WHO IS LET IN: limits on connections in and out, a part of them reserved for validators of the
 * running epoch (who prove their consensus key by signing the TLS exporter of that very
 * connection); on handshakes at once and attempts a minute for each address and subnet; time limits
 * on the handshake, on silence (PING, PONG) and on a peer that does not read. When the ordinary
 * places are taken, a newcomer gets in only if its subnet is less crowded than another's, whose
 * newest goes for it. One connection for each node id: of two that were dialled by different ends,
 * both ends keep the one whose dialler has the lower id; of two dialled by the same end, the newer.
 * Dialling is by the book (book.h), shuffled, with cool-downs; but for fixed ones, one outgoing
 * peer in each group of addresses (unless allow_private), and an id heard by gossip is hearsay.
 *
 * A proof carries no name: made of another connection or by another node it yields a chance
 * address, which is in no set. Only one that yields none is an offence.
 *
 * SCORING. peers_charge adds an offence's points to a score that halves every ten minutes; at the
 * limit the peer is dropped with its reason logged and its address (and, if proven, its id) banned
 * for four hours. Only what an honest node never does is charged; being fast, slow, silent or of
 * another chain is not. Loopback is never banned by address, else one bad local node would ban all
 * others: there only the id is.
 *
 * One thread, that of the event loop. Handlers are called from the loop, never from within a call
 * of this header; peers may be sent to, charged and dropped from inside handlers, and what is
 * dropped is freed at the end of the loop's turn. */
#ifndef LEASEHOLD_NET_PEERS_H
#define LEASEHOLD_NET_PEERS_H

#include "net/book.h"
#include "net/identity.h"
#include "net/parcel.h"

#define PEERS_ERROR_SIZE 256

struct event_base;
struct peers;

struct peer_info {
    uint64_t peer; /* never 0, never used again */
    struct hash id;
    struct net_address remote; /* of the socket */
    struct net_address dial;   /* where it says it can be dialled; port 0: nowhere */
    bool outgoing;
    bool is_validator;        /* proved the key of `validator`; whether it is in the set is asked */
    struct address validator; /* consensus address */
    uint64_t claimed_epoch;   /* of its HELLO: a hint, never believed */
    uint64_t claimed_number;
    uint64_t open_since_ms; /* monotonic */
    uint64_t bytes_in, bytes_out, messages_in, messages_out, shed;
    uint32_t queued_bytes;
    uint32_t round_trip_ms; /* of the last PING; 0: none yet */
    uint32_t score;
};

struct peers_handlers {
    void *context;
    void (*on_open)(void *context, const struct peer_info *peer);
    /* The payload is borrowed for the call; its size is within its row's limit. HELLO, PING, PONG,
     * PEERS_REQUEST and PEERS never come here. */
    void (*on_message)(void *context, uint64_t peer, enum wire_type type, struct bytes payload);
    void (*on_close)(void *context, uint64_t peer); /* after an on_open only */
    /* Whether this consensus address is in the running or the next epoch's set. */
    bool (*in_set)(void *context, const struct address *validator);
    /* For our HELLO. */
    void (*head)(void *context, uint64_t *epoch, uint64_t *number);
};

/* For tests; a zero is the bound of net/limits.h. */
struct peers_limits {
    uint64_t handshake_ms, ping_ms, silent_ms, stuck_ms, frame_ms, ban_ms;
    uint64_t rate_bytes, rate_messages; /* a second */
    size_t send_bytes, handshakes;
    bool strict_loopback; /* loopback is treated as any other address */
};

struct peers_config {
    const char *listen;    /* "0.0.0.0:30333", "[::1]:0"; "": only dial */
    const char *advertise; /* "ADDRESS:PORT" for others; "": the listening port, ip unknown */
    uint64_t chain_id;
    struct hash genesis;
    const struct key *validator_key; /* copied; NULL: none */
    uint32_t in_max, out_max;        /* 0: PEERS_IN_MAX, PEERS_OUT_MAX */
    bool allow_private;
    struct peers_limits limits;
};

/* Keeps base, identity and book; config and its texts are copied. on_open, on_message and on_close
 * must be there. On failure `error` says what to change. Does not dial or accept before
 * peers_start. */
MUST_CHECK enum status peers_open(struct peers **out, char error[PEERS_ERROR_SIZE],
                                  struct event_base *base, const struct identity *identity,
                                  struct book *book, const struct peers_config *config,
                                  const struct peers_handlers *handlers);
void peers_start(struct peers *p);
/* Takes NULL. Not from inside a handler; none is called. */
void peers_close(struct peers *p);
uint16_t peers_port(const struct peers *p); /* 0: not listening */

/* Queues it (retained). False: no such open peer, or it was shed at once. */
bool peers_send(struct peers *p, uint64_t peer, struct parcel *parcel);
/* parcel_create, peers_send, parcel_release. */
bool peers_send_bytes(struct peers *p, uint64_t peer, enum wire_type type, struct bytes payload);
/* Bytes that the channel's queue of this peer still takes without shedding; 0: no such peer. */
size_t peers_room(const struct peers *p, uint64_t peer, enum channel channel);

enum offence {
    OFFENCE_MALFORMED, /* does not decode: at once */
    OFFENCE_FORGED,    /* a signature that does not hold: at once */
    OFFENCE_INVALID,   /* a block, header or certificate that cannot be what was asked for */
    OFFENCE_UNASKED,   /* an answer to nothing */
    OFFENCE_USELESS    /* asked for what we said we lack, invalid transactions ... : small */
};
/* `reason` is logged when the peer is dropped. */
void peers_charge(struct peers *p, uint64_t peer, enum offence offence, const char *reason);
void peers_drop(struct peers *p, uint64_t peer, const char *reason); /* no offence */

size_t peers_count(const struct peers *p); /* open ones */
/* The open ones in no order; returns how many were written. */
size_t peers_list(const struct peers *p, struct peer_info *out, size_t count_max);
bool peers_info(const struct peers *p, struct peer_info *out, uint64_t peer);

/* Dials soon and keeps dialling, as --peers. */
void peers_add(struct peers *p, const struct wire_peer *peer);
/* For people who want to see a network survive: drops and refuses these node ids, at most
 * PEERS_REFUSED_MAX (`everybody`: all), until called again; count 0 and not everybody heals. The
 * book is not told, so whom we dialled is dialled again within two seconds if it is a fixed one. */
void peers_refuse(struct peers *p, const struct hash *ids, size_t count, bool everybody);

/* keccak256("Leasehold peer v1" | chain id 8 | the signer's node id 32 | exporter 32): what a
 * validator signs. With the node id the other end cannot hand the proof back as its own. */
struct hash peers_proof_digest(uint64_t chain_id, const struct hash *id,
                               const uint8_t exporter[32]);

#endif
