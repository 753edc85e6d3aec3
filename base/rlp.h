/* rlp.h - Recursive Length Prefix (Yellow Paper, appendix B), strict both ways.
 *
 * Writer: items go into a buffer; a list is opened and closed around its items, and its length
 * is filled in on close. Reader: a cursor that fails for good at the first malformed, wrongly
 * typed or non-canonical item (long form for short data, leading zeros in a number, a byte below
 * 0x80 with a prefix); later reads yield zeros, so a decoder reads every field and asks once.
 * Nothing is allocated by the reader; views point into the input. */
#ifndef LEASEHOLD_BASE_RLP_H
#define LEASEHOLD_BASE_RLP_H

#include "base/bytes.h"
#include "base/u256.h"

void rlp_put_bytes(struct buffer *out, struct bytes item);
void rlp_put_u64(struct buffer *out, uint64_t value);
void rlp_put_u256(struct buffer *out, struct u256 value);
void rlp_put_hash(struct buffer *out, const struct hash *h);
void rlp_put_address(struct buffer *out, const struct address *a);
/* Returns a mark; everything appended until rlp_list_close(mark) is inside the list. */
size_t rlp_list_open(struct buffer *out);
void rlp_list_close(struct buffer *out, size_t mark);

struct rlp_reader {
    struct bytes rest;
    bool failed;
};

struct rlp_reader rlp_reader_over(struct bytes input);
bool rlp_at_end(const struct rlp_reader *r); /* true also after a failure */
bool rlp_next_is_list(const struct rlp_reader *r);
struct bytes rlp_bytes(struct rlp_reader *r); /* a string of any size */
struct bytes rlp_bytes_max(struct rlp_reader *r, size_t size_max);
void rlp_exact(struct rlp_reader *r, uint8_t *out, size_t size); /* that size only */
uint64_t rlp_u64(struct rlp_reader *r);
struct u256 rlp_u256(struct rlp_reader *r);
struct hash rlp_hash(struct rlp_reader *r);
struct address rlp_address(struct rlp_reader *r);
struct rlp_reader rlp_list(struct rlp_reader *r); /* a reader over the list's content */
struct bytes rlp_item(struct rlp_reader *r);      /* the next item whole, header included */
void rlp_fail(struct rlp_reader *r);              /* a caller's own check did not hold */
MUST_CHECK enum status rlp_end(const struct rlp_reader *r); /* OK: all read and nothing left */

#endif
