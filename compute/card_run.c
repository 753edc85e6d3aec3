#include "compute/card_run.h"

#include "base/fatal.h"
#include "compute/code_cache.h"
#include "compute/device_files.h"

#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NVRTC_FOLDER "/nvrtc" /* where the sandbox sees an NVRTC that is not in /usr */

static const char *keep(struct card_run *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *keep(struct card_run *c, const char *format, ...)
{
    char text[PATH_MAX + 64];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(size >= 0 && c->kept_count < CARD_RUN_WORDS_MAX);
    return c->kept[c->kept_count++] = must_strdup(text);
}

static void mount_word(struct card_run *c, const char *word)
{
    assert(c->mount_count + 1 < CARD_RUN_WORDS_MAX);
    c->mounts[c->mount_count++] = word;
}

static void mount_at(struct card_run *c, const char *how, const char *from, const char *to)
{
    mount_word(c, how);
    mount_word(c, from);
    mount_word(c, to);
}

static void set_variable(struct card_run *c, const char *name, const char *value)
{
    assert(c->environment_count + 3 < sizeof c->environment / sizeof *c->environment);
    c->environment[c->environment_count++] = "--setenv";
    c->environment[c->environment_count++] = name;
    c->environment[c->environment_count++] = value;
}

static void add_arg(struct card_run *c, const char *flag, const char *value)
{
    assert(c->arg_count + 2 < sizeof c->args / sizeof *c->args);
    c->args[c->arg_count++] = flag;
    c->args[c->arg_count++] = value;
}

/* ---- the card -------------------------------------------------------------------------------- */

/* "nvidia3" is card 3; names without a number after "nvidia" are for all cards. */
static bool is_for(const char *node, unsigned number)
{
    const char *name = strrchr(node, '/') + 1;
    char *end;
    if (strcmp(name, "nvidiactl") == 0 || strncmp(name, "nvidia-uvm", 10) == 0) return true;
    if (strncmp(name, "nvidia", 6) != 0 || name[6] < '0' || name[6] > '9') return false;
    return strtoul(name + 6, &end, 10) == number && *end == '\0';
}

static void mount_nodes(struct card_run *c, const struct device_files *files, unsigned number)
{
    static const char *const PLAIN[] = {"/dev/null", "/dev/zero", "/dev/urandom"};
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++)
        mount_at(c, "--dev-bind-try", PLAIN[i], PLAIN[i]);
    for (size_t i = 0; i < files->node_count; i++) {
        if (!is_for(files->nodes[i], number)) continue;
        const char *node = keep(c, "%s", files->nodes[i]);
        mount_at(c, "--dev-bind-try", node, node);
    }
}

/* What the driver's library reads about itself and the machine. */
static void mount_system(struct card_run *c)
{
    static const char *const READ[] = {"/sys/devices", "/sys/bus/pci", "/sys/module"};
    mount_word(c, "--proc");
    mount_word(c, "/proc");
    for (size_t i = 0; i < sizeof READ / sizeof *READ; i++)
        mount_at(c, "--ro-bind-try", READ[i], READ[i]);
}

static void point_at_driver(struct card_run *c, const struct device_files *files)
{
    for (size_t i = 0; i < files->library_count; i++) {
        const char *path = files->libraries[i], *slash = strrchr(path, '/');
        if (strncmp(slash + 1, "libcuda.so", 10) != 0) continue;
        set_variable(c, "LD_LIBRARY_PATH", keep(c, "%.*s", (int)(slash - path), path));
        return;
    }
}

static void add_card(struct card_run *c, const struct gpu *gpu)
{
    struct device_files *files = must_alloc(sizeof *files);
    device_files_find(files);
    mount_nodes(c, files, gpu->node);
    mount_system(c);
    point_at_driver(c, files);
    set_variable(c, "CUDA_VISIBLE_DEVICES", keep(c, "%s", gpu->uuid));
    set_variable(c, "CUDA_CACHE_DISABLE", "1");
    add_arg(c, "--cuda", "0"); /* the only one that is visible */
    add_arg(c, "--arch", keep(c, "%u", gpu->capability));
    free(files);
}

/* ---- the compiler ---------------------------------------------------------------------------- */

/* The sandbox sees /usr anyway; another folder is bound where nothing else is. */
static void add_nvrtc(struct card_run *c, const char *wanted)
{
    char real[PATH_MAX];
    if (wanted == NULL) wanted = getenv("LEASEHOLD_NVRTC");
    if (wanted == NULL || wanted[0] == '\0' || realpath(wanted, real) == NULL) return;
    char *slash = strrchr(real, '/');
    if (strncmp(real, "/usr/", 5) == 0) {
        add_arg(c, "--nvrtc", keep(c, "%s", real));
        return;
    }
    const char *inside = keep(c, "%s%s", NVRTC_FOLDER, slash);
    *slash = '\0';
    mount_at(c, "--ro-bind", keep(c, "%s", real), NVRTC_FOLDER);
    add_arg(c, "--nvrtc", inside);
}

/* Where it is and when it was put there: another version is another file. */
static void describe_nvrtc(char *out, size_t out_size, const struct card_run *c)
{
    static const char *const USUAL[] = {"/usr/lib/x86_64-linux-gnu", "/usr/local/cuda/lib64",
                                        "/usr/local/cuda/lib"};
    struct stat s;
    size_t used = 0;
    for (size_t i = 0; i + 1 < c->arg_count; i += 2) {
        if (strcmp(c->args[i], "--nvrtc") == 0)
            used += (size_t)snprintf(out, out_size, "%s", c->args[i + 1]);
    }
    for (size_t i = 0; i < c->mount_count && used < out_size; i++) {
        if (strcmp(c->mounts[i], NVRTC_FOLDER) != 0 || stat(c->mounts[i - 1], &s) != 0) continue;
        used += (size_t)snprintf(out + used, out_size - used, " %lld", (long long)s.st_mtime);
    }
    for (size_t i = 0; i < 3 && used < out_size; i++) {
        if (stat(USUAL[i], &s) != 0) continue;
        used += (size_t)snprintf(out + used, out_size - used, " %lld", (long long)s.st_mtime);
    }
}

/* ---- compiled code --------------------------------------------------------------------------- */

static bool make_key(struct card_run *c, const struct card_run_options *o)
{
    char compiler[PATH_MAX] = "";
    describe_nvrtc(compiler, sizeof compiler, c);
    const struct code_key_parts parts = {.plan = o->plan,
                                         .job_folder = o->job_folder,
                                         .runner_path = o->runner_path,
                                         .compiler = compiler,
                                         .driver = o->gpu->driver,
                                         .capability = o->gpu->capability};
    return code_cache_key(&c->key, &parts) == OK;
}

static enum status add_cache(struct card_run *c, const struct card_run_options *o)
{
    char found[PATH_MAX];
    if (o->cache_folder == NULL || !make_key(c, o)) return OK;
    c->cache_folder = o->cache_folder;
    if (code_cache_find(found, sizeof found, o->cache_folder, &c->key)) {
        mount_at(c, "--ro-bind", keep(c, "%s", found), "/cached");
        add_arg(c, "--cached", "/cached");
        return OK;
    }
    snprintf(c->artifact, sizeof c->artifact, "%.4000s/artifact", o->run_folder);
    int fd = open(c->artifact, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 || fchmod(fd, 0666) != 0) return E_IO; /* another user writes it, in the sandbox */
    close(fd);
    mount_at(c, "--bind", c->artifact, "/artifact");
    add_arg(c, "--artifact", "/artifact");
    return OK;
}

enum status card_run_prepare(struct card_run *out, const struct card_run_options *o)
{
    *out = (struct card_run){.cache_folder = NULL};
    if (o->gpu != NULL) add_card(out, o->gpu);
    add_nvrtc(out, o->nvrtc);
    enum status status = o->gpu != NULL ? add_cache(out, o) : OK;
    out->card = (struct sandbox_card){.mounts = out->mounts,
                                      .environment = out->environment,
                                      .args = out->args,
                                      .has_device = o->gpu != NULL};
    if (status != OK) card_run_finish(out);
    return status;
}

void card_run_keep(struct card_run *c)
{
    if (c->cache_folder != NULL && c->artifact[0] != '\0')
        code_cache_keep(c->cache_folder, &c->key, c->artifact);
}

void card_run_finish(struct card_run *c)
{
    for (size_t i = 0; i < c->kept_count; i++)
        free(c->kept[i]);
    c->kept_count = 0;
}
