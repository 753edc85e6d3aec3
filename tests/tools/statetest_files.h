/* statetest_files.h - which files a run of the state tests is about, and in which order.
 *
 * Files that take seconds come last, the longest first and a fork at a time: so what fails for a
 * plain reason shows at once, and at the end all processors still have something to do. */
#ifndef LEASEHOLD_TESTS_TOOLS_STATETEST_FILES_H
#define LEASEHOLD_TESTS_TOOLS_STATETEST_FILES_H

#include "base/fatal.h"
#include "tests/tools/statetest_fork.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_FORKS FORK_COUNT

struct test_file {
    char *path;  /* owned */
    size_t fork; /* an index in FORKS, or ALL_FORKS */
};

struct test_files {
    struct test_file *items; /* owned */
    size_t count;
    size_t capacity;
    size_t unreadable;
};

/* In the order in which they should start. */
static const char *const HEAVY_FILES[] = {
    "CALLBlake2f_MaxRounds.json", /* a minute: 2^32 - 1 rounds */
    "loopMul.json",               /* a second or two each, from here on */
    "run_until_out_of_gas.json",
    "Call50000_sha256.json",
    "CreateOOGafterMaxCodesize.json",
};
#define HEAVY_COUNT (sizeof(HEAVY_FILES) / sizeof(HEAVY_FILES[0]))

static inline bool text_ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* HEAVY_COUNT for a file that is not heavy. */
static inline size_t heavy_rank(const char *path)
{
    size_t i = 0;
    while (i < HEAVY_COUNT && !text_ends_with(path, HEAVY_FILES[i]))
        i++;
    return i;
}

static inline void test_files_add(struct test_files *f, const char *path, size_t fork)
{
    if (f->count == f->capacity) {
        f->capacity = f->capacity == 0 ? 256 : 2 * f->capacity;
        f->items = must_realloc(f->items, f->capacity * sizeof(f->items[0]));
    }
    f->items[f->count++] = (struct test_file){must_strdup(path), fork};
}

static inline int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Fillers are what tests are generated from: not JSON to the letter, and without results. */
static inline bool is_test(const FTSENT *entry)
{
    return entry->fts_info == FTS_F && text_ends_with(entry->fts_name, ".json") &&
           !text_ends_with(entry->fts_name, "Filler.json");
}

static inline void test_files_walk(struct test_files *f, const char *path)
{
    char *own = must_strdup(path), *paths[] = {own, NULL};
    FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (walk == NULL) fatal("walking %s", path);
    for (FTSENT *entry = fts_read(walk); entry != NULL; entry = fts_read(walk)) {
        if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR) {
            printf("FAIL %s: cannot be read: %s\n", entry->fts_path, strerror(entry->fts_errno));
            f->unreadable++;
        }
        if (is_test(entry)) test_files_add(f, entry->fts_path, ALL_FORKS);
    }
    fts_close(walk);
    free(own);
}

/* *.json below the paths, ordered. */
static inline void test_files_collect(struct test_files *f, const char *const *paths, size_t count)
{
    struct test_files all = {.count = 0};
    *f = (struct test_files){.count = 0};
    for (size_t i = 0; i < count; i++)
        test_files_walk(&all, paths[i]);
    f->unreadable = all.unreadable;
    for (size_t i = 0; i < all.count; i++)
        if (heavy_rank(all.items[i].path) == HEAVY_COUNT)
            test_files_add(f, all.items[i].path, ALL_FORKS);
    for (size_t rank = 0; rank < HEAVY_COUNT; rank++) {
        for (size_t i = 0; i < all.count; i++) {
            if (heavy_rank(all.items[i].path) != rank) continue;
            for (size_t fork = 0; fork < FORK_COUNT; fork++)
                test_files_add(f, all.items[i].path, fork);
        }
    }
    for (size_t i = 0; i < all.count; i++)
        free(all.items[i].path);
    free(all.items);
}

static inline void test_files_finish(struct test_files *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->items[i].path);
    free(f->items);
}

#endif
