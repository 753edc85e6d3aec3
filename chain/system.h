/* system.h - the system contracts: where they are, their embedded code, and the node's few calls.
 *
 * The node calls initialize and genesisValidator at genesis, Scheduler.tick at each block's end,
 * and Staking.endEpoch at an epoch's. All from SYSTEM_ADDRESS. Signatures:
 * contracts/src/interfaces. */
#ifndef LEASEHOLD_CHAIN_SYSTEM_H
#define LEASEHOLD_CHAIN_SYSTEM_H

#include "chain/epoch_record.h"
#include "chain/execute.h"

#define SYSTEM_CONTRACTS(X) /* name, last two bytes of the address */                              \
    X(Staking, 0x1001)                                                                             \
    X(Providers, 0x1002)                                                                           \
    X(Jobs, 0x1003)                                                                                \
    X(Scheduler, 0x1005)                                                                           \
    X(Disputes, 0x1006)                                                                            \
    X(Custody, 0x1007)                                                                             \
    X(JobsCourt, 0x1008)

enum system_contract {
#define X(name, number) SYSTEM_##name,
    SYSTEM_CONTRACTS(X)
#undef X
        SYSTEM_CONTRACT_COUNT
};

#define SYSTEM_PARAMETERS(X) /* contract, name, default; in the order of initialize's arguments */ \
    X(Staking, minSelfStake, "1000000000000000000000")                                             \
    X(Staking, unbondingSeconds, "3600")                                                           \
    X(Staking, evidenceSeconds, "3000")                                                            \
    X(Staking, jailSeconds, "60")                                                                  \
    X(Staking, maxMissedBps, "5000")                                                               \
    X(Staking, minMissed, "10")                                                                    \
    X(Staking, reporterBps, "500")                                                                 \
    X(Providers, minStake, "1000000000000000000")                                                  \
    X(Providers, stakeFactor, "2")                                                                 \
    X(Providers, unbondingSeconds, "60")                                                           \
    X(Jobs, declineWindow, "30")                                                                   \
    X(Jobs, sealGrace, "30")                                                                       \
    X(Jobs, revealWindow, "30")                                                                    \
    X(Jobs, maxStartWindow, "3600")                                                                \
    X(Jobs, maxSecondsLimit, "86400")                                                              \
    X(Jobs, timeoutSlashBps, "1000")                                                               \
    X(Jobs, auditFloorBps, "500")                                                                  \
    X(Jobs, newcomerBps, "5000")                                                                   \
    X(Jobs, challengeWindow, "60")                                                                 \
    X(Jobs, objectionWindow, "60")                                                                 \
    X(Jobs, objectionBurnBps, "5000")                                                              \
    X(Jobs, rewardBps, "2500")                                                                     \
    X(Scheduler, itemGas, "4000000")                                                               \
    X(Scheduler, itemsPerTick, "16")                                                               \
    X(Disputes, judgeFactor, "10")                                                                 \
    X(Disputes, committeeSeats, "3")                                                               \
    X(Disputes, appealWindow, "30")                                                                \
    X(Disputes, absentSlash, "1000000000000000000")                                                \
    X(Disputes, dutySlash, "10000000000000000000")                                                 \
    X(Custody, answerWindow, "30")                                                                 \
    X(Custody, demandBond, "10000000000000000")

enum system_parameter {
#define X(contract, name, value) PARAMETER_##contract##_##name,
    SYSTEM_PARAMETERS(X)
#undef X
        SYSTEM_PARAMETER_COUNT
};

const char *system_name(enum system_contract c);
struct address system_address(enum system_contract c);
/* Appends the runtime code that this program carries (system_code.S). */
void system_code(struct buffer *out, enum system_contract c);

const char *system_parameter_name(enum system_parameter p);    /* "Staking.minSelfStake" */
const char *system_parameter_default(enum system_parameter p); /* decimal */

struct genesis_validator {
    struct address operator_address;
    struct address consensus_address;
    struct hash hash_chain_end;
    struct u256 stake_wei;
    uint64_t commission_bps;
};

/* One call each; out->result tells how it went, output holds a revert's data. */
void system_initialize(struct execution *x, struct tx_outcome *out, enum system_contract c,
                       const struct u256 parameters[SYSTEM_PARAMETER_COUNT]);
void system_genesis_validator(struct execution *x, struct tx_outcome *out,
                              const struct genesis_validator *v);
void system_tick(struct execution *x, struct tx_outcome *out);
void system_end_epoch(struct execution *x, struct tx_outcome *out, const struct epoch_record *r);
/* Staking.nextSet() with each member's hash chain end. False: the call failed, or the answer is
 * no valid set. */
MUST_CHECK bool system_next_set(struct execution *x, struct validator_set *out);

#endif
