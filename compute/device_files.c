#include "compute/device_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct list {
    char (*paths)[DEVICE_PATH_SIZE];
    size_t *count;
    size_t max;
};

static const char *file_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

static bool is_listed(const struct list *list, const char *name)
{
    for (size_t i = 0; i < *list->count; i++) {
        if (strcmp(file_name(list->paths[i]), name) == 0) return true;
    }
    return false;
}

static void add(struct list *list, const char *folder, const char *name, mode_t type)
{
    char path[DEVICE_PATH_SIZE];
    struct stat s;
    if (*list->count >= list->max || is_listed(list, name)) return;
    int size = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (size < 0 || (size_t)size >= sizeof path) return;
    if (stat(path, &s) != 0 || (s.st_mode & S_IFMT) != type) return;
    memcpy(list->paths[(*list->count)++], path, (size_t)size + 1);
}

static void look_in(struct list *list, const char *folder, const char *const *prefixes, mode_t type)
{
    struct dirent *entry;
    DIR *d = opendir(folder);
    if (d == NULL) return;
    while ((entry = readdir(d)) != NULL) {
        for (size_t i = 0; prefixes[i] != NULL; i++) {
            if (strncmp(entry->d_name, prefixes[i], strlen(prefixes[i])) == 0)
                add(list, folder, entry->d_name, type);
        }
    }
    closedir(d);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(a, b);
}

void device_files_find(struct device_files *out)
{
    static const char *const NODES[] = {"nvidia", NULL};
    static const char *const LIBRARIES[] = {"libcuda.so", "libcudadebugger.so", "libnvidia-", NULL};
    static const char *const FOLDERS[] = {
        "/usr/lib/x86_64-linux-gnu",  "/usr/lib64",       "/usr/lib",
        "/usr/lib/aarch64-linux-gnu", "/usr/lib/wsl/lib", "/usr/local/nvidia/lib64"};
    *out = (struct device_files){0};
    struct list nodes = {out->nodes, &out->node_count, DEVICE_NODES_MAX};
    struct list libraries = {out->libraries, &out->library_count, DEVICE_LIBRARIES_MAX};
    look_in(&nodes, "/dev", NODES, S_IFCHR);
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++)
        look_in(&libraries, FOLDERS[i], LIBRARIES, S_IFREG);
    qsort(out->nodes, out->node_count, DEVICE_PATH_SIZE, compare_paths);
    qsort(out->libraries, out->library_count, DEVICE_PATH_SIZE, compare_paths);
}

bool device_node_is_for(const char *node, unsigned number)
{
    char *end;
    const char *name = file_name(node);
    if (strcmp(name, "nvidiactl") == 0 || strncmp(name, "nvidia-uvm", 10) == 0) return true;
    if (strncmp(name, "nvidia", 6) != 0 || name[6] < '0' || name[6] > '9') return false;
    return strtoul(name + 6, &end, 10) == number && *end == '\0';
}
