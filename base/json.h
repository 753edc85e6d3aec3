/* json.h - helpers over jansson: strict parsing, and fields read with the path of what is wrong.
 *
 * A `struct json_reader` walks one object. Each getter marks its key as known; the first problem
 * is kept in `error` as "path: what is wrong, what was found"; json_end then refuses keys that
 * nobody asked for. Values are borrowed from the root, which the caller decrefs. */
#ifndef LEASEHOLD_BASE_JSON_H
#define LEASEHOLD_BASE_JSON_H

#include "base/bytes.h"
#include "base/u256.h"

#include <jansson.h>

#define JSON_ERROR_SIZE 256
#define JSON_KEYS_MAX   64

/* Parses with JSON_REJECT_DUPLICATES; depth and size are bounded by jansson and size_max. On
 * failure `error` names line and column. The caller decrefs *out. */
MUST_CHECK enum status json_parse(json_t **out, char error[JSON_ERROR_SIZE], struct bytes text);
/* Whole file, at most size_max bytes. `error` names the file. */
MUST_CHECK enum status json_load_path(json_t **out, char error[JSON_ERROR_SIZE], const char *path,
                                      size_t size_max);
/* Writes to path.tmp, fsyncs, renames, fsyncs the directory. mode as for open(2). */
MUST_CHECK enum status json_save_path(const json_t *value, const char *path, unsigned mode);

struct json_reader {
    const json_t *object;
    const char *path; /* of the object, for errors: "limits" or "" */
    char *error;      /* JSON_ERROR_SIZE; "" while all is well */
    const char *known[JSON_KEYS_MAX];
    size_t known_count;
};

/* A value that is no object is the first error. */
struct json_reader json_reader_over(const json_t *object, const char *path, char *error);
bool json_has(struct json_reader *r, const char *key);
/* Required fields: absent or of another type is an error, and a zero value comes back. */
const char *json_get_text(struct json_reader *r, const char *key); /* "" on error */
uint64_t json_get_u64(struct json_reader *r, const char *key, uint64_t min, uint64_t max);
bool json_get_bool(struct json_reader *r, const char *key);
const json_t *json_get_object(struct json_reader *r, const char *key); /* NULL on error */
const json_t *json_get_array(struct json_reader *r, const char *key, size_t count_max);
/* Amounts and ids as text: decimal or 0x quantity. */
struct u256 json_get_u256(struct json_reader *r, const char *key);
struct address json_get_address(struct json_reader *r, const char *key);
struct hash json_get_hash(struct json_reader *r, const char *key);
/* Records a problem of the caller's own: "path.key: message". Only the first is kept. */
void json_problem(struct json_reader *r, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
MUST_CHECK enum status json_end(struct json_reader *r); /* E_MALFORMED after any problem */

#endif
