/* job_order.h - a job folder turned into what Jobs.submit wants, checked and priced. */
#ifndef LEASEHOLD_WALLET_JOB_ORDER_H
#define LEASEHOLD_WALLET_JOB_ORDER_H

#include "compute/bundle.h"
#include "wallet/offers.h"

struct job_order {
    struct bundle_info bundle;
    char tar_path[PATH_MAX]; /* the packed bundle; removed by order_finish unless moved */
    char folder[PATH_MAX];
    char runtime[JOB_NAME_SIZE];
    uint64_t seconds; /* limit, from job.json */
    uint64_t vram_mib;
    uint64_t capability;
    uint64_t replicas;
    uint64_t audit_bps; /* chance of an audit that was asked for, in 1/10000 */
    uint64_t start_window_s;
    struct u256 price; /* ceiling for one replica and second */
    struct u256 total; /* what is locked */
    struct address providers[REPEATED_MAX];
    size_t provider_count;
    size_t fitting; /* offers that fit now */
};

/* IJobs.Spec.runtime of o->runtime: 0 can be run again by anybody; others are settled by the
 * renter's word. */
uint64_t order_runtime(const struct job_order *o);
/* Reads the options and the job's folder; asks no node. */
MUST_CHECK int order_read(struct session *s, struct job_order *o, const char *folder);
/* Packs the bundle into `scratch`, and asks the chain for offers: they make the ceiling when none
 * was given. */
MUST_CHECK int order_price(struct session *s, struct job_order *o, const char *scratch);
void order_finish(struct job_order *o);
/* The Spec for Jobs.submit. */
json_t *order_spec(const struct session *s, const struct job_order *o);
/* What a person reads before agreeing; one line each. */
void order_print(const struct job_order *o);
void order_to_json(json_t *out, const struct job_order *o);

#endif
