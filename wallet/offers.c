#include "wallet/offers.h"

#include "base/fatal.h"
#include "wallet/latency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGE_OFFERS 100
#define PAGES_MAX   1000

static const char *const runtime_names[] = {"cuda-c", "cuda-c-fast", "exec"};

uint8_t runtimes_from_text(const char *text)
{
    uint8_t bits = 0;
    for (const char *at = text;;) {
        size_t size = strcspn(at, ",");
        uint8_t before = bits;
        for (unsigned i = 0; i < 3; i++)
            if (strlen(runtime_names[i]) == size && strncmp(runtime_names[i], at, size) == 0)
                bits |= (uint8_t)(1u << i);
        if (bits == before) return 0;
        if (at[size] == '\0') return bits;
        at += size + 1;
    }
}

void runtimes_to_text(char out[40], uint8_t bits)
{
    out[0] = '\0';
    for (unsigned i = 0; i < 3; i++) {
        if ((bits & (1u << i)) == 0) continue;
        size_t used = strlen(out);
        snprintf(out + used, 40 - used, "%s%s", used > 0 ? "," : "", runtime_names[i]);
    }
}

int option_capability(struct session *s, uint64_t *out)
{
    const char *text = s->in->values[OPTION_CAPABILITY];
    char *end = NULL;
    unsigned long minor = 0;
    *out = 0;
    if (text == NULL) return CODE_DONE;
    unsigned long major = strtoul(text, &end, 10);
    if (*end == '.') minor = strtoul(end + 1, &end, 10);
    bool dotted = strchr(text, '.') != NULL;
    if (*text == '-' || *end != '\0' || major > 999 || minor > 9)
        return fail(s, CODE_USAGE, "--capability must look like 8.9, not %.40s", text);
    *out = dotted ? major * 10 + minor : major < 20 ? major * 10 : major;
    return CODE_DONE;
}

int offer_filter_read(struct session *s, struct offer_filter *out)
{
    struct offer_filter f = {.model = s->in->values[OPTION_MODEL],
                             .region = s->in->values[OPTION_REGION]};
    const char *runtime = s->in->values[OPTION_RUNTIME];
    int code = option_number(s, &f.vram_mib, OPTION_VRAM, 0, UINT32_MAX);
    if (code == CODE_DONE) code = option_capability(s, &f.capability);
    if (code == CODE_DONE) code = option_number(s, &f.agreed, OPTION_MIN_AGREED, 0, UINT32_MAX);
    if (code == CODE_DONE && s->in->values[OPTION_MAX_PRICE] != NULL)
        code = option_amount(s, &f.max_price, OPTION_MAX_PRICE);
    if (code == CODE_DONE && runtime != NULL) {
        f.runtimes = runtimes_from_text(runtime);
        if (f.runtimes == 0)
            code = fail(s, CODE_USAGE,
                        "--runtime: cuda-c, cuda-c-fast and exec are known, not "
                        "%.40s",
                        runtime);
    }
    if (code == CODE_DONE) *out = f;
    return code;
}

static unsigned lack(bool it_does, enum offer_lack what)
{
    return it_does ? 1u << what : 0;
}

/* IProviders: the stake behind a result that stands alone is what it brings, over the chance of an
 * audit; eight agreed results in a row halve a newcomer's. */
static uint64_t stake_factor_of(const struct offer_filter *f, const json_t *offer)
{
    uint64_t streak = abi_get_u64(abi_get(offer, "record"), "streak");
    uint64_t rate = f->newcomer_bps * 8 / (8 + (streak < UINT32_MAX ? streak : UINT32_MAX));
    if (rate < f->audit_bps) rate = f->audit_bps;
    uint64_t factor = rate == 0 ? 0 : (10000 + rate - 1) / rate;
    return factor > f->stake_factor ? factor : f->stake_factor;
}

static unsigned room_lacks(const struct offer_filter *f, const json_t *offer, const json_t *gpu)
{
    if (!f->free_only) return 0;
    struct u256 price = abi_get_u256(gpu, "pricePerSecond");
    struct u256 risk = u256_mul(u256_mul(price, u256_from_u64(f->seconds)),
                                u256_from_u64(stake_factor_of(f, offer)));
    return lack(abi_get_u64(gpu, "busy") >= abi_get_u64(gpu, "count"), LACK_SLOT) |
           lack(u256_compare(risk, abi_get_u256(offer, "freeStake")) > 0, LACK_STAKE);
}

static unsigned card_lacks(const struct offer_filter *f, const json_t *gpu)
{
    bool other = f->model != NULL && strcasecmp(f->model, abi_get_text(gpu, "model")) != 0;
    bool dear = !u256_is_zero(f->max_price) &&
                u256_compare(abi_get_u256(gpu, "pricePerSecond"), f->max_price) > 0;
    bool unfit = f->seconds != 0 && (abi_get_u64(gpu, "minSeconds") > f->seconds ||
                                     abi_get_u64(gpu, "maxSeconds") < f->seconds);
    uint64_t runtimes = abi_get_u64(gpu, "runtimes");
    return lack(other, LACK_MODEL) | lack(dear, LACK_PRICE) | lack(unfit, LACK_SECONDS) |
           lack((runtimes & f->runtimes) != f->runtimes, LACK_RUNTIME) |
           lack(abi_get_u64(gpu, "vramMiB") < f->vram_mib, LACK_VRAM) |
           lack(abi_get_u64(gpu, "computeCapability") < f->capability, LACK_CAPABILITY);
}

unsigned offer_lacks(const struct offer_filter *f, const json_t *offer)
{
    const json_t *gpu = abi_get(offer, "gpu");
    bool elsewhere = f->region != NULL && strcasecmp(f->region, abi_get_text(offer, "region")) != 0;
    bool fresh = abi_get_u64(abi_get(offer, "record"), "agreed") < f->agreed;
    return card_lacks(f, gpu) | lack(elsewhere, LACK_REGION) | lack(fresh, LACK_RECORD) |
           room_lacks(f, offer, gpu);
}

bool offers_can_sort_by(const char *sort)
{
    static const char *const KEYS[] = {"price", "vram", "agreed", "stake", "latency"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (strcmp(sort, KEYS[i]) == 0) return true;
    return false;
}

static bool smallest_first(const char *sort)
{
    return strcmp(sort, "price") == 0 || strcmp(sort, "latency") == 0;
}

static struct u256 sort_key(const json_t *offer, const char *sort)
{
    if (strcmp(sort, "latency") == 0) return u256_from_u64(latency_of(offer));
    if (strcmp(sort, "vram") == 0) return abi_get_u256(abi_get(offer, "gpu"), "vramMiB");
    if (strcmp(sort, "agreed") == 0) return abi_get_u256(abi_get(offer, "record"), "agreed");
    if (strcmp(sort, "stake") == 0) return abi_get_u256(offer, "freeStake");
    return abi_get_u256(abi_get(offer, "gpu"), "pricePerSecond");
}

struct ranked {
    json_t *offer;
    struct u256 key;
    bool descending;
    size_t index; /* keeps the chain's order among equals */
};

static int by_key(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    int order = u256_compare(x->key, y->key);
    if (x->descending) order = -order;
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static json_t *sorted(const json_t *offers, const char *sort)
{
    size_t count = json_array_size(offers);
    struct ranked *ranked = must_alloc((count + 1) * sizeof *ranked);
    for (size_t i = 0; i < count; i++) {
        json_t *offer = json_array_get(offers, i);
        ranked[i] = (struct ranked){offer, sort_key(offer, sort), !smallest_first(sort), i};
    }
    qsort(ranked, count, sizeof *ranked, by_key);
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append(out, ranked[i].offer);
    free(ranked);
    return out;
}

/* One page; *cursor becomes the next one's, 0 at the end. */
static int fetch_page(struct session *s, json_t *out, const struct offer_filter *filter,
                      struct offer_census *census, struct u256 *cursor)
{
    json_t *answer = NULL;
    int code = session_call(s, &answer, CONTRACT_PROVIDERS, "offers",
                            json_pack("[o,i]", abi_u256(*cursor), PAGE_OFFERS));
    if (code != CODE_DONE) return code;
    const json_t *page = abi_get(answer, "page");
    for (size_t i = 0; i < json_array_size(page); i++) {
        json_t *offer = json_array_get(page, i);
        if (census != NULL) census_add(census, filter, offer);
        if (offer_lacks(filter, offer) == 0) json_array_append(out, offer);
    }
    *cursor = abi_get_u256(answer, "next");
    json_decref(answer);
    return CODE_DONE;
}

int offers_fetch(struct session *s, json_t **out, const struct offer_filter *filter,
                 const char *sort, struct offer_census *census)
{
    json_t *found = json_array();
    struct u256 cursor = u256_from_u64(0);
    int code = CODE_DONE;
    for (int page = 0; page < PAGES_MAX && code == CODE_DONE; page++) {
        code = fetch_page(s, found, filter, census, &cursor);
        if (u256_is_zero(cursor)) break;
    }
    if (code == CODE_DONE && strcmp(sort, "latency") == 0) latency_of_offers(found);
    if (code == CODE_DONE) *out = sorted(found, sort);
    json_decref(found);
    return code;
}
