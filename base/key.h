/* key.h - secp256k1 keys, addresses and 65-byte recoverable signatures (libsecp256k1).
 *
 * Signing is deterministic (RFC 6979) and low-s. One process-wide context, made at first use and
 * read-only after it, so any thread may call. Secrets are cleared by key_finish. */
#ifndef LEASEHOLD_BASE_KEY_H
#define LEASEHOLD_BASE_KEY_H

#include "base/bytes.h"
#include "base/u256.h"

struct key {
    uint8_t secret[32];
};

struct signature {
    uint8_t b[65]; /* r (32) | s (32) | y parity, 0 or 1 */
};

MUST_CHECK enum status key_from_bytes(struct key *out,
                                      struct bytes secret); /* E_RANGE: not in 1..n-1 */
void key_generate(struct key *out);                         /* from the system's random source */
void key_finish(struct key *k);                             /* wipes */
struct address key_address(const struct key *k);
void key_public(uint8_t out[64], const struct key *k); /* uncompressed, without 0x04 */
struct signature key_sign(const struct key *k, const struct hash *digest);

/* The signer's address. E_SIGNATURE if r, s or parity are out of range or no point fits.
 * `require_low_s` refuses s > n/2 (EIP-2: transactions and votes; the precompile allows both). */
MUST_CHECK enum status signature_recover(struct address *out, const struct signature *s,
                                         const struct hash *digest, bool require_low_s);
/* CREATE and CREATE2 addresses (Yellow Paper section 7; EIP-1014). */
struct address address_of_create(const struct address *sender, uint64_t nonce);
struct address address_of_create2(const struct address *sender, const struct hash *salt,
                                  const struct hash *init_code_hash);
/* Fills with bytes from the system's random source; fatal when there is none. */
void random_bytes(uint8_t *out, size_t size);

#endif
