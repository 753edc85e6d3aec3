/* genesis.h - a network's one file: parsed strictly, made into block 0 and its state.
 *
 * {"name":"devnet","devnet":true,"chainId":7117,"timestamp":1750000000,"gasLimit":30000000,
 *  "baseFee":"1000000000",
 *  "consensus":{"blockIntervalMs":500,"idleIntervalMs":1000,"deltaMs":1000,"epochBlocks":1200,
 *               "epochRewardWei":"0"},                       (epochRewardWei may be left out)
 *  "parameters":{"Staking.minSelfStake":"..."},    (each may be left out: system.h has defaults)
 *  "validators":[{"operator":"0x..","consensusAddress":"0x..","hashChainEnd":"0x..",
 *                 "stakeWei":"..","commissionBps":500}],
 *  "alloc":{"0x..":{"balance":"wei"}},
 *  "contracts":{"Staking":"0x<code hash>"},      (must be the embedded code's; all, unless devnet)
 *  "bootnodes":["<node id>@1.2.3.4:30333"]}      (whom to dial first; may be left out)
 *
 * The same file gives the same block on every machine; its mixHash commits to every rule that is
 * not in the state. Bootnodes are no rule: they may change. Pure. */
#ifndef LEASEHOLD_CHAIN_GENESIS_H
#define LEASEHOLD_CHAIN_GENESIS_H

#include "base/json.h"
#include "chain/build.h"
#include "chain/system.h"

#define GENESIS_SIZE_MAX      (4 * 1024 * 1024)
#define GENESIS_ACCOUNTS_MAX  16384
#define GENESIS_BOOTNODES_MAX 32
#define GENESIS_BOOTNODE_SIZE 128

struct genesis_account {
    struct address address;
    struct u256 balance_wei;
};

struct genesis {
    struct chain_config config;
    uint64_t timestamp_s;
    struct u256 base_fee;
    struct u256 parameters[SYSTEM_PARAMETER_COUNT];
    struct genesis_validator validators[VALIDATORS_MAX];
    size_t validator_count;
    struct genesis_account *accounts; /* by address, ascending */
    size_t account_count;
    char bootnodes[GENESIS_BOOTNODES_MAX][GENESIS_BOOTNODE_SIZE]; /* as written; not looked at */
    size_t bootnode_count;
};

/* `error` names the path and the value. genesis_destroy frees *out. */
MUST_CHECK enum status genesis_parse(struct genesis **out, char error[JSON_ERROR_SIZE],
                                     struct bytes text);
void genesis_destroy(struct genesis *g);

/* Block 0 over `base`, which must be empty (kept by pointer). E_STATE with a reason when a contract
 * refuses its parameters or a validator. */
MUST_CHECK enum status genesis_execute(struct executed **out, char error[JSON_ERROR_SIZE],
                                       const struct genesis *g, const struct state_base *base);

#endif
