#include "client/abi.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/units.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static json_t *made(json_t *value)
{
    if (value == NULL) fatal("making a JSON value");
    return value;
}

json_t *abi_u64(uint64_t value)
{
    return value <= INT64_MAX ? made(json_integer((json_int_t)value))
                              : abi_u256(u256_from_u64(value));
}

json_t *abi_u256(struct u256 value)
{
    char text[79];
    u256_to_decimal(text, value);
    return made(json_string(text));
}

json_t *abi_address(const struct address *a)
{
    char text[43];
    address_to_text(text, a);
    return made(json_string(text));
}

json_t *abi_hash(const struct hash *h)
{
    char text[67];
    hash_to_text(text, h);
    return made(json_string(text));
}

json_t *abi_bytes(struct bytes b)
{
    struct buffer text = {0};
    hex_append(&text, b);
    json_t *value = made(json_string(buffer_text(&text)));
    buffer_finish(&text);
    return value;
}

json_t *abi_text(const char *text)
{
    return made(json_string(text));
}

json_t *abi_bool(bool value)
{
    return json_boolean(value);
}

const json_t *abi_get(const json_t *object, const char *key)
{
    return json_object_get(object, key);
}

static struct u256 value_u256(const json_t *value)
{
    struct u256 n = u256_from_u64(0);
    const char *text = json_string_value(value);
    if (json_is_integer(value) && json_integer_value(value) > 0)
        n = u256_from_u64((uint64_t)json_integer_value(value));
    if (text != NULL && u256_from_decimal(&n, bytes_of_text(text)) != OK) return u256_from_u64(0);
    return n;
}

struct u256 abi_get_u256(const json_t *object, const char *key)
{
    return value_u256(json_object_get(object, key));
}

uint64_t abi_get_u64(const json_t *object, const char *key)
{
    return u256_to_u64_saturating(abi_get_u256(object, key));
}

struct address abi_get_address(const json_t *object, const char *key)
{
    struct address a = {0};
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || address_from_text(&a, bytes_of_text(text)) != OK)
        return (struct address){0};
    return a;
}

struct hash abi_get_hash(const json_t *object, const char *key)
{
    struct hash h = {0};
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || hash_from_text(&h, bytes_of_text(text)) != OK) return (struct hash){0};
    return h;
}

bool abi_get_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

const char *abi_get_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* Words that the contracts use for money where the name does not end in Wei. */
static const char *const money_words[] = {
    "stake",    "price",    "amount",  "value",  "escrow",         "reward",  "sent",
    "bond",     "have",     "need",    "refund", "paid",           "slashed", "cost",
    "reserved", "required", "minimum", "lowest", "credit",         "balance", "earned",
    "toRenter", "rewards",  "funds",   "fee",    "pricePerSecond",
};

static bool is_money(const char *name, const json_t *value)
{
    size_t size = strlen(name);
    if (!json_is_string(value)) return false; /* up to 64 bits: no amount */
    const char *text = json_string_value(value);
    for (const char *c = text; *c != '\0'; c++)
        if (!isdigit((unsigned char)*c)) return false;
    if (size > 3 && strcmp(name + size - 3, "Wei") == 0) return true;
    for (size_t i = 0; i < sizeof money_words / sizeof *money_words; i++) {
        size_t word = strlen(money_words[i]);
        if (size >= word && strcasecmp(name + size - word, money_words[i]) == 0) return true;
    }
    return false;
}

static void describe_value(struct buffer *out, const char *name, const json_t *value)
{
    if (is_money(name, value)) {
        char amount[AMOUNT_TEXT_SIZE];
        struct u256 wei = value_u256(value);
        amount_to_text(amount, wei);
        buffer_print(out, "%s", amount);
    } else if (json_is_string(value)) {
        buffer_print(out, "%s", json_string_value(value));
    } else {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        buffer_print(out, "%s", text != NULL ? text : "?");
        free(text);
    }
}

void abi_describe(char out[ABI_PROBLEM_SIZE], const json_t *decoded)
{
    struct buffer line = {0};
    const char *name = abi_get_text(decoded, "name");
    const char *key = NULL;
    json_t *value = NULL;
    bool first = true;
    buffer_print(&line, "%s(", name);
    json_object_foreach(json_object_get(decoded, "args"), key, value)
    {
        bool unnamed = isdigit((unsigned char)key[0]) || strcmp(key, "message") == 0;
        buffer_print(&line, "%s%s%s", first ? "" : ", ", unnamed ? "" : key, unnamed ? "" : " ");
        describe_value(&line, key, value);
        first = false;
    }
    buffer_print(&line, ")");
    snprintf(out, ABI_PROBLEM_SIZE, "%s", buffer_text(&line));
    for (char *c = out; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' ';
    buffer_finish(&line);
}
