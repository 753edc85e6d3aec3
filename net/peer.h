/* peer.h - one connection and what all of them share: the inside of peers.h.
 *
 * A peer goes through its phases in order and is closed at most once; from then on nothing of it is
 * called, sent or counted, and it is freed by the reaper at the end of the loop's turn, so nobody
 * who still holds it on the stack falls. Only the files peer*.c include this. One thread. */
#ifndef LEASEHOLD_NET_PEER_H
#define LEASEHOLD_NET_PEER_H

#include "base/log.h"
#include "net/attempts.h"
#include "net/bans.h"
#include "net/frame_reader.h"
#include "net/peer_queue.h"
#include "net/peers.h"
#include "net/rate.h"
#include "net/tls.h"

#include <event2/event.h>

enum peer_phase {
    PEER_CONNECTING, /* TCP, outgoing only */
    PEER_TLS,
    PEER_HELLO, /* ours is sent, theirs awaited; info.id is proven */
    PEER_OPEN,
    PEER_CLOSED
};

struct peer {
    struct peers *owner;
    struct peer_info info;
    enum peer_phase phase;
    bool opened;             /* on_open was called, on_close is owed */
    bool settled;            /* outgoing: the book knows how it went */
    bool first_of_validator; /* has a reserved place while that one is in the set */
    bool reserved;
    struct hash expected_id; /* outgoing; zero: not known */
    bool demands_id;         /* it is the operator's word; else hearsay, and any id will do */

    struct tls *tls;
    struct event *on_read, *on_write, *on_resume;
    bool flushing; /* on_write will be called in this turn */
    bool blocked;  /* the socket takes no more; on_write waits for it */
    bool read_wants_write;
    struct frame_reader reader;
    struct peer_queue queue;
    uint8_t *stage; /* of the queue, in TLS's hands; NULL: nothing */
    size_t stage_size, stage_sent;
    struct rate bytes_rate, messages_rate;
    struct score score;

    uint64_t began_ms;
    uint64_t heard_ms;
    uint64_t progress_ms; /* sent something, or had nothing to send */
    uint64_t frame_ms;    /* the frame under way began; 0: none */
    uint64_t ping_due_ms, ping_sent_ms;
    uint64_t ping_nonce; /* 0: none is out */
    uint64_t ask_due_ms; /* for addresses */
    uint64_t answered_ms;
    bool asked;
};

struct peers {
    struct event_base *base;
    const struct identity *identity;
    struct book *book;
    struct peers_handlers handlers;
    struct peers_limits limits; /* no zeros */
    struct hash own_id;
    uint64_t chain_id;
    struct hash genesis;
    struct key key;
    bool has_key;
    uint32_t in_max, out_max;
    bool one_each_group; /* outgoing peers: they are dear to whom would surround us */

    int listener; /* -1: none */
    struct net_address advertised;
    struct event *on_accept, *on_sweep, *on_reap;
    bool accepting;
    struct rate accept_rate;
    struct bans *bans;
    struct attempts *attempts;
    struct net_address own[PEERS_OWN_ADDRESSES]; /* found out to lead to ourselves */
    size_t own_count;
    struct hash *refused;
    size_t refused_count;
    bool refuses_all;
    uint64_t dial_due_ms;

    uint64_t sequence; /* of the last peer */
    size_t slots_used; /* none beyond */
    struct peer *slots[PEERS_SLOTS];
    uint8_t chunk[TLS_RECORD_BYTES_MAX]; /* what was just read */
};

/* peer.c: one connection. */
struct peer *peer_create(struct peers *owner, int fd, bool outgoing,
                         const struct net_address *remote); /* NULL: no slot is free */
void peer_free(struct peer *p);
/* Nothing happens to one that is closed. `reason` NULL: not worth a line. */
void peer_close(struct peer *p, const char *reason);
/* Tells the book how dialling went; the first word counts. */
void peer_settle(struct peer *p, bool went_well);
void peer_charge(struct peer *p, enum offence offence, const char *reason);
bool peer_send(struct peer *p, struct parcel *parcel);
bool peer_send_bytes(struct peer *p, enum wire_type type, struct bytes payload);
void peer_log(const struct peer *p, enum log_level level, const char *what, const char *reason);

/* peer_hello.c: from the TLS handshake to an open peer. */
void peer_greet(struct peer *p);
void peer_on_hello(struct peer *p, struct bytes payload);

/* peer_control.c: an open peer's small talk. */
void peer_on_frame(struct peer *p, const struct frame *frame);
void peer_check_time(struct peer *p, uint64_t now_ms);

/* peers_admit.c: who may come in, and stay. */
void peers_accept(struct peers *p);
void peers_set_accepting(struct peers *p, bool accepting);
/* Whether this one, who said HELLO, may be open; others may be closed for it. */
bool peers_make_place(struct peers *p, struct peer *newcomer);
bool peers_settle_duplicate(struct peers *p, struct peer *newcomer);
bool peers_refuses(const struct peers *p, const struct hash *id);

/* peers_dial.c: whom to dial. */
void peers_dial(struct peers *p);
void peers_remember_own(struct peers *p, const struct net_address *address);
void peers_set_anchors(struct peers *p);

/* peers.c. */
struct peer *peers_find(const struct peers *p, uint64_t peer); /* not closed; NULL: none */
void peers_tell_closed(struct peers *p);

#endif
