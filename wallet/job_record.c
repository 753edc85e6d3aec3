#include "wallet/job_record.h"

#include "base/file.h"
#include "base/hex.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD_BYTES_MAX (64u << 10)

int absolute_path(struct session *s, char out[PATH_MAX], const char *path)
{
    char here[PATH_MAX];
    if (path[0] == '/') {
        if (snprintf(out, PATH_MAX, "%s", path) < PATH_MAX) return CODE_DONE;
        return fail(s, CODE_USAGE, "the path is too long");
    }
    if (getcwd(here, sizeof here) == NULL)
        return fail(s, CODE_FAILED, "cannot tell the current folder: %s", strerror(errno));
    if (snprintf(out, PATH_MAX, "%s/%s", here, path) >= PATH_MAX)
        return fail(s, CODE_USAGE, "the path is too long");
    return CODE_DONE;
}

int check_empty_folder(struct session *s, const char *folder)
{
    DIR *d = opendir(folder);
    bool found = false;
    if (d == NULL && errno == ENOENT) return CODE_DONE;
    if (d == NULL) return fail(s, CODE_USAGE, "--output %s: %s", folder, strerror(errno));
    for (struct dirent *e = readdir(d); e != NULL && !found; e = readdir(d))
        found = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    if (found) return fail(s, CODE_USAGE, "--output %s is not empty; give another folder", folder);
    return CODE_DONE;
}

static int network_name(struct session *s, char out[64])
{
    json_t *block = NULL;
    uint64_t chain_id = 0;
    enum status status = rpc_call_u64(s->rpc, &chain_id, "eth_chainId", NULL);
    if (status == OK)
        status = rpc_call(s->rpc, &block, "eth_getBlockByNumber", json_pack("[s,b]", "0x0", 0));
    if (status != OK) return fail_rpc(s, status, "asking for the genesis block");
    const char *hash = abi_get_text(block, "hash");
    snprintf(out, 64, "%llu-%.8s", (unsigned long long)chain_id,
             strlen(hash) == 66 ? hash + 2 : "unknown");
    json_decref(block);
    return CODE_DONE;
}

int job_records_folder(struct session *s, char out[PATH_MAX])
{
    char network[64];
    int code = network_name(s, network);
    if (code != CODE_DONE) return code;
    if (snprintf(out, PATH_MAX, "%.3900s/jobs/%s", s->home, network) >= PATH_MAX)
        return fail(s, CODE_FAILED, "the path is too long");
    if (directory_make(out, 0700) != OK)
        return fail(s, CODE_FAILED, "cannot make %s: %s", out, strerror(errno));
    return CODE_DONE;
}

static bool record_path(char out[PATH_MAX], const char *directory)
{
    return snprintf(out, PATH_MAX, "%s/job.json", directory) < PATH_MAX;
}

int job_record_save(struct session *s, const struct job_record *r)
{
    char path[PATH_MAX];
    json_t *o = json_pack("{s:I,s:I,s:o,s:I,s:s,s:s}", "job", (json_int_t)r->job, "submittedBlock",
                          (json_int_t)r->submitted_block, "bundleRoot", abi_hash(&r->bundle_root),
                          "bundleSize", (json_int_t)r->bundle_size, "folder", r->folder, "output",
                          r->output);
    enum status status = E_LIMIT;
    if (o != NULL && record_path(path, r->directory)) status = json_save_path(o, path, 0600);
    json_decref(o);
    if (status != OK)
        return fail(s, CODE_FAILED, "cannot write %s/job.json: %s", r->directory, strerror(errno));
    return CODE_DONE;
}

static bool copy_text(char out[PATH_MAX], const json_t *o, const char *key)
{
    return snprintf(out, PATH_MAX, "%s", abi_get_text(o, key)) < PATH_MAX;
}

bool job_record_load(struct session *s, struct job_record *out, uint64_t job)
{
    struct job_record r = {.job = job};
    char folder[PATH_MAX];
    char path[PATH_MAX];
    char error[JSON_ERROR_SIZE];
    json_t *o = NULL;
    if (job_records_folder(s, folder) != CODE_DONE) return false;
    if (snprintf(r.directory, PATH_MAX, "%.4000s/%llu", folder, (unsigned long long)job) >=
        PATH_MAX)
        return false;
    if (!record_path(path, r.directory)) return false;
    if (json_load_path(&o, error, path, RECORD_BYTES_MAX) != OK) return false;
    r.submitted_block = abi_get_u64(o, "submittedBlock");
    r.bundle_root = abi_get_hash(o, "bundleRoot");
    r.bundle_size = abi_get_u64(o, "bundleSize");
    bool ok = abi_get_u64(o, "job") == job && copy_text(r.folder, o, "folder") &&
              copy_text(r.output, o, "output");
    json_decref(o);
    if (ok) *out = r;
    return ok;
}
