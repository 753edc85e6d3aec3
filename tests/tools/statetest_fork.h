/* statetest_fork.h - the forks that the state tests are run at, and the fee market of blobs, which
 * this chain has no use for but the tests check. How many blobs a transaction may have is
 * chain/tx_rules.c's. */
#ifndef LEASEHOLD_TESTS_TOOLS_STATETEST_FORK_H
#define LEASEHOLD_TESTS_TOOLS_STATETEST_FORK_H

#include "base/u256.h"
#include "vm/evm.h"

struct fork {
    enum evm_revision revision;
    uint64_t blob_fee_update; /* BLOB_BASE_FEE_UPDATE_FRACTION */
};

#define FORK_COUNT 2
static const struct fork FORKS[FORK_COUNT] = {
    {EVM_CANCUN, 3338477}, /* EIP-4844 */
    {EVM_PRAGUE, 5007716}, /* EIP-7691 */
};

/* EIP-4844's fake_exponential with the minimum fee 1. */
static inline struct u256 blob_base_fee(const struct fork *f, uint64_t excess_blob_gas)
{
    struct u256 divisor = u256_from_u64(f->blob_fee_update);
    struct u256 term = divisor;
    struct u256 sum = u256_from_u64(0);
    for (uint64_t i = 1; !u256_is_zero(term); i++) {
        sum = u256_add(sum, term);
        term = u256_mul(term, u256_from_u64(excess_blob_gas));
        term = u256_div(term, u256_mul(divisor, u256_from_u64(i)));
    }
    return u256_div(sum, divisor);
}

#endif
