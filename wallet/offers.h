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
    uint64_t agreed;       /* results on the paid side, at least */
    bool free_only;        /* with a free slot, and stake for that job */
    uint64_t stake_factor;
    uint64_t audit_bps;    /* of a result that stands alone; 0: it does not */
    uint64_t newcomer_bps; /* likewise, of a provider without a streak */
};

/* What an offer can lack: bit, code for programs, what a person reads after a number of offers */
#define OFFER_LACKS(X)                                                                             \
    X(MODEL, "model", "of another model")                                                          \
    X(REGION, "region", "in another region")                                                       \
    X(VRAM, "vram", "with less memory")                                                            \
    X(CAPABILITY, "capability", "of lower compute capability")                                     \
    X(RUNTIME, "runtime", "without that runtime")                                                  \
    X(PRICE, "price", "at a higher price")                                                         \
    X(SECONDS, "seconds", "for shorter or longer jobs")                                            \
    X(RECORD, "record", "with a shorter record")                                                   \
    X(SLOT, "slot", "with no free slot")                                                           \
    X(STAKE, "stake", "with too little free stake")

enum offer_lack {
#define X(id, code, text) LACK_##id,
    OFFER_LACKS(X)
#undef X
        OFFER_LACK_COUNT
};

/* Why nothing fits: how many offers there are, and what those lack that lack one thing only. */
struct offer_census {
    size_t offers;
    size_t only[OFFER_LACK_COUNT];
    size_t many;            /* lack several things */
    struct u256 next_price; /* of the cheapest that is only too dear; zero: none */
    uint64_t next_vram_mib; /* the largest that is only too small; 0: none */
};

/* From the options --model, --vram, --capability, --region, --max-price, --min-agreed. */
MUST_CHECK int offer_filter_read(struct session *s, struct offer_filter *out);
/* "cuda-c,exec" to bits; 0 for a name that is none. */
uint8_t runtimes_from_text(const char *text);
void runtimes_to_text(char out[40], uint8_t bits);
/* "8.9" or "89" to 89. */
MUST_CHECK int option_capability(struct session *s, uint64_t *out);

/* Bits 1 << LACK_...; 0: it fits. */
unsigned offer_lacks(const struct offer_filter *f, const json_t *offer);
/* One more offer looked at. */
void census_add(struct offer_census *census, const struct offer_filter *f, const json_t *offer);
/* "no open A100 with 40960 MiB under 2 LSH/s; the cheapest costs 3 LSH/s; 4 with no free slot". */
void census_explain(struct buffer *out, const struct offer_census *census,
                    const struct offer_filter *f);
/* The code of a lack: "price". */
const char *census_code(enum offer_lack lack);
/* {"offers": n, "lack": {"price": n, ...}} for programs. */
json_t *census_to_json(const struct offer_census *census);

/* True for price, vram, agreed, stake and latency. */
bool offers_can_sort_by(const char *sort);
/* All offers that pass, as the contract's Offer objects, cheapest first (or by `sort`). With
 * "latency" each gets a "latencyMs", measured from here. Every offer is counted in *census (may be
 * NULL). The caller decrefs *out. */
MUST_CHECK int offers_fetch(struct session *s, json_t **out, const struct offer_filter *filter,
                            const char *sort, struct offer_census *census);

#endif
