#include "client/abi_type.h"

#include "base/fatal.h"
#include "base/hex.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets may overlap, so the output can outgrow the input. */
#define OUTPUT_BYTES_MAX (64u << 20)

struct decoder {
    struct bytes data; /* what offsets of the current level count from */
    size_t *values;    /* decoded so far, over all levels */
    size_t *bytes;     /* of text made so far */
};

static enum status decode_value(json_t **out, const struct decoder *d, const struct abi_type *t,
                                size_t at);

static enum status read_word(const uint8_t **out, const struct decoder *d, size_t at)
{
    if (at > d->data.size || d->data.size - at < 32) return E_MALFORMED;
    if (++*d->values > ABI_VALUES_MAX) return E_LIMIT;
    *out = d->data.data + at;
    return OK;
}

/* A length or offset: more than the data holds is malformed. */
static enum status read_size(size_t *out, const struct decoder *d, size_t at)
{
    const uint8_t *word = NULL;
    enum status status = read_word(&word, d, at);
    if (status != OK) return status;
    struct u256 n = u256_from_be(bytes_of(word, 32));
    if (!u256_fits_u64(n) || u256_to_u64(n) > d->data.size) return E_MALFORMED;
    *out = (size_t)u256_to_u64(n);
    return OK;
}

static json_t *unsigned_to_json(struct u256 n, size_t bits)
{
    if (bits <= 64 && u256_fits_u64(n) && u256_to_u64(n) <= INT64_MAX)
        return json_integer((json_int_t)u256_to_u64(n));
    return abi_u256(n);
}

static enum status decode_unsigned(json_t **out, const struct abi_type *t, const uint8_t *word)
{
    struct u256 n = u256_from_be(bytes_of(word, 32));
    if (u256_bit_length(n) > (int)t->size) return E_MALFORMED;
    *out = unsigned_to_json(n, t->size);
    return OK;
}

static enum status decode_signed(json_t **out, const struct abi_type *t, const uint8_t *word)
{
    struct u256 n = u256_from_be(bytes_of(word, 32));
    bool negative = (word[0] & 0x80) != 0;
    struct u256 magnitude = negative ? u256_sub(u256_from_u64(0), n) : n;
    struct u256 lowest = u256_shl(u256_from_u64(1), (unsigned)t->size - 1);
    int order = u256_compare(magnitude, lowest);
    if (order > 0 || (order == 0 && !negative)) return E_MALFORMED;
    if (t->size <= 64) {
        *out = json_integer((json_int_t)(negative ? (int64_t)(0 - u256_to_u64(magnitude))
                                                  : (int64_t)u256_to_u64(magnitude)));
        return OK;
    }
    char text[80] = "-";
    u256_to_decimal(text + 1, magnitude);
    *out = json_string(negative ? text : text + 1);
    return OK;
}

static bool all_zero(const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (from[i] != 0) return false;
    return true;
}

enum status abi_decode_word(json_t **out, const struct abi_type *t, struct bytes word)
{
    assert(word.size == 32);
    const uint8_t *w = word.data;
    struct address a;
    switch (t->kind) {
    case ABI_UINT: return decode_unsigned(out, t, w);
    case ABI_INT: return decode_signed(out, t, w);
    case ABI_BOOL:
        if (!all_zero(w, 31) || w[31] > 1) return E_MALFORMED;
        *out = json_boolean(w[31] == 1);
        return OK;
    case ABI_ADDRESS:
        if (!all_zero(w, 12)) return E_MALFORMED;
        memcpy(a.b, w + 12, 20);
        *out = abi_address(&a);
        return OK;
    case ABI_FIXED_BYTES:
        if (!all_zero(w + t->size, 32 - t->size)) return E_MALFORMED;
        *out = abi_bytes(bytes_of(w, t->size));
        return OK;
    case ABI_BYTES:
    case ABI_STRING:
    case ABI_ARRAY:
    case ABI_LIST:
    case ABI_TUPLE: break;
    }
    return E_MALFORMED;
}

static enum status decode_bytes(json_t **out, const struct decoder *d, const struct abi_type *t,
                                size_t at)
{
    size_t size = 0;
    enum status status = read_size(&size, d, at);
    if (status != OK) return status;
    if (d->data.size - at - 32 < size) return E_MALFORMED;
    if (size > OUTPUT_BYTES_MAX - *d->bytes) return E_LIMIT;
    *d->bytes += size;
    struct bytes content = bytes_of(d->data.data + at + 32, size);
    *out = NULL;
    if (t->kind == ABI_STRING) *out = json_stringn((const char *)content.data, size);
    if (*out == NULL) *out = abi_bytes(content);
    return OK;
}

static enum status decode_member(json_t **out, const struct decoder *d, const struct abi_type *t,
                                 size_t *head)
{
    size_t at = *head;
    enum status status = OK;
    *head += t->head_bytes;
    if (t->dynamic) {
        size_t offset = 0;
        status = read_size(&offset, d, at);
        at = offset;
    }
    return status == OK ? decode_value(out, d, t, at) : status;
}

static enum status decode_array(json_t **out, const struct decoder *d, const struct abi_type *t,
                                size_t count)
{
    const struct abi_type *element = &t->params.items[0].type;
    json_t *array = json_array();
    size_t head = 0;
    for (size_t i = 0; i < count; i++) {
        json_t *value = NULL;
        enum status status = decode_member(&value, d, element, &head);
        if (status != OK) {
            json_decref(array);
            return status;
        }
        json_array_append_new(array, value);
    }
    *out = array;
    return OK;
}

static enum status decode_tuple(json_t **out, const struct decoder *d,
                                const struct abi_params *params)
{
    json_t *object = json_object();
    size_t head = 0;
    for (size_t i = 0; i < params->count; i++) {
        char scratch[24];
        json_t *value = NULL;
        enum status status = decode_member(&value, d, &params->items[i].type, &head);
        if (status != OK) {
            json_decref(object);
            return status;
        }
        json_object_set_new(object, abi_param_key(scratch, params, i), value);
    }
    *out = object;
    return OK;
}

/* The same decoder with offsets counting from `at`. */
static enum status move_to(struct decoder *out, const struct decoder *d, size_t at)
{
    if (at > d->data.size) return E_MALFORMED;
    *out = *d;
    out->data = bytes_slice(d->data, at, d->data.size - at);
    return OK;
}

static enum status decode_list(json_t **out, const struct decoder *d, const struct abi_type *t,
                               size_t at)
{
    size_t count = 0;
    struct decoder inner;
    enum status status = read_size(&count, d, at);
    if (status == OK) status = move_to(&inner, d, at + 32);
    if (status != OK) return status;
    if (count > inner.data.size / 32) return E_MALFORMED;
    return decode_array(out, &inner, t, count);
}

static enum status decode_value(json_t **out, const struct decoder *d, const struct abi_type *t,
                                size_t at)
{
    const uint8_t *word = NULL;
    struct decoder inner;
    enum status status;
    switch (t->kind) {
    case ABI_BYTES:
    case ABI_STRING: return decode_bytes(out, d, t, at);
    case ABI_LIST: return decode_list(out, d, t, at);
    case ABI_ARRAY:
        status = move_to(&inner, d, at);
        return status == OK ? decode_array(out, &inner, t, t->size) : status;
    case ABI_TUPLE:
        status = move_to(&inner, d, at);
        return status == OK ? decode_tuple(out, &inner, &t->params) : status;
    case ABI_UINT:
    case ABI_INT:
    case ABI_BOOL:
    case ABI_ADDRESS:
    case ABI_FIXED_BYTES: break;
    }
    status = read_word(&word, d, at);
    return status == OK ? abi_decode_word(out, t, bytes_of(word, 32)) : status;
}

enum status abi_decode_params(json_t **out, const struct abi_params *params, struct bytes data)
{
    size_t values = 0;
    size_t bytes = 0;
    struct decoder d = {data, &values, &bytes};
    return decode_tuple(out, &d, params);
}

enum status abi_decode_return(json_t **out, const struct abi *a, const char *function,
                              struct bytes data)
{
    const struct abi_entry *f = abi_find(a, ABI_FUNCTION, function, SIZE_MAX);
    if (f == NULL) return E_NOT_FOUND;
    json_t *object = NULL;
    enum status status = abi_decode_params(&object, &f->outputs, data);
    if (status != OK) return status;
    if (f->outputs.count == 1 && f->outputs.items[0].type.kind == ABI_TUPLE) {
        char scratch[24];
        *out = json_incref(json_object_get(object, abi_param_key(scratch, &f->outputs, 0)));
        json_decref(object);
        return OK;
    }
    if (f->outputs.count == 1 && f->outputs.items[0].name[0] != '\0')
        json_object_set(object, "0", json_object_get(object, f->outputs.items[0].name));
    *out = object;
    return OK;
}

static json_t *named(const char *name, json_t *args)
{
    json_t *object = json_pack("{s:s,s:o}", "name", name, "args", args);
    if (object == NULL) fatal("naming the decoded values of %s", name);
    return object;
}

static enum status decode_named(json_t **out, const struct abi_entry *e, struct bytes data)
{
    if (e == NULL) return E_NOT_FOUND;
    json_t *args = NULL;
    enum status status = abi_decode_params(&args, &e->inputs, bytes_slice(data, 4, data.size - 4));
    if (status == OK) *out = named(e->name, args);
    return status;
}

/* Solidity's own: Error(string) and Panic(uint256). */
static enum status decode_builtin_error(json_t **out, struct bytes data)
{
    static const uint8_t error_id[4] = {0x08, 0xc3, 0x79, 0xa0};
    static const uint8_t panic_id[4] = {0x4e, 0x48, 0x7b, 0x71};
    struct abi_param text = {.name = "message",
                             .type = {.kind = ABI_STRING, .dynamic = true, .head_bytes = 32}};
    struct abi_param code = {.name = "code",
                             .type = {.kind = ABI_UINT, .size = 256, .head_bytes = 32}};
    struct abi_entry e = {.kind = ABI_ERROR};
    if (data.size < 4) return E_NOT_FOUND;
    bool is_error = memcmp(data.data, error_id, 4) == 0;
    if (!is_error && memcmp(data.data, panic_id, 4) != 0) return E_NOT_FOUND;
    snprintf(e.name, sizeof e.name, "%s", is_error ? "Error" : "Panic");
    e.inputs = (struct abi_params){is_error ? &text : &code, 1};
    return decode_named(out, &e, data);
}

enum status abi_decode_error(json_t **out, const struct abi *a, struct bytes data)
{
    const struct abi_entry *e = abi_find_selector(a, ABI_ERROR, data);
    return e != NULL ? decode_named(out, e, data) : decode_builtin_error(out, data);
}

enum status abi_decode_call(json_t **out, const struct abi *a, struct bytes data)
{
    return decode_named(out, abi_find_selector(a, ABI_FUNCTION, data), data);
}

static const struct abi_entry *find_event(const struct abi *a, const struct hash *topic,
                                          size_t topic_count)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct abi_entry *e = &a->entries[i];
        size_t indexed = 0;
        for (size_t k = 0; k < e->inputs.count; k++)
            indexed += e->inputs.items[k].indexed ? 1 : 0;
        if (e->kind == ABI_EVENT && !e->anonymous && indexed + 1 == topic_count &&
            hash_equal(&e->id, topic))
            return e;
    }
    return NULL;
}

/* Indexed values of dynamic types are only there as a hash: shown as that. */
static enum status decode_topic(json_t **out, const struct abi_type *t, const struct hash *topic)
{
    bool is_hash = t->dynamic || t->kind == ABI_TUPLE || t->kind == ABI_ARRAY;
    if (!is_hash) return abi_decode_word(out, t, hash_bytes(topic));
    *out = abi_hash(topic);
    return OK;
}

static enum status decode_event_args(json_t *args, const struct abi_entry *e,
                                     const struct hash *topics, const json_t *rest)
{
    size_t topic = 1;
    for (size_t i = 0; i < e->inputs.count; i++) {
        char scratch[24];
        const char *key = abi_param_key(scratch, &e->inputs, i);
        json_t *value = json_object_get(rest, key);
        if (!e->inputs.items[i].indexed) {
            json_object_set(args, key, value);
            continue;
        }
        enum status status = decode_topic(&value, &e->inputs.items[i].type, &topics[topic++]);
        if (status != OK) return status;
        json_object_set_new(args, key, value);
    }
    return OK;
}

enum status abi_decode_event(json_t **out, const struct abi *a, const struct hash *topics,
                             size_t topic_count, struct bytes data)
{
    const struct abi_entry *e = topic_count > 0 ? find_event(a, &topics[0], topic_count) : NULL;
    if (e == NULL) return E_NOT_FOUND;
    struct abi_params unindexed = {must_alloc((e->inputs.count + 1) * sizeof *e->inputs.items), 0};
    for (size_t i = 0; i < e->inputs.count; i++) {
        if (e->inputs.items[i].indexed) continue;
        char scratch[24];
        struct abi_param *p = &unindexed.items[unindexed.count++];
        *p = e->inputs.items[i];
        snprintf(p->name, sizeof p->name, "%s", abi_param_key(scratch, &e->inputs, i));
    }
    json_t *rest = NULL;
    json_t *args = json_object();
    enum status status = abi_decode_params(&rest, &unindexed, data);
    if (status == OK) status = decode_event_args(args, e, topics, rest);
    if (status == OK) *out = named(e->name, json_incref(args));
    json_decref(args);
    json_decref(rest);
    free(unindexed.items);
    return status;
}
