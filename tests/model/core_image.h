/* core_image.h - copies of a core, and a print by which two that are alike are known.
 *
 * The one test file that looks inside the core: an exhaustive search has to go back to where it
 * was, which no event does. It reads and copies, and changes nothing else. Only the first
 * IMAGE_VALIDATORS of a set and the first IMAGE_SLOTS views are copied. */
#ifndef LEASEHOLD_TESTS_MODEL_CORE_IMAGE_H
#define LEASEHOLD_TESTS_MODEL_CORE_IMAGE_H

#include "chain/consensus/core.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_VALIDATORS 4
#define IMAGE_SLOTS      8
/* Before and after what lives for one step only: the proposal sent and the chain committed. */
#define IMAGE_HEAD offsetof(struct consensus, proposal)
#define IMAGE_TAIL offsetof(struct consensus, evidence)

struct image_slot {
    uint8_t head[offsetof(struct slot, votes)];
    struct vote votes[VOTE_KIND_COUNT][IMAGE_VALIDATORS];
    struct certificate certificates[VOTE_KIND_COUNT];
};

struct image {
    uint32_t slot_count;
    uint8_t head[IMAGE_HEAD];
    uint8_t tail[sizeof(struct consensus) - IMAGE_TAIL];
    struct image_slot slots[IMAGE_SLOTS];
};

/* Slots are lent first to last and given back only far behind the final view. */
static uint32_t slots_lent(const struct consensus *c)
{
    uint32_t count = c->views_max - c->pool_count;
    assert(count <= IMAGE_SLOTS);
    return count;
}

static void image_take(struct image *out, const struct consensus *c)
{
    memcpy(out->head, c, IMAGE_HEAD);
    memcpy(out->tail, (const uint8_t *)c + IMAGE_TAIL, sizeof(out->tail));
    out->slot_count = slots_lent(c);
    for (uint32_t i = 0; i < out->slot_count; i++) {
        struct image_slot *to = &out->slots[i];
        const struct slot *s = &c->storage[i];
        memcpy(to->head, s, sizeof(to->head));
        for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
            memcpy(to->votes[kind], s->votes[kind], sizeof(to->votes[kind]));
            if (s->certified[kind]) to->certificates[kind] = s->certificates[kind];
        }
    }
}

/* Into the core it was taken of. */
static void image_put(struct consensus *c, const struct image *image)
{
    memcpy(c, image->head, IMAGE_HEAD);
    memcpy((uint8_t *)c + IMAGE_TAIL, image->tail, sizeof(image->tail));
    for (uint32_t i = 0; i < image->slot_count; i++) {
        const struct image_slot *from = &image->slots[i];
        struct slot *s = &c->storage[i];
        memcpy(s, from->head, sizeof(from->head));
        for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
            memcpy(s->votes[kind], from->votes[kind], sizeof(from->votes[kind]));
            if (s->certified[kind]) s->certificates[kind] = from->certificates[kind];
        }
    }
}

/* Makes `c` what `other`, that was just created, is. */
static void image_become(struct consensus *c, const struct consensus *other)
{
    struct slot *storage = c->storage;
    assert(slots_lent(other) == 0 && c->views_max == other->views_max);
    memcpy(c, other, IMAGE_HEAD);
    memcpy((uint8_t *)c + IMAGE_TAIL, (const uint8_t *)other + IMAGE_TAIL,
           sizeof(struct consensus) - IMAGE_TAIL);
    c->config.key = &c->key;
    c->storage = storage;
    for (uint32_t i = 0; i < c->pool_count; i++)
        c->pool[i] = storage + (other->pool[i] - other->storage);
}

static uint64_t print_over(uint64_t print, const void *data, size_t size)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < size; i++)
        print = (print ^ p[i]) * 0x100000001b3u;
    return print ^ print >> 29;
}

/* Sequence numbers count what was written; what matters is whether it is durable. */
static void level_sequence(uint8_t *head, const struct slot *s, const uint64_t *sequence,
                           uint64_t durable)
{
    size_t at = (size_t)((const uint8_t *)sequence - (const uint8_t *)s);
    uint64_t level = *sequence <= durable;
    memcpy(head + at, &level, sizeof(level));
}

static uint64_t print_slot(const struct consensus *c, const struct slot *s, uint64_t print)
{
    uint8_t head[offsetof(struct slot, votes)];
    memcpy(head, s, sizeof(head));
    level_sequence(head, s, &s->block.sequence, c->durable);
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++)
        level_sequence(head, s, &s->own[kind].sequence, c->durable);
    print = print_over(print, head, sizeof(head));
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        for (uint32_t i = 0; i < IMAGE_VALIDATORS; i++)
            if (slot_has_vote(s, (enum vote_kind)kind, i))
                print = print_over(print, &s->votes[kind][i].block, sizeof(struct hash));
        if (s->certified[kind])
            print = print_over(print, s->certificates[kind].signers, SIGNER_BITMAP_BYTES);
    }
    return print;
}

/* 64 bits over all that decides what the core will do. */
static uint64_t image_print(const struct consensus *c)
{
    const uint64_t words[] = {
        c->view,          c->final.view,          c->floor,         c->top, c->has_highest_final,
        c->commit_waited, c->commit_waited_final, c->evidence_count};
    uint64_t print = print_over(0xcbf29ce484222325u, words, sizeof(words));
    print = print_over(print, &c->final.block, sizeof(struct hash));
    print = print_over(print, c->last_active, IMAGE_VALIDATORS * sizeof(c->last_active[0]));
    for (uint64_t view = c->floor; view <= c->top; view++) {
        const struct slot *s = slot_find(c, view);
        if (s) print = print_slot(c, s, print);
    }
    return print;
}

#endif
