/* page_hash.h - the three hashes of base/merkle.h for whoever links libc alone.
 *
 * The runner hashes memory inside the sandbox, where there is no OpenSSL. With SHA-NI where the
 * processor has it (asked once, at run time), else in plain C; the same bytes either way. Any
 * thread. */
#ifndef LEASEHOLD_COMPUTE_PAGE_HASH_H
#define LEASEHOLD_COMPUTE_PAGE_HASH_H

#include "base/bytes.h"

void page_hash_leaf(struct hash *out, const void *leaf, size_t size);
void page_hash_node(struct hash *out, const struct hash *left, const struct hash *right);
void page_hash_root(struct hash *out, uint64_t size_bytes, const struct hash *top);
/* For tests: the plain code even where the processor has better. */
void page_hash_force_plain(bool plain);

#endif
