/* config.h - what a network fixes for good in its genesis: the rules that blocks are checked by. */
#ifndef LEASEHOLD_CHAIN_CONFIG_H
#define LEASEHOLD_CHAIN_CONFIG_H

#include "base/u256.h"
#include "vm/evm.h"

/* The EVM's rules that blocks of every network follow, from its genesis on. */
#define CHAIN_REVISION EVM_PRAGUE

#define NETWORK_NAME_MAX 32

struct chain_config {
    char name[NETWORK_NAME_MAX + 1];
    bool devnet;
    uint64_t chain_id;
    uint64_t gas_limit;         /* of every block */
    uint64_t block_interval_ms; /* while there is something to do */
    uint64_t idle_interval_ms;
    uint64_t delta_ms;            /* the bound on a network hop */
    uint64_t epoch_blocks;        /* epoch e holds blocks e * n + 1 .. (e + 1) * n */
    struct u256 epoch_reward_wei; /* issued at each epoch's end */
};

/* EIP-1559's 8, stretched so that fees move at Ethereum's pace by the clock. */
uint64_t config_base_fee_denominator(const struct chain_config *c);
/* True for the last block of an epoch. */
bool config_is_boundary(const struct chain_config *c, uint64_t number);

#endif
