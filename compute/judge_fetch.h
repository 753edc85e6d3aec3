/* judge_fetch.h - bundles on their way to a judge: a thread for each gateway that is being asked.
 *
 * A gateway may be slow on purpose, so several are asked side by side for one job, each into a file
 * of its own; what comes whole first (the client has verified it against the root) becomes the
 * job's bundle. At most FETCHES_MAX askings at once. One thread starts and collects; destroying
 * waits for the threads, each of which ends within its gateway's time limits. Owns its threads and
 * the files in `folder` that it has not handed over. */
#ifndef LEASEHOLD_COMPUTE_JUDGE_FETCH_H
#define LEASEHOLD_COMPUTE_JUDGE_FETCH_H

#include "client/gateway.h"

#include <limits.h>

#define FETCHES_MAX        16
#define FETCH_SOURCES_MAX  16  /* gateways of one job */
#define FETCH_ENDPOINT_MAX 160 /* host:port as registered, with the closing zero */

struct fetch_source {
    char endpoint[FETCH_ENDPOINT_MAX];
    struct hash tls_key_hash;
};

struct fetch_outcome {
    uint64_t job;
    struct hash root;
    size_t source; /* as it was started */
    enum status status;
    char problem[JSON_ERROR_SIZE];
};

struct judge_fetch;

/* `key` signs the hello of each connection; it must outlive the fetches. */
struct judge_fetch *judge_fetch_create(const char *folder, const struct key *key);
void judge_fetch_destroy(struct judge_fetch *f);

/* False when all places are taken, or this source is being asked for that job already. */
bool judge_fetch_start(struct judge_fetch *f, const struct gateway_content *content, size_t source,
                       const struct fetch_source *from);
/* How many are under way for the job. */
size_t judge_fetch_count(const struct judge_fetch *f, uint64_t job);
/* True and *out when one has ended since the last call. After OK the bundle lies at
 * judge_fetch_path. */
bool judge_fetch_collect(struct judge_fetch *f, struct fetch_outcome *out);
/* Removes what there is of the job's bundle, but for what is under way. */
void judge_fetch_forget(const struct judge_fetch *f, uint64_t job);
void judge_fetch_path(const struct judge_fetch *f, char out[PATH_MAX], uint64_t job);

#endif
