/* cursor.h - reads a fixed-layout message left to right and never past its end.
 *
 * The first failed read makes the cursor fail for good; later reads yield zeros, so a decoder
 * reads every field and asks once. Allocates nothing; the input must outlive the cursor. */
#ifndef LEASEHOLD_BASE_CURSOR_H
#define LEASEHOLD_BASE_CURSOR_H

#include "base/bytes.h"

struct cursor {
    struct bytes rest;
    bool failed;
};

struct cursor cursor_over(struct bytes input);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c); /* big-endian; 0 after a failure */
uint64_t cursor_u64(struct cursor *c);
struct hash cursor_hash(struct cursor *c);
struct address cursor_address(struct cursor *c);
struct bytes cursor_bytes(struct cursor *c, size_t size);
void cursor_exact(struct cursor *c, uint8_t *out, size_t size);
MUST_CHECK enum status cursor_end(const struct cursor *c); /* OK only if all read, nothing left */

#endif
