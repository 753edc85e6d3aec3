/* sync_internal.h - the inside of sync, for sync*.c only.
 *
 * Answers carry their own proof (a signature of a known set, or a hash that something verified
 * names), so it does not matter whom they come from or when: a late one is as good as one in time.
 * What is written down of a request serves three ends only: that an object is asked of one peer at
 * a time, that a peer's failure is noticed, and that answers to nothing are charged.
 *
 * Invariants:
 *  1. trail.first is the epoch of the ledger's head; trail.first + trail.count is known.number.
 *  2. segments[0].first <= head + 1 <= segments[0].end; segments[1] begins behind segments[0].
 *  3. a hash of a linked segment is final.
 *  4. a peer's in_flight is the number of asks that name it. */
#ifndef LEASEHOLD_NODE_SYNC_INTERNAL_H
#define LEASEHOLD_NODE_SYNC_INTERNAL_H

#include "node/senders.h"
#include "node/sync.h"

#define NO_NUMBER           UINT64_MAX
#define SYNC_EXPECTED_BYTES (32u << 10) /* of a block, before one was seen */

enum answer { ANSWER_FINAL, ANSWER_EPOCH, ANSWER_HEADERS, ANSWER_BODY, ANSWER_COUNT };

struct ask {         /* somebody was asked for this object */
    uint64_t peer;   /* 0: nobody is, now */
    uint64_t serial; /* a peer answers in the order it was asked */
    uint64_t at_ms;
    uint32_t tries; /* how often in vain */
};

struct sync_peer {
    uint64_t id;
    uint64_t hint; /* it may have blocks up to here: whom to ask, never believed */
    uint32_t in_flight;
    uint32_t strikes; /* vain requests since the last good answer */
    uint32_t pace_ms; /* an answer takes it about so long */
    bool bad;         /* charged with a lie: not asked again */
    uint64_t pause_until_ms;
    uint64_t heard_ms;
    uint64_t looked_ms;          /* when it was last asked for FINAL; 0: never */
    uint32_t owed[ANSWER_COUNT]; /* answers it may still send, requests given up included */
    struct ask final;
};

/* A final block with its proof. */
struct proven {
    uint64_t number;
    struct hash hash;
    struct buffer certificate; /* encoded F */
};

struct trail {
    uint64_t first; /* epoch */
    size_t count;
    struct proven *boundaries; /* SYNC_EPOCHS_MAX; of epochs first, first + 1 ... */
};

enum range_state { RANGE_EMPTY, RANGE_FILLED, RANGE_LINKED };

struct range { /* of headers, WIRE_HEADERS_MAX but for a segment's last */
    uint64_t first;
    uint16_t count;
    enum range_state state;
    uint64_t filler;    /* the peer that sent it */
    struct hash parent; /* of the first */
    struct ask ask;
};

/* Blocks of one epoch, up to a final one. */
struct segment {
    uint64_t first, end;
    struct hash below, top; /* hashes of first - 1 and of end */
    struct hash *hashes;
    struct range *ranges; /* ascending */
    size_t range_count;
    size_t linked_count;       /* from the top */
    struct buffer certificate; /* of the end */
};
#define SEGMENTS_MAX 2 /* the one that is executed, and the next */

struct body {
    uint64_t number; /* NO_NUMBER: the slot is free */
    struct hash hash;
    bool ready;                  /* at hand: here or in the ledger */
    struct buffer bytes;         /* empty if the ledger has it */
    struct senders_job *senders; /* who signed its transactions; reads the bytes */
    struct ask ask;
};

struct sync {
    struct sync_setup setup;
    uint64_t serial;
    uint64_t wake_at_ms; /* a turn is due then; NO_NUMBER: none */
    bool broken;         /* a final block does not hold here: nothing more is done */
    uint64_t broken_number;
    uint64_t told_ms; /* when that was last said */

    struct sync_peer peers[SYNC_PEERS_MAX];
    size_t peer_count;

    struct hash head; /* of the last look at the ledger */
    uint64_t head_number;

    struct epoch known; /* the latest whose set is proved */
    struct trail trail;
    struct ask epoch_ask;
    struct proven target; /* the highest verified final block of `known`; number 0: none */
    uint64_t look_ms;     /* everybody is to be asked for FINAL since then */
    uint64_t looked_ms;   /* when anybody last was */
    bool urgent;          /* consensus cannot go on by itself */
    uint64_t level_ms;    /* until then nothing was above the head, or the head moved */

    struct segment segments[SEGMENTS_MAX];
    size_t segment_count;

    struct body bodies[SYNC_WINDOW_BLOCKS]; /* by number % SYNC_WINDOW_BLOCKS */
    struct senders *senders;                /* NULL until the first body */
    size_t held_bytes;
    size_t expected_bytes; /* of a block */

    struct hash batch[SYNC_BATCH_BLOCKS]; /* executed upon the head, not yet committed */
    size_t batch_count;
    size_t batch_bytes;
    uint64_t execute_after_ms; /* the ledger had no room */

    bool active;
    uint64_t start, since_ms;
};

/* ---- sync_peers.c: whom to ask ---- */
struct sync_peer *peer_find(struct sync *s, uint64_t id); /* NULL: gone */
/* The best one for an object of this number that was asked for in vain `tries` times; NULL: none
 * may be asked now. */
struct sync_peer *peer_pick(struct sync *s, uint64_t number, uint32_t tries, uint64_t now_ms);
bool peer_may_be_asked(const struct sync_peer *p, uint64_t number, uint64_t now_ms);
bool peers_some_clean(const struct sync *s, uint64_t number, uint64_t now_ms);
/* Sends a request that `answers` messages answer. False: it did not leave, and the peer pauses. */
bool peer_request(struct sync *s, struct sync_peer *p, enum wire_type request, struct bytes payload,
                  uint32_t answers, uint64_t now_ms);
void ask_begin(struct sync *s, struct ask *a, struct sync_peer *p, uint64_t now_ms);
void ask_end(struct sync *s, struct ask *a);    /* answered */
void ask_fail(struct sync *s, struct ask *a);   /* in vain */
void ask_forget(struct sync *s, struct ask *a); /* the object is another now, or of no interest */
/* Gives it up if its time is over, and pauses the peer. */
void ask_expire(struct sync *s, struct ask *a, uint64_t now_ms);
void peer_strike(struct sync_peer *p, uint64_t now_ms);
/* Well, and not only about its newest block. */
void peer_answered(struct sync_peer *p, const struct ask *a, uint64_t now_ms);
void sync_peer_charge(struct sync *s, uint64_t id, enum offence offence, const char *reason);

/* ---- sync_epochs.c: what is final ---- */
void epochs_follow(struct sync *s, uint64_t now_ms); /* the head may have moved */
void epochs_ask(struct sync *s, uint64_t now_ms);
void epochs_expire(struct sync *s, uint64_t now_ms);
void epochs_finish(struct sync *s);
void on_epoch(struct sync *s, struct sync_peer *p, struct bytes payload, uint64_t now_ms);
void on_final(struct sync *s, struct sync_peer *p, struct bytes payload, uint64_t now_ms);
/* The highest block of this epoch that is proved final, above its start; NULL: none. */
const struct proven *epochs_end_of(const struct sync *s, uint64_t epoch);
uint64_t epochs_proved(const struct sync *s); /* the highest number of all */

/* ---- sync_headers.c: the hashes below it ---- */
void segments_plan(struct sync *s, uint64_t now_ms);
void segments_finish(struct sync *s);
void headers_ask(struct sync *s, uint64_t now_ms);
void headers_expire(struct sync *s, uint64_t now_ms);
void on_headers(struct sync *s, struct sync_peer *p, struct bytes payload, uint64_t now_ms);
/* The final hash of this number, or NULL if it is not known yet. */
const struct hash *segments_hash(const struct sync *s, uint64_t number);

/* ---- sync_blocks.c: the blocks themselves ---- */
void bodies_follow(struct sync *s);
void bodies_ask(struct sync *s, uint64_t now_ms);
void bodies_expire(struct sync *s, uint64_t now_ms);
void bodies_finish(struct sync *s);
void body_drop(struct sync *s, uint64_t number);
struct body *body_ready(struct sync *s, uint64_t number); /* NULL: not at hand */
void on_body(struct sync *s, struct sync_peer *p, struct bytes payload, uint64_t now_ms);

/* ---- sync_execute.c: and their state ---- */
void batch_follow(struct sync *s);
bool execute_due(const struct sync *s, uint64_t now_ms); /* there is something to do */
void execute_some(struct sync *s, uint64_t now_ms);

/* The number of the last block that is executed, committed or not. */
uint64_t sync_tip(const struct sync *s);
/* Asks for a turn, unless one is due before. */
void sync_wake(struct sync *s, uint64_t now_ms, uint64_t delay_ms);
void sync_break(struct sync *s, uint64_t number, const char *why, uint64_t now_ms);

#endif
