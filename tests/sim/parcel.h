/* parcel.h - one encoded message, shared by all whom it is on the way to. */
#ifndef LEASEHOLD_TESTS_SIM_PARCEL_H
#define LEASEHOLD_TESTS_SIM_PARCEL_H

#include "base/bytes.h"

enum parcel_kind {
    PARCEL_PROPOSAL,
    PARCEL_VOTE,
    PARCEL_CERTIFICATE,
    PARCEL_CERT_REQUEST,  /* epoch 8 | view 8 */
    PARCEL_BLOCK_REQUEST, /* block hash 32 */
    PARCEL_BLOCK,         /* the block's bytes */
    PARCEL_SYNC_REQUEST,  /* epoch 8 | height 8 */
    PARCEL_SYNC_ANSWER,   /* a certificate: the answerer's highest F of that epoch */
    PARCEL_KIND_COUNT
};

struct parcel {
    enum parcel_kind kind;
    uint32_t uses;
    bool forged; /* made up by a liar: it says more than its maker may sign, or is damaged */
    bool seen;   /* an honest node got it: the court has read it */
    struct buffer bytes;
    struct parcel *next; /* in the pool */
};

/* Parcels are lent, so that their memory is used again. */
struct parcel_pool {
    struct parcel *spare;
};

struct parcel *parcel_take(struct parcel_pool *pool, enum parcel_kind kind); /* one use */
void parcel_drop(struct parcel_pool *pool, struct parcel *p);                /* one use less */
void parcel_pool_finish(struct parcel_pool *pool);

#endif
