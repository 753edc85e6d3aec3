#include "client/abi_type.h"

#include "base/fatal.h"
#include "base/keccak.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_params(struct abi_params *params)
{
    for (size_t i = 0; i < params->count; i++)
        free_params(&params->items[i].type.params);
    free(params->items);
    *params = (struct abi_params){0};
}

void abi_destroy(struct abi *a)
{
    if (a == NULL) return;
    for (size_t i = 0; i < a->count; i++) {
        free_params(&a->entries[i].inputs);
        free_params(&a->entries[i].outputs);
    }
    free(a->entries);
    free(a);
}

/* Digits after a type's name: "256" of "uint256"; `missing` where there are none. */
static size_t number_after(const char *text, size_t missing)
{
    if (*text == '\0') return missing;
    char *end = NULL;
    unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || value > 256) return 0;
    return (size_t)value;
}

static enum status parse_number_type(struct abi_type *t, const char *base)
{
    bool is_signed = base[0] == 'i';
    t->kind = is_signed ? ABI_INT : ABI_UINT;
    t->size = number_after(base + (is_signed ? 3 : 4), 256);
    return t->size >= 8 && t->size % 8 == 0 ? OK : E_MALFORMED;
}

static enum status parse_params(struct abi_params *out, const json_t *array, int depth);

static enum status parse_base_type(struct abi_type *t, const char *base, const json_t *components,
                                   int depth)
{
    t->head_bytes = 32;
    if (strncmp(base, "uint", 4) == 0 || strncmp(base, "int", 3) == 0)
        return parse_number_type(t, base);
    if (strcmp(base, "bool") == 0) {
        t->kind = ABI_BOOL;
    } else if (strcmp(base, "address") == 0) {
        t->kind = ABI_ADDRESS;
    } else if (strcmp(base, "string") == 0 || strcmp(base, "bytes") == 0) {
        t->kind = base[0] == 's' ? ABI_STRING : ABI_BYTES;
        t->dynamic = true;
    } else if (strncmp(base, "bytes", 5) == 0) {
        t->kind = ABI_FIXED_BYTES;
        t->size = number_after(base + 5, 0);
        if (t->size < 1 || t->size > 32) return E_MALFORMED;
    } else if (strcmp(base, "tuple") == 0) {
        t->kind = ABI_TUPLE;
        if (parse_params(&t->params, components, depth + 1) != OK) return E_MALFORMED;
        t->head_bytes = 0;
        for (size_t i = 0; i < t->params.count; i++) {
            t->dynamic = t->dynamic || t->params.items[i].type.dynamic;
            t->head_bytes += t->params.items[i].type.head_bytes;
        }
        if (t->dynamic) t->head_bytes = 32;
        if (t->params.count == 0) return E_MALFORMED;
    } else {
        return E_MALFORMED;
    }
    return OK;
}

/* Wraps *t into an array: T becomes T[] (size 0) or T[size]. */
static void wrap_array(struct abi_type *t, size_t size)
{
    struct abi_param *element = must_alloc(sizeof *element);
    element->type = *t;
    *t = (struct abi_type){.kind = size == 0 ? ABI_LIST : ABI_ARRAY,
                           .size = size,
                           .dynamic = size == 0 || element->type.dynamic,
                           .params = {element, 1}};
    t->head_bytes = t->dynamic ? 32 : size * element->type.head_bytes;
}

/* "[]" (size 0) or "[n]"; moves *at past it. */
static enum status parse_brackets(const char **at, size_t *size)
{
    char *end = NULL;
    *size = 0;
    if (**at != '[') return E_MALFORMED;
    const char *inside = *at + 1;
    if (*inside == ']') {
        *at = inside + 1;
        return OK;
    }
    if (!isdigit((unsigned char)*inside)) return E_MALFORMED;
    unsigned long n = strtoul(inside, &end, 10);
    if (*end != ']' || n < 1 || n > ABI_ARRAY_MAX) return E_MALFORMED;
    *size = (size_t)n;
    *at = end + 1;
    return OK;
}

static enum status parse_type(struct abi_type *t, const char *text, const json_t *components,
                              int depth)
{
    char base[ABI_NAME_MAX + 1];
    size_t base_size = strcspn(text, "[");
    if (depth > ABI_DEPTH_MAX || base_size > ABI_NAME_MAX) return E_MALFORMED;
    memcpy(base, text, base_size);
    base[base_size] = '\0';
    if (parse_base_type(t, base, components, depth) != OK) return E_MALFORMED;
    const char *at = text + base_size;
    for (int wraps = depth; *at != '\0'; wraps++) {
        size_t size = 0;
        if (wraps >= ABI_DEPTH_MAX || parse_brackets(&at, &size) != OK) return E_MALFORMED;
        wrap_array(t, size);
        if (t->head_bytes > ABI_VALUES_MAX * 32u) return E_MALFORMED;
    }
    return OK;
}

static enum status parse_param(struct abi_param *p, const json_t *object, int depth)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const char *type = json_string_value(json_object_get(object, "type"));
    if (type == NULL || (name != NULL && strlen(name) > ABI_NAME_MAX)) return E_MALFORMED;
    snprintf(p->name, sizeof p->name, "%s", name != NULL ? name : "");
    p->indexed = json_is_true(json_object_get(object, "indexed"));
    return parse_type(&p->type, type, json_object_get(object, "components"), depth);
}

static enum status parse_params(struct abi_params *out, const json_t *array, int depth)
{
    size_t count = json_array_size(array);
    if (depth > ABI_DEPTH_MAX || count > ABI_PARAMS_MAX) return E_MALFORMED;
    if (count == 0) return OK;
    out->items = must_alloc(count * sizeof *out->items);
    for (size_t i = 0; i < count; i++) {
        out->count = i + 1; /* so that a half-built one is freed too */
        if (parse_param(&out->items[i], json_array_get(array, i), depth) != OK) return E_MALFORMED;
    }
    return OK;
}

static void append_signature(struct buffer *out, const struct abi_params *params);

static void append_type(struct buffer *out, const struct abi_type *t)
{
    switch (t->kind) {
    case ABI_UINT: buffer_print(out, "uint%zu", t->size); break;
    case ABI_INT: buffer_print(out, "int%zu", t->size); break;
    case ABI_BOOL: buffer_print(out, "bool"); break;
    case ABI_ADDRESS: buffer_print(out, "address"); break;
    case ABI_FIXED_BYTES: buffer_print(out, "bytes%zu", t->size); break;
    case ABI_BYTES: buffer_print(out, "bytes"); break;
    case ABI_STRING: buffer_print(out, "string"); break;
    case ABI_TUPLE: append_signature(out, &t->params); break;
    case ABI_ARRAY:
        append_type(out, &t->params.items[0].type);
        buffer_print(out, "[%zu]", t->size);
        break;
    case ABI_LIST:
        append_type(out, &t->params.items[0].type);
        buffer_print(out, "[]");
        break;
    }
}

static void append_signature(struct buffer *out, const struct abi_params *params)
{
    buffer_print(out, "(");
    for (size_t i = 0; i < params->count; i++) {
        if (i > 0) buffer_print(out, ",");
        append_type(out, &params->items[i].type);
    }
    buffer_print(out, ")");
}

static void identify(struct abi_entry *e)
{
    struct buffer signature = {0};
    buffer_print(&signature, "%s", e->name);
    append_signature(&signature, &e->inputs);
    e->id = keccak256(buffer_bytes(&signature));
    buffer_finish(&signature);
}

/* E_NOT_FOUND: an entry of a kind that is not kept (constructor, receive, fallback). */
static enum status parse_entry(struct abi_entry *e, const json_t *object)
{
    const char *kind = json_string_value(json_object_get(object, "type"));
    const char *name = json_string_value(json_object_get(object, "name"));
    if (kind == NULL) return E_MALFORMED;
    if (strcmp(kind, "function") == 0) {
        e->kind = ABI_FUNCTION;
    } else if (strcmp(kind, "event") == 0) {
        e->kind = ABI_EVENT;
    } else if (strcmp(kind, "error") == 0) {
        e->kind = ABI_ERROR;
    } else {
        return E_NOT_FOUND;
    }
    if (name == NULL || *name == '\0' || strlen(name) > ABI_NAME_MAX) return E_MALFORMED;
    snprintf(e->name, sizeof e->name, "%s", name);
    e->anonymous = json_is_true(json_object_get(object, "anonymous"));
    enum status status = parse_params(&e->inputs, json_object_get(object, "inputs"), 0);
    if (status == OK) status = parse_params(&e->outputs, json_object_get(object, "outputs"), 0);
    if (status != OK) {
        free_params(&e->inputs);
        free_params(&e->outputs);
        return E_MALFORMED;
    }
    identify(e);
    return OK;
}

static enum status parse_entries(struct abi *a, const json_t *array, char *error)
{
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count > ABI_ENTRIES_MAX) {
        snprintf(error, JSON_ERROR_SIZE, "an ABI is an array of at most %d entries",
                 ABI_ENTRIES_MAX);
        return E_MALFORMED;
    }
    a->entries = must_alloc((count + 1) * sizeof *a->entries);
    for (size_t i = 0; i < count; i++) {
        enum status status = parse_entry(&a->entries[a->count], json_array_get(array, i));
        if (status == E_MALFORMED) {
            snprintf(error, JSON_ERROR_SIZE, "ABI entry %zu is not well-formed", i);
            return E_MALFORMED;
        }
        if (status == OK) {
            a->count++;
        } else {
            a->entries[a->count] = (struct abi_entry){0};
        }
    }
    return OK;
}

enum status abi_parse(struct abi **out, char error[JSON_ERROR_SIZE], struct bytes text)
{
    json_t *array = NULL;
    enum status status = json_parse(&array, error, text);
    if (status != OK) return E_MALFORMED;
    struct abi *a = must_alloc(sizeof *a);
    status = parse_entries(a, array, error);
    json_decref(array);
    if (status != OK) {
        abi_destroy(a);
        return status;
    }
    *out = a;
    return OK;
}

const struct abi_entry *abi_find(const struct abi *a, enum abi_entry_kind kind, const char *name,
                                 size_t argument_count)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct abi_entry *e = &a->entries[i];
        bool fits = argument_count == SIZE_MAX || e->inputs.count == argument_count;
        if (e->kind == kind && fits && strcmp(e->name, name) == 0) return e;
    }
    return NULL;
}

const struct abi_entry *abi_find_selector(const struct abi *a, enum abi_entry_kind kind,
                                          struct bytes data)
{
    if (data.size < 4) return NULL;
    for (size_t i = 0; i < a->count; i++)
        if (a->entries[i].kind == kind && memcmp(a->entries[i].id.b, data.data, 4) == 0)
            return &a->entries[i];
    return NULL;
}

enum status abi_event_topic(struct hash *out, const struct abi *a, const char *event)
{
    const struct abi_entry *e = abi_find(a, ABI_EVENT, event, SIZE_MAX);
    if (e == NULL) return E_NOT_FOUND;
    *out = e->id;
    return OK;
}

enum status abi_selector(uint8_t out[4], const struct abi *a, const char *function)
{
    const struct abi_entry *e = abi_find(a, ABI_FUNCTION, function, SIZE_MAX);
    if (e == NULL) return E_NOT_FOUND;
    memcpy(out, e->id.b, 4);
    return OK;
}

const char *abi_param_key(char scratch[24], const struct abi_params *params, size_t index)
{
    assert(index < params->count);
    if (params->items[index].name[0] != '\0') return params->items[index].name;
    snprintf(scratch, 24, "%zu", index);
    return scratch;
}
