#include "base/units.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    unsigned decimals;
};

static const struct unit UNITS[] = {{"LSH", 18}, {"gwei", 9}, {"wei", 0}};

#define DIGITS_MAX 78

/* "1.5" with 18 decimals becomes "1500000000000000000". */
static enum status scale(char out[DIGITS_MAX * 2], struct bytes number, unsigned decimals)
{
    size_t size = 0;
    unsigned fraction = 0;
    bool after_point = false;
    for (size_t i = 0; i < number.size; i++) {
        uint8_t c = number.data[i];
        if (c == '.' && !after_point && i > 0 && i + 1 < number.size) {
            after_point = true;
            continue;
        }
        if (!isdigit(c)) return E_MALFORMED;
        if (after_point && ++fraction > decimals) return E_RANGE;
        out[size++] = (char)c;
    }
    for (; fraction < decimals; fraction++)
        out[size++] = '0';
    out[size] = 0;
    return OK;
}

static bool unit_find(unsigned *out_decimals, const char *name)
{
    if (*name == 0) name = UNITS[0].name;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        if (strcasecmp(name, UNITS[i].name) != 0) continue;
        *out_decimals = UNITS[i].decimals;
        return true;
    }
    return false;
}

enum status amount_from_text(struct u256 *out_wei, const char *text)
{
    size_t digits = strspn(text, "0123456789.");
    if (digits == 0 || digits > DIGITS_MAX) return E_MALFORMED;
    const char *name = text + digits;
    while (*name == ' ')
        name++;
    unsigned decimals;
    if (!unit_find(&decimals, name)) return E_MALFORMED;
    char scaled[DIGITS_MAX * 2];
    enum status status = scale(scaled, bytes_of(text, digits), decimals);
    if (status != OK) return status;
    return u256_from_decimal(out_wei, bytes_of_text(scaled));
}

static const struct unit *unit_for(struct u256 wei)
{
    if (u256_is_zero(wei) || u256_compare(wei, u256_from_u64(1000000000000)) >= 0) return &UNITS[0];
    return u256_compare(wei, u256_from_u64(1000)) >= 0 ? &UNITS[1] : &UNITS[2];
}

void amount_to_text(char out[AMOUNT_TEXT_SIZE], struct u256 wei)
{
    const struct unit *unit = unit_for(wei);
    char digits[79];
    u256_to_decimal(digits, wei);
    char padded[120] = {0};
    size_t count = strlen(digits);
    size_t zeros = count <= unit->decimals ? unit->decimals + 1 - count : 0;
    memset(padded, '0', zeros);
    snprintf(padded + zeros, sizeof padded - zeros, "%s", digits);
    size_t whole = zeros + count - unit->decimals;
    size_t end = zeros + count;
    while (end > whole && padded[end - 1] == '0')
        end--;
    const char *point = end > whole ? "." : "";
    snprintf(out, AMOUNT_TEXT_SIZE, "%.*s%s%.*s %s", (int)whole, padded, point, (int)(end - whole),
             padded + whole, unit->name);
}
