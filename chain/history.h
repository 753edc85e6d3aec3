/* history.h - the contract that holds the hashes of the last 8191 blocks (EIP-2935).
 *
 * It stands in every genesis at the address that it has on all Ethereum chains, and each block's
 * first act is to hand it the parent's hash. BLOCKHASH does not ask it. */
#ifndef LEASEHOLD_CHAIN_HISTORY_H
#define LEASEHOLD_CHAIN_HISTORY_H

#include "chain/execute.h"

#define HISTORY_BLOCKS 8191

extern const struct address HISTORY_ADDRESS; /* 0x0000f908...2935 */

/* The account with its code, in the genesis' layer. */
void history_place(struct layer *l);
/* Block n's system call: stores the hash of block n - 1 in slot (n - 1) % HISTORY_BLOCKS. */
void history_record(struct execution *x, const struct hash *parent);

#endif
