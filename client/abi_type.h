/* abi_type.h - the parsed form of an ABI, for the abi_*.c files only. */
#ifndef LEASEHOLD_CLIENT_ABI_TYPE_H
#define LEASEHOLD_CLIENT_ABI_TYPE_H

#include "client/abi.h"

#define ABI_PARAMS_MAX    64
#define ABI_ENTRIES_MAX   512
#define ABI_NAME_MAX      64
#define ABI_SIGNATURE_MAX 2048
#define ABI_ARRAY_MAX     4096 /* T[n] */

enum abi_kind {
    ABI_UINT, /* size: bits */
    ABI_INT,  /* size: bits */
    ABI_BOOL,
    ABI_ADDRESS,
    ABI_FIXED_BYTES, /* size: bytes */
    ABI_BYTES,
    ABI_STRING,
    ABI_ARRAY, /* size: elements; element type in params[0] */
    ABI_LIST,  /* any number; element type in params[0] */
    ABI_TUPLE, /* params are the components */
};

struct abi_param;

struct abi_params {
    struct abi_param *items;
    size_t count;
};

struct abi_type {
    enum abi_kind kind;
    size_t size;
    bool dynamic;      /* stands behind an offset */
    size_t head_bytes; /* in place of it: 32, or the whole static value */
    struct abi_params params;
};

struct abi_param {
    char name[ABI_NAME_MAX + 1];
    bool indexed;
    struct abi_type type;
};

enum abi_entry_kind { ABI_FUNCTION, ABI_EVENT, ABI_ERROR };

struct abi_entry {
    enum abi_entry_kind kind;
    char name[ABI_NAME_MAX + 1];
    struct hash id; /* keccak256 of the signature */
    bool anonymous;
    struct abi_params inputs;
    struct abi_params outputs;
};

struct abi {
    struct abi_entry *entries;
    size_t count;
};

/* NULL when there is none; argument_count SIZE_MAX: any. */
const struct abi_entry *abi_find(const struct abi *a, enum abi_entry_kind kind, const char *name,
                                 size_t argument_count);
/* By the first four bytes of the id. */
const struct abi_entry *abi_find_selector(const struct abi *a, enum abi_entry_kind kind,
                                          struct bytes data);

/* The parameters as one tuple: an object keyed by name. */
MUST_CHECK enum status abi_decode_params(json_t **out, const struct abi_params *params,
                                         struct bytes data);
/* A single value that is its own encoding's head (an indexed event argument of a value type). */
MUST_CHECK enum status abi_decode_word(json_t **out, const struct abi_type *type,
                                       struct bytes word);
/* The key of parameter `index`: its name, or the index where it has none. */
const char *abi_param_key(char scratch[24], const struct abi_params *params, size_t index);

#endif
