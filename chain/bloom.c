#include "chain/bloom.h"

#include "base/keccak.h"

#include <assert.h>

#define BLOOM_BITS_PER_ITEM 3

/* Bit `index` of the item: byte of the filter and mask in it. The filter's last byte holds bit 0.
 */
static size_t bloom_bit(uint8_t *out_mask, const struct hash *h, size_t index)
{
    unsigned bit = ((unsigned)h->b[2 * index] << 8 | h->b[2 * index + 1]) & 2047;
    *out_mask = (uint8_t)(1u << (bit & 7));
    return 255 - bit / 8;
}

void bloom_add(struct bloom *bloom, struct bytes item)
{
    struct hash h = keccak256(item);
    for (size_t i = 0; i < BLOOM_BITS_PER_ITEM; i++) {
        uint8_t mask;
        size_t byte = bloom_bit(&mask, &h, i);
        bloom->b[byte] |= mask;
    }
}

void bloom_add_log(struct bloom *bloom, const struct log_entry *entry)
{
    assert(entry->topic_count <= LOG_TOPICS_MAX);
    bloom_add(bloom, address_bytes(&entry->address));
    for (size_t i = 0; i < entry->topic_count; i++)
        bloom_add(bloom, hash_bytes(&entry->topics[i]));
}

void bloom_merge(struct bloom *bloom, const struct bloom *more)
{
    for (size_t i = 0; i < sizeof bloom->b; i++)
        bloom->b[i] |= more->b[i];
}

bool bloom_may_hold(const struct bloom *bloom, struct bytes item)
{
    struct hash h = keccak256(item);
    for (size_t i = 0; i < BLOOM_BITS_PER_ITEM; i++) {
        uint8_t mask;
        size_t byte = bloom_bit(&mask, &h, i);
        if (!(bloom->b[byte] & mask)) return false;
    }
    return true;
}
