/* judge_chain.h - what a judge reads of a disputed job, and the two
 * transactions that it sends.
 *
 * Everything read is of the last finalized block. Statuses are those of
 * client/contracts.h; one thread (it holds the RPC handle). */
#ifndef LEASEHOLD_COMPUTE_JUDGE_CHAIN_H
#define LEASEHOLD_COMPUTE_JUDGE_CHAIN_H

#include "compute/case_chain.h"
#include "compute/journal.h"
#include "compute/judge_fetch.h"

/* What a judge needs in order to run a job itself. */
struct judge_job {
    uint64_t id;
    struct hash bundle_root;
    uint64_t bundle_size;
    uint32_t seconds_limit;
    struct fetch_source sources[FETCH_SOURCES_MAX]; /* gateways of those who hold a replica */
    size_t source_count;
};

MUST_CHECK enum status judge_find_job(struct rpc *rpc, struct judge_job *out, uint64_t job);
/* How many times the job's limit a judge has. */
MUST_CHECK enum status judge_read_factor(struct rpc *rpc, uint32_t *out);
/* The key that the operator named. */
MUST_CHECK enum status judge_find_key(struct rpc *rpc, struct address *out,
                                      const struct address *operator_account);

/* keccak256(abi.encode(job, round, operator, root, exitReason, trace, salt)),
 * as IDisputes.commitmentOf. */
struct hash judge_commitment(const struct address *operator_account, unsigned round,
                             const struct journal_entry *entry);
/* Each waits until the transaction is final. E_DENIED: the contract refused,
 * rpc_problem says why.
 */
MUST_CHECK enum status judge_seal(struct sender *s, const struct hash *commitment, uint64_t job);
MUST_CHECK enum status judge_reveal(struct sender *s, const struct journal_entry *entry);

#endif
