#include "base/units.h"
#include "wallet/offers.h"
#include "wallet/output.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const LACK_CODE[] = {
#define X(id, code, text) code,
    OFFER_LACKS(X)
#undef X
};
static const char *const LACK_TEXT[] = {
#define X(id, code, text) text,
    OFFER_LACKS(X)
#undef X
};

void census_add(struct offer_census *census, const struct offer_filter *f, const json_t *offer)
{
    const json_t *gpu = abi_get(offer, "gpu");
    unsigned lacks = offer_lacks(f, offer);
    census->offers++;
    if ((lacks & (lacks - 1)) != 0) census->many++;
    if (lacks == 0 || (lacks & (lacks - 1)) != 0) return;
    census->only[__builtin_ctz(lacks)]++;
    struct u256 price = abi_get_u256(gpu, "pricePerSecond");
    uint64_t vram = abi_get_u64(gpu, "vramMiB");
    bool cheaper = u256_is_zero(census->next_price) || u256_compare(price, census->next_price) < 0;
    if (lacks == 1u << LACK_PRICE && cheaper) census->next_price = price;
    if (lacks == 1u << LACK_VRAM && vram > census->next_vram_mib) census->next_vram_mib = vram;
}

static void explain_wish(struct buffer *out, const struct offer_filter *f)
{
    char price[AMOUNT_TEXT_SIZE];
    buffer_print(out, "no open offer%s%s", f->model ? " of " : "", f->model ? f->model : "");
    if (f->vram_mib != 0) buffer_print(out, " with %" PRIu64 " MiB or more", f->vram_mib);
    if (f->capability != 0)
        buffer_print(out, ", capability %" PRIu64 ".%" PRIu64 " or higher,", f->capability / 10,
                     f->capability % 10);
    if (f->region != NULL) buffer_print(out, " in %s", f->region);
    if (f->agreed != 0) buffer_print(out, " with %" PRIu64 " agreed results", f->agreed);
    if (f->seconds != 0) buffer_print(out, " for %" PRIu64 " s", f->seconds);
    if (u256_is_zero(f->max_price)) return;
    amount_to_short(price, f->max_price);
    buffer_print(out, " at %s/s or less", price);
}

void census_explain(struct buffer *out, const struct offer_census *census,
                    const struct offer_filter *f)
{
    char price[AMOUNT_TEXT_SIZE];
    if (census->offers == 0) {
        buffer_print(out, "nobody offers anything on this chain now");
        return;
    }
    explain_wish(out, f);
    if (!u256_is_zero(census->next_price)) {
        amount_to_short(price, census->next_price);
        buffer_print(out, "; the cheapest otherwise fitting costs %s/s", price);
    }
    if (census->next_vram_mib != 0)
        buffer_print(out, "; the largest otherwise fitting has %" PRIu64 " MiB",
                     census->next_vram_mib);
    for (int i = 0; i < OFFER_LACK_COUNT; i++)
        if (census->only[i] != 0) buffer_print(out, "; %zu %s", census->only[i], LACK_TEXT[i]);
    if (census->many != 0) buffer_print(out, "; %zu lack more than one thing", census->many);
}

const char *census_code(enum offer_lack lack)
{
    return LACK_CODE[lack];
}

json_t *census_to_json(const struct offer_census *census)
{
    json_t *lack = json_object();
    for (int i = 0; i < OFFER_LACK_COUNT; i++)
        if (census->only[i] != 0)
            json_object_set_new(lack, LACK_CODE[i], json_integer((json_int_t)census->only[i]));
    if (census->many != 0)
        json_object_set_new(lack, "several", json_integer((json_int_t)census->many));
    return json_pack("{s:I,s:o}", "offers", (json_int_t)census->offers, "lack", lack);
}
