/* tx_reason.h - why a transaction is refused, in the words that other clients use.
 *
 * One table for the stateless checks, the mempool and execution: name, text. Wallets and libraries
 * recognise these texts, so they are not reworded. */
#ifndef LEASEHOLD_CHAIN_TX_REASON_H
#define LEASEHOLD_CHAIN_TX_REASON_H

#define TX_REASONS(X)                                                                              \
    X(TX_FINE, "ok")                                                                               \
    X(TX_MALFORMED, "malformed transaction")                                                       \
    X(TX_TYPE_UNSUPPORTED, "transaction type not supported")                                       \
    X(TX_BLOB_UNSUPPORTED, "transaction type not supported: this chain has no blobs")              \
    X(TX_OVERSIZED, "oversized data")                                                              \
    X(TX_BAD_SIGNATURE, "invalid sender")                                                          \
    X(TX_WRONG_CHAIN, "invalid chain id")                                                          \
    X(TX_TIP_ABOVE_FEE, "max priority fee per gas higher than max fee per gas")                    \
    X(TX_FEE_BELOW_BASE, "max fee per gas less than block base fee")                               \
    X(TX_FEE_OVERFLOW, "gas * max fee per gas does not fit in 256 bits")                           \
    X(TX_INTRINSIC_GAS, "intrinsic gas too low")                                                   \
    X(TX_FLOOR_GAS, "insufficient gas for floor data gas cost")                                    \
    X(TX_INIT_CODE_SIZE, "max initcode size exceeded")                                             \
    X(TX_ABOVE_BLOCK_GAS, "exceeds block gas limit")                                               \
    X(TX_BLOCK_GAS_USED_UP, "gas limit reached")                                                   \
    X(TX_NONCE_MAX, "nonce has max value")                                                         \
    X(TX_NONCE_TOO_LOW, "nonce too low")                                                           \
    X(TX_NONCE_TOO_HIGH, "nonce too high")                                                         \
    X(TX_FUNDS, "insufficient funds for gas * price + value")                                      \
    X(TX_SENDER_HAS_CODE, "sender not an eoa")                                                     \
    X(TX_BLOB_CREATE, "blob transaction of type create")                                           \
    X(TX_BLOB_NONE, "blob transaction missing blob hashes")                                        \
    X(TX_BLOB_TOO_MANY, "blob transaction has too many blobs")                                     \
    X(TX_BLOB_VERSION, "blob transaction with an invalid blob hash version")                       \
    X(TX_BLOB_FEE, "max fee per blob gas less than block blob gas fee")                            \
    X(TX_SET_CODE_CREATE, "EIP-7702 transaction cannot be used to create contract")                \
    X(TX_SET_CODE_EMPTY, "EIP-7702 transaction with empty auth list")                              \
    X(TX_KNOWN, "already known")                                                                   \
    X(TX_REPLACE_UNDERPRICED, "replacement transaction underpriced")                               \
    X(TX_POOL_FULL, "txpool is full")                                                              \
    X(TX_SENDER_FULL, "account limit exceeded")                                                    \
    X(TX_DELEGATED_GAP, "gapped-nonce tx from delegated accounts")                                 \
    X(TX_DELEGATED_FULL, "in-flight transaction limit reached for delegated accounts")             \
    X(TX_AUTHORITY_RESERVED, "authority already reserved")                                         \
    X(TX_AUTHORIZATIONS_MANY, "too many authorizations for the pool")

enum tx_reason {
#define X(name, text) name,
    TX_REASONS(X)
#undef X
        TX_REASON_COUNT
};

/* The text of the table. */
const char *tx_reason_text(enum tx_reason reason);

#endif
