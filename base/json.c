#include "base/json.h"

#include "base/file.h"
#include "base/hex.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status json_parse(json_t **out, char error[JSON_ERROR_SIZE], struct bytes text)
{
    json_error_t where;
    const char *data = text.size ? (const char *)text.data : "";
    json_t *root = json_loadb(data, text.size, JSON_REJECT_DUPLICATES, &where);
    if (!root) {
        snprintf(error, JSON_ERROR_SIZE, "line %d, column %d: %s", where.line, where.column,
                 where.text);
        return E_MALFORMED;
    }
    *out = root;
    return OK;
}

enum status json_load_path(json_t **out, char error[JSON_ERROR_SIZE], const char *path,
                           size_t size_max)
{
    struct buffer text = {0};
    enum status status = file_read(&text, path, size_max);
    if (status != OK) {
        snprintf(error, JSON_ERROR_SIZE, "%s: %s", path, status_text(status));
    } else {
        char inner[JSON_ERROR_SIZE] = "";
        status = json_parse(out, inner, buffer_bytes(&text));
        if (status != OK) snprintf(error, JSON_ERROR_SIZE, "%.120s: %.120s", path, inner);
    }
    buffer_finish(&text);
    return status;
}

enum status json_save_path(const json_t *value, const char *path, unsigned mode)
{
    char *text = json_dumps(value, JSON_INDENT(2));
    assert(text);
    struct buffer out = {0};
    buffer_print(&out, "%s\n", text);
    free(text);
    enum status status = file_write_atomic(path, buffer_bytes(&out), mode);
    buffer_finish(&out);
    return status;
}

void json_problem(struct json_reader *r, const char *key, const char *format, ...)
{
    if (r->error[0]) return;
    char message[JSON_ERROR_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    const char *dot = *r->path && *key ? "." : "";
    snprintf(r->error, JSON_ERROR_SIZE, "%.90s%s%.60s: %.100s", r->path, dot, key, message);
}

static const char *type_name(const json_t *value)
{
    if (!value) return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "text";
    case JSON_INTEGER: return "a whole number";
    case JSON_REAL: return "a fraction";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "something else";
}

struct json_reader json_reader_over(const json_t *object, const char *path, char *error)
{
    struct json_reader r = {.object = object, .path = path, .error = error};
    if (!json_is_object(object))
        json_problem(&r, "", "must be an object, found %s", type_name(object));
    return r;
}

static const json_t *field(struct json_reader *r, const char *key)
{
    assert(r->known_count < JSON_KEYS_MAX);
    r->known[r->known_count++] = key;
    return json_object_get(r->object, key);
}

static const json_t *required(struct json_reader *r, const char *key, bool right_type,
                              const json_t *value, const char *wanted)
{
    if (value && right_type) return value;
    if (!value)
        json_problem(r, key, "is missing; %s is wanted", wanted);
    else
        json_problem(r, key, "must be %s, found %s", wanted, type_name(value));
    return NULL;
}

bool json_has(struct json_reader *r, const char *key)
{
    return json_object_get(r->object, key) != NULL;
}

const char *json_get_text(struct json_reader *r, const char *key)
{
    const json_t *value = field(r, key);
    if (!required(r, key, json_is_string(value), value, "text")) return "";
    const char *text = json_string_value(value);
    if (strlen(text) == json_string_length(value)) return text;
    json_problem(r, key, "has a zero byte inside");
    return "";
}

uint64_t json_get_u64(struct json_reader *r, const char *key, uint64_t min, uint64_t max)
{
    const json_t *value = field(r, key);
    if (!required(r, key, json_is_integer(value), value, "a whole number")) return 0;
    long long number = json_integer_value(value);
    if (number >= 0 && (uint64_t)number >= min && (uint64_t)number <= max) return (uint64_t)number;
    json_problem(r, key, "is %lld, must be from %llu to %llu", number, (unsigned long long)min,
                 (unsigned long long)max);
    return 0;
}

bool json_get_bool(struct json_reader *r, const char *key)
{
    const json_t *value = field(r, key);
    return required(r, key, json_is_boolean(value), value, "true or false") && json_is_true(value);
}

const json_t *json_get_object(struct json_reader *r, const char *key)
{
    const json_t *value = field(r, key);
    return required(r, key, json_is_object(value), value, "an object");
}

const json_t *json_get_array(struct json_reader *r, const char *key, size_t count_max)
{
    const json_t *value = field(r, key);
    if (!required(r, key, json_is_array(value), value, "an array")) return NULL;
    if (json_array_size(value) <= count_max) return value;
    json_problem(r, key, "has %zu entries, at most %zu are allowed", json_array_size(value),
                 count_max);
    return NULL;
}

struct u256 json_get_u256(struct json_reader *r, const char *key)
{
    struct u256 out = {{0}};
    if (json_is_integer(json_object_get(r->object, key)))
        return u256_from_u64(json_get_u64(r, key, 0, INT64_MAX));
    const char *text = json_get_text(r, key);
    if (r->error[0]) return out;
    struct bytes raw = bytes_of_text(text);
    bool is_hex = raw.size > 1 && raw.data[1] == 'x';
    enum status status = is_hex ? u256_from_quantity(&out, raw) : u256_from_decimal(&out, raw);
    if (status != OK) json_problem(r, key, "is \"%s\", must be a decimal or 0x number", text);
    return out;
}

struct address json_get_address(struct json_reader *r, const char *key)
{
    struct address out = {{0}};
    const char *text = json_get_text(r, key);
    if (!r->error[0] && address_from_text(&out, bytes_of_text(text)) != OK)
        json_problem(r, key, "is \"%s\", must be an address (0x and 40 digits, right checksum)",
                     text);
    return out;
}

struct hash json_get_hash(struct json_reader *r, const char *key)
{
    struct hash out = {{0}};
    const char *text = json_get_text(r, key);
    if (!r->error[0] && hash_from_text(&out, bytes_of_text(text)) != OK)
        json_problem(r, key, "is \"%s\", must be 0x and 64 digits", text);
    return out;
}

static bool is_known(const struct json_reader *r, const char *key)
{
    for (size_t i = 0; i < r->known_count; i++) {
        if (strcmp(r->known[i], key) == 0) return true;
    }
    return false;
}

enum status json_end(struct json_reader *r)
{
    const char *key;
    json_t *value;
    if (!r->error[0]) {
        json_object_foreach((json_t *)(uintptr_t)r->object, key, value)
        {
            if (!is_known(r, key)) json_problem(r, key, "is not a known key");
        }
    }
    return r->error[0] ? E_MALFORMED : OK;
}
