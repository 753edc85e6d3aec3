/* account.h - what the state trie holds for an address (Yellow Paper, section 4.1).
 *
 * Encoded as rlp([nonce, balance, storageRoot, codeHash]). Pure functions; any thread. An account
 * that is empty (EIP-161: nonce 0, no balance, no code) does not exist: nothing ever stores one. */
#ifndef LEASEHOLD_CHAIN_ACCOUNT_H
#define LEASEHOLD_CHAIN_ACCOUNT_H

#include "base/bytes.h"
#include "base/u256.h"

struct account {
    uint64_t nonce;
    struct u256 balance;
    struct hash storage_root;
    struct hash code_hash;
};

/* nonce 0, balance 0, empty storage, no code: how an absent account reads. */
extern const struct account ACCOUNT_EMPTY;

bool account_is_empty(const struct account *a);
bool account_equal(const struct account *a, const struct account *b);
bool account_has_code(const struct account *a);

void account_encode(struct buffer *out, const struct account *a); /* appends */
MUST_CHECK enum status account_decode(struct account *out, struct bytes input);

#endif
