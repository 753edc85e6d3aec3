#include "compute/runner/library.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char *missing_symbol(void *table, void *handle, const struct library *library)
{
    for (size_t i = 0; i < library->symbol_count; i++) {
        const struct library_symbol *s = &library->symbols[i];
        void *function = dlsym(handle, s->name);
        if (function == NULL) return s->name;
        memcpy((char *)table + s->offset, &function, sizeof function);
    }
    return NULL;
}

static enum status open_one(void *table, char error[LIBRARY_ERROR_SIZE],
                            const struct library *library, const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *why = dlerror();
        snprintf(error, LIBRARY_ERROR_SIZE, "%.200s: %.200s", path, why == NULL ? "" : why);
        return E_NOT_FOUND;
    }
    const char *missing = missing_symbol(table, handle, library);
    if (missing == NULL) return OK;
    snprintf(error, LIBRARY_ERROR_SIZE, "%.200s is too old: it has no %s", path, missing);
    dlclose(handle);
    return E_NOT_FOUND;
}

static void list_paths(char *out, size_t out_size, const char *const *paths)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; paths[i] != NULL && used < out_size; i++) {
        int size = snprintf(out + used, out_size - used, "%s%s", i > 0 ? ", " : "", paths[i]);
        assert(size >= 0);
        used += (size_t)size;
    }
}

enum status library_open(void *table, char error[LIBRARY_ERROR_SIZE], const struct library *library,
                         const char *preferred)
{
    char sought[LIBRARY_ERROR_SIZE / 2];
    if (preferred != NULL && preferred[0] != '\0') {
        return open_one(table, error, library, preferred);
    }
    for (size_t i = 0; library->paths[i] != NULL; i++) {
        if (open_one(table, error, library, library->paths[i]) == OK) return OK;
    }
    if (strstr(error, "too old") != NULL) return E_NOT_FOUND;
    list_paths(sought, sizeof sought, library->paths);
    snprintf(error, LIBRARY_ERROR_SIZE, "%s is not there (sought: %s); %s", library->what, sought,
             library->install);
    return E_NOT_FOUND;
}

void library_folder(char *out, size_t out_size, const void *function)
{
    Dl_info info;
    out[0] = '\0';
    if (dladdr(function, &info) == 0 || info.dli_fname == NULL) return;
    const char *slash = strrchr(info.dli_fname, '/');
    if (slash == NULL || (size_t)(slash - info.dli_fname) >= out_size) return;
    memcpy(out, info.dli_fname, (size_t)(slash - info.dli_fname));
    out[slash - info.dli_fname] = '\0';
}
