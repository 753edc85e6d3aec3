#include "chain/config.h"

#include <assert.h>

#define DENOMINATOR_AT_ETHEREUM 8
#define INTERVAL_AT_ETHEREUM_MS 12000

uint64_t config_base_fee_denominator(const struct chain_config *c)
{
    assert(c->block_interval_ms > 0);
    uint64_t d = DENOMINATOR_AT_ETHEREUM * INTERVAL_AT_ETHEREUM_MS / c->block_interval_ms;
    return d < DENOMINATOR_AT_ETHEREUM ? DENOMINATOR_AT_ETHEREUM : d;
}

bool config_is_boundary(const struct chain_config *c, uint64_t number)
{
    assert(c->epoch_blocks > 0);
    return number > 0 && number % c->epoch_blocks == 0;
}
