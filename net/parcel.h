/* parcel.h - a message once encoded, as the frame that goes out, however many peers it goes to.
 *
 * Counted references, one thread. */
#ifndef LEASEHOLD_NET_PARCEL_H
#define LEASEHOLD_NET_PARCEL_H

#include "net/wire.h"

struct parcel;

/* Copies the payload, whose size is within its row's (asserted). One holder. */
struct parcel *parcel_create(enum wire_type type, struct bytes payload);
struct parcel *parcel_retain(struct parcel *parcel);
void parcel_release(struct parcel *parcel); /* takes NULL */

struct bytes parcel_frame(const struct parcel *parcel); /* borrowed while it is held */
enum channel parcel_channel(const struct parcel *parcel);

#endif
