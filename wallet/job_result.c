#include "wallet/job_result.h"

#include "base/hex.h"
#include "base/units.h"
#include "compute/bundle.h"
#include "wallet/job_demand.h"
#include "wallet/output.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRAME_TIMEOUT_MS 15000u
#define ROUNDS_MAX       20
#define ROUND_PAUSE_MS   500u

struct showing {
    struct follow *follow;
    struct transfer transfer;
};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool on_bytes(void *context, uint64_t done, uint64_t size)
{
    struct showing *s = context;
    char text[TRANSFER_TEXT_SIZE];
    transfer_text(text, &s->transfer, done, size, now_ms());
    progress_waiting(s->follow->progress, "downloading %s", text);
    progress_tick(s->follow->progress);
    return !rpc_stopped(s->follow->session->rpc);
}

static enum status fetch_from(struct follow *f, char *error, const json_t *replica,
                              const char *path)
{
    struct gateway_peer peer = {abi_get_text(replica, "endpoint"),
                                abi_get_hash(replica, "tlsKeyHash"), FRAME_TIMEOUT_MS, 0};
    struct gateway_content content = {f->job, abi_get_hash(replica, "root"),
                                      abi_get_u64(replica, "outputSize")};
    struct showing showing = {.follow = f};
    struct gateway_progress progress = {on_bytes, &showing};
    struct gateway *g = NULL;
    enum status status = gateway_open(&g, error, &peer, &f->session->sender.key);
    if (status != OK) return status;
    status = gateway_get(g, &content, path, &progress);
    if (status != OK) snprintf(error, JSON_ERROR_SIZE, "%s", gateway_problem(g));
    gateway_close(g);
    return status;
}

/* The root that counts: the agreed one, or while the renter is asked, the only one. */
static struct hash wanted_root(const struct follow *f)
{
    bool asked = abi_get_u64(f->state, "state") == JOB_ACCEPTING;
    return abi_get_hash(asked ? json_array_get(f->replicas, 0) : f->state, "root");
}

static bool has_it(const struct follow *f, const json_t *replica)
{
    struct hash root = abi_get_hash(replica, "root");
    struct hash wanted = wanted_root(f);
    uint64_t state = abi_get_u64(replica, "state");
    return (state == REPLICA_PAID || state == REPLICA_REVEALED) && hash_equal(&root, &wanted);
}

/* One try with each worker that has the result. */
static enum status fetch_round(struct follow *f, char *error, const char *path, unsigned *worker)
{
    enum status status = E_NOT_FOUND;
    for (size_t i = 0; i < json_array_size(f->replicas); i++) {
        const json_t *replica = json_array_get(f->replicas, i);
        if (!has_it(f, replica)) continue;
        status = fetch_from(f, error, replica, path);
        *worker = (unsigned)i + 1;
        if (status == OK) return OK;
    }
    return status;
}

static int check_download(struct follow *f, const char *path, unsigned worker)
{
    char size[32];
    struct hash root;
    struct hash agreed = wanted_root(f);
    uint64_t bytes = 0;
    if (merkle_root_of_path(&root, &bytes, path) != OK || !hash_equal(&root, &agreed))
        return fail(f->session, CODE_FAILED, "%s was damaged after the download", path);
    size_to_text(size, bytes);
    progress_stage(f->progress, &(struct stage){.name = "downloaded"},
                   "from worker %u, %s, verified against the agreed root", worker, size);
    return CODE_DONE;
}

/* Rounds with a pause between; E_NOT_FOUND: nobody gave it out, `error` says why. */
static enum status fetch_rounds(struct follow *f, char *error, const char *path, unsigned *worker)
{
    for (int round = 0; round < ROUNDS_MAX && !rpc_stopped(f->session->rpc); round++) {
        if (fetch_round(f, error, path, worker) == OK) return OK;
        struct timespec pause = {.tv_nsec = ROUND_PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
    return E_NOT_FOUND;
}

static int say_withheld(struct follow *f)
{
    char amount[AMOUNT_TEXT_SIZE];
    amount_to_short(amount, abi_get_u256(f->state, "compensated"));
    return fail(f->session, CODE_JOB_FAILED,
                "the workers withheld the result of job %llu and lost their stake; %s of it are "
                "yours",
                (unsigned long long)f->job, amount);
}

static int download(struct follow *f, const char *path)
{
    char error[JSON_ERROR_SIZE] = "no worker of it was paid";
    unsigned worker = 0;
    enum demand_end end = DEMAND_TOO_LATE;
    if (fetch_rounds(f, error, path, &worker) == OK) return check_download(f, path, worker);
    if (rpc_stopped(f->session->rpc)) return CODE_STOPPED;
    int code = demand_result(f, &end);
    if (code != CODE_DONE) return code;
    if (end == DEMAND_WITHHELD) return say_withheld(f);
    if (end == DEMAND_ANSWERED && fetch_rounds(f, error, path, &worker) == OK)
        return check_download(f, path, worker);
    return fail(f->session, CODE_FAILED,
                "no worker gave the result out (%s); try again: leasehold job fetch %llu", error,
                (unsigned long long)f->job);
}

static void list_files(struct buffer *report, const char *folder)
{
    DIR *d = opendir(folder);
    if (d == NULL) return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        if (e->d_name[0] != '.') buffer_print(report, "file       %s/%s\n", folder, e->d_name);
    closedir(d);
}

static int present(struct follow *f, struct buffer *report, const struct result_target *target)
{
    char error[JOB_ERROR_SIZE] = "";
    struct job *job = NULL;
    if (target->folder[0] == '\0' || job_load(&job, error, target->folder) != OK) {
        list_files(report, target->output);
        return CODE_DONE;
    }
    enum status status = job_present_result(job, target->output, report, error);
    job_destroy(job);
    if (status != OK)
        return fail(f->session, CODE_FAILED, "the result is in %s, but: %s", target->output, error);
    if (report->size == 0) list_files(report, target->output);
    return CODE_DONE;
}

int result_fetch(struct follow *f, struct buffer *report, const struct result_target *target)
{
    char error[BUNDLE_ERROR_SIZE] = "";
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%.4000s/result-%llu.tar", target->scratch,
                 (unsigned long long)f->job) >= (int)sizeof path)
        return fail(f->session, CODE_FAILED, "the path is too long");
    int code = download(f, path);
    if (code != CODE_DONE) return code;
    enum status status = bundle_unpack(error, path, target->output);
    unlink(path);
    if (status != OK)
        return fail(f->session, CODE_FAILED, "unpacking into %s: %s", target->output, error);
    return present(f, report, target);
}

int result_withdraw(struct follow *f)
{
    struct session *s = f->session;
    struct u256 credit;
    struct tx_receipt r = {0};
    char amount[AMOUNT_TEXT_SIZE];
    char hash[67];
    int code = session_call_u256(s, &credit, CONTRACT_JOBS, "credit",
                                 json_pack("[o]", abi_address(&s->sender.address)));
    if (code != CODE_DONE || u256_is_zero(credit)) return code;
    progress_waiting(f->progress, "taking the refund out");
    code = session_send(s, &r, CONTRACT_JOBS, "withdraw", NULL, u256_from_u64(0));
    if (code == CODE_DONE) {
        amount_to_text(amount, credit);
        hash_to_text(hash, &r.hash);
        progress_stage(f->progress, &(struct stage){"withdrawn", r.block_number, hash},
                       "%s back on the renter's account", amount);
    }
    tx_receipt_finish(&r);
    return code;
}
