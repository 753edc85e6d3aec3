#include "compute/exec_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_SIZE 8192

static bool read_text(char text[TEXT_SIZE], long pid, const char *name)
{
    char path[64];
    size_t used = 0;
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    for (;;) {
        ssize_t got = read(fd, text + used, TEXT_SIZE - 1 - used);
        if (got <= 0) break;
        used += (size_t)got;
    }
    close(fd);
    text[used] = '\0';
    return used > 0;
}

/* The number behind "\nKEY:", 0 without it. A process's own name stands in the first line, where
 * it cannot pose as another, since the kernel writes a newline in it as \n. */
static uint64_t number_of(const char *text, const char *key)
{
    size_t size = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, size) == 0 && line[size] == ':') {
            return strtoull(line + size + 1, NULL, 10);
        }
    }
    return 0;
}

uint64_t exec_usage_kib(const char *text, const char *const *keys)
{
    uint64_t sum = 0;
    for (size_t i = 0; keys[i] != NULL; i++)
        sum += number_of(text, keys[i]);
    return sum;
}

static void add_process(struct exec_usage *usage, long pid, bool exact)
{
    static const char *const ROUGH[] = {"RssAnon", "RssShmem", "VmSwap", "VmPTE", NULL};
    static const char *const EXACT[] = {"Pss_Anon", "Pss_Shmem", "SwapPss", NULL};
    char text[TEXT_SIZE];
    if (!read_text(text, pid, "status")) return;
    usage->tasks += (uint32_t)number_of(text, "Threads");
    uint64_t kib = exec_usage_kib(text, ROUGH);
    if (exact && read_text(text, pid, "smaps_rollup")) kib = exec_usage_kib(text, EXACT);
    usage->memory_bytes += kib << 10;
}

void exec_usage_read(struct exec_usage *out, bool exact)
{
    struct dirent *entry;
    const long self = (long)getpid();
    *out = (struct exec_usage){0};
    DIR *d = opendir("/proc");
    if (d == NULL) return;
    while ((entry = readdir(d)) != NULL) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 0 && pid != self) add_process(out, pid, exact);
    }
    closedir(d);
}
