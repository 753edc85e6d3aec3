#include "compute/worker.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "client/frame_stream.h"
#include "client/keystore.h"
#include "client/password.h"
#include "compute/gateway_server.h"
#include "compute/known_jobs.h"
#include "compute/run_pool.h"
#include "compute/worker_job.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RPC_PATIENCE_MS 60000
#define SEND_WAIT_MS    30000
#define GAS_EXTRA       2000000 /* the last seal starts the reveals, the last reveal settles and pays */
#define RETRIES_MAX     2       /* of a run that this machine, not the job, failed at */
#define AREA            "worker"

struct failed_run {
    uint64_t job;
    unsigned count;
};

struct worker {
    const struct worker_config *config;
    enum worker_fault fault;
    bool stop;
    int lock_fd;
    char data_dir[PATH_MAX - 128];
    struct key key;
    struct rpc *rpc;
    struct sender sender;
    struct worker_chain chain;
    struct journal *journal;
    struct blobs *blobs;
    struct known_jobs *known;
    struct run_pool *pool;
    struct gateway_server *gateway;
    uint64_t now_s; /* of the chain */
    uint64_t head;
    bool look_again; /* something was sent or run since the last look */
    struct failed_run failed[WORKER_JOBS_MAX];
    size_t failed_count;
};

static void path_in(const struct worker *w, char out[PATH_MAX], const char *name)
{
    snprintf(out, PATH_MAX, "%s/%s", w->data_dir, name);
}

static void pause_ms(uint64_t ms)
{
    struct timespec wait = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}

static bool stopping(const struct worker *w)
{
    return __atomic_load_n(&w->stop, __ATOMIC_RELAXED);
}

void worker_stop(struct worker *w)
{
    __atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
}

/* --- starting --- */

static enum status make_directory(char error[JSON_ERROR_SIZE], const char *data_dir)
{
    if (data_dir[0] == 0) {
        snprintf(error, JSON_ERROR_SIZE, "--data-dir is missing: name a directory for the worker");
        return E_MALFORMED;
    }
    enum status status = directory_make(data_dir, 0700);
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "cannot make the data directory %.150s: %s", data_dir,
                 status_text(status));
    return status;
}

enum status worker_init_directory(struct hash *out, char error[JSON_ERROR_SIZE],
                                  const char *data_dir)
{
    char key_path[PATH_MAX];
    char certificate_path[PATH_MAX];
    enum status status = make_directory(error, data_dir);
    if (status != OK) return status;
    snprintf(key_path, sizeof key_path, "%s/tls.key", data_dir);
    snprintf(certificate_path, sizeof certificate_path, "%s/tls.crt", data_dir);
    if (access(key_path, F_OK) != 0) status = tls_identity_create(key_path, certificate_path);
    SSL_CTX *context = tls_context_create(true);
    if (status == OK) status = tls_identity_load(context, out, key_path, certificate_path);
    SSL_CTX_free(context);
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "cannot use the TLS identity %.150s: %s", key_path,
                 status_text(status));
    return status;
}

static enum status take_lock(struct worker *w, char error[JSON_ERROR_SIZE])
{
    char path[PATH_MAX];
    path_in(w, path, "lock");
    enum status status = file_lock(&w->lock_fd, path);
    if (status == E_EXISTS)
        snprintf(error, JSON_ERROR_SIZE,
                 "another worker (pid %ld) uses %.150s; stop it or name another --data-dir",
                 file_lock_holder(path), w->data_dir);
    else if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "cannot lock %.150s: %s", path, status_text(status));
    return status;
}

static enum status open_key(struct worker *w, char error[JSON_ERROR_SIZE])
{
    const struct worker_config *c = w->config;
    if (address_from_text(&w->chain.owner, bytes_of_text(c->owner)) != OK) {
        snprintf(error, JSON_ERROR_SIZE, "--owner is \"%.60s\", must be the provider's address",
                 c->owner);
        return E_MALFORMED;
    }
    if (c->worker_key[0] == 0) {
        snprintf(error, JSON_ERROR_SIZE,
                 "--worker-key is missing: name the worker's key store file");
        return E_MALFORMED;
    }
    char password[PASSWORD_SIZE];
    struct password_source source = {.file = c->password_file[0] ? c->password_file : NULL,
                                     .prompt = "Password of the worker key"};
    enum status status = password_read(password, error, &source);
    if (status == OK) status = keystore_load(&w->key, error, c->worker_key, password);
    password_wipe(password);
    return status;
}

static enum status open_stores(struct worker *w, char error[JSON_ERROR_SIZE])
{
    char path[PATH_MAX];
    bool torn = false;
    path_in(w, path, "journal");
    enum status status = journal_open(&w->journal, path, &torn);
    if (torn) log_warn(AREA, "the journal's last record was torn and is dropped path=%s", path);
    if (status == OK) {
        path_in(w, path, "blobs");
        status = blobs_open(&w->blobs, path, w->config->blob_mib << 20);
    }
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "cannot use %.150s: %s", path, status_text(status));
    return status;
}

static enum status open_gateway(struct worker *w, char error[JSON_ERROR_SIZE])
{
    char key_path[PATH_MAX];
    char certificate_path[PATH_MAX];
    struct hash key_hash;
    enum status status = worker_init_directory(&key_hash, error, w->data_dir);
    if (status != OK) return status;
    path_in(w, key_path, "tls.key");
    path_in(w, certificate_path, "tls.crt");
    struct gateway_server_options options = {.listen = w->config->listen,
                                             .key_path = key_path,
                                             .certificate_path = certificate_path,
                                             .blobs = w->blobs,
                                             .policy = known_jobs_policy,
                                             .context = w->known};
    return gateway_server_start(&w->gateway, error, &options);
}

static enum status open_rpc(struct worker *w, char error[JSON_ERROR_SIZE])
{
    struct rpc_options options = {
        .urls = w->config->rpc, .patience_ms = RPC_PATIENCE_MS, .stop = &w->stop};
    return rpc_create(&w->rpc, &options, error);
}

/* Tells whoever started us where the gateway is. */
static void write_gateway_file(const struct worker *w)
{
    char path[PATH_MAX];
    char hash[67];
    struct hash key_hash = gateway_server_key_hash(w->gateway);
    hash_to_text(hash, &key_hash);
    path_in(w, path, "gateway.json");
    json_t *file = json_pack("{s:s,s:s,s:i}", "listen", gateway_server_endpoint(w->gateway),
                             "tlsKeyHash", hash, "pid", (int)getpid());
    if (json_save_path(file, path, 0644) != OK) log_warn(AREA, "cannot write path=%s", path);
    json_decref(file);
}

static struct run_pool *make_pool(const struct worker *w)
{
    const struct worker_config *c = w->config;
    return run_pool_create(c->slots, (unsigned)c->threads, c->runner[0] ? c->runner : NULL,
                           w->data_dir);
}

enum status worker_create(struct worker **out, char error[JSON_ERROR_SIZE],
                          const struct worker_config *config)
{
    struct worker *w = must_alloc(sizeof *w);
    w->config = config;
    w->lock_fd = -1;
    w->known = known_jobs_create();
    snprintf(w->data_dir, sizeof w->data_dir, "%s", config->data_dir);
    enum status status = worker_fault_from_text(&w->fault, config->fault);
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE,
                 "--fault is \"%.40s\", must be none, lie, silent or noreveal", config->fault);
    if (status == OK) status = make_directory(error, w->data_dir);
    if (status == OK) status = take_lock(w, error);
    if (status == OK) status = open_key(w, error);
    if (status == OK) status = open_stores(w, error);
    if (status == OK) status = open_rpc(w, error);
    if (status == OK) status = open_gateway(w, error);
    if (status != OK) {
        worker_destroy(w);
        return status;
    }
    w->pool = make_pool(w);
    write_gateway_file(w);
    *out = w;
    return OK;
}

void worker_destroy(struct worker *w)
{
    if (!w) return;
    gateway_server_stop(w->gateway);
    run_pool_destroy(w->pool);
    if (w->sender.rpc) sender_finish(&w->sender);
    rpc_destroy(w->rpc);
    blobs_close(w->blobs);
    journal_close(w->journal);
    known_jobs_destroy(w->known);
    key_finish(&w->key);
    if (w->lock_fd >= 0) close(w->lock_fd);
    free(w);
}

/* --- runs --- */

/* A liar changes its answer and stands by it: the changed result is what it seals and serves. */
static enum status falsify(const char *path, struct hash *out_root)
{
    struct buffer content = {0};
    enum status status = file_read(&content, path, SIZE_MAX / 8);
    if (status == OK && content.size > 600) {
        content.data[600] ^= 1; /* behind the tar's header: a byte of the first output */
        status = file_write_atomic(path, buffer_bytes(&content), 0600);
    }
    buffer_finish(&content);
    return status == OK ? merkle_root_of_path(out_root, NULL, path) : status;
}

static enum status store_result(struct worker *w, struct run_outcome *o)
{
    if (o->result.reason != REASON_OK) return OK;
    if (w->fault == FAULT_LIE) {
        enum status status = falsify(o->result_path, &o->result.root);
        if (status != OK) return status;
        log_warn(AREA, "lying about job=%" PRIu64, o->job);
    }
    return blobs_adopt(w->blobs, &o->result.root, o->result_path);
}

static void note_failure(struct worker *w, uint64_t job, unsigned weight)
{
    for (size_t i = 0; i < w->failed_count; i++) {
        if (w->failed[i].job != job) continue;
        w->failed[i].count += weight;
        return;
    }
    if (w->failed_count == WORKER_JOBS_MAX) w->failed_count = 0;
    w->failed[w->failed_count++] = (struct failed_run){.job = job, .count = weight};
}

static bool cannot_run(const struct worker *w, uint64_t job)
{
    for (size_t i = 0; i < w->failed_count; i++) {
        if (w->failed[i].job == job) return w->failed[i].count >= RETRIES_MAX;
    }
    return false;
}

/* The result is on disk, then its record with the salt is; only after that may it be sealed. */
static void record_run(struct worker *w, const struct run_outcome *o)
{
    struct journal_entry entry = {.job = o->job,
                                  .stage = JOURNAL_RAN,
                                  .exit_reason = (uint8_t)o->result.reason,
                                  .seconds = o->result.seconds ? o->result.seconds : 1};
    if (o->result.reason == REASON_OK) {
        entry.root = o->result.root;
        entry.output_size = o->result.size_bytes;
    }
    random_bytes(entry.salt.b, sizeof entry.salt.b);
    journal_put(w->journal, &entry);
    log_info(AREA,
             "ran job=%" PRIu64 " reason=%s seconds=%u compile_ms=%" PRIu64 " kernel_ms=%" PRIu64
             " message=\"%s\"",
             o->job, reason_name(o->result.reason), o->result.seconds, o->result.compile_ms,
             o->result.kernel_ms, o->result.message);
}

static void on_run_ended(struct worker *w, struct run_outcome *o)
{
    enum status status = o->status;
    if (status == OK && o->result.reason == REASON_UNSUPPORTED) {
        note_failure(w, o->job, RETRIES_MAX);
        log_warn(AREA, "cannot run job=%" PRIu64 ": %s", o->job, o->result.message);
        return;
    }
    if (status == OK) status = store_result(w, o);
    if (status == OK) {
        record_run(w, o);
        return;
    }
    remove(o->result_path);
    note_failure(w, o->job, 1);
    log_error(AREA, "run failed here job=%" PRIu64 " status=%s: %s", o->job, status_text(status),
              o->error);
}

static void collect_runs(struct worker *w)
{
    struct run_outcome outcome;
    while (run_pool_collect(w->pool, &outcome)) {
        on_run_ended(w, &outcome);
        run_result_finish(&outcome.result);
        w->look_again = true;
    }
}

/* --- acting on one job --- */

static void advance(struct worker *w, const struct journal_entry *entry, enum journal_stage stage)
{
    struct journal_entry next = *entry;
    if (next.stage >= stage) return;
    next.stage = stage;
    journal_put(w->journal, &next);
}

static void start_run(struct worker *w, const struct chain_job *job)
{
    char path[PATH_MAX];
    if (blobs_path(w->blobs, path, &job->bundle_root) != OK) return;
    struct journal_entry entry = {.job = job->id, .stage = JOURNAL_STARTED};
    journal_put(w->journal, &entry);
    log_info(AREA, "running job=%" PRIu64 " seconds_limit=%u", job->id, job->seconds_limit);
    run_pool_start(w->pool, job->id, path, job->seconds_limit);
}

static void report(struct worker *w, const char *what, uint64_t job, enum status status)
{
    if (status == OK)
        log_info(AREA, "%s job=%" PRIu64, what, job);
    else
        log_warn(AREA, "%s failed job=%" PRIu64 " status=%s: %s", what, job, status_text(status),
                 rpc_problem(w->rpc));
}

static void end_job(struct worker *w, const struct chain_job *job,
                    const struct journal_entry *entry)
{
    struct journal_entry ended = entry ? *entry : (struct journal_entry){.job = job->id};
    ended.stage = JOURNAL_ENDED;
    ended.ended_at_s = job->ended_at_s ? job->ended_at_s : w->now_s;
    journal_put(w->journal, &ended);
    if (!known_jobs_uses(w->known, job->id, &job->bundle_root))
        blobs_remove(w->blobs, &job->bundle_root);
    log_info(AREA, "ended job=%" PRIu64 " state=%d", job->id, (int)job->state);
    struct u256 credit;
    if (chain_credit(&w->chain, &credit) != OK || u256_is_zero(credit)) return;
    report(w, "paid out to the owner after", job->id, chain_sweep(&w->chain));
}

static void act(struct worker *w, const struct worker_view *v, enum worker_action action,
                enum decline_reason why)
{
    enum status status = OK;
    switch (action) {
    case ACT_WAIT: return;
    case ACT_RUN: start_run(w, v->job); break;
    case ACT_SEAL:
        status = chain_seal(&w->chain, v->entry);
        if (status == OK) advance(w, v->entry, JOURNAL_SEALED);
        report(w, "sealed", v->job->id, status);
        break;
    case ACT_REVEAL:
        status = chain_reveal(&w->chain, v->entry);
        if (status == OK) advance(w, v->entry, JOURNAL_REVEALED);
        report(w, "revealed", v->job->id, status);
        break;
    case ACT_DECLINE:
        status = chain_decline(&w->chain, v->job->id, why);
        report(w, "declined", v->job->id, status);
        break;
    case ACT_END: end_job(w, v->job, v->entry); break;
    }
    w->look_again = true;
}

static void make_known(struct worker *w, const struct chain_job *job,
                       const struct journal_entry *entry)
{
    struct known_job known = {.id = job->id,
                              .renter = job->renter,
                              .bundle_root = job->bundle_root,
                              .bundle_size = job->bundle_size};
    known.takes_bundle =
        job->mine && job->replica == CHAIN_REPLICA_ASSIGNED && job->state < CHAIN_JOB_REVEALING;
    if (entry && entry->stage >= JOURNAL_RAN) {
        known.result_root = entry->root;
        known.result_size = entry->output_size;
        known.gives_result = job->replica >= CHAIN_REPLICA_REVEALED;
    }
    if (!known_jobs_put(w->known, &known)) log_limited(LOG_WARN, AREA, "too many known jobs");
}

static void look_at_job(struct worker *w, uint64_t id)
{
    struct chain_job job;
    struct journal_entry entry;
    if (chain_find_job(&w->chain, &job, id) != OK) return;
    bool noted = journal_find(w->journal, &entry, id) == OK;
    if (!job.mine) { /* given to another after a missed deadline */
        if (noted && job.state >= CHAIN_JOB_AGREED) end_job(w, &job, &entry);
        return;
    }
    make_known(w, &job, noted ? &entry : NULL);
    bool whole = false;
    uint64_t held = blobs_held(w->blobs, &job.bundle_root, &whole);
    struct worker_view view = {.job = &job,
                               .entry = noted ? &entry : NULL,
                               .running = run_pool_is_running(w->pool, id),
                               .cannot_run = cannot_run(w, id),
                               .slot_free = run_pool_has_free_slot(w->pool),
                               .bundle_whole = whole,
                               .bundle_held = held,
                               .now_s = w->now_s,
                               .decline_window_s = w->chain.decline_window_s,
                               .upload_s = w->config->upload_seconds,
                               .fault = w->fault};
    enum decline_reason why = DECLINE_INTERNAL;
    enum worker_action action = worker_decide(&view, &why);
    if (action != ACT_WAIT)
        log_debug(AREA, "job=%" PRIu64 " action=%s", id, worker_action_text(action));
    act(w, &view, action, why);
}

/* --- the loop --- */

/* Jobs that the chain no longer counts as active, but that the journal has not seen the end of. */
static void look_at_ended(struct worker *w, const uint64_t *active, size_t active_count)
{
    static struct journal_entry entries[JOURNAL_JOBS_MAX];
    size_t count = journal_list(w->journal, entries, JOURNAL_JOBS_MAX);
    for (size_t i = 0; i < count; i++) {
        bool is_active = false;
        for (size_t k = 0; k < active_count; k++)
            is_active |= active[k] == entries[i].job;
        if (entries[i].stage != JOURNAL_ENDED && !is_active) look_at_job(w, entries[i].job);
    }
}

static void expire_results(struct worker *w)
{
    static struct journal_entry entries[JOURNAL_JOBS_MAX];
    uint64_t keep_s = w->config->keep_hours * 3600;
    if (w->now_s < keep_s) return;
    uint64_t before = w->now_s - keep_s;
    size_t count = journal_list(w->journal, entries, JOURNAL_JOBS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct journal_entry *e = &entries[i];
        if (e->stage != JOURNAL_ENDED || e->ended_at_s >= before) continue;
        if (!known_jobs_uses(w->known, e->job, &e->root)) blobs_remove(w->blobs, &e->root);
        known_jobs_remove(w->known, e->job);
    }
    journal_forget_ended(w->journal, before);
}

static void look_at_chain(struct worker *w)
{
    uint64_t active[WORKER_JOBS_MAX];
    size_t count = 0;
    if (chain_active_jobs(&w->chain, active, &count) != OK) {
        log_limited(LOG_WARN, AREA, "cannot read jobs: %s", rpc_problem(w->rpc));
        return;
    }
    for (size_t i = 0; i < count && !stopping(w); i++)
        look_at_job(w, active[i]);
    if (!stopping(w)) look_at_ended(w, active, count);
    expire_results(w);
}

static void turn(struct worker *w)
{
    uint64_t number = 0;
    uint64_t time_s = 0;
    collect_runs(w);
    if (chain_head(&w->chain, &number, &time_s) != OK) {
        if (!stopping(w)) log_limited(LOG_WARN, AREA, "no node answers: %s", rpc_problem(w->rpc));
        return;
    }
    bool moved = number != w->head;
    w->head = number;
    w->now_s = time_s;
    if (!moved && !w->look_again) return;
    w->look_again = false;
    look_at_chain(w);
}

static enum status check_fault(struct worker *w, char error[JSON_ERROR_SIZE])
{
    bool devnet = false;
    enum status status = chain_is_devnet(w->rpc, &devnet);
    if (status != OK) {
        snprintf(error, JSON_ERROR_SIZE, "%.200s", rpc_problem(w->rpc));
        return status;
    }
    if (w->fault == FAULT_NONE || devnet) return OK;
    snprintf(error, JSON_ERROR_SIZE, "--fault %.20s is for devnets; this chain is none",
             w->config->fault);
    return E_DENIED;
}

static void warn_of_other_keys(struct worker *w, const struct address *worker,
                               const struct hash *tls)
{
    struct address own = key_address(&w->key);
    struct hash served = gateway_server_key_hash(w->gateway);
    if (!address_equal(worker, &own))
        log_warn(AREA, "the chain names another worker key: its seals will be refused");
    if (!hash_equal(tls, &served))
        log_warn(AREA, "the chain names another tlsKeyHash: renters will not trust this gateway");
}

/* The provider may register after its worker was started: wait for it. */
static enum status wait_for_registration(struct worker *w)
{
    for (bool told = false; !stopping(w); pause_ms(300)) {
        struct address worker;
        struct hash tls;
        enum status status = chain_registration(&w->chain, &worker, &tls);
        if (status == OK) {
            warn_of_other_keys(w, &worker, &tls);
            return OK;
        }
        if (status == E_NOT_FOUND && !told)
            log_info(AREA, "waiting until the provider is registered owner=%s", w->config->owner);
        if (status != E_NOT_FOUND && !stopping(w))
            log_limited(LOG_WARN, AREA, "cannot read the registration: %s", rpc_problem(w->rpc));
        told |= status == E_NOT_FOUND;
    }
    return E_STATE;
}

static void sweep_ended_into_known(struct worker *w)
{
    static struct journal_entry entries[JOURNAL_JOBS_MAX];
    size_t count = journal_list(w->journal, entries, JOURNAL_JOBS_MAX);
    for (size_t i = 0; i < count && !stopping(w); i++) {
        struct chain_job job;
        if (chain_find_job(&w->chain, &job, entries[i].job) == OK) make_known(w, &job, &entries[i]);
    }
}

static enum status prepare(struct worker *w, char error[JSON_ERROR_SIZE])
{
    enum status status = check_fault(w, error);
    if (status == OK) status = sender_init(&w->sender, w->rpc, &w->key);
    if (status != OK) {
        if (!error[0]) snprintf(error, JSON_ERROR_SIZE, "%.200s", rpc_problem(w->rpc));
        return status;
    }
    w->sender.wait_ms = SEND_WAIT_MS;
    w->sender.gas_extra = GAS_EXTRA;
    w->chain.rpc = w->rpc;
    w->chain.sender = &w->sender;
    status = wait_for_registration(w);
    if (status == OK) status = chain_read_parameters(&w->chain);
    if (status != OK) snprintf(error, JSON_ERROR_SIZE, "%.200s", rpc_problem(w->rpc));
    return status;
}

enum status worker_run(struct worker *w, char error[JSON_ERROR_SIZE])
{
    error[0] = 0;
    enum status status = prepare(w, error);
    if (stopping(w)) return OK;
    if (status != OK) return status;
    sweep_ended_into_known(w);
    log_info(AREA, "ready gateway=%s owner=%s fault=%s", gateway_server_endpoint(w->gateway),
             w->config->owner, w->config->fault);
    while (!stopping(w)) {
        turn(w);
        pause_ms(w->config->poll_ms);
    }
    log_info(AREA, "stopping");
    return OK;
}
