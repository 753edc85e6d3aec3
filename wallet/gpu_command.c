#include "base/units.h"
#include "wallet/handlers.h"
#include "wallet/latency.h"
#include "wallet/offers.h"
#include "wallet/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_row(struct table *t, const json_t *offer)
{
    const json_t *gpu = abi_get(offer, "gpu");
    const json_t *record = abi_get(offer, "record");
    char amount[AMOUNT_TEXT_SIZE];
    char price[AMOUNT_TEXT_SIZE + 2];
    char slots[32];
    char vram[32];
    char runtimes[40];
    char history[64];
    amount_to_short(amount, abi_get_u256(gpu, "pricePerSecond"));
    snprintf(price, sizeof price, "%s/s", amount);
    uint64_t count = abi_get_u64(gpu, "count");
    uint64_t busy = abi_get_u64(gpu, "busy");
    uint64_t tried = abi_get_u64(record, "completed") + abi_get_u64(record, "timedOut");
    snprintf(slots, sizeof slots, "%" PRIu64 "/%" PRIu64, count - busy, count);
    snprintf(vram, sizeof vram, "%" PRIu64 " MiB", abi_get_u64(gpu, "vramMiB"));
    runtimes_to_text(runtimes, (uint8_t)abi_get_u64(gpu, "runtimes"));
    snprintf(history, sizeof history, "%" PRIu64 "/%" PRIu64, abi_get_u64(record, "agreed"), tried);
    const char *region = abi_get_text(offer, "region");
    char latency[32] = "-";
    if (latency_of(offer) != LATENCY_NONE)
        snprintf(latency, sizeof latency, "%" PRIu32 " ms", latency_of(offer));
    table_add(t, (const char *const[]){abi_get_text(offer, "provider"), abi_get_text(gpu, "model"),
                                       vram, slots, price, runtimes, *region ? region : "-",
                                       history, latency});
}

static void explain(const struct offer_census *census, const struct offer_filter *filter)
{
    struct buffer text = {0};
    census_explain(&text, census, filter);
    fprintf(stderr, "leasehold: %.*s\n", (int)text.size, (const char *)text.data);
    buffer_finish(&text);
}

static void print_offers(const json_t *offers, bool with_latency)
{
    struct table t;
    table_init(&t, with_latency ? 9 : 8,
               (const char *const[]){"PROVIDER", "MODEL", "VRAM", "FREE", "PRICE", "RUNTIMES",
                                     "REGION", "AGREED", "LATENCY"});
    for (size_t i = 0; i < json_array_size(offers); i++)
        add_row(&t, json_array_get(offers, i));
    table_print(&t);
}

int gpu_list(struct session *s)
{
    struct offer_filter filter;
    struct offer_census census = {0};
    json_t *offers = NULL;
    const char *sort = s->in->values[OPTION_SORT];
    if (sort == NULL) sort = "price";
    if (!offers_can_sort_by(sort))
        return fail(s, CODE_USAGE, "--sort: price, vram, agreed, stake or latency, not %.40s",
                    sort);
    int code = offer_filter_read(s, &filter);
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE) code = offers_fetch(s, &offers, &filter, sort, &census);
    if (code != CODE_DONE) return code;
    if (s->json) {
        print_json(offers);
        return CODE_DONE;
    }
    if (json_array_size(offers) == 0)
        explain(&census, &filter);
    else
        print_offers(offers, strcmp(sort, "latency") == 0);
    json_decref(offers);
    return CODE_DONE;
}
