#include "net/parcel.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>

struct parcel {
    uint32_t holders;
    enum channel channel;
    size_t size;
    uint8_t frame[];
};

struct parcel *parcel_create(enum wire_type type, struct bytes payload)
{
    const struct wire_row *row = wire_row((uint8_t)type);
    assert(row != NULL && payload.size <= row->size_max);
    struct parcel *p = must_alloc(sizeof *p + FRAME_HEAD_SIZE + payload.size);
    p->holders = 1;
    p->channel = row->channel;
    p->size = FRAME_HEAD_SIZE + payload.size;
    store_be32(p->frame, (uint32_t)(1 + payload.size));
    p->frame[4] = (uint8_t)type;
    if (payload.size > 0) memcpy(p->frame + FRAME_HEAD_SIZE, payload.data, payload.size);
    return p;
}

struct parcel *parcel_retain(struct parcel *parcel)
{
    assert(parcel->holders > 0 && parcel->holders < UINT32_MAX);
    parcel->holders++;
    return parcel;
}

void parcel_release(struct parcel *parcel)
{
    if (parcel == NULL) return;
    assert(parcel->holders > 0);
    if (--parcel->holders == 0) free(parcel);
}

struct bytes parcel_frame(const struct parcel *parcel)
{
    return bytes_of(parcel->frame, parcel->size);
}

enum channel parcel_channel(const struct parcel *parcel)
{
    return parcel->channel;
}
