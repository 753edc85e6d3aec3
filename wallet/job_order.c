#include "wallet/job_order.h"

#include "base/hex.h"
#include "base/keccak.h"
#include "base/units.h"
#include "wallet/job_record.h"
#include "wallet/output.h"
#include "wallet/staking.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REPLICAS_MAX   7
#define WINDOW_SECONDS 60

enum order_runtime_number { RUNTIME_CUDA_C, RUNTIME_CUDA_C_FAST, RUNTIME_EXEC };

static int read_providers(struct session *s, struct job_order *o)
{
    for (size_t i = 0; i < s->in->provider_count; i++) {
        int code = session_address(s, &o->providers[i], s->in->providers[i]);
        if (code != CODE_DONE) return code;
        o->provider_count++;
    }
    if (o->provider_count != 0 && o->provider_count < o->replicas)
        return fail(s, CODE_USAGE,
                    "%zu providers are named for %llu replicas; name more, or none "
                    "to have them drawn",
                    o->provider_count, (unsigned long long)o->replicas);
    return CODE_DONE;
}

static int read_audit(struct session *s, struct job_order *o)
{
    const char *text = s->in->values[OPTION_AUDIT];
    if (text == NULL || percent_to_bps(&o->audit_bps, text) == OK) return CODE_DONE;
    return fail(s, CODE_USAGE, "--audit must be 0 to 100 in steps of 0.01, not %.40s", text);
}

/* Before the folder is looked at: 0 replicas if the command line does not say. */
static int read_options(struct session *s, struct job_order *o)
{
    int code = option_number(s, &o->replicas, OPTION_REPLICAS, 0, REPLICAS_MAX);
    if (code == CODE_DONE) code = read_audit(s, o);
    if (code == CODE_DONE && o->replicas == 0 && s->in->values[OPTION_REPLICAS] != NULL)
        code = fail(s, CODE_USAGE, "--replicas must be 1 to %d, not 0", REPLICAS_MAX);
    if (code == CODE_DONE)
        code =
            option_number(s, &o->start_window_s, OPTION_START_WINDOW, WINDOW_SECONDS, UINT32_MAX);
    if (code == CODE_DONE) code = option_capability(s, &o->capability);
    return code;
}

uint64_t order_runtime(const struct job_order *o)
{
    if (strcmp(o->runtime, JOB_RUNTIME_EXEC) == 0) return RUNTIME_EXEC;
    return strcmp(o->runtime, JOB_RUNTIME_CUDA_C) == 0 ? RUNTIME_CUDA_C : RUNTIME_CUDA_C_FAST;
}

/* A result that stands alone always may. */
static bool may_be_audited(const struct job_order *o)
{
    return order_runtime(o) == RUNTIME_CUDA_C && (o->replicas == 1 || o->audit_bps != 0);
}

/* What nobody else can run again has one worker and no audit. */
static int check_settlement(struct session *s, const struct job_order *o)
{
    if (order_runtime(o) == RUNTIME_CUDA_C) return CODE_DONE;
    if (o->replicas == 1 && o->audit_bps == 0) return CODE_DONE;
    return fail(s, CODE_USAGE,
                "job.json: a job of runtime %s cannot be checked by others: it takes --replicas 1 "
                "and no --audit",
                o->runtime);
}

static int read_folder(struct session *s, struct job_order *o, const char *folder)
{
    char error[JOB_ERROR_SIZE] = "";
    struct job *job = NULL;
    int code = absolute_path(s, o->folder, folder);
    if (code != CODE_DONE) return code;
    if (job_load(&job, error, o->folder) != OK) return fail(s, CODE_USAGE, "%s", error);
    snprintf(o->runtime, sizeof o->runtime, "%s", job->runtime);
    o->seconds = job->plan.seconds;
    job_destroy(job);
    /* vram_mib in job.json is what the job may use; only --vram asks for a card of that size, so
     * that cpu workers can take what fits their memory. */
    return option_number(s, &o->vram_mib, OPTION_VRAM, 0, UINT32_MAX);
}

static struct offer_filter filter_of(const struct session *s, const struct job_order *o)
{
    struct offer_filter f = {.model = s->in->values[OPTION_MODEL],
                             .vram_mib = o->vram_mib,
                             .capability = o->capability,
                             .runtimes = (uint8_t)(1u << order_runtime(o)),
                             .max_price = o->price,
                             .seconds = o->seconds,
                             .free_only = true};
    return f;
}

static bool is_named(const struct job_order *o, const json_t *offer)
{
    struct address a = abi_get_address(offer, "provider");
    if (o->provider_count == 0) return true;
    for (size_t i = 0; i < o->provider_count; i++)
        if (address_equal(&o->providers[i], &a)) return true;
    return false;
}

static int no_match(struct session *s, const struct job_order *o, const struct offer_census *census,
                    const struct offer_filter *f)
{
    struct buffer why = {0};
    census_explain(&why, census, f);
    int code =
        fail(s, CODE_NO_MATCH,
             "%zu open offers fit and %llu replicas are wanted: %.*s; wait, take fewer "
             "replicas, or order anyway with --max-price",
             o->fitting, (unsigned long long)o->replicas, (int)why.size, (const char *)why.data);
    buffer_finish(&why);
    return code;
}

/* A result that stands alone is audited the more often, the less is known of its provider. */
static int read_audit_rates(struct session *s, const struct job_order *o, struct offer_filter *f)
{
    json_t *answer = NULL;
    int code = session_call(s, &answer, CONTRACT_JOBS, "parameters", NULL);
    if (code != CODE_DONE) return code;
    const json_t *rules = abi_get(answer, "0");
    uint64_t floor = abi_get_u64(rules, "auditFloorBps");
    f->audit_bps = o->audit_bps > floor ? o->audit_bps : floor;
    f->newcomer_bps = abi_get_u64(rules, "newcomerBps");
    json_decref(answer);
    return CODE_DONE;
}

/* The ceiling when none is given: the dearest of the cheapest `replicas` offers that fit. */
static int price_from_offers(struct session *s, struct job_order *o)
{
    struct offer_filter f = filter_of(s, o);
    struct u256 factor;
    struct offer_census census = {0};
    json_t *offers = NULL;
    int code = session_call_u256(s, &factor, CONTRACT_PROVIDERS, "stakeFactor", NULL);
    if (code != CODE_DONE) return code;
    f.stake_factor = u256_to_u64_saturating(factor);
    if (may_be_audited(o) && o->replicas == 1) code = read_audit_rates(s, o, &f);
    if (code != CODE_DONE) return code;
    code = offers_fetch(s, &offers, &f, "price", &census);
    if (code != CODE_DONE) return code;
    bool given = !u256_is_zero(o->price);
    struct u256 highest = o->price;
    for (size_t i = 0; i < json_array_size(offers); i++) {
        const json_t *offer = json_array_get(offers, i);
        if (!is_named(o, offer)) continue;
        if (!given && o->fitting < o->replicas)
            highest = abi_get_u256(abi_get(offer, "gpu"), "pricePerSecond");
        o->fitting++;
    }
    json_decref(offers);
    o->price = highest;
    if (given || o->fitting >= o->replicas) return CODE_DONE;
    return no_match(s, o, &census, &f);
}

static int pack(struct session *s, struct job_order *o, const char *scratch)
{
    char error[BUNDLE_ERROR_SIZE] = "";
    if (snprintf(o->tar_path, sizeof o->tar_path, "%.4000s/new-%d.tar", scratch, (int)getpid()) >=
        (int)sizeof o->tar_path)
        return fail(s, CODE_FAILED, "the path is too long");
    if (bundle_pack_job(&o->bundle, error, o->folder, o->tar_path) != OK)
        return fail(s, CODE_USAGE, "%s", error);
    return CODE_DONE;
}

int order_read(struct session *s, struct job_order *o, const char *folder)
{
    *o = (struct job_order){0};
    int code = read_options(s, o);
    if (code == CODE_DONE) code = read_folder(s, o, folder);
    if (o->replicas == 0) o->replicas = order_runtime(o) == RUNTIME_CUDA_C ? 3 : 1;
    if (code == CODE_DONE) code = read_providers(s, o);
    if (code == CODE_DONE) code = check_settlement(s, o);
    if (code == CODE_DONE && s->in->values[OPTION_MAX_PRICE] != NULL)
        code = option_amount(s, &o->price, OPTION_MAX_PRICE);
    return code;
}

int order_price(struct session *s, struct job_order *o, const char *scratch)
{
    int code = pack(s, o, scratch);
    if (code == CODE_DONE) code = price_from_offers(s, o);
    uint64_t runs = o->replicas + (may_be_audited(o) ? 1 : 0); /* IJobs.priceOf */
    if (code == CODE_DONE) o->total = u256_mul(o->price, u256_from_u64(runs * o->seconds));
    return code;
}

void order_finish(struct job_order *o)
{
    if (o->tar_path[0] != '\0') unlink(o->tar_path);
}

json_t *order_spec(const struct session *s, const struct job_order *o)
{
    const char *model = s->in->values[OPTION_MODEL];
    struct hash model_hash = {0};
    json_t *providers = json_array();
    if (model != NULL) model_hash = keccak256(bytes_of_text(model));
    for (size_t i = 0; i < o->provider_count; i++)
        json_array_append_new(providers, abi_address(&o->providers[i]));
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "bundleRoot",
                     abi_hash(&o->bundle.root), "bundleSize", abi_u64(o->bundle.size_bytes),
                     "runtime", abi_u64(order_runtime(o)), "replicas", abi_u64(o->replicas),
                     "auditBps", abi_u64(o->audit_bps), "minComputeCapability",
                     abi_u64(o->capability), "minVramMiB", abi_u64(o->vram_mib), "secondsLimit",
                     abi_u64(o->seconds), "startWindow", abi_u64(o->start_window_s), "model",
                     abi_hash(&model_hash), "maxPricePerSecond", abi_u256(o->price), "providers",
                     providers);
}

void order_print(const struct job_order *o)
{
    char root[67];
    char size[32];
    char price[AMOUNT_TEXT_SIZE];
    char total[AMOUNT_TEXT_SIZE];
    hash_to_text(root, &o->bundle.root);
    size_to_text(size, o->bundle.size_bytes);
    amount_to_short(price, o->price);
    amount_to_short(total, o->total);
    fprintf(stderr,
            "job        %s, %s\nroot       %s\nreplicas   %llu, each at most %llu s at %s/s or "
            "less; %zu offers fit now\nto lock    %s; what is not used comes back\n",
            o->folder, size, root, (unsigned long long)o->replicas, (unsigned long long)o->seconds,
            price, o->fitting, total);
    if (may_be_audited(o))
        fprintf(stderr,
                "audit      one more run is locked for; it comes back when none is drawn\n");
    const char *note = job_settlement_note(o->runtime);
    if (note != NULL) fprintf(stderr, "note       %s\n", note);
}

void order_to_json(json_t *out, const struct job_order *o)
{
    json_object_set_new(out, "folder", json_string(o->folder));
    json_object_set_new(out, "bundleRoot", abi_hash(&o->bundle.root));
    json_object_set_new(out, "bundleSize", abi_u64(o->bundle.size_bytes));
    json_object_set_new(out, "replicas", abi_u64(o->replicas));
    json_object_set_new(out, "runtime", json_string(o->runtime));
    json_object_set_new(out, "auditBps", abi_u64(o->audit_bps));
    json_object_set_new(out, "secondsLimit", abi_u64(o->seconds));
    json_object_set_new(out, "fittingOffers", json_integer((json_int_t)o->fitting));
    json_set_amount(out, "maxPricePerSecond", o->price);
    json_set_amount(out, "locked", o->total);
}
