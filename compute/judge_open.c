#include "compute/judge_state.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/log.h"
#include "compute/worker_home.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RPC_TIMEOUT_MS  5000u
#define RPC_PATIENCE_MS 60000u

/* Bundles and results of an earlier life: cases that still run have theirs
 * fetched again. */
static void remove_leftovers(const char *data_dir)
{
    DIR *d = opendir(data_dir);
    if (d == NULL) return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[PATH_MAX];
        bool ours = strncmp(e->d_name, "bundle-", 7) == 0 || strncmp(e->d_name, "result-", 7) == 0;
        if (!ours) continue;
        snprintf(path, sizeof path, "%.3800s/%.200s", data_dir, e->d_name);
        unlink(path);
    }
    closedir(d);
}

void judge_write_state(const struct judge *j)
{
    char path[PATH_MAX];
    struct address own = key_address(&j->key);
    snprintf(path, sizeof path, "%s/judge.json", j->data_dir);
    json_t *o = json_pack("{s:o,s:o,s:i,s:I,s:I,s:I,s:I}", "operator",
                          abi_address(&j->operator_account), "judge", abi_address(&own), "pid",
                          (int)getpid(), "sealed", (json_int_t)j->counts.sealed, "revealed",
                          (json_int_t)j->counts.revealed, "noData", (json_int_t)j->counts.no_data,
                          "failedRuns", (json_int_t)j->counts.failed_runs);
    if (json_save_path(o, path, 0644) != OK) log_warn(JUDGE_AREA, "cannot write path=%s", path);
    json_decref(o);
}

static enum status open_journal(struct judge *j, char error[JSON_ERROR_SIZE])
{
    char path[PATH_MAX];
    bool torn = false;
    snprintf(path, sizeof path, "%s/journal", j->data_dir);
    enum status status = journal_open(&j->journal, path, &torn);
    if (torn)
        log_warn(JUDGE_AREA, "the journal's last record was torn and is dropped path=%s", path);
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "cannot use %.150s: %s", path, status_text(status));
    return status;
}

static enum status open_key(struct judge *j, char error[JSON_ERROR_SIZE])
{
    const struct judge_config *c = j->config;
    struct home_key which = {.flag = "--judge-key",
                             .path = c->judge_key,
                             .password_file = c->password_file,
                             .prompt = "Password of the judge key"};
    enum status status = home_read_address(&j->operator_account, error, "--operator",
                                           c->operator_account, "the operator's address");
    return status == OK ? home_open_key(&j->key, error, &which) : status;
}

static enum status open_rpc(struct judge *j, char error[JSON_ERROR_SIZE])
{
    struct rpc_options options = {.urls = j->config->rpc,
                                  .timeout_ms = RPC_TIMEOUT_MS,
                                  .patience_ms = RPC_PATIENCE_MS,
                                  .stop = &j->stop};
    return rpc_create(&j->rpc, &options, error);
}

enum status judge_create(struct judge **out, char error[JSON_ERROR_SIZE],
                         const struct judge_config *config)
{
    struct judge *j = must_alloc(sizeof *j);
    j->config = config;
    j->lock_fd = -1;
    snprintf(j->data_dir, sizeof j->data_dir, "%s", config->data_dir);
    enum status status = judge_fault_from_text(&j->fault, config->fault);
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE,
                 "--fault is \"%.40s\", must be none, lie, silent or noreveal", config->fault);
    if (status == OK) status = home_make(error, j->data_dir);
    if (status == OK) status = home_lock(&j->lock_fd, error, j->data_dir, "judge");
    if (status == OK) status = open_key(j, error);
    if (status == OK) status = open_journal(j, error);
    if (status == OK) status = open_rpc(j, error);
    if (status != OK) {
        judge_destroy(j);
        return status;
    }
    remove_leftovers(j->data_dir);
    j->fetch = judge_fetch_create(j->data_dir, &j->key);
    *out = j;
    return OK;
}

void judge_destroy(struct judge *j)
{
    if (j == NULL) return;
    run_pool_destroy(j->pool);
    judge_fetch_destroy(j->fetch);
    if (j->sender.rpc) sender_finish(&j->sender);
    rpc_destroy(j->rpc);
    journal_close(j->journal);
    key_finish(&j->key);
    if (j->lock_fd >= 0) close(j->lock_fd);
    free(j);
}
