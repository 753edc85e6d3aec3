/* hex.h - bytes as hexadecimal text, with 0x in front; checksummed addresses (EIP-55). */
#ifndef LEASEHOLD_BASE_HEX_H
#define LEASEHOLD_BASE_HEX_H

#include "base/bytes.h"

/* "0x" and two digits a byte; out holds 2 * size + 3 characters with the closing zero. */
void hex_encode(char *out, struct bytes input);
void hex_append(struct buffer *out, struct bytes input); /* with 0x */

/* Strict: 0x, an even number of digits of either case. Appends to out. */
MUST_CHECK enum status hex_decode(struct buffer *out, struct bytes text);
/* Exactly `size` bytes into out. E_MALFORMED for anything else. */
MUST_CHECK enum status hex_decode_exact(uint8_t *out, size_t size, struct bytes text);

/* 0x and 40 digits. A mixed-case text must carry the right EIP-55 checksum. */
MUST_CHECK enum status address_from_text(struct address *out, struct bytes text);
void address_to_text(char out[43], const struct address *a); /* EIP-55 checksummed */
MUST_CHECK enum status hash_from_text(struct hash *out, struct bytes text);
void hash_to_text(char out[67], const struct hash *h);

#endif
