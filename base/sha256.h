/* sha256.h - SHA-256 (FIPS 180-4) through OpenSSL: content roots and TLS key hashes. */
#ifndef LEASEHOLD_BASE_SHA256_H
#define LEASEHOLD_BASE_SHA256_H

#include "base/bytes.h"

struct hash sha256(struct bytes input);
/* SHA-256 over the concatenation of `count` parts. */
struct hash sha256_parts(const struct bytes *parts, size_t count);

#endif
