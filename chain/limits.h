/* limits.h - every bound of the chain floor, in one place. Sizes in bytes, counts in items. */
#ifndef LEASEHOLD_CHAIN_LIMITS_H
#define LEASEHOLD_CHAIN_LIMITS_H

/* Formats. */
#define TX_SIZE_MAX           (128 * 1024)
#define TX_AUTHORIZATIONS_MAX 1024  /* of one transaction */
#define TX_BLOBS_MAX_CANCUN   6     /* EIP-4844; only the official tests have blobs */
#define TX_BLOBS_MAX_PRAGUE   9     /* EIP-7691 */
#define INIT_CODE_SIZE_MAX    49152 /* EIP-3860 */
#define BLOCK_SIZE_MAX        (4 * 1024 * 1024)
#define BLOCK_TXS_MAX         40000
#define HEADER_SIZE_MAX       1024
#define HEADER_EXTRA_MAX      160
#define RECEIPT_SIZE_MAX      (16 * 1024 * 1024)
#define TRIE_KEY_SIZE_MAX     32
#define TRIE_PATH_MAX         (2 * TRIE_KEY_SIZE_MAX) /* nibbles */
#define TRIE_PROOF_MAX        (TRIE_PATH_MAX + 1)     /* nodes */

/* Transactions that wait for a block. */
#define MEMPOOL_SENDER_MAX  64 /* transactions of one sender; also how far a nonce may be ahead */
#define MEMPOOL_COUNT_MAX   16384
#define MEMPOOL_BYTES_MAX   (64 * 1024 * 1024)
#define MEMPOOL_VICTIMS_MAX 32 /* how many a newcomer may push out of a full pool */
#define MEMPOOL_LIFETIME_MS (3ull * 3600 * 1000)

/* Of one waiting transaction: each is a signature to check. */
#define MEMPOOL_AUTHORIZATIONS_MAX 128

#endif
