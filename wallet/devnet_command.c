/* devnet up, down, status, env, fault. */
#include "base/hex.h"
#include "base/units.h"
#include "compute/bundle.h"
#include "wallet/devnet.h"
#include "wallet/handlers.h"
#include "wallet/job_record.h"
#include "wallet/output.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int choose_dir(struct session *s, char out[PATH_MAX])
{
    char preset[PATH_MAX];
    const char *given = s->in->values[OPTION_DIR];
    if (snprintf(preset, sizeof preset, "%.3800s/devnet", s->home) >= PATH_MAX - 256)
        return fail(s, CODE_USAGE, "the path is too long");
    int code = absolute_path(s, out, given != NULL ? given : preset);
    if (code == CODE_DONE && strlen(out) >= PATH_MAX - 256)
        code = fail(s, CODE_USAGE, "the path is too long");
    return code;
}

static int load(struct session *s, struct devnet *d)
{
    char dir[PATH_MAX];
    char error[JSON_ERROR_SIZE] = "";
    int code = choose_dir(s, dir);
    if (code != CODE_DONE) return code;
    enum status status = devnet_load(d, error, dir);
    if (status == E_NOT_FOUND)
        return fail(s, CODE_FAILED, "no local network in %s; start one: leasehold devnet up", dir);
    if (status != OK) return fail(s, CODE_FAILED, "%s", error);
    return CODE_DONE;
}

/* ---- up ---- */

static int read_wishes(struct session *s, struct devnet *d)
{
    uint64_t validators = 0;
    uint64_t workers = 0;
    int code = option_number(s, &validators, OPTION_VALIDATORS, 1, 1000);
    if (code == CODE_DONE && validators != 1)
        code = fail(s, CODE_USAGE,
                    "--validators: this release runs a local network with 1, not "
                    "%llu",
                    (unsigned long long)validators);
    if (code == CODE_DONE) code = option_number(s, &workers, OPTION_WORKERS, 3, DEVNET_WORKERS_MAX);
    if (code == CODE_DONE) code = option_number(s, &d->block_ms, OPTION_BLOCK_MS, 500, 10000);
    if (code == CODE_DONE && d->block_ms < 50)
        code = fail(s, CODE_USAGE, "--block-ms must be 50 to 10000");
    if (code == CODE_DONE) code = option_number(s, &d->rpc_port, OPTION_RPC_PORT, 0, UINT16_MAX);
    d->worker_count = (size_t)workers;
    return code;
}

static void tell(const struct session *s, const char *text)
{
    if (!s->json) fprintf(stderr, "%s\n", text);
}

static bool folder_has_things(const char *dir)
{
    DIR *d = opendir(dir);
    bool found = false;
    if (d == NULL) return false;
    for (struct dirent *e = readdir(d); e != NULL && !found; e = readdir(d))
        found = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return found;
}

/* A network that was stopped goes on; else a new one is made. */
static int open_or_make(struct session *s, struct devnet *d)
{
    char error[JSON_ERROR_SIZE] = "";
    struct devnet wished = *d;
    enum status status = devnet_load(d, error, wished.dir);
    if (status == OK && process_alive(&d->node))
        return fail(s, CODE_FAILED,
                    "a local network runs in %s already; stop it: leasehold devnet "
                    "down",
                    d->dir);
    if (status == OK) {
        if (wished.rpc_port != 0) d->rpc_port = wished.rpc_port;
        return CODE_DONE;
    }
    *d = wished;
    if (status != E_NOT_FOUND) return fail(s, CODE_FAILED, "%s", error);
    if (folder_has_things(d->dir))
        return fail(s, CODE_FAILED, "%s is neither empty nor a local network; give another --dir",
                    d->dir);
    tell(s, "making keys and the genesis");
    return devnet_make(s, d);
}

static int bring_up(struct session *s, struct devnet *d)
{
    int code = open_or_make(s, d);
    if (code != CODE_DONE) return code;
    tell(s, "starting the node");
    code = devnet_start_node(s, d);
    if (code == CODE_DONE) code = devnet_save(s, d);
    if (code == CODE_DONE && d->worker_count > 0) {
        tell(s, "registering the providers");
        code = devnet_register(s, d);
    }
    for (size_t i = 0; i < d->worker_count && code == CODE_DONE; i++) {
        if (process_alive(&d->workers[i].process)) continue; /* only the node had ended */
        code = devnet_start_worker(s, d, i);
        if (code == CODE_DONE) code = devnet_save(s, d);
    }
    if (code != CODE_DONE) devnet_stop(d);
    return code;
}

static json_t *to_json(const struct devnet *d)
{
    char url[64];
    char path[PATH_MAX];
    json_t *workers = json_array();
    devnet_url(url, d);
    for (size_t i = 0; i < d->worker_count; i++) {
        const struct devnet_worker *w = &d->workers[i];
        json_array_append_new(
            workers, json_pack("{s:s,s:b,s:I,s:I,s:o,s:o,s:s}", "name", w->process.name, "running",
                               process_alive(&w->process), "pid", (json_int_t)w->process.pid,
                               "gatewayPort", (json_int_t)w->port, "owner", abi_address(&w->owner),
                               "workerKey", abi_address(&w->key), "fault", w->fault));
    }
    json_t *o = json_pack("{s:s,s:s,s:I,s:b,s:I,s:o}", "dir", d->dir, "rpc", url, "chainId",
                          (json_int_t)DEVNET_CHAIN_ID, "running", process_alive(&d->node),
                          "nodePid", (json_int_t)d->node.pid, "workers", workers);
    devnet_path(path, d, "keystore");
    json_object_set_new(o, "keystore", json_string(path));
    devnet_path(path, d, "password");
    json_object_set_new(o, "passwordFile", json_string(path));
    return o;
}

static void print_text(const struct devnet *d)
{
    char url[64];
    devnet_url(url, d);
    printf("network    %s, chain id %d\nnode       %s, pid %ld, %s\n", d->dir, DEVNET_CHAIN_ID,
           process_alive(&d->node) ? "runs" : "stopped", d->node.pid, url);
    for (size_t i = 0; i < d->worker_count; i++) {
        const struct devnet_worker *w = &d->workers[i];
        char owner[43];
        address_to_text(owner, &w->owner);
        printf("worker %zu   %s, pid %ld, gateway 127.0.0.1:%llu, provider %s%s%s\n", i + 1,
               process_alive(&w->process) ? "runs" : "stopped", w->process.pid,
               (unsigned long long)w->port, owner, strcmp(w->fault, "none") != 0 ? ", fault " : "",
               strcmp(w->fault, "none") != 0 ? w->fault : "");
    }
    printf("accounts   renter, validator-1, provider-N, worker-N in %s/keystore\n", d->dir);
    if (process_alive(&d->node))
        printf("to use it  eval \"$(leasehold devnet env --dir '%s')\"\n", d->dir);
}

static void print_network(const struct session *s, const struct devnet *d)
{
    if (s->json) {
        print_json(to_json(d));
    } else {
        print_text(d);
    }
    fflush(stdout);
}

static int stay(struct session *s, struct devnet *d)
{
    struct timespec pause = {.tv_nsec = 200 * 1000000L};
    tell(s, "running; Ctrl-C stops it");
    while (!__atomic_load_n(stop_flag(), __ATOMIC_RELAXED) && process_alive(&d->node))
        nanosleep(&pause, NULL);
    bool stopped = __atomic_load_n(stop_flag(), __ATOMIC_RELAXED);
    char error[JSON_ERROR_SIZE];
    if (devnet_load(d, error, d->dir) != OK)
        tell(s, error); /* `devnet fault` may have changed it */
    devnet_stop(d);
    if (!stopped) return fail(s, CODE_FAILED, "the node has ended; see %s/node-1.log", d->dir);
    tell(s, "stopped");
    return CODE_DONE;
}

int devnet_up(struct session *s)
{
    struct devnet d = {0};
    stop_watch();
    int code = choose_dir(s, d.dir);
    if (code == CODE_DONE) code = read_wishes(s, &d);
    if (code == CODE_DONE) code = bring_up(s, &d);
    if (code != CODE_DONE) return code;
    print_network(s, &d);
    if (option_on(s->in, OPTION_DETACH)) return CODE_DONE;
    return stay(s, &d);
}

/* ---- down, status, env, fault ---- */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

int devnet_down(struct session *s)
{
    struct devnet d;
    int code = load(s, &d);
    if (code != CODE_DONE) return code;
    devnet_stop(&d);
    if (option_on(s->in, OPTION_DELETE) &&
        nftw(d.dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        return fail(s, CODE_FAILED, "cannot remove %s: %s", d.dir, strerror(errno));
    if (s->json) {
        print_json(to_json(&d));
    } else {
        printf("stopped%s the network in %s\n",
               option_on(s->in, OPTION_DELETE) ? " and deleted" : "", d.dir);
    }
    return CODE_DONE;
}

int devnet_status(struct session *s)
{
    struct devnet d;
    int code = load(s, &d);
    if (code == CODE_DONE) print_network(s, &d);
    return code;
}

static void print_export(const char *name, const char *value)
{
    printf("export %s='", name);
    for (; *value != '\0'; value++) {
        if (*value == '\'') {
            printf("'\\''");
        } else {
            putchar(*value);
        }
    }
    printf("'\n");
}

int devnet_env(struct session *s)
{
    struct devnet d;
    char url[64];
    char keystore[PATH_MAX];
    char password[PATH_MAX];
    int code = load(s, &d);
    if (code != CODE_DONE) return code;
    devnet_url(url, &d);
    devnet_path(keystore, &d, "keystore");
    devnet_path(password, &d, "password");
    if (s->json) {
        print_json(json_pack("{s:s,s:s,s:s,s:s}", "LEASEHOLD_RPC", url, "LEASEHOLD_KEYSTORE",
                             keystore, "LEASEHOLD_PASSWORD_FILE", password, "LEASEHOLD_FROM",
                             "renter"));
        return CODE_DONE;
    }
    print_export("LEASEHOLD_RPC", url);
    print_export("LEASEHOLD_KEYSTORE", keystore);
    print_export("LEASEHOLD_PASSWORD_FILE", password);
    print_export("LEASEHOLD_FROM", "renter");
    return CODE_DONE;
}

int devnet_fault(struct session *s)
{
    static const char *const kinds[] = {"none", "lie", "silent", "noreveal"};
    struct devnet d;
    uint64_t number = 0;
    bool known = false;
    int code = load(s, &d);
    if (code == CODE_DONE) code = word_number(s, &number, 0, "the worker's number");
    if (code != CODE_DONE) return code;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        known = known || strcmp(kinds[i], s->in->words[1]) == 0;
    if (!known)
        return fail(s, CODE_USAGE, "faults: none, lie, silent, noreveal; not %.40s",
                    s->in->words[1]);
    if (number < 1 || number > d.worker_count)
        return fail(s, CODE_USAGE, "there are workers 1 to %zu, no %llu", d.worker_count,
                    (unsigned long long)number);
    struct devnet_worker *w = &d.workers[number - 1];
    process_end(&w->process, 8000);
    snprintf(w->fault, sizeof w->fault, "%s", s->in->words[1]);
    code = devnet_start_worker(s, &d, (size_t)number - 1);
    if (code == CODE_DONE) code = devnet_save(s, &d);
    if (code == CODE_DONE) print_network(s, &d);
    return code;
}
