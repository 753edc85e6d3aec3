/* keccak.h - Keccak-256 with the original padding (not SHA3-256), as Ethereum uses it.
 *
 * One-shot and incremental; no allocation; any thread, one context a thread. */
#ifndef LEASEHOLD_BASE_KECCAK_H
#define LEASEHOLD_BASE_KECCAK_H

#include "base/bytes.h"

struct hash keccak256(struct bytes input);

struct keccak {
    uint64_t state[25];
    uint8_t block[136];
    size_t used_bytes; /* of block */
};

void keccak_init(struct keccak *k);
void keccak_update(struct keccak *k, struct bytes more);
struct hash keccak_finish(struct keccak *k); /* the context must be initialised again after it */

extern const struct hash KECCAK_EMPTY; /* keccak256 of no bytes */

#endif
