/* queue.h - what will happen, by virtual time and then in the order it was put there. */
#ifndef LEASEHOLD_TESTS_SIM_QUEUE_H
#define LEASEHOLD_TESTS_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parcel;

enum item_kind {
    ITEM_PARCEL,  /* arrives at `node` from `from` */
    ITEM_TIMER,   /* number: which; view; order of its setting in `mark` */
    ITEM_DURABLE, /* the disk has synced */
    ITEM_BUILT,   /* block; flag: it worked */
    ITEM_VERDICT, /* block; flag: valid */
    ITEM_HOME,    /* block: it was at hand all along */
    ITEM_EPOCH,   /* the next epoch's set is known */
    ITEM_START,   /* power is back */
    ITEM_FAULT    /* number: which of the plan */
};

struct item {
    uint64_t time_ms;
    uint64_t order;
    uint64_t view;
    uint64_t mark;
    struct parcel *parcel;
    uint32_t block;
    uint32_t life; /* of the node: what is local to an earlier one is void */
    uint16_t node;
    uint16_t from;
    uint16_t number;
    uint8_t kind; /* enum item_kind */
    bool flag;
};

struct queue {
    struct item *items; /* a binary heap */
    size_t count;
    size_t room;
    uint64_t order;
};

void queue_put(struct queue *q, struct item item, uint64_t time_ms);
const struct item *queue_first(const struct queue *q); /* NULL: empty */
struct item queue_take(struct queue *q);
void queue_finish(struct queue *q);

#endif
