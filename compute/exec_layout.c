#include "compute/exec_layout.h"

#include "base/fatal.h"
#include "compute/device_files.h"
#include "compute/exec_job.h"
#include "compute/gpus.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GPU_FOLDER "/.leasehold/gpu"

const char *exec_text(struct arena *arena, const char *format, ...)
{
    struct buffer text = {0};
    char small[PATH_MAX + 256];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    assert(size >= 0 && (size_t)size < sizeof small);
    buffer_append(&text, bytes_of(small, (size_t)size));
    const char *kept = arena_text(arena, buffer_bytes(&text));
    buffer_finish(&text);
    return kept;
}

static void add(struct exec_layout *l, const char *arg)
{
    assert(l->count + 1 < EXEC_LAYOUT_ARGS_MAX);
    l->args[l->count++] = arg;
    l->args[l->count] = NULL;
}

static void add3(struct exec_layout *l, const char *what, const char *from, const char *to)
{
    add(l, what);
    add(l, from);
    add(l, to);
}

/* bwrap gives folders that it makes on the way to others no rights for others. */
static void add_folder(struct exec_layout *l, const char *mode, const char *path)
{
    add(l, "--perms");
    add(l, mode);
    add(l, "--dir");
    add(l, path);
}

/* /bin and its like: links into /usr on merged systems, folders on others. */
static void add_system_folder(struct exec_layout *l, const char *path)
{
    char target[256];
    struct stat s;
    if (lstat(path, &s) != 0) return;
    if (S_ISDIR(s.st_mode)) add3(l, "--ro-bind", path, path);
    if (!S_ISLNK(s.st_mode)) return;
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size <= 0) return;
    target[size] = '\0';
    add3(l, "--symlink", exec_text(l->arena, "%s", target), path);
}

void exec_layout_unpack(struct exec_layout *l, const char *helper, const char *image,
                        const char *root)
{
    static const char *const SYSTEM[] = {"/bin", "/lib", "/lib32", "/lib64", "/libx32"};
    add3(l, "--ro-bind", "/usr", "/usr");
    add_folder(l, "0755", "/etc");
    add3(l, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache");
    for (size_t i = 0; i < sizeof SYSTEM / sizeof *SYSTEM; i++)
        add_system_folder(l, SYSTEM[i]);
    add3(l, "--ro-bind", helper, "/leasehold-unpack");
    add3(l, "--ro-bind", image, "/image");
    add3(l, "--bind", root, "/root");
    add(l, "--remount-ro");
    add(l, "/");
    add(l, "--chdir");
    add(l, "/root");
}

/* ---- the image's root ---------------------------------------------------------------------- */

static bool is_own(const char *name)
{
    static const char *const OWN[] = {".", "..", "dev", "proc", "sys", "tmp", "job", ".leasehold"};
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
        if (strcmp(name, OWN[i]) == 0) return true;
    }
    return false;
}

static enum status add_top(struct exec_layout *l, int folder, const char *root, const char *name)
{
    char target[PATH_MAX];
    struct stat s;
    const char *to = exec_text(l->arena, "/%s", name);
    if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) != 0) return E_IO;
    if (S_ISDIR(s.st_mode) || S_ISREG(s.st_mode)) {
        add3(l, "--ro-bind", exec_text(l->arena, "%s/%s", root, name), to);
    }
    if (!S_ISLNK(s.st_mode)) return OK;
    ssize_t size = readlinkat(folder, name, target, sizeof target - 1);
    if (size <= 0) return E_IO;
    target[size] = '\0';
    add3(l, "--symlink", exec_text(l->arena, "%s", target), to);
    return OK;
}

/* *has_work: the image has a /work. */
static enum status add_tops(struct exec_layout *l, bool *has_work, const char *root)
{
    enum status status = OK;
    struct dirent *entry;
    size_t count = 0;
    DIR *d = opendir(root);
    if (d == NULL) return E_IO;
    while (status == OK && (entry = readdir(d)) != NULL) {
        if (is_own(entry->d_name)) continue;
        if (strcmp(entry->d_name, "work") == 0) *has_work = true;
        if (++count > ROOTFS_TOP_MAX) status = E_LIMIT;
        if (status == OK) status = add_top(l, dirfd(d), root, entry->d_name);
    }
    closedir(d);
    return status;
}

/* ---- our own ------------------------------------------------------------------------------- */

static void add_devices(struct exec_layout *l)
{
    static const char *const NODES[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                        "/dev/urandom"};
    static const char *const LINKS[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"},
                                           {"/job/shm", "/dev/shm"}};
    add_folder(l, "0755", "/dev");
    for (size_t i = 0; i < sizeof NODES / sizeof *NODES; i++)
        add3(l, "--dev-bind-try", NODES[i], NODES[i]);
    for (size_t i = 0; i < sizeof LINKS / sizeof *LINKS; i++)
        add3(l, "--symlink", LINKS[i][0], LINKS[i][1]);
}

/* Copies, since the list of files does not live as long as the arguments. */
static void add_gpu(struct exec_layout *l, const struct gpu *gpu)
{
    static const char *const READ[] = {"/sys/devices", "/sys/bus/pci", "/sys/module"};
    struct device_files *files = must_alloc(sizeof *files);
    device_files_find(files);
    add_folder(l, "0755", GPU_FOLDER);
    for (size_t i = 0; i < files->node_count; i++) {
        if (!device_node_is_for(files->nodes[i], gpu->node)) continue;
        const char *node = exec_text(l->arena, "%s", files->nodes[i]);
        add3(l, "--dev-bind-try", node, node);
    }
    for (size_t i = 0; i < files->library_count; i++) {
        const char *library = exec_text(l->arena, "%s", files->libraries[i]);
        const char *name = strrchr(library, '/');
        add3(l, "--ro-bind-try", library, exec_text(l->arena, GPU_FOLDER "%s", name));
    }
    for (size_t i = 0; i < sizeof READ / sizeof *READ; i++) /* what the driver's library reads */
        add3(l, "--ro-bind-try", READ[i], READ[i]);
    free(files);
}

static void add_job(struct exec_layout *l, const struct exec_run *run)
{
    static const char *const FOLDERS[] = {EXEC_OUT_FOLDER, EXEC_WORK_FOLDER, EXEC_TMP_FOLDER,
                                          "/job/shm"};
    const struct exec_job *exec = run->job->exec;
    add(l, "--perms");
    add(l, "0755");
    add(l, "--size");
    add(l, exec_text(l->arena, "%llu", (unsigned long long)exec->disk_mib << 20));
    add(l, "--tmpfs");
    add(l, "/job");
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++)
        add_folder(l, "1777", FOLDERS[i]);
    add_folder(l, "0755", EXEC_IN_FOLDER);
    for (uint32_t i = 0; i < exec->input_count; i++) {
        add3(l, "--ro-bind", exec_text(l->arena, "%s/%s", run->job_folder, exec->inputs[i].file),
             exec_text(l->arena, EXEC_IN_FOLDER "/%s", exec->inputs[i].name));
    }
}

enum status exec_layout_run(struct exec_layout *l, const struct exec_run *run, const char *root,
                            const char *init, const char *plan)
{
    bool has_work = false;
    enum status status = add_tops(l, &has_work, root);
    if (status != OK) return status;
    add_devices(l);
    add(l, "--proc");
    add(l, "/proc");
    add_job(l, run);
    add3(l, "--symlink", "job/tmp", "/tmp");
    if (!has_work) add3(l, "--symlink", "job/work", "/work");
    add_folder(l, "0755", "/.leasehold");
    add3(l, "--ro-bind", init, "/.leasehold/init");
    add3(l, "--ro-bind", plan, "/.leasehold/plan");
    if (run->gpu != NULL) add_gpu(l, run->gpu);
    add(l, "--remount-ro");
    add(l, "/");
    add(l, "--chdir");
    add(l, "/");
    return OK;
}

static enum status set_env(struct exec_plan *plan, const char *name, const char *value)
{
    char pair[PATH_MAX];
    int size = snprintf(pair, sizeof pair, "%s=%s", name, value);
    if (size < 0 || (size_t)size >= sizeof pair) return E_LIMIT;
    return exec_plan_set_env(plan, pair);
}

enum status exec_layout_gpu_env(struct exec_plan *plan, const struct gpu *gpu)
{
    static const char NAME[] = "LD_LIBRARY_PATH=";
    char folders[PATH_MAX];
    const char *old = "";
    for (uint32_t i = 0; i < plan->env_count; i++) {
        if (strncmp(plan->env[i], NAME, sizeof NAME - 1) == 0) old = plan->env[i] + sizeof NAME - 1;
    }
    int size = snprintf(folders, sizeof folders, GPU_FOLDER "%s%s", *old != '\0' ? ":" : "", old);
    if (size < 0 || (size_t)size >= sizeof folders) return E_LIMIT;
    enum status status = set_env(plan, "LD_LIBRARY_PATH", folders);
    if (status == OK) status = set_env(plan, "CUDA_VISIBLE_DEVICES", gpu->uuid);
    if (status == OK) status = set_env(plan, "NVIDIA_VISIBLE_DEVICES", gpu->uuid);
    return status;
}
