/* abi.h - the contract ABI (Solidity's "Contract ABI Specification", v0.8), driven by ABI JSON.
 *
 * Values travel as JSON, so that a call, a return, an event or a custom error prints itself:
 *
 *   type             out                                       in
 *   uintN, intN      integer up to 64 bits, else decimal text  integer, decimal or 0x text
 *   bool             true, false                               the same
 *   address          EIP-55 text                               text
 *   bytes, bytesN    0x text                                   0x text of the exact size
 *   string           text (bytes that are no UTF-8: 0x text)   text
 *   T[], T[n]        array                                     array
 *   tuple            object keyed by the components' names     object, or array in order
 *
 * A uint64 above INT64_MAX comes out as decimal text too: read numbers with abi_get_u64 or
 * abi_get_u256, which take both. Decoding is strict about offsets and bounded by ABI_*_MAX, so the
 * input may come from anybody. A parsed `struct abi` is read-only: any thread. */
#ifndef LEASEHOLD_CLIENT_ABI_H
#define LEASEHOLD_CLIENT_ABI_H

#include "base/json.h"

#define ABI_DEPTH_MAX    8
#define ABI_VALUES_MAX   65536 /* leaves in one decoded message */
#define ABI_PROBLEM_SIZE 512

struct abi;

/* `text` is the ABI's JSON array. E_MALFORMED with `error` set. */
MUST_CHECK enum status abi_parse(struct abi **out, char error[JSON_ERROR_SIZE], struct bytes text);
void abi_destroy(struct abi *a);

/* Appends selector and arguments. `args` (array; borrowed) holds one value a parameter.
 * E_NOT_FOUND: no such function with that many parameters. E_MALFORMED, E_RANGE: a value does not
 * fit its type; `error` names it. */
MUST_CHECK enum status abi_encode_call(struct buffer *out, char error[JSON_ERROR_SIZE],
                                       const struct abi *a, const char *function,
                                       const json_t *args);
/* Decodes a function's return data: an object keyed by the outputs' names ("0", "1", ... where
 * unnamed). A single output is there under "0" too, named or not; but a single tuple comes out as
 * that tuple's object. */
MUST_CHECK enum status abi_decode_return(json_t **out, const struct abi *a, const char *function,
                                         struct bytes data);
/* {"name": "...", "args": {...}} of an event; E_NOT_FOUND when topic 0 is none of this ABI's. */
MUST_CHECK enum status abi_decode_event(json_t **out, const struct abi *a,
                                        const struct hash *topics, size_t topic_count,
                                        struct bytes data);
/* {"name": "...", "args": {...}} of a custom error, or Solidity's own Error and Panic. */
MUST_CHECK enum status abi_decode_error(json_t **out, const struct abi *a, struct bytes data);
/* {"name": "...", "args": {...}} of call data (selector and arguments). */
MUST_CHECK enum status abi_decode_call(json_t **out, const struct abi *a, struct bytes data);

/* keccak256 of the event's signature; E_NOT_FOUND. */
MUST_CHECK enum status abi_event_topic(struct hash *out, const struct abi *a, const char *event);
/* The first four bytes of keccak256(signature). */
MUST_CHECK enum status abi_selector(uint8_t out[4], const struct abi *a, const char *function);

/* A decoded error or event as one line: "StakeTooLow(have 1 LSH, need 2 LSH)". Parameters whose
 * name ends in Wei, or is one of those that the contracts use for money, are shown as amounts. */
void abi_describe(char out[ABI_PROBLEM_SIZE], const json_t *decoded);

/* Makers of argument values (new references). */
json_t *abi_u64(uint64_t value);
json_t *abi_u256(struct u256 value);
json_t *abi_address(const struct address *a);
json_t *abi_hash(const struct hash *h);
json_t *abi_bytes(struct bytes b);
json_t *abi_text(const char *text);
json_t *abi_bool(bool value);

/* Readers of decoded objects; zero when the key is absent or of another type (a decoded value
 * always has what its ABI names, so that is a caller's slip that tests find). */
uint64_t abi_get_u64(const json_t *object, const char *key); /* saturates */
struct u256 abi_get_u256(const json_t *object, const char *key);
struct address abi_get_address(const json_t *object, const char *key);
struct hash abi_get_hash(const json_t *object, const char *key);
bool abi_get_bool(const json_t *object, const char *key);
const char *abi_get_text(const json_t *object, const char *key); /* "" if absent */
const json_t *abi_get(const json_t *object, const char *key);    /* NULL if absent */

#endif
