/* peer_queue.h - what waits to be sent to one peer: a queue for each channel, all of it bounded.
 *
 * Frames leave whole: the least channel number first, within a channel in the order they came; a
 * frame once begun is finished. When the bytes are full, the oldest of the least important channel
 * goes, as long as that is not more important than the newcomer; else the newcomer does. So votes
 * outlive any number of blocks. The frame that is being sent cannot be shed.
 *
 * Each frame counts PARCEL_COST bytes above its size, so that small ones are bounded as well. Holds
 * references to parcels. One thread. */
#ifndef LEASEHOLD_NET_PEER_QUEUE_H
#define LEASEHOLD_NET_PEER_QUEUE_H

#include "net/parcel.h"

#define PARCEL_COST 64

struct queued;

struct peer_queue {
    size_t bytes_max;
    size_t bytes; /* of all that waits, with costs */
    size_t channel_bytes[CHANNEL_COUNT];
    uint64_t shed; /* frames */
    struct queued *first[CHANNEL_COUNT];
    struct queued *last[CHANNEL_COUNT];
    struct parcel *begun; /* NULL: none */
    size_t begun_taken;   /* bytes of it */
};

/* bytes_max: at least the largest frame and its cost. */
void peer_queue_init(struct peer_queue *q, size_t bytes_max);
void peer_queue_finish(struct peer_queue *q);
/* Retains it. False: it was shed itself. */
bool peer_queue_put(struct peer_queue *q, struct parcel *parcel);
/* Copies the next bytes to be sent, as many as there are and fit; returns how many. */
size_t peer_queue_take(struct peer_queue *q, uint8_t *out, size_t size_max);
bool peer_queue_is_empty(const struct peer_queue *q);
/* The largest payload that this channel still takes without shedding. */
size_t peer_queue_room(const struct peer_queue *q, enum channel channel);

#endif
