#include "client/abi_type.h"

#include "base/hex.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct encoder {
    struct buffer *out;
    char *error;
};

static enum status refuse(struct encoder *e, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status refuse(struct encoder *e, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(e->error, JSON_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return status;
}

static enum status number_from_json(struct u256 *out, bool *negative, const json_t *value)
{
    *negative = false;
    if (json_is_integer(value)) {
        json_int_t n = json_integer_value(value);
        *negative = n < 0;
        *out = u256_from_u64(n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
        return OK;
    }
    const char *text = json_string_value(value);
    if (text == NULL) return E_MALFORMED;
    if (*text == '-') {
        *negative = true;
        text++;
    }
    if (text[0] == '0' && text[1] == 'x') return u256_from_quantity(out, bytes_of_text(text));
    return u256_from_decimal(out, bytes_of_text(text));
}

static bool number_fits(const struct abi_type *t, struct u256 magnitude, bool negative)
{
    int bits = u256_bit_length(magnitude);
    if (t->kind == ABI_UINT) return bits <= (int)t->size && (!negative || bits == 0);
    struct u256 lowest = u256_shl(u256_from_u64(1), (unsigned)t->size - 1);
    return bits < (int)t->size || (negative && u256_equal(magnitude, lowest));
}

static enum status encode_number(struct encoder *e, const struct abi_type *t, const json_t *value,
                                 const char *path)
{
    struct u256 n;
    bool negative = false;
    const char *sign = t->kind == ABI_UINT ? "u" : "";
    if (number_from_json(&n, &negative, value) != OK)
        return refuse(e, E_MALFORMED, "%s: not a number", path);
    if (!number_fits(t, n, negative))
        return refuse(e, E_RANGE, "%s: does not fit %sint%zu", path, sign, t->size);
    if (negative) n = u256_sub(u256_from_u64(0), n);
    u256_to_be(buffer_extend(e->out, 32), n);
    return OK;
}

static enum status encode_address(struct encoder *e, const json_t *value, const char *path)
{
    struct address a;
    const char *text = json_string_value(value);
    if (text == NULL || address_from_text(&a, bytes_of_text(text)) != OK)
        return refuse(e, E_MALFORMED, "%s: not an address", path);
    uint8_t *word = buffer_extend(e->out, 32);
    memcpy(word + 12, a.b, 20);
    return OK;
}

static enum status encode_fixed_bytes(struct encoder *e, const struct abi_type *t,
                                      const json_t *value, const char *path)
{
    uint8_t raw[32];
    const char *text = json_string_value(value);
    if (text == NULL || hex_decode_exact(raw, t->size, bytes_of_text(text)) != OK)
        return refuse(e, E_MALFORMED, "%s: not %zu bytes as 0x text", path, t->size);
    memcpy(buffer_extend(e->out, 32), raw, t->size);
    return OK;
}

static void encode_padded(struct encoder *e, struct bytes b)
{
    store_be64(buffer_extend(e->out, 32) + 24, b.size);
    size_t padded = (b.size + 31) / 32 * 32;
    if (padded == 0) return;
    memcpy(buffer_extend(e->out, padded), b.data, b.size);
}

static enum status encode_bytes(struct encoder *e, const struct abi_type *t, const json_t *value,
                                const char *path)
{
    const char *text = json_string_value(value);
    if (text == NULL) return refuse(e, E_MALFORMED, "%s: not a text", path);
    if (t->kind == ABI_STRING) {
        encode_padded(e, bytes_of(text, json_string_length(value)));
        return OK;
    }
    struct buffer raw = {0};
    enum status status = hex_decode(&raw, bytes_of_text(text));
    if (status == OK) encode_padded(e, buffer_bytes(&raw));
    buffer_finish(&raw);
    return status == OK ? OK : refuse(e, E_MALFORMED, "%s: not bytes as 0x text", path);
}

static enum status encode_value(struct encoder *e, const struct abi_type *t, const json_t *value,
                                const char *path);

/* One member of a tuple or array: its type, its value, and how to name it in an error. */
struct member {
    const struct abi_type *type;
    const json_t *value;
    char path[160];
};

static struct member member_at(const struct abi_type *t, const json_t *value, size_t index,
                               const char *path)
{
    struct member m = {0};
    if (t->kind != ABI_TUPLE) {
        m.type = &t->params.items[0].type;
        m.value = json_array_get(value, index);
        snprintf(m.path, sizeof m.path, "%.120s[%zu]", path, index);
        return m;
    }
    char scratch[24];
    const char *key = abi_param_key(scratch, &t->params, index);
    m.type = &t->params.items[index].type;
    m.value = json_is_array(value) ? json_array_get(value, index) : json_object_get(value, key);
    snprintf(m.path, sizeof m.path, "%.80s%s%.70s", path, *path != '\0' ? "." : "", key);
    return m;
}

/* Heads first, then what stands behind offsets, which count from the first head. */
static enum status encode_members(struct encoder *e, const struct abi_type *t, const json_t *value,
                                  size_t count, const char *path)
{
    size_t start = e->out->size;
    size_t head_bytes = 0;
    for (size_t i = 0; i < count; i++)
        head_bytes += member_at(t, value, i, path).type->head_bytes;
    struct buffer tails = {0};
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++) {
        struct member m = member_at(t, value, i, path);
        if (m.value == NULL) {
            status = refuse(e, E_MALFORMED, "%s: missing", m.path);
        } else if (m.type->dynamic) {
            struct encoder tail = {&tails, e->error};
            store_be64(buffer_extend(e->out, 32) + 24, head_bytes + tails.size);
            status = encode_value(&tail, m.type, m.value, m.path);
        } else {
            status = encode_value(e, m.type, m.value, m.path);
        }
    }
    assert(status != OK || e->out->size == start + head_bytes);
    if (status == OK) buffer_append(e->out, buffer_bytes(&tails));
    buffer_finish(&tails);
    return status;
}

static enum status encode_array(struct encoder *e, const struct abi_type *t, const json_t *value,
                                const char *path)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value)) return refuse(e, E_MALFORMED, "%s: not an array", path);
    if (t->kind == ABI_ARRAY && count != t->size)
        return refuse(e, E_RANGE, "%s: %zu values where %zu belong", path, count, t->size);
    if (count > ABI_VALUES_MAX) return refuse(e, E_RANGE, "%s: too many values", path);
    if (t->kind == ABI_LIST) store_be64(buffer_extend(e->out, 32) + 24, count);
    return encode_members(e, t, value, count, path);
}

static enum status encode_tuple(struct encoder *e, const struct abi_type *t, const json_t *value,
                                const char *path)
{
    if (json_is_array(value) && json_array_size(value) != t->params.count)
        return refuse(e, E_RANGE, "%s: %zu values where %zu belong", path, json_array_size(value),
                      t->params.count);
    return encode_members(e, t, value, t->params.count, path);
}

static enum status encode_value(struct encoder *e, const struct abi_type *t, const json_t *value,
                                const char *path)
{
    switch (t->kind) {
    case ABI_UINT:
    case ABI_INT: return encode_number(e, t, value, path);
    case ABI_BOOL:
        if (!json_is_boolean(value)) return refuse(e, E_MALFORMED, "%s: not true or false", path);
        buffer_extend(e->out, 32)[31] = json_is_true(value) ? 1 : 0;
        return OK;
    case ABI_ADDRESS: return encode_address(e, value, path);
    case ABI_FIXED_BYTES: return encode_fixed_bytes(e, t, value, path);
    case ABI_BYTES:
    case ABI_STRING: return encode_bytes(e, t, value, path);
    case ABI_ARRAY:
    case ABI_LIST: return encode_array(e, t, value, path);
    case ABI_TUPLE: return encode_tuple(e, t, value, path);
    }
    assert(false);
    return E_MALFORMED;
}

enum status abi_encode_call(struct buffer *out, char error[JSON_ERROR_SIZE], const struct abi *a,
                            const char *function, const json_t *args)
{
    size_t count = json_array_size(args);
    const struct abi_entry *f = abi_find(a, ABI_FUNCTION, function, count);
    if (f == NULL) {
        snprintf(error, JSON_ERROR_SIZE, "the contract has no function %s with %zu arguments",
                 function, count);
        return E_NOT_FOUND;
    }
    struct abi_type all = {.kind = ABI_TUPLE, .params = f->inputs};
    struct buffer encoded = {0};
    struct encoder e = {&encoded, error};
    enum status status = encode_members(&e, &all, args, count, "");
    if (status == OK) {
        buffer_append(out, bytes_of(f->id.b, 4));
        buffer_append(out, buffer_bytes(&encoded));
    }
    buffer_finish(&encoded);
    return status;
}
