/* A transaction that decodes must encode to the same bytes, and no rule may trip over it. */
#include "chain/tx.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct bytes wire = bytes_of(data, size);
    struct tx t;
    if (tx_decode(&t, &arena, wire) == OK) {
        struct buffer again = {0};
        struct address sender;
        struct u256 cost;
        tx_encode(&again, &t);
        assert(bytes_equal(buffer_bytes(&again), wire));
        enum tx_reason reason = tx_check_static(&t, EVM_PRAGUE, t.chain_id, UINT64_MAX);
        assert(reason != TX_WRONG_CHAIN && reason != TX_ABOVE_BLOCK_GAS);
        if (reason == TX_FINE) assert(tx_intrinsic_gas(&t) <= t.gas_limit);
        (void)!tx_cost_max(&cost, &t);
        (void)!tx_sender(&sender, &t);
        buffer_finish(&again);
    }
    assert(arena.total_bytes <= 4u * TX_SIZE_MAX);
    arena_finish(&arena);
    return 0;
}
