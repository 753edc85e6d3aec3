#include "base/fatal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fatal(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("fatal: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

void *must_alloc(size_t size_bytes)
{
    assert(size_bytes > 0);
    void *memory = calloc(1, size_bytes);
    if (!memory) fatal("out of memory, wanted %zu bytes", size_bytes);
    return memory;
}

void *must_realloc(void *old, size_t size_bytes)
{
    assert(size_bytes > 0);
    void *memory = realloc(old, size_bytes);
    if (!memory) fatal("out of memory, wanted %zu bytes", size_bytes);
    return memory;
}

char *must_strdup(const char *text)
{
    assert(text);
    char *copy = strdup(text);
    if (!copy) fatal("out of memory, wanted %zu bytes", strlen(text) + 1);
    return copy;
}
