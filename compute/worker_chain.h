/* worker_chain.h - what the worker reads of the chain, and the few transactions that it sends.
 *
 * Everything read is of the last finalized block. Statuses are those of client/contracts.h; one
 * thread (it holds the RPC handle). */
#ifndef LEASEHOLD_COMPUTE_WORKER_CHAIN_H
#define LEASEHOLD_COMPUTE_WORKER_CHAIN_H

#include "base/merkle.h"
#include "compute/bundle_relay.h"
#include "compute/case_chain.h"
#include "compute/journal.h"

#define WORKER_JOBS_MAX 128 /* as many as a provider can hold (IJobs.activeJobs) */

/* IJobs.State and IJobs.ReplicaState, in their order. */
enum chain_job_state {
    CHAIN_JOB_NONE,
    CHAIN_JOB_OPEN,
    CHAIN_JOB_RUNNING,
    CHAIN_JOB_REVEALING,
    CHAIN_JOB_AUDITING,
    CHAIN_JOB_DISPUTED,
    CHAIN_JOB_ACCEPTING,
    CHAIN_JOB_AGREED, /* from here on: ended */
    CHAIN_JOB_SETTLED,
    CHAIN_JOB_REFUNDED,
    CHAIN_JOB_CANCELLED,
    CHAIN_JOB_OVERTURNED,
};
enum chain_replica_state {
    CHAIN_REPLICA_VACANT,
    CHAIN_REPLICA_ASSIGNED,
    CHAIN_REPLICA_SEALED,
    CHAIN_REPLICA_REVEALED,
    CHAIN_REPLICA_PAID,
    CHAIN_REPLICA_FAULTED,
    CHAIN_REPLICA_RELEASED,
};

#define CHAIN_REPLICAS_MAX 16

struct chain_job {
    uint64_t id;
    enum chain_job_state state;
    struct address renter;
    struct hash bundle_root;
    uint64_t bundle_size;
    uint32_t seconds_limit;
    uint8_t runtime;
    uint64_t ended_at_s;
    struct address workers[CHAIN_REPLICAS_MAX]; /* hot keys of all who hold a replica */
    size_t worker_count;
    struct relay_source others[CHAIN_REPLICAS_MAX]; /* gateways of those that are not this one */
    size_t other_count;
    bool in_case; /* validators judge it now */
    bool mine;    /* this provider holds a replica */
    bool at_risk; /* stake is still held for that replica: its data may be asked for */
    enum chain_replica_state replica;
    uint64_t assigned_at_s;
    uint64_t seal_by_s;
};

/* Reasons of IJobs.decline. */
enum decline_reason {
    DECLINE_BUSY = 1,
    DECLINE_NO_DATA = 2,
    DECLINE_UNSUPPORTED = 3,
    DECLINE_SHUTDOWN = 4,
    DECLINE_INTERNAL = 5,
};

#define DEMANDS_MAX 64 /* as many as a provider can have open (ICustody.demandsOf) */
#define DEMAND_OPEN 1  /* ICustody.State */

/* Somebody asks to be shown a leaf of what this provider holds. */
struct chain_demand {
    uint64_t id;
    bool open;
    uint64_t job;
    struct hash root; /* of the bundle or the result */
    uint64_t leaf;
    uint64_t size; /* of the content */
    uint64_t answer_by_s;
};

struct worker_chain {
    struct rpc *rpc;       /* borrowed */
    struct sender *sender; /* borrowed */
    struct address owner;
    uint64_t decline_window_s; /* IJobs.parameters */
};

MUST_CHECK enum status chain_is_devnet(struct rpc *rpc, bool *out);
/* Reads the parameters that never change. */
MUST_CHECK enum status chain_read_parameters(struct worker_chain *c);
/* Number and time of the last finalized block. */
MUST_CHECK enum status chain_head(struct worker_chain *c, uint64_t *out_number,
                                  uint64_t *out_time_s);
/* The worker key and TLS key hash that the provider registered; E_NOT_FOUND: not registered. */
MUST_CHECK enum status chain_registration(struct worker_chain *c, struct address *out_worker,
                                          struct hash *out_tls_key_hash);
/* Jobs that this provider holds a replica of and that have not ended. */
MUST_CHECK enum status chain_active_jobs(struct worker_chain *c, uint64_t out[WORKER_JOBS_MAX],
                                         size_t *out_count);
MUST_CHECK enum status chain_find_job(struct worker_chain *c, struct chain_job *out, uint64_t job);
MUST_CHECK enum status chain_credit(struct worker_chain *c, struct u256 *out_wei,
                                    enum contract_id id);

/* keccak256(abi.encode(job, provider, root, exitReason, trace, salt)): IJobs.commitmentOf. */
struct hash chain_commitment(const struct address *owner, const struct journal_entry *entry);

/* Each waits until the transaction is final. E_DENIED: the contract refused, rpc_problem says why.
 */
MUST_CHECK enum status chain_seal(struct worker_chain *c, const struct journal_entry *entry);
MUST_CHECK enum status chain_reveal(struct worker_chain *c, const struct journal_entry *entry);
MUST_CHECK enum status chain_decline(struct worker_chain *c, uint64_t job, enum decline_reason why);
/* What a contract owes the owner, to the owner. */
MUST_CHECK enum status chain_sweep(struct worker_chain *c, enum contract_id id);

/* Demands that this provider must answer, and one of them. */
MUST_CHECK enum status chain_demands(struct worker_chain *c, uint64_t out[DEMANDS_MAX],
                                     size_t *out_count);
MUST_CHECK enum status chain_find_demand(struct worker_chain *c, struct chain_demand *out,
                                         uint64_t id);
MUST_CHECK enum status chain_answer(struct worker_chain *c, uint64_t id, struct bytes leaf,
                                    const struct merkle_proof *proof);

#endif
