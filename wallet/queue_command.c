/* provider queue: the order book, seen by somebody who could take from it. */
#include "base/hex.h"
#include "base/keccak.h"
#include "base/units.h"
#include "wallet/handlers.h"
#include "wallet/offers.h"
#include "wallet/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define PAGE_JOBS 100
#define JOBS_MAX  1000 /* shown; the book may hold more */

struct queue {
    struct session *session;
    json_t *offers; /* of this provider, as the contract's Offer objects */
    uint64_t stake_factor;
    json_t *jobs;
};

/* ---- what this provider offers ---- */

static int add_offer(struct queue *q, const json_t *provider, const struct address *a, uint64_t i)
{
    json_t *gpu = NULL;
    struct u256 stake = abi_get_u256(provider, "stake");
    struct u256 reserved = abi_get_u256(provider, "reserved");
    int code = session_call(q->session, &gpu, CONTRACT_PROVIDERS, "gpu",
                            json_pack("[o,o]", abi_address(a), abi_u64(i)));
    if (code != CODE_DONE) return code;
    bool open = abi_get_bool(gpu, "open");
    json_t *offer = json_pack(
        "{s:o,s:O,s:O,s:o}", "gpu", gpu, "region", json_object_get(provider, "region"), "record",
        json_object_get(provider, "record"), "freeStake", abi_u256(u256_sub(stake, reserved)));
    if (open) json_array_append(q->offers, offer);
    json_decref(offer);
    return CODE_DONE;
}

static int fetch_own(struct queue *q, const struct address *a)
{
    json_t *provider = NULL;
    struct u256 factor;
    int code = session_call_u256(q->session, &factor, CONTRACT_PROVIDERS, "stakeFactor", NULL);
    if (code == CODE_DONE)
        code = session_call(q->session, &provider, CONTRACT_PROVIDERS, "provider",
                            json_pack("[o]", abi_address(a)));
    if (code != CODE_DONE) return code;
    q->stake_factor = u256_to_u64_saturating(factor);
    uint64_t count = abi_get_u64(provider, "gpus");
    for (uint64_t i = 0; i < count && code == CODE_DONE; i++)
        code = add_offer(q, provider, a, i);
    json_decref(provider);
    return code;
}

/* ---- whether it could take a job ---- */

static bool model_fits(const json_t *spec, const json_t *gpu)
{
    struct hash wanted = abi_get_hash(spec, "model");
    struct hash own = keccak256(bytes_of_text(abi_get_text(gpu, "model")));
    return hash_is_zero(&wanted) || hash_equal(&wanted, &own);
}

static void weigh(struct queue *q, struct offer_census *census, const json_t *spec)
{
    struct offer_filter f = {.vram_mib = abi_get_u64(spec, "minVramMiB"),
                             .capability = abi_get_u64(spec, "minComputeCapability"),
                             .runtimes = (uint8_t)(1u << (abi_get_u64(spec, "runtime") & 7)),
                             .max_price = abi_get_u256(spec, "maxPricePerSecond"),
                             .seconds = abi_get_u64(spec, "secondsLimit"),
                             .free_only = true,
                             .stake_factor = q->stake_factor};
    for (size_t i = 0; i < json_array_size(q->offers); i++) {
        const json_t *offer = json_array_get(q->offers, i);
        f.model = model_fits(spec, abi_get(offer, "gpu")) ? NULL : "another";
        census_add(census, &f, offer);
    }
}

static size_t fitting(const struct offer_census *census)
{
    size_t lacking = census->many;
    for (int i = 0; i < OFFER_LACK_COUNT; i++)
        lacking += census->only[i];
    return census->offers - lacking;
}

/* "yes", or the first thing that stands in the way. */
static const char *fit_text(const struct offer_census *census)
{
    if (census->offers == 0) return "no open offer";
    if (fitting(census) > 0) return "yes";
    for (int i = 0; i < OFFER_LACK_COUNT; i++)
        if (census->only[i] != 0) return census_code((enum offer_lack)i);
    return "several";
}

/* ---- the order book ---- */

static int add_job(struct queue *q, const char *id)
{
    json_t *job = NULL;
    struct offer_census census = {0};
    int code = session_call(q->session, &job, CONTRACT_JOBS, "getJob", json_pack("[s]", id));
    if (code != CODE_DONE) return code;
    weigh(q, &census, abi_get(job, "spec"));
    json_object_set_new(job, "job", json_string(id));
    json_object_set_new(job, "fits", json_string(fit_text(&census)));
    json_array_append_new(q->jobs, job);
    return CODE_DONE;
}

static int fetch_page(struct queue *q, json_t **after, bool *more)
{
    json_t *answer = NULL;
    int code = session_call(q->session, &answer, CONTRACT_JOBS, "waiting",
                            json_pack("[O,i]", *after, PAGE_JOBS));
    if (code != CODE_DONE) return code;
    const json_t *ids = json_object_get(answer, "ids");
    size_t count = json_array_size(ids);
    for (size_t i = 0; i < count && code == CODE_DONE; i++)
        code = add_job(q, json_string_value(json_array_get(ids, i)));
    *more = count == PAGE_JOBS;
    if (count > 0) {
        json_decref(*after);
        *after = json_incref(json_array_get(ids, count - 1));
    }
    json_decref(answer);
    return code;
}

static int fetch_waiting(struct queue *q)
{
    json_t *after = abi_u64(0);
    bool more = true;
    int code = CODE_DONE;
    while (more && code == CODE_DONE && json_array_size(q->jobs) < JOBS_MAX)
        code = fetch_page(q, &after, &more);
    json_decref(after);
    return code;
}

static void print_row(struct table *t, const json_t *job)
{
    const json_t *spec = abi_get(job, "spec");
    char price[AMOUNT_TEXT_SIZE];
    char when[32];
    char seconds[32];
    char vram[32];
    char replicas[16];
    char runtime[40];
    amount_to_short(price, abi_get_u256(spec, "maxPricePerSecond"));
    time_to_text(when, abi_get_u64(job, "submittedAt"), (uint64_t)time(NULL));
    snprintf(seconds, sizeof seconds, "%" PRIu64 " s", abi_get_u64(spec, "secondsLimit"));
    snprintf(vram, sizeof vram, "%" PRIu64 " MiB", abi_get_u64(spec, "minVramMiB"));
    snprintf(replicas, sizeof replicas, "%" PRIu64, abi_get_u64(spec, "replicas"));
    runtimes_to_text(runtime, (uint8_t)(1u << (abi_get_u64(spec, "runtime") & 7)));
    table_add(t, (const char *const[]){abi_get_text(job, "job"), when, runtime, replicas, seconds,
                                       vram, price, abi_get_text(job, "fits")});
}

static void print_queue(const struct queue *q)
{
    struct table t;
    size_t count = json_array_size(q->jobs);
    if (count == 0) {
        fprintf(stderr, "leasehold: no order waits\n");
        return;
    }
    table_init(&t, 8,
               (const char *const[]){"JOB", "SUBMITTED", "RUNTIME", "REPLICAS", "LIMIT", "VRAM",
                                     "AT MOST/S", "FITS YOU"});
    for (size_t i = 0; i < count; i++)
        print_row(&t, json_array_get(q->jobs, i));
    table_print(&t);
    if (count >= JOBS_MAX) fprintf(stderr, "leasehold: and more; the oldest are shown\n");
}

int provider_queue(struct session *s)
{
    struct address a;
    struct queue q = {.session = s, .offers = json_array(), .jobs = json_array()};
    int code = s->in->word_count > 0 ? session_address(s, &a, s->in->words[0])
                                     : session_own_address(s, &a);
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE) code = fetch_own(&q, &a);
    if (code == CODE_DONE) code = fetch_waiting(&q);
    if (code == CODE_DONE && s->json) print_json(json_incref(q.jobs));
    if (code == CODE_DONE && !s->json) print_queue(&q);
    json_decref(q.offers);
    json_decref(q.jobs);
    return code;
}
