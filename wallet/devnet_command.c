/* devnet up, down, status, env. */
#include "base/file.h"
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

#define VALIDATORS_PRESET    1
#define WORKERS_PRESET       3
#define BLOCK_MS_PRESET      500
#define BLOCK_MS_MIN         50
#define BLOCK_MS_MAX         10000
#define EPOCH_BLOCKS_PRESET  1200
#define EPOCH_BLOCKS_MIN     2
#define EPOCH_BLOCKS_MAX     1000000
#define WATCH_MS             200
#define PARAMETERS_BYTES_MAX (64u << 10)

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

int devnet_open(struct session *s, struct devnet *d, int *lock_fd)
{
    char dir[PATH_MAX];
    char error[JSON_ERROR_SIZE] = "";
    int code = choose_dir(s, dir);
    if (code != CODE_DONE) return code;
    enum status status = devnet_load(d, error, dir);
    if (status == OK && lock_fd != NULL) {
        code = devnet_lock(s, lock_fd, dir);
        if (code != CODE_DONE) return code;
        status = devnet_load(d, error, dir); /* somebody may have changed it meanwhile */
    }
    if (status == E_NOT_FOUND)
        return fail(s, CODE_FAILED, "no local network in %s; start one: leasehold devnet up", dir);
    if (status != OK) return fail(s, CODE_FAILED, "%s", error);
    return CODE_DONE;
}

/* ---- up ---- */

struct wishes {
    struct devnet net;
    uint64_t rpc_port;
    json_t *contract; /* parameters that differ */
};

/* A whole number from min to max. */
static int read_number(struct session *s, uint64_t *out, enum wallet_option id, uint64_t preset,
                       uint64_t min, uint64_t max)
{
    int code = option_number(s, out, id, preset, max);
    if (code == CODE_DONE && *out < min)
        code = fail(s, CODE_USAGE, "--%s must be %llu to %llu", OPTION_TABLE[id].flag,
                    (unsigned long long)min, (unsigned long long)max);
    return code;
}

static int read_wishes(struct session *s, struct wishes *w)
{
    uint64_t nodes = 0;
    uint64_t workers = 0;
    int code =
        read_number(s, &nodes, OPTION_VALIDATORS, VALIDATORS_PRESET, 1, DEVNET_VALIDATORS_MAX);
    if (code == CODE_DONE)
        code = read_number(s, &workers, OPTION_WORKERS, WORKERS_PRESET, 0, DEVNET_WORKERS_MAX);
    if (code == CODE_DONE)
        code = read_number(s, &w->net.block_ms, OPTION_BLOCK_MS, BLOCK_MS_PRESET, BLOCK_MS_MIN,
                           BLOCK_MS_MAX);
    if (code == CODE_DONE)
        code = read_number(s, &w->net.epoch_blocks, OPTION_EPOCH_BLOCKS, EPOCH_BLOCKS_PRESET,
                           EPOCH_BLOCKS_MIN, EPOCH_BLOCKS_MAX);
    if (code == CODE_DONE)
        code = read_number(s, &w->rpc_port, OPTION_RPC_PORT, 0, 0, UINT16_MAX - nodes);
    w->net.node_count = (size_t)nodes;
    w->net.worker_count = (size_t)workers;
    return code;
}

/* --parameters FILE. The node that makes the genesis block checks names and values. */
static int read_parameters(struct session *s, struct wishes *w)
{
    const char *path = s->in->values[OPTION_PARAMETERS];
    char error[JSON_ERROR_SIZE] = "";
    if (path == NULL) return CODE_DONE;
    if (json_load_path(&w->contract, error, path, PARAMETERS_BYTES_MAX) != OK)
        return fail(s, CODE_USAGE, "--parameters %s: %s", path, error);
    if (!json_is_object(w->contract))
        return fail(s, CODE_USAGE, "--parameters %s: must be an object", path);
    return CODE_DONE;
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
        found = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
                strcmp(e->d_name, "devnet.lock") != 0;
    closedir(d);
    return found;
}

static int make(struct session *s, struct devnet *d, const struct wishes *w)
{
    char program[PATH_MAX];
    *d = w->net;
    if (process_find_program(program, sizeof program, "leaseholdd") != OK ||
        process_find_program(program, sizeof program, "leasehold-worker") != OK)
        return fail(s, CODE_FAILED,
                    "leaseholdd and leasehold-worker must be beside this program or in the PATH");
    if (folder_has_things(d->dir))
        return fail(s, CODE_FAILED, "%s is neither empty nor a local network; give another --dir",
                    d->dir);
    tell(s, "making keys and the genesis");
    struct devnet_wishes wishes = {.rpc_port = w->rpc_port, .contract = w->contract};
    return devnet_make(s, d, &wishes);
}

/* A network that was stopped goes on, as it was made; else a new one is made. */
static int open_or_make(struct session *s, struct devnet *d, const struct wishes *w)
{
    char error[JSON_ERROR_SIZE] = "";
    enum status status = devnet_load(d, error, w->net.dir);
    if (status == E_NOT_FOUND) return make(s, d, w);
    if (status != OK) return fail(s, CODE_FAILED, "%s", error);
    if (devnet_any_node_alive(d))
        return fail(s, CODE_FAILED,
                    "a local network runs in %s already; stop it: leasehold devnet down; a single "
                    "node of it starts with: leasehold devnet restart NODE",
                    d->dir);
    if (option_on(s->in, OPTION_VALIDATORS) && w->net.node_count != d->node_count)
        return fail(s, CODE_USAGE, "the network in %s was made with %zu validators, not %zu",
                    d->dir, d->node_count, w->net.node_count);
    for (size_t i = 0; i < d->node_count && w->rpc_port != 0; i++)
        d->nodes[i].rpc_port = w->rpc_port + i;
    return CODE_DONE;
}

static int start_all(struct session *s, struct devnet *d)
{
    tell(s, d->node_count > 1 ? "starting the nodes" : "starting the node");
    int code = devnet_start_nodes(s, d);
    if (code == CODE_DONE) {
        tell(s, d->worker_count > 0 ? "registering providers and judges" : "registering judges");
        code = devnet_register(s, d);
    }
    if (code == CODE_DONE) code = devnet_start_judges(s, d);
    for (size_t i = 0; i < d->worker_count && code == CODE_DONE; i++) {
        if (process_alive(&d->workers[i].process)) continue; /* only the nodes had ended */
        code = devnet_start_worker(s, d, i);
    }
    if (code != CODE_DONE) devnet_stop(d);
    return code;
}

static int bring_up(struct session *s, struct devnet *d, const struct wishes *w)
{
    int lock_fd = -1;
    if (directory_make(w->net.dir, 0700) != OK)
        return fail(s, CODE_FAILED, "cannot make %s: %s", w->net.dir, strerror(errno));
    int code = devnet_lock(s, &lock_fd, w->net.dir);
    if (code != CODE_DONE) return code;
    code = open_or_make(s, d, w);
    if (code == CODE_DONE) code = start_all(s, d);
    close(lock_fd);
    return code;
}

/* Whether there is something to wait for: a node that runs, or one that was killed on purpose. */
static bool goes_on(const struct devnet *d)
{
    for (size_t i = 0; i < d->node_count; i++)
        if (d->nodes[i].killed) return true;
    return devnet_any_node_alive(d);
}

/* Other commands change the network meanwhile: its record is read again and again. */
static int stay(struct session *s, struct devnet *d)
{
    struct timespec pause = {.tv_nsec = WATCH_MS * 1000000L};
    char error[JSON_ERROR_SIZE];
    char dir[PATH_MAX];
    memcpy(dir, d->dir, sizeof dir);
    tell(s, "running; Ctrl-C stops it");
    while (!__atomic_load_n(stop_flag(), __ATOMIC_RELAXED) && goes_on(d)) {
        nanosleep(&pause, NULL);
        if (devnet_load(d, error, dir) != OK) break;
    }
    bool stopped = __atomic_load_n(stop_flag(), __ATOMIC_RELAXED);
    devnet_stop(d);
    if (!stopped) return fail(s, CODE_FAILED, "the nodes have ended; see %s/node-1.log", dir);
    tell(s, "stopped");
    return CODE_DONE;
}

int devnet_up(struct session *s)
{
    struct wishes w = {0};
    struct devnet d = {0};
    stop_watch();
    int code = choose_dir(s, w.net.dir);
    if (code == CODE_DONE) code = read_wishes(s, &w);
    if (code == CODE_DONE) code = read_parameters(s, &w);
    if (code == CODE_DONE) code = bring_up(s, &d, &w);
    json_decref(w.contract);
    if (code != CODE_DONE) return code;
    devnet_print(s, &d);
    if (option_on(s->in, OPTION_DETACH)) return CODE_DONE;
    return stay(s, &d);
}

/* ---- down, status, env ---- */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

int devnet_down(struct session *s)
{
    struct devnet d;
    int lock_fd = -1;
    int code = devnet_open(s, &d, &lock_fd);
    if (code != CODE_DONE) return code;
    devnet_stop(&d);
    for (size_t i = 0; i < d.node_count; i++)
        d.nodes[i].killed = false;
    code = devnet_save(s, &d);
    if (code != CODE_DONE) return code;
    if (option_on(s->in, OPTION_DELETE) &&
        nftw(d.dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        return fail(s, CODE_FAILED, "cannot remove %s: %s", d.dir, strerror(errno));
    if (s->json) {
        print_json(devnet_to_json(&d));
    } else {
        printf("stopped%s the network in %s\n",
               option_on(s->in, OPTION_DELETE) ? " and deleted" : "", d.dir);
    }
    return CODE_DONE;
}

int devnet_status(struct session *s)
{
    struct devnet d;
    int code = devnet_open(s, &d, NULL);
    if (code == CODE_DONE) devnet_print(s, &d);
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
    char urls[DEVNET_URLS_SIZE];
    char keystore[PATH_MAX];
    char password[PATH_MAX];
    int code = devnet_open(s, &d, NULL);
    if (code != CODE_DONE) return code;
    devnet_urls(urls, &d, 0);
    devnet_path(keystore, &d, "keystore");
    devnet_path(password, &d, "password");
    if (s->json) {
        print_json(json_pack("{s:s,s:s,s:s,s:s}", "LEASEHOLD_RPC", urls, "LEASEHOLD_KEYSTORE",
                             keystore, "LEASEHOLD_PASSWORD_FILE", password, "LEASEHOLD_FROM",
                             "renter"));
        return CODE_DONE;
    }
    print_export("LEASEHOLD_RPC", urls);
    print_export("LEASEHOLD_KEYSTORE", keystore);
    print_export("LEASEHOLD_PASSWORD_FILE", password);
    print_export("LEASEHOLD_FROM", "renter");
    return CODE_DONE;
}
