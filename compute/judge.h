/* judge.h - a validator's judge: one loop over the chain, threads for bundles
 * and runs.
 *
 * Acts only on finalized blocks, for one operator. What it owes the chain it
 * asks for at each new block (Disputes.dutiesOf: 64 at most, so everything here
 * is bounded); for each duty it gets the bundle from any replica's gateway,
 * runs it in the sandbox, puts verdict and salt into the journal, seals and
 * reveals. An RPC that fails is tried again for ever. The loop's thread owns
 * RPC handle, sender and journal. */
#ifndef LEASEHOLD_COMPUTE_JUDGE_H
#define LEASEHOLD_COMPUTE_JUDGE_H

#include "base/json.h"
#include "compute/judge_config.h"

struct judge;

/* Opens data directory (locked: one judge each), key and journal; `error` says
 * what is wrong and what to do. The config must outlive the judge. */
MUST_CHECK enum status judge_create(struct judge **out, char error[JSON_ERROR_SIZE],
                                    const struct judge_config *config);
/* Works until judge_stop was called (from a signal handler or another thread).
 * E_DENIED: a fault was asked for off a devnet. */
MUST_CHECK enum status judge_run(struct judge *j, char error[JSON_ERROR_SIZE]);
void judge_stop(struct judge *j);
void judge_destroy(struct judge *j);

#endif
