/* scrypt.h - scrypt (RFC 7914) where OpenSSL refuses: n >= 2^(16 r), as in key files with r = 1.
 *
 * RFC 7914 asks for n < 2^(128 r / 8), OpenSSL insists on it, but the key file standard's own test
 * vector and old wallets use n = 2^18 with r = 1. Everything else goes through OpenSSL. */
#ifndef LEASEHOLD_CLIENT_SCRYPT_H
#define LEASEHOLD_CLIENT_SCRYPT_H

#include "base/bytes.h"

struct scrypt_cost {
    uint64_t n; /* a power of two */
    uint64_t r;
    uint64_t p;
};

/* The caller bounds the cost: 128 * n * r bytes are allocated. */
void scrypt_any(uint8_t out[32], const char *password, struct bytes salt,
                const struct scrypt_cost *cost);

#endif
