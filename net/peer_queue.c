#include "net/peer_queue.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>

struct queued {
    struct parcel *parcel;
    struct queued *next;
};

/* Answers to others' questions may take a part only, so that no asking fills the whole. */
static size_t channel_max(const struct peer_queue *q, enum channel channel)
{
    bool answers = channel == CHANNEL_TXS || channel == CHANNEL_SYNC;
    if (answers && q->bytes_max > PEER_ANSWER_BYTES_MAX) return PEER_ANSWER_BYTES_MAX;
    return q->bytes_max;
}

void peer_queue_init(struct peer_queue *q, size_t bytes_max)
{
    assert(bytes_max > FRAME_HEAD_SIZE + PARCEL_COST);
    *q = (struct peer_queue){.bytes_max = bytes_max};
}

static size_t cost_of(const struct parcel *parcel)
{
    return parcel_frame(parcel).size + PARCEL_COST;
}

static void uncount(struct peer_queue *q, const struct parcel *parcel)
{
    size_t cost = cost_of(parcel);
    size_t *of_channel = &q->channel_bytes[parcel_channel(parcel)];
    assert(q->bytes >= cost && *of_channel >= cost);
    q->bytes -= cost;
    *of_channel -= cost;
}

/* Still counted, now in the caller's hands. */
static struct parcel *pop(struct peer_queue *q, enum channel channel)
{
    struct queued *entry = q->first[channel];
    struct parcel *parcel = entry->parcel;
    q->first[channel] = entry->next;
    if (entry->next == NULL) q->last[channel] = NULL;
    free(entry);
    return parcel;
}

static void shed_oldest(struct peer_queue *q, enum channel channel)
{
    struct parcel *parcel = pop(q, channel);
    uncount(q, parcel);
    parcel_release(parcel);
    q->shed++;
}

/* The least important channel that has anything to give up; CHANNEL_COUNT: none. */
static enum channel least(const struct peer_queue *q)
{
    for (int c = CHANNEL_COUNT - 1; c >= 0; c--)
        if (q->first[c] != NULL) return (enum channel)c;
    return CHANNEL_COUNT;
}

static bool make_room(struct peer_queue *q, enum channel channel, size_t cost)
{
    if (cost > channel_max(q, channel)) return false;
    while (q->channel_bytes[channel] + cost > channel_max(q, channel)) {
        if (q->first[channel] == NULL) return false;
        shed_oldest(q, channel);
    }
    while (q->bytes + cost > q->bytes_max) {
        enum channel victim = least(q);
        if (victim == CHANNEL_COUNT || victim < channel) return false;
        shed_oldest(q, victim);
    }
    return true;
}

bool peer_queue_put(struct peer_queue *q, struct parcel *parcel)
{
    enum channel channel = parcel_channel(parcel);
    size_t cost = cost_of(parcel);
    if (!make_room(q, channel, cost)) {
        q->shed++;
        return false;
    }
    struct queued *entry = must_alloc(sizeof *entry);
    *entry = (struct queued){parcel_retain(parcel), NULL};
    if (q->last[channel] != NULL)
        q->last[channel]->next = entry;
    else
        q->first[channel] = entry;
    q->last[channel] = entry;
    q->bytes += cost;
    q->channel_bytes[channel] += cost;
    assert(q->bytes <= q->bytes_max);
    return true;
}

static bool begin_next(struct peer_queue *q)
{
    assert(q->begun == NULL);
    for (int c = 0; c < CHANNEL_COUNT; c++) {
        if (q->first[c] == NULL) continue;
        q->begun = pop(q, (enum channel)c);
        q->begun_taken = 0;
        return true;
    }
    return false;
}

size_t peer_queue_take(struct peer_queue *q, uint8_t *out, size_t size_max)
{
    size_t size = 0;
    while (size < size_max && (q->begun != NULL || begin_next(q))) {
        struct bytes frame = parcel_frame(q->begun);
        size_t left = frame.size - q->begun_taken;
        size_t now = left < size_max - size ? left : size_max - size;
        memcpy(out + size, frame.data + q->begun_taken, now);
        size += now;
        q->begun_taken += now;
        if (now < left) break;
        uncount(q, q->begun);
        parcel_release(q->begun);
        q->begun = NULL;
    }
    return size;
}

bool peer_queue_is_empty(const struct peer_queue *q)
{
    return q->bytes == 0;
}

size_t peer_queue_room(const struct peer_queue *q, enum channel channel)
{
    size_t of_channel = channel_max(q, channel) - q->channel_bytes[channel];
    size_t of_all = q->bytes_max - q->bytes;
    size_t room = of_channel < of_all ? of_channel : of_all;
    size_t around = FRAME_HEAD_SIZE + PARCEL_COST;
    return room > around ? room - around : 0;
}

void peer_queue_finish(struct peer_queue *q)
{
    for (int c = 0; c < CHANNEL_COUNT; c++)
        while (q->first[c] != NULL)
            parcel_release(pop(q, (enum channel)c));
    parcel_release(q->begun);
    *q = (struct peer_queue){0};
}
