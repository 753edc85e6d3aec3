/* validator_key.h - a validator's secret: the signing key, and the hash chain that it reveals.
 *
 * Key file, mode 0600 or stricter: 0x and 64 hex digits on one line, or {"secretKey": "0x..."}.
 *
 * Hash chain. seed = keccak256(secret | "Leasehold randomness v1"), and link i = keccak256 applied
 * i times to the seed. The validator commits to link LINKS (the end); its nth reveal (from 0) is
 * link LINKS - 1 - n, so that keccak256(reveal) is what stood before. Everything follows from the
 * key: nothing more must be backed up. A chain lasts LINKS proposals; before that the validator
 * takes a new key, and with it a new chain (Staking.changeKey). Every 1024th link is kept in
 * memory, and in a file (as secret as the key, mode 0600), since making them takes a second:
 * "LHCHAIN1" 8 | links 0, 1024, 2048 ... 32 each | end 32 | keccak256 of all before 32. It is made
 * anew when it is not there, damaged, or of another key.
 *
 * One thread. */
#ifndef LEASEHOLD_NODE_VALIDATOR_KEY_H
#define LEASEHOLD_NODE_VALIDATOR_KEY_H

#include "base/key.h"

#define HASH_CHAIN_LINKS     (1u << 21)
#define HASH_CHAIN_STRIDE    1024u
#define VALIDATOR_ERROR_SIZE 256

/* On failure `error` says what to change: E_NOT_FOUND, E_DENIED (others may read it), E_MALFORMED.
 */
MUST_CHECK enum status validator_key_load(struct key *out, char error[VALIDATOR_ERROR_SIZE],
                                          const char *path);

/* What Staking.join and changeKey want to see: the key's signature over
 * keccak256(abi.encode(keccak256("Leasehold consensus key v1"), chain id, operator)). */
struct signature validator_proof(const struct key *key, uint64_t chain_id,
                                 const struct address *operator_address);

struct hash_chain;

struct hash_chain *hash_chain_create(const struct key *key);
/* The same through the file at `path`; a file that cannot be written is no error. */
struct hash_chain *hash_chain_open(const struct key *key, const char *path);
void hash_chain_destroy(struct hash_chain *c); /* wipes; takes NULL */
struct hash hash_chain_end(const struct hash_chain *c);
/* The link before `after`: what keccak256 turns into it. The search starts at the place where the
 * last one was found and goes down; false if `after` is no link of this chain or its first. */
MUST_CHECK bool hash_chain_before(struct hash_chain *c, struct hash *out, const struct hash *after);

#endif
