/* gateway_meter.h - how much each reader has had of each content: nobody reads for ever.
 *
 * A party may read a content METER_TIMES over, with some room for small ones, in a day; that is
 * enough for every honest try and stops a loop. Remembers METER_ENTRIES_MAX pairs; beyond, the one
 * least recently used is forgotten. Any thread: guarded by its lock. */
#ifndef LEASEHOLD_COMPUTE_GATEWAY_METER_H
#define LEASEHOLD_COMPUTE_GATEWAY_METER_H

#include "client/gateway_wire.h"

#define METER_ENTRIES_MAX 1024
#define METER_TIMES       16
#define METER_ROOM_BYTES  (4u << 20)
#define METER_SECONDS     86400

struct gateway_meter;

struct gateway_meter *gateway_meter_create(void);
void gateway_meter_destroy(struct gateway_meter *m);
/* False: over the limit; nothing was added. `size` is the content's. */
MUST_CHECK bool gateway_meter_add(struct gateway_meter *m, const struct gateway_name *name,
                                  const struct address *who, uint64_t size, uint64_t bytes);
uint64_t gateway_meter_limit(uint64_t size);

#endif
