/* keys.h - every key of the database: one prefix byte, then fixed-size fields. Integers big-endian.
 *
 * prefix key                                  value
 *  'v'                                        schema version, u64
 *  'h'                                        head: number u64 | block hash 32 | state root 32
 *  'e'                                        epoch record after the head (epoch_record_encode)
 *  'a'   account key 32                       account (account_encode)
 *  's'   account key 32 | slot key 32         slot value without leading zeros, 1..32 bytes
 *  't'   owner 32 | nibbles 0..64, one a byte trie node's RLP
 *  'c'   code hash 32                         contract code
 *  'b'   number u64                           block (block_encode)
 *  'd'   number u64                           its header's RLP alone
 *  'i'   number u64                           block hash 32
 *  'n'   block hash 32                        number u64
 *  'r'   number u64                           receipts (receipts_encode)
 *  'y'   number u64                           logs of the system calls (logs_encode)
 *  'l'   number u64                           bloom of both, 256 bytes
 *  'f'   number u64                           finality certificate, opaque here
 *  'x'   transaction hash 32                  number u64 | index u32
 *  'w'   epoch u64                            epoch record at its start: the validator set
 *
 * A slot of value zero, an empty account and a deleted node have no key. */
#ifndef LEASEHOLD_CHAIN_STORE_KEYS_H
#define LEASEHOLD_CHAIN_STORE_KEYS_H

#include "chain/trie.h"

enum key_prefix {
    KEY_VERSION = 'v',
    KEY_HEAD = 'h',
    KEY_EPOCH_RECORD = 'e',
    KEY_ACCOUNT = 'a',
    KEY_SLOT = 's',
    KEY_NODE = 't',
    KEY_CODE = 'c',
    KEY_BLOCK = 'b',
    KEY_HEADER = 'd',
    KEY_HASH_OF_NUMBER = 'i',
    KEY_NUMBER_OF_HASH = 'n',
    KEY_RECEIPTS = 'r',
    KEY_SYSTEM_LOGS = 'y',
    KEY_BLOOM = 'l',
    KEY_CERTIFICATE = 'f',
    KEY_TRANSACTION = 'x',
    KEY_SET = 'w',
};

#define STORE_KEY_MAX (1 + 32 + TRIE_PATH_MAX)

struct store_key {
    size_t size;
    uint8_t b[STORE_KEY_MAX];
};

struct store_key key_plain(enum key_prefix prefix);
struct store_key key_of_number(enum key_prefix prefix, uint64_t number);
struct store_key key_of_hash(enum key_prefix prefix, const struct hash *h);
struct store_key key_of_slot(const struct hash *account_key, const struct hash *slot_key);
struct store_key key_of_node(const struct trie_place *place);

#endif
