#include "tests/sim/keys.h"

#include "tests/sim/plan.h"

#include <assert.h>

static struct key keys[SIM_NODES_MAX];
static struct address addresses[SIM_NODES_MAX];

const struct key *sim_key(uint32_t validator)
{
    assert(validator < SIM_NODES_MAX);
    keys[validator].secret[31] = (uint8_t)(validator + 1);
    return &keys[validator];
}

/* Deriving one takes longer than many a step: once a process. */
const struct address *sim_address(uint32_t validator)
{
    assert(validator < SIM_NODES_MAX);
    if (address_is_zero(&addresses[validator]))
        addresses[validator] = key_address(sim_key(validator));
    return &addresses[validator];
}

static struct signature stub_sign(const struct key *key, const struct hash *digest)
{
    struct signature s = {{0}};
    memcpy(s.b, sim_address(key->secret[31] - 1u)->b, 20);
    memcpy(s.b + 33, digest->b, 31); /* not 32: a certificate keeps the parity in that one */
    return s;
}

static enum status stub_recover(struct address *out, const struct signature *s,
                                const struct hash *digest)
{
    if (memcmp(s->b + 33, digest->b, 31) != 0) return E_SIGNATURE;
    memcpy(out->b, s->b, 20);
    return OK;
}

const struct signer SIGNER_STUB = {stub_sign, stub_recover};
