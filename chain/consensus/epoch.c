#include "chain/consensus/epoch.h"

#include "base/keccak.h"
#include "chain/consensus/planted.h"

#include <assert.h>
#include <string.h>

uint32_t epoch_index_of(const struct epoch *e, const struct address *consensus_address)
{
    for (uint32_t i = 0; i < e->validator_count; i++)
        if (address_equal(&e->validators[i].consensus_address, consensus_address)) return i;
    return e->validator_count;
}

static bool has_twin(const struct epoch *e, uint32_t index)
{
    return epoch_index_of(e, &e->validators[index].consensus_address) != index;
}

enum status epoch_seal(struct epoch *e)
{
    uint64_t total = 0;
    if (e->validator_count == 0 || e->validator_count > VALIDATORS_MAX) return E_LIMIT;
    if (e->last_number <= e->start_number) return E_RANGE;
    for (uint32_t i = 0; i < e->validator_count; i++) {
        uint64_t weight = e->validators[i].weight;
        if (weight == 0 || weight > WEIGHT_TOTAL_MAX - total) return E_RANGE;
        if (has_twin(e, i)) return E_EXISTS;
        total += weight;
    }
    e->total_weight = total;
    return OK;
}

uint64_t epoch_quorum(const struct epoch *e)
{
    assert(e->total_weight > 0 && e->total_weight <= WEIGHT_TOTAL_MAX);
    if (PLANTED(QUORUM_HALF)) return e->total_weight / 2 + 1;
    return 2 * e->total_weight / 3 + 1;
}

/* A number below `bound`, each as likely as the other. */
static uint64_t draw_below(struct hash h, uint64_t bound)
{
    uint64_t excess = (UINT64_MAX % bound + 1) % bound; /* 2^64 mod bound */
    uint64_t x = load_be64(h.b);
    while (excess != 0 && x > UINT64_MAX - excess) {
        h = keccak256(hash_bytes(&h));
        x = load_be64(h.b);
    }
    return x % bound;
}

uint32_t epoch_leader(const struct epoch *e, uint64_t view)
{
    uint8_t preimage[40];
    assert(view > 0 && e->total_weight > 0);
    memcpy(preimage, e->seed.b, 32);
    store_be64(preimage + 32, view);
    uint64_t x = draw_below(keccak256(bytes_of(preimage, sizeof(preimage))), e->total_weight);
    uint32_t index = 0;
    while (x >= e->validators[index].weight) {
        x -= e->validators[index].weight;
        index++;
        assert(index < e->validator_count);
    }
    return index;
}

struct hash validators_hash(const struct validator *validators, size_t count)
{
    struct keccak k;
    keccak_init(&k);
    for (size_t i = 0; i < count; i++) {
        uint8_t words[96] = {0};
        memcpy(words + 12, validators[i].operator_address.b, 20);
        memcpy(words + 44, validators[i].consensus_address.b, 20);
        store_be64(words + 88, validators[i].weight);
        keccak_update(&k, bytes_of(words, sizeof(words)));
    }
    return keccak_finish(&k);
}
