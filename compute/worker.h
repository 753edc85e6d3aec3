/* worker.h - the worker: one loop over the chain, a thread for each running job, the gateway
 * beside.
 *
 * Acts only on finalized blocks. What it ran, bundle and result, it keeps and shows until the
 * chain holds no stake for it any more (challenges, committees, demands). An RPC that fails is
 * tried again for ever: work is never given up because a node did not answer. The loop's thread
 * owns RPC handle, sender and journal writes; run threads hand their result over under a lock;
 * gateway threads read the table of known jobs under the same lock. */
#ifndef LEASEHOLD_COMPUTE_WORKER_H
#define LEASEHOLD_COMPUTE_WORKER_H

#include "base/json.h"
#include "compute/worker_config.h"

struct worker;

/* Opens data directory (locked: one worker each), journal, blobs, key and gateway; `error` says
 * what is wrong and what to do. The config must outlive the worker. */
MUST_CHECK enum status worker_create(struct worker **out, char error[JSON_ERROR_SIZE],
                                     const struct worker_config *config);
/* Works until worker_stop was called (from a signal handler or another thread); sandboxes are
 * ended, and what they ran is run again after the next start. E_DENIED: a fault was asked for off a
 * devnet. */
MUST_CHECK enum status worker_run(struct worker *w, char error[JSON_ERROR_SIZE]);
void worker_stop(struct worker *w);
/* Takes nothing new, finishes what there is, and ends when no stake is held for any of its jobs any
 * more. Asked again it stops at once. For signal handlers. */
void worker_drain(struct worker *w);
void worker_destroy(struct worker *w);

/* `init`: the data directory and its TLS identity, made if they are not there. */
MUST_CHECK enum status worker_init_directory(struct hash *out_tls_key_hash,
                                             char error[JSON_ERROR_SIZE], const char *data_dir);

#endif
