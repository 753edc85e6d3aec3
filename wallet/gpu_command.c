#include "base/units.h"
#include "wallet/handlers.h"
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
    table_add(t,
              (const char *const[]){abi_get_text(offer, "provider"), abi_get_text(gpu, "model"),
                                    vram, slots, price, runtimes, *region ? region : "-", history});
}

int gpu_list(struct session *s)
{
    struct offer_filter filter;
    json_t *offers = NULL;
    const char *sort = s->in->values[OPTION_SORT];
    if (sort == NULL) sort = "price";
    if (strcmp(sort, "price") != 0 && strcmp(sort, "vram") != 0 && strcmp(sort, "agreed") != 0 &&
        strcmp(sort, "stake") != 0)
        return fail(s, CODE_USAGE, "--sort: price, vram, agreed or stake, not %.40s", sort);
    int code = offer_filter_read(s, &filter);
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE) code = offers_fetch(s, &offers, &filter, sort);
    if (code != CODE_DONE) return code;
    if (s->json) {
        print_json(offers);
        return CODE_DONE;
    }
    if (json_array_size(offers) == 0) {
        fprintf(stderr, "leasehold: no open offer fits\n");
        json_decref(offers);
        return CODE_DONE;
    }
    struct table t;
    table_init(&t, 8,
               (const char *const[]){"PROVIDER", "MODEL", "VRAM", "FREE", "PRICE", "RUNTIMES",
                                     "REGION", "AGREED"});
    for (size_t i = 0; i < json_array_size(offers); i++)
        add_row(&t, json_array_get(offers, i));
    table_print(&t);
    json_decref(offers);
    return CODE_DONE;
}
