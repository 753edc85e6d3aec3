/* statetest_json.h - values of a state test's JSON, read strictly: a test that says what it cannot
 * mean ends the run, since it is then the runner that is wrong. */
#ifndef LEASEHOLD_TESTS_TOOLS_STATETEST_JSON_H
#define LEASEHOLD_TESTS_TOOLS_STATETEST_JSON_H

#include "base/arena.h"
#include "base/fatal.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/u256.h"

#include <string.h>

/* 0x and up to 64 digits, leading zeros allowed. False for anything else. */
static inline bool number_of(struct u256 *out, const json_t *value)
{
    const char *text = json_string_value(value);
    *out = u256_from_u64(0);
    if (text == NULL || strncmp(text, "0x", 2) != 0) return false;
    text += 2;
    while (*text == '0')
        text++;
    if (strlen(text) > 64) return false;
    for (; *text != '\0'; text++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, *text | 0x20);
        if (digit == NULL) return false;
        *out = u256_or(u256_shl(*out, 4), u256_from_u64((uint64_t)(digit - digits)));
    }
    return true;
}

static inline struct u256 must_number(const json_t *value, const char *what)
{
    struct u256 out;
    if (!number_of(&out, value)) fatal("reading a state test: %s is no number", what);
    return out;
}

static inline uint64_t must_u64(const json_t *value, const char *what)
{
    struct u256 out = must_number(value, what);
    if (!u256_fits_u64(out)) fatal("reading a state test: %s is above 2^64", what);
    return u256_to_u64(out);
}

static inline struct bytes must_bytes(struct arena *arena, const json_t *value)
{
    struct buffer raw = {.size = 0};
    const char *text = json_string_value(value);
    if (text == NULL || hex_decode(&raw, bytes_of_text(text)) != OK)
        fatal("reading a state test: %s is no bytes", text == NULL ? "(none)" : text);
    struct bytes copy = bytes_of(NULL, 0);
    if (raw.size > 0) copy = arena_copy(arena, buffer_bytes(&raw));
    buffer_finish(&raw);
    return copy;
}

static inline void must_exact(uint8_t *out, size_t size, const char *text)
{
    if (text == NULL || hex_decode_exact(out, size, bytes_of_text(text)) != OK)
        fatal("reading a state test: %s is not %zu bytes", text == NULL ? "(none)" : text, size);
}

static inline struct address must_address(const char *text)
{
    struct address a;
    must_exact(a.b, sizeof(a.b), text);
    return a;
}

static inline struct hash must_hash(const json_t *value)
{
    struct hash h;
    must_exact(h.b, sizeof(h.b), json_string_value(value));
    return h;
}

#endif
