#include "compute/worker_state.h"

#include "base/log.h"

#include <inttypes.h>

/* Those of the round that runs: a later round's take the place of an earlier one's. */
static void admit_judges(struct worker *w, uint64_t job)
{
    struct chain_case c;
    if (chain_find_case(w->rpc, &c, job, NULL) != OK) {
        log_limited(LOG_WARN, WORKER_AREA, "cannot read the case of job=%" PRIu64 ": %s", job,
                    rpc_problem(w->rpc));
        return;
    }
    if (c.reader_count == 0) return; /* not drawn yet */
    if (!known_jobs_set_readers(w->known, job, c.readers, c.reader_count))
        log_limited(LOG_WARN, WORKER_AREA, "too many judges job=%" PRIu64, job);
}

void worker_admit(struct worker *w, const struct chain_job *job)
{
    (void)known_jobs_set_providers(w->known, job->id, job->workers, job->worker_count);
    if (job->in_case) admit_judges(w, job->id);
}
