/* consensus.h - stake-weighted Simplex with justified proposals, as a step function.
 *
 * Event in, ordered actions out. No clock, I/O, randomness, threads, logging; nothing is allocated
 * after consensus_create. One thread. docs/consensus.md tells the protocol; this header tells the
 * driver what it must do.
 *
 * LIFE
 *   c = consensus_create(&config);            everything is allocated here
 *   consensus_restore(c, &record) ...         each record of the vote log, in the log's order
 *   consensus_step(c, START, &actions)        once; then any events in any order
 *   consensus_destroy(c)
 * After every step: carry out the actions in their order. Pointers in actions point into the core
 * and are good until the next step: encode or copy at once. An action may be answered at once, by
 * a further step after the present list has been carried out; never from within consensus_step.
 *
 * WHAT THE DRIVER DOES FOR EACH ACTION, AND WHICH EVENT IT OWES
 *   ACTION_PERSIST      append `record` to the vote log (for RECORD_BLOCK with the block's bytes).
 *                       At the end of the loop turn fsync once, then owe EVENT_DURABLE with the
 *                       highest `sequence` written. A disk error is fatal: never answer it with
 *                       DURABLE. Own votes leave the core (as ACTION_SEND) only after their
 *                       DURABLE.
 *   ACTION_SEND         to everybody, or to `peer` when `peer` is not 0: the vote, the certificate
 *                       or the proposal. For a proposal the driver adds the bytes of the block
 *                       `proposal->vote.block`; it has them, since it built them. Lossy is fine.
 *   ACTION_SET_TIMER    start the timer `timer` anew for `delay_ms` (an earlier one of the same id
 *                       is forgotten). When it runs out owe EVENT_TIMER with the same id and view.
 *   ACTION_BUILD        we lead `view`: build a block upon `parent` with height `number`, whose
 *                       header says `view` and `parent_view`. Owe EVENT_BUILT: with the hash when
 *                       the block is built, executed and in memory, or ok = false. WHEN to answer
 *                       is the driver's choice and makes the chain's pace: not sooner than the
 *                       block interval after the parent's; if the parent is final (`parent_final`)
 *                       and there is nothing to include, wait up to the idle interval (and stop
 *                       waiting as soon as a transaction arrives). Never longer than
 *                       config.timing.idle_interval_ms, less the time that building takes: every
 *                       validator's leader timer is that interval + 2 delta, so an idle leader is
 *                       not nullified. An answer for an epoch or a view that is over is
 *                       ignored.
 *   ACTION_VERIFY       execute and check the held block `block` upon `parent` (already valid): its
 *                       header must say this epoch, `view`, `parent_view`, height `number` and
 *                       parent hash `parent`, its coinbase must be the operator of
 *                       epoch_leader(view). Owe EVENT_VERDICT. "Cannot tell now" is no verdict:
 *                       answer later. Own built blocks and proposals of the boundary block again
 *                       are never asked for.
 *   ACTION_FETCH_BLOCK  owe EVENT_BLOCK_HELD when a block of this hash is at hand; look at home
 *                       first, then ask several peers. Asked again while still missing (by the
 *                       retry timer).
 *   ACTION_FETCH_CERT   ask peers for any certificate of `view`; feed what comes as
 *                       EVENT_CERTIFICATE.
 *   ACTION_COMMIT       chain[0 .. count) is final, oldest first, every block valid and held. Make
 *                       each durable with its state (one synced batch a block). `certificate`
 *                       finalizes the last of them. If `epoch_ends`, the last one is the epoch's
 *                       boundary block: the core is at rest until EVENT_EPOCH with the set read
 *                       from its post-state.
 *   ACTION_SYNC         we are further behind than single fetches can heal. If `certificate` is not
 *                       NULL it is a verified F: get its block and ancestors down to our final
 *                       block by range from several peers, check hashes, execute, commit, then owe
 *                       EVENT_SYNCED (or EVENT_EPOCH if that crossed epochs). If NULL: a message of
 *                       the unverified later epoch `epoch` came from `peer`: ask peers for finality
 *                       certificates. Rate-limit; may be repeated.
 *   ACTION_EVIDENCE     a proof of misbehaviour for the Staking contract: send slash(first,
 *                       second).
 *
 * `admission` of a step says what to think of the message that was its event: ADMISSION_NEW is
 * worth gossiping further to peers that may not have it; ADMISSION_BAD may be charged to the peer;
 * a proposal's block bytes need to be kept only while consensus_wants_block says so.
 *
 * EVENTS the driver feeds from the network must have passed the decoders. EVENT_PROPOSAL with
 * block_held only if the carried block's hash equals proposal->vote.block and its bytes are kept
 * until the step is over and consensus_wants_block was asked. `from` is an opaque nonzero peer id.
 *
 * RESTART. The log must hold, for every view above the final one, all own votes; consensus_records
 * lists what a rewritten log needs, so that the driver can replace the log by a short one (it may
 * do so whenever it has grown, between steps, when no DURABLE is owed). If the log is lost or
 * damaged, set sign_from_epoch to the current epoch + 1: no vote is signed before. An epoch's
 * end that was learned by catching up proves nothing: then consensus_stay_silent.
 *
 * INVARIANTS (asserted after each step)
 *   1 current view > finalized view, unless the epoch is over; neither ever goes back.
 *   2 no two own votes of one view satisfy E1-E4; none is sent before it is durable.
 *   3 every certificate held has been verified or formed from verified votes.
 *   4 every slot in use lies within [floor, floor + views_max). */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_CONSENSUS_H
#define LEASEHOLD_CHAIN_CONSENSUS_CONSENSUS_H

#include "chain/consensus/evidence.h"
#include "chain/consensus/proposal.h"
#include "chain/consensus/record.h"
#include "chain/consensus/timers.h"

struct consensus;

/* A final block. After a start from genesis or an epoch's beginning: view 0, the starting block. */
struct final_point {
    uint64_t view; /* of its F, or of its header; lower is safe */
    struct hash block;
    uint64_t number;
};

struct consensus_config {
    struct epoch epoch;       /* sealed */
    struct final_point final; /* the last committed block */
    const struct key *key;    /* copied; NULL: follow without voting */
    const struct signer *signer;
    struct timing timing;
    uint32_t views_max;       /* VIEWS_MIN..VIEWS_MAX; 0: VIEWS_MAX */
    uint64_t sign_from_epoch; /* sign nothing in earlier epochs; normally 0 */
    /* F of the epoch's start block by the epoch before, copied; NULL: none is known. Without it a
     * restarted node cannot tell those who lag how their epoch ended. */
    const struct certificate *boundary;
};

/* Heap, about 80 KiB a view of address space, touched as used. The config is copied. */
struct consensus *consensus_create(const struct consensus_config *config);
void consensus_destroy(struct consensus *c); /* wipes the key; takes NULL */
/* Only before START. Records of other epochs and of settled views are skipped. A record that
 * contradicts an earlier one, or a vote that is not ours, is E_MALFORMED: do not go on. */
MUST_CHECK enum status consensus_restore(struct consensus *c, const struct record *record);

enum timer { TIMER_LEADER, TIMER_ADVANCE, TIMER_RETRY, TIMER_STALL, TIMER_COUNT };

enum event_kind {
    EVENT_START,
    EVENT_PROPOSAL,
    EVENT_VOTE,
    EVENT_CERTIFICATE,
    EVENT_BLOCK_HELD,
    EVENT_BUILT,
    EVENT_VERDICT,
    EVENT_DURABLE,
    EVENT_TIMER,
    EVENT_EPOCH,
    EVENT_SYNCED
};

/* Pointers are borrowed for the step. */
struct event {
    enum event_kind kind;
    uint64_t from; /* PROPOSAL, VOTE, CERTIFICATE: the peer it came from */
    union {
        struct {
            const struct proposal *proposal;
            bool block_held;
        } proposal;
        struct vote vote;
        const struct certificate *certificate;
        struct hash block_held;
        struct {
            uint64_t view;
            bool ok; /* false: building failed, skip us */
            struct hash block;
            uint64_t epoch; /* in which it was asked for: views begin anew with each */
        } built;
        struct {
            uint64_t view;
            struct hash block;
            bool valid;
        } verdict;
        uint64_t durable_sequence;
        struct {
            enum timer timer;
            uint64_t view;
        } timer;
        const struct epoch *epoch; /* sealed; its start block is committed */
        struct final_point synced;
    };
};

enum action_kind {
    ACTION_PERSIST,
    ACTION_SEND,
    ACTION_SET_TIMER,
    ACTION_BUILD,
    ACTION_VERIFY,
    ACTION_FETCH_BLOCK,
    ACTION_FETCH_CERT,
    ACTION_COMMIT,
    ACTION_SYNC,
    ACTION_EVIDENCE
};

enum message_kind { MESSAGE_VOTE, MESSAGE_CERTIFICATE, MESSAGE_PROPOSAL };

struct message {
    enum message_kind kind;
    uint64_t peer; /* 0: everybody */
    union {
        struct vote vote;
        const struct certificate *certificate;
        const struct proposal *proposal;
    };
};

struct block_place {
    uint64_t view;
    uint64_t parent_view;
    struct hash block;
    struct hash parent;
    uint64_t number;
};

struct action {
    enum action_kind kind;
    union {
        struct {
            uint64_t sequence; /* 1, 2, 3 ... in this process */
            struct record record;
        } persist;
        struct message send;
        struct {
            enum timer timer;
            uint64_t view;
            uint32_t delay_ms;
        } set_timer;
        struct {
            struct block_place place; /* place.block is zero */
            bool parent_final;
        } build;
        struct block_place verify;
        struct {
            uint64_t view;
            struct hash block;
        } fetch_block;
        struct {
            uint64_t view;
        } fetch_cert;
        struct {
            const struct block_place *chain;
            uint32_t count;
            const struct certificate *certificate;
            bool epoch_ends;
        } commit;
        struct {
            const struct certificate *certificate; /* may be NULL */
            uint64_t epoch;
            uint64_t peer; /* 0: anybody */
        } sync;
        struct evidence evidence;
    };
};

enum admission {
    ADMISSION_NONE,    /* the event was no message */
    ADMISSION_NEW,     /* genuine and not known before */
    ADMISSION_KNOWN,   /* nothing new */
    ADMISSION_OUTSIDE, /* another epoch, or a view out of the window */
    ADMISSION_BAD      /* not signed by whom it names, or against the rules of form */
};

/* About 300 KiB: keep one on the heap. */
struct actions {
    uint32_t count;
    enum admission admission;
    struct action items[ACTIONS_MAX];
};

void consensus_step(struct consensus *c, const struct event *event, struct actions *out);

/* Between steps: signs nothing in earlier epochs, as config.sign_from_epoch; never sooner again. */
void consensus_stay_silent(struct consensus *c, uint64_t sign_from_epoch);

/* Questions; none changes anything. */
uint64_t consensus_view(const struct consensus *c);            /* current */
struct final_point consensus_final(const struct consensus *c); /* last committed */
const struct epoch *consensus_epoch(const struct consensus *c);
bool consensus_is_validator(const struct consensus *c);
/* The certificate of this kind and view of the current epoch, or NULL; also the boundary F of the
 * epoch before. For peers that ask. Good until the next step. */
const struct certificate *consensus_certificate(const struct consensus *c, uint64_t epoch,
                                                uint64_t view, enum vote_kind kind);
/* The highest F held of this epoch, or NULL. */
const struct certificate *consensus_highest_final(const struct consensus *c);
/* True if a block of this hash belongs to a view that is neither final nor given up. */
bool consensus_wants_block(const struct consensus *c, const struct hash *block);
/* Calls `each` for every record that a fresh log must start with, in order. */
void consensus_records(const struct consensus *c,
                       void (*each)(void *context, const struct record *record), void *context);

#endif
