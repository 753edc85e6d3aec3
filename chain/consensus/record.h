/* record.h - what consensus writes down before it acts: one record, in memory and in the log.
 *
 * Payload of each kind, integers big-endian (the log's framing is node/vote_log.h's):
 *   RECORD_EPOCH        epoch 8 | start block 32 | start number 8
 *   RECORD_VOTE         a vote, as vote.h encodes it; always one of our own
 *   RECORD_CERTIFICATE  a certificate, as certificate.h encodes it
 *   RECORD_BLOCK        epoch 8 | view 8 | parent view 8 | block hash 32 | the block's bytes
 * Pure; any thread. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_RECORD_H
#define LEASEHOLD_CHAIN_CONSENSUS_RECORD_H

#include "chain/consensus/proposal.h"

enum record_kind { RECORD_EPOCH, RECORD_VOTE, RECORD_CERTIFICATE, RECORD_BLOCK, RECORD_KIND_COUNT };

struct record_epoch {
    uint64_t number;
    struct hash start_block;
    uint64_t start_number;
};

struct record_block {
    uint64_t epoch;
    uint64_t view;
    uint64_t parent_view;
    struct hash block;
};

struct record {
    enum record_kind kind;
    union {
        struct record_epoch epoch;
        struct vote vote;
        const struct certificate *certificate; /* borrowed */
        struct record_block block;
    };
};

/* Appends the payload. `block_bytes` is read for RECORD_BLOCK only. */
void record_encode(struct buffer *out, const struct record *r, struct bytes block_bytes);
/* `room` receives the certificate that out->certificate then points to; *out_block_bytes points
 * into payload (empty but for RECORD_BLOCK). E_MALFORMED, E_LIMIT. */
MUST_CHECK enum status record_decode(struct record *out, struct certificate *room,
                                     struct bytes *out_block_bytes, enum record_kind kind,
                                     struct bytes payload);

#endif
