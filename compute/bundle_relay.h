/* bundle_relay.h - fetches a job's bundle from the job's other workers, so that its renter need
 * send it to one of them only.
 *
 * One thread for each job that waits for its bundle, at most RELAYS_MAX. It asks the others in turn
 * and takes what they hold, while it is still arriving there; each leaf is checked before it is
 * kept, so a liar costs its own bytes, and is not asked again. A slow one is left after
 * RELAY_TURN_MS for the next. What the renter sends at the same time goes into the same blob:
 * nothing waits for anything here. The worker's loop calls these functions; borrows blobs and
 * key. */
#ifndef LEASEHOLD_COMPUTE_BUNDLE_RELAY_H
#define LEASEHOLD_COMPUTE_BUNDLE_RELAY_H

#include "client/gateway.h"
#include "compute/blobs.h"

#define RELAYS_MAX        8
#define RELAY_SOURCES_MAX 16
#define RELAY_TURN_MS     15000 /* with one worker, then the next is asked */
#define RELAY_FRAME_MS    4000
#define RELAY_PAUSE_MS    250 /* before asking again for what was not there */
#define ENDPOINT_BYTES    160

struct relay_source {
    char endpoint[ENDPOINT_BYTES];
    struct hash tls_key_hash;
};

struct bundle_relay;

struct bundle_relay *bundle_relay_create(struct blobs *blobs, const struct key *identity);
void bundle_relay_destroy(struct bundle_relay *r); /* waits for its threads; takes NULL */
/* Begins, unless it has begun or there is no place (then the renter has to send it). */
void bundle_relay_want(struct bundle_relay *r, const struct gateway_content *content,
                       const struct address *owner, const struct relay_source *sources,
                       size_t count);
/* The job's bundle is here, or nobody needs it any more. */
void bundle_relay_drop(struct bundle_relay *r, uint64_t job);

#endif
