/* epoch_record.h - what the chain remembers of the running epoch, block by block.
 *
 * Kept with the state after each block, and a pure function of the parent's record, the header and
 * (at an epoch's end) the new validator set; so who builds and who verifies derive the same. It
 * holds the set, who proposed and who was skipped, the seeds of the leader draw, and how far each
 * validator has opened its hash chain. About 20 KiB: keep it on the heap. */
#ifndef LEASEHOLD_CHAIN_EPOCH_RECORD_H
#define LEASEHOLD_CHAIN_EPOCH_RECORD_H

#include "chain/config.h"
#include "chain/consensus/epoch.h"
#include "chain/header.h"

/* More skipped views than this between two blocks are not charged to their leaders. */
#define SKIPPED_VIEWS_MAX 1024

struct epoch_duty { /* parallel to epoch.validators */
    uint32_t proposed;
    uint32_t missed;       /* views led and skipped */
    struct hash chain_end; /* as Staking had it when the set was read */
    struct hash revealed;  /* the last opened link; chain_end at first */
};

struct epoch_record {
    struct epoch epoch; /* of the next block */
    struct hash validators_hash;
    struct hash next_seed; /* the next epoch's */
    uint64_t last_view;    /* of the block that this record follows; 0: an epoch's start */
    struct epoch_duty duties[VALIDATORS_MAX];
};

/* A set as Staking gives it. */
struct validator_set {
    uint32_t count;
    struct validator validators[VALIDATORS_MAX];
    struct hash chain_ends[VALIDATORS_MAX];
};

/* The record after genesis: epoch 0. Fails as epoch_seal does. */
MUST_CHECK enum status epoch_record_first(struct epoch_record *out, const struct validator_set *set,
                                          const struct chain_config *config,
                                          const struct header *genesis);
/* The leader of a view: an index into epoch.validators. */
uint32_t epoch_record_leader(const struct epoch_record *r, uint64_t view);
/* What consensus fixes in a child's header: epoch, views, set, proposer's address, reveal and
 * randomness. NULL if all fit, else what does not, for a person. */
const char *epoch_record_check(const struct epoch_record *parent, const struct hash *parent_mix,
                               const struct header *h);
/* Counts a block whose header has been checked. */
void epoch_record_apply(struct epoch_record *r, const struct header *h);
/* After the epoch's last block: the record of the next epoch. `set` NULL keeps the old set. False
 * if `set` is not a valid one (then *r is untouched). */
MUST_CHECK bool epoch_record_turn(struct epoch_record *r, const struct validator_set *set,
                                  const struct chain_config *config, const struct header *h);
/* keccak256(parent's mix hash | reveal). */
struct hash randomness_next(const struct hash *parent_mix, const struct hash *reveal);

void epoch_record_encode(struct buffer *out, const struct epoch_record *r);
MUST_CHECK enum status epoch_record_decode(struct epoch_record *out, struct bytes input);

#endif
