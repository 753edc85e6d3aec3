/* core.h - the state machine's insides, shared by its files; nobody else includes it.
 *
 * The rules are level-triggered: an event only changes what is known (votes, certificates, blocks,
 * timeouts); core_progress then applies every rule that the knowledge allows, until none is left.
 * So the order of events does not matter, a restart needs no special cases, and a rule that ran out
 * of room for actions simply goes on in the next step.
 *
 * Slots are lent from a pool, last returned first, so that memory is touched only as used. They are
 * returned at the beginning of a step only: pointers in actions stay good until then. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_CORE_H
#define LEASEHOLD_CHAIN_CONSENSUS_CORE_H

#include "chain/consensus/consensus.h"
#include "chain/consensus/planted.h"

#include <assert.h>

struct own_vote {
    bool held;
    bool released;     /* sent and tallied; only once durable */
    uint64_t sequence; /* of its persist action; 0: came from the log */
    struct vote vote;
};

/* The one block of a view that can matter: the leader's first proposal, or the certified block. */
struct view_block {
    bool known;        /* `hash` is set */
    bool parent_known; /* `parent_view` is set; F alone does not tell it */
    bool proposed;     /* it is the leader's first proposal */
    bool held;         /* the driver has its bytes */
    bool linked;       /* justified down to a final block; number and parent are set */
    bool again;        /* the boundary block, proposed again */
    bool verify_asked;
    bool valid;
    bool invalid;
    bool persisted;
    uint64_t sequence; /* of its persist action; 0: came from the log */
    struct hash hash;
    struct hash parent;
    uint64_t parent_view;
    uint64_t number;
};

struct slot {
    uint64_t view;
    uint32_t leader;
    bool leader_spoke; /* a proposal was seen, whichever */
    bool leader_equivocated;
    bool leader_timeout;
    bool advance_timeout;
    bool build_asked;
    bool build_failed;
    bool fetch_block_asked;
    bool fetch_cert_asked;
    uint64_t build_parent_view;
    uint32_t chain_length; /* of commit_due */
    struct view_block block;
    struct own_vote own[VOTE_KIND_COUNT];
    bool certified[VOTE_KIND_COUNT];
    uint8_t present[VOTE_KIND_COUNT][SIGNER_BITMAP_BYTES];
    uint8_t accused[SIGNER_BITMAP_BYTES];
    /* Not cleared when the slot is lent: read only what the fields above say is there. */
    struct vote votes[VOTE_KIND_COUNT][VALIDATORS_MAX];
    struct certificate certificates[VOTE_KIND_COUNT];
};

struct consensus {
    struct consensus_config config; /* .epoch is the present one */
    struct key key;
    uint32_t own_index; /* validator_count: not in the set */
    uint32_t views_max;
    bool started;
    bool epoch_over;
    uint64_t view;
    struct final_point final;
    uint64_t floor; /* the lowest view that may have a slot; at least 1 */
    uint64_t top;   /* no slot is above */
    uint64_t sequence;
    uint64_t durable;
    uint64_t unreleased_from;             /* no view below has an own vote that is not released */
    uint64_t last_active[VALIDATORS_MAX]; /* highest view with a vote of theirs */
    struct slot *slots[VIEWS_MAX];        /* by view mod views_max; NULL: none */
    struct slot *pool[VIEWS_MAX];
    uint32_t pool_count;
    struct slot *storage;
    bool has_highest_final;
    struct certificate highest_final; /* of this epoch */
    bool has_boundary;
    struct certificate boundary; /* F of the boundary block of an earlier epoch */
    bool proposal_used;
    struct proposal proposal; /* what this step sends */
    uint32_t chain_used;
    struct block_place chain[VIEWS_MAX]; /* what this step commits */
    struct evidence evidence[EVIDENCE_QUEUE_MAX];
    uint32_t evidence_count;
    uint32_t fetch_count;         /* of this step */
    bool commit_waited;           /* at the last retry tick an F waited for its chain */
    uint64_t commit_waited_final; /* and this was final */
    uint64_t stall_view;
    uint64_t stall_final;
};

/* slots.c. The first two are asked more often than all else. */
static inline bool view_in_window(const struct consensus *c, uint64_t view)
{
    return view >= c->floor && view - c->floor < c->views_max;
}

/* NULL: none. */
static inline struct slot *slot_find(const struct consensus *c, uint64_t view)
{
    struct slot *s = view_in_window(c, view) ? c->slots[view % c->views_max] : NULL;
    assert(!s || s->view == view); /* the window is as long as the ring */
    return s;
}

struct slot *slot_open(struct consensus *c, uint64_t view); /* NULL: out of the window */
/* In the window, and the next view too: what is known of this one may let us enter that. */
bool view_admissible(const struct consensus *c, uint64_t view);
void slots_prune(struct consensus *c);
void slots_clear(struct consensus *c);
bool slot_has_vote(const struct slot *s, enum vote_kind kind, uint32_t signer);
/* Makes this the view's block; what was known of another one is forgotten. */
void slot_set_block(struct slot *s, const struct hash *hash);
void slot_set_parent(struct slot *s, uint64_t parent_view);

/* actions.c */
struct action *action_add(struct actions *out, enum action_kind kind);
bool has_room(const struct actions *out); /* for one rule's worth of actions */
uint64_t persist(struct consensus *c, const struct record *record, struct actions *out);
void send_vote(const struct vote *v, struct actions *out);
void send_certificate(const struct certificate *cert, uint64_t peer, struct actions *out);
void set_timer(const struct consensus *c, enum timer timer, struct actions *out);
void want_certificate(struct consensus *c, uint64_t view, struct actions *out);
void want_block(struct consensus *c, struct slot *s, struct actions *out);
void ask_sync(const struct certificate *cert, uint64_t epoch, uint64_t peer, struct actions *out);

/* tally.c: messages in, votes and certificates kept. */
enum admission admit_vote(struct consensus *c, const struct vote *v, uint64_t from,
                          struct actions *out);
enum admission admit_certificate(struct consensus *c, const struct certificate *cert, uint64_t from,
                                 struct actions *out);
enum admission admit_proposal(struct consensus *c, const struct event *event, struct actions *out);
/* An F that was beyond the window when it came goes where it belongs once that is within. */
void use_far_final(struct consensus *c, struct actions *out);
void tally_own(struct consensus *c, struct slot *s, const struct vote *v, struct actions *out);
/* Keeps a certificate that is known to be genuine; `formed` here, or received. */
void keep_certificate(struct consensus *c, struct slot *s, const struct certificate *cert,
                      bool formed, struct actions *out);

/* ancestry.c: justification, verification, finality. Each returns whether anything changed. */
bool is_certified(const struct slot *s); /* N or F of its block */
bool block_durable(const struct consensus *c, const struct slot *s);
bool block_usable(const struct consensus *c, const struct slot *s); /* held, valid, durable */
bool link_blocks(struct consensus *c, struct actions *out);
bool check_blocks(struct consensus *c, struct actions *out);
bool commit_due(struct consensus *c, struct actions *out);

/* own.c: what we sign. */
bool may_sign(const struct consensus *c);
void sign_vote(struct consensus *c, struct slot *s, enum vote_kind kind, struct actions *out);
void note_unreleased(struct consensus *c, const struct slot *s);
bool release_votes(struct consensus *c, struct actions *out);
void send_own(struct consensus *c, struct slot *s, enum vote_kind kind, struct actions *out);

/* duties.c: rules 1 to 6. */
bool finalize_due(struct consensus *c, struct actions *out);
bool enter_due(struct consensus *c, struct actions *out);
bool propose_due(struct consensus *c, struct actions *out);
bool notarize_due(struct consensus *c, struct actions *out);
bool nullify_due(struct consensus *c, struct actions *out);
void start_view(struct consensus *c, struct actions *out); /* timers of the current view */

/* catchup.c: rules 7 and 12. */
void on_retry(struct consensus *c, struct actions *out);
void on_stall(struct consensus *c, struct actions *out);

/* consensus.c */
void core_progress(struct consensus *c, struct actions *out);

#endif
