/* network.h - for tests: a directory of its own and a network of one validator in it. */
#ifndef LEASEHOLD_TESTS_NODE_NETWORK_H
#define LEASEHOLD_TESTS_NODE_NETWORK_H

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/key.h"
#include "chain/genesis.h"
#include "chain/store/store.h"
#include "node/ledger.h"
#include "node/validator_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct network {
    char dir[64];
    struct key key;  /* of the validator */
    struct key rich; /* of an account with money */
    struct hash_chain *chain;
    struct genesis *genesis;
};

static inline const char *network_path(const struct network *n, const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", n->dir, name);
    return path;
}

static inline struct key network_key(uint8_t number)
{
    uint8_t secret[32] = {0};
    struct key key;
    secret[31] = number;
    if (key_from_bytes(&key, bytes_of(secret, sizeof secret)) != OK) fatal("making a key");
    return key;
}

static inline void network_make(struct network *n, uint64_t interval_ms, uint64_t epoch_blocks)
{
    struct buffer text = {0};
    char address[43], end[67], rich[43], error[JSON_ERROR_SIZE];
    struct address own, money;
    struct hash last;
    snprintf(n->dir, sizeof n->dir, "/tmp/leasehold-node-XXXXXX");
    if (mkdtemp(n->dir) == NULL) fatal("making a directory");
    n->key = network_key(7);
    n->rich = network_key(9);
    n->chain = hash_chain_open(&n->key, network_path(n, "hash_chain"));
    own = key_address(&n->key);
    money = key_address(&n->rich);
    last = hash_chain_end(n->chain);
    address_to_text(address, &own);
    address_to_text(rich, &money);
    hash_to_text(end, &last);
    buffer_print(&text,
                 "{\"name\":\"test\",\"devnet\":true,\"chainId\":7117,\"timestamp\":1750000000,"
                 "\"gasLimit\":30000000,\"baseFee\":\"1000000000\",\"consensus\":{"
                 "\"blockIntervalMs\":%llu,\"idleIntervalMs\":%llu,\"deltaMs\":200,"
                 "\"epochBlocks\":%llu},\"parameters\":{},\"validators\":[{\"operator\":"
                 "\"0x00000000000000000000000000000000000000aa\",\"consensusAddress\":\"%s\","
                 "\"hashChainEnd\":\"%s\",\"stakeWei\":\"100000000000000000000000\","
                 "\"commissionBps\":500}],\"alloc\":{\"%s\":{\"balance\":"
                 "\"1000000000000000000000\"}},\"contracts\":{}}",
                 (unsigned long long)interval_ms, (unsigned long long)interval_ms,
                 (unsigned long long)epoch_blocks, address, end, rich);
    if (genesis_parse(&n->genesis, error, buffer_bytes(&text)) != OK) fatal("genesis: %s", error);
    if (file_write_atomic(network_path(n, "genesis.json"), buffer_bytes(&text), 0600) != OK)
        fatal("writing the genesis file");
    buffer_finish(&text);
}

/* Without touching the directory: for another process that knows it too. */
static inline void network_forget(struct network *n)
{
    genesis_destroy(n->genesis);
    hash_chain_destroy(n->chain);
}

static inline void network_remove(struct network *n)
{
    char command[128];
    network_forget(n);
    snprintf(command, sizeof command, "rm -rf %s", n->dir);
    if (system(command) != 0) fatal("removing %s", n->dir);
}

static inline struct store *network_store(const struct network *n, const char *name)
{
    static const uint64_t map_key[2] = {1, 2};
    struct store *store;
    char error[STORE_ERROR_SIZE];
    if (store_open(&store, error, network_path(n, name), map_key) != OK) fatal("%s", error);
    return store;
}

static inline struct ledger *network_ledger(const struct network *n, struct store *store)
{
    struct ledger *ledger;
    char error[LEDGER_ERROR_SIZE];
    if (ledger_open(&ledger, error, store, n->genesis) != OK) fatal("%s", error);
    return ledger;
}

/* A plain transfer of 1 wei by the rich account, as wire bytes. */
static inline void network_transfer(const struct network *n, struct buffer *out, uint64_t nonce)
{
    struct tx t = {.type = TX_DYNAMIC_FEE,
                   .has_chain_id = true,
                   .chain_id = 7117,
                   .nonce = nonce,
                   .gas_limit = 21000,
                   .max_fee_per_gas = u256_from_u64(2000000000),
                   .max_priority_fee_per_gas = u256_from_u64(1),
                   .value = u256_from_u64(1)};
    t.to.b[19] = 0xbb;
    tx_sign(&t, &n->rich);
    tx_encode(out, &t);
}

#endif
