/* offers.h - the open offers of the chain, filtered and sorted. */
#ifndef LEASEHOLD_WALLET_OFFERS_H
#define LEASEHOLD_WALLET_OFFERS_H

#include "wallet/session.h"

struct offer_filter {
    const char *model;  /* NULL: any; compared without regard to case */
    const char *region; /* NULL: any */
    uint64_t vram_mib;
    uint64_t capability;   /* major * 10 + minor */
    uint8_t runtimes;      /* bits that must all be there */
    struct u256 max_price; /* a second; zero: any */
    uint64_t seconds;      /* a job's time limit that must be accepted; 0: any */
    bool free_only;        /* with a free slot, and stake for that job */
    uint64_t stake_factor;
};

/* From the options --model, --vram, --capability, --region, --max-price. */
MUST_CHECK int offer_filter_read(struct session *s, struct offer_filter *out);
/* "cuda-c,exec" to bits; 0 for a name that is none. */
uint8_t runtimes_from_text(const char *text);
void runtimes_to_text(char out[40], uint8_t bits);
/* "8.9" or "89" to 89. */
MUST_CHECK int option_capability(struct session *s, uint64_t *out);

/* All offers that pass, as the contract's Offer objects, cheapest first (or by `sort`). The caller
 * decrefs *out. */
MUST_CHECK int offers_fetch(struct session *s, json_t **out, const struct offer_filter *filter,
                            const char *sort);

#endif
