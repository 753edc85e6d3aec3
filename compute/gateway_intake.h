/* gateway_intake.h - checks and stores the chunks of one connection on a thread of its own, while
 * the connection's thread receives the next: hashing and writing take as long as TLS does.
 *
 * A queue of at most INTAKE_MAX chunks, worked off in order. Only the connection's thread calls
 * these functions. Owns its thread and the frames that were given to it; borrows blobs. */
#ifndef LEASEHOLD_COMPUTE_GATEWAY_INTAKE_H
#define LEASEHOLD_COMPUTE_GATEWAY_INTAKE_H

#include "client/gateway_wire.h"
#include "compute/blobs.h"

#define INTAKE_MAX 8

struct gateway_intake;

struct gateway_intake *gateway_intake_create(struct blobs *blobs);
void gateway_intake_destroy(struct gateway_intake *i); /* what waits is dropped; takes NULL */
size_t gateway_intake_pending(const struct gateway_intake *i); /* pushed and not taken; or NULL */
/* Takes the memory of *frame, into which put's bytes point, and leaves other memory there. Asserts
 * that there is room. */
void gateway_intake_push(struct gateway_intake *i, struct buffer *frame,
                         const struct gateway_put *put);
/* Waits until the oldest is done: as blobs_put, or E_UNSUPPORTED when its bytes do not unpack. */
MUST_CHECK enum status gateway_intake_take(struct gateway_intake *i, uint64_t *out_offset);

#endif
