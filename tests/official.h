/* official.h - reads published vectors out of the archives beside the tree.
 *
 * They are not part of the project. Where an archive is missing the test is skipped, in words.
 * EVM_VECTORS names another folder than ../shared/evm. */
#ifndef LEASEHOLD_TESTS_OFFICIAL_H
#define LEASEHOLD_TESTS_OFFICIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OFFICIAL_FORMATS     "format-tests.tar.zst"
#define OFFICIAL_PRECOMPILES "precompile-vectors.tar.zst"

static inline json_t *official_read_json(struct archive *a)
{
    size_t size = 0;
    char *text = NULL;
    char part[65536];
    for (;;) {
        la_ssize_t got = archive_read_data(a, part, sizeof part);
        assert_true(got >= 0);
        if (got == 0) break;
        text = realloc(text, size + (size_t)got);
        assert_non_null(text);
        memcpy(text + size, part, (size_t)got);
        size += (size_t)got;
    }
    json_t *root = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
    free(text);
    assert_non_null(root);
    return root;
}

/* The member's top-level entries: of an object with their names, of an array with "". */
static inline size_t official_visit(const json_t *root,
                                    void (*visit)(const char *name, const json_t *test))
{
    size_t i;
    const json_t *one;
    const char *name;
    json_t *test;
    json_array_foreach(root, i, one) visit("", one);
    json_object_foreach((json_t *)(uintptr_t)root, name, test) visit(name, test);
    return json_is_array(root) ? json_array_size(root) : json_object_size(root);
}

/* Calls `file` for each JSON member whose path holds `part`; with NULL only counts. Returns how
 * many there were. Skips the test if the archive is not there. */
static inline size_t official_each_file(const char *archive, const char *part,
                                        void (*file)(const char *path, const json_t *root))
{
    const char *folder = getenv("EVM_VECTORS");
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : "../shared/evm", archive);
    if (access(path, R_OK) != 0) {
        print_message("# skipped: the published vectors (%s) are not on this machine\n", path);
        skip();
    }
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    size_t count = 0;
    archive_read_support_format_all(a);
    archive_read_support_filter_all(a);
    assert_int_equal(archive_read_open_filename(a, path, 65536), ARCHIVE_OK);
    while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
        const char *member = archive_entry_pathname(entry);
        if (!strstr(member, part) || !strstr(member, ".json")) continue;
        count++;
        if (file == NULL) continue;
        json_t *root = official_read_json(a);
        file(member, root);
        json_decref(root);
    }
    archive_read_free(a);
    return count;
}

static void (*official_visitor)(const char *name, const json_t *test);
static size_t official_count;

static inline void official_visit_file(const char *path, const json_t *root)
{
    (void)path;
    official_count += official_visit(root, official_visitor);
}

/* Calls `visit` for each top-level entry of the format vectors' files whose path holds `part`.
 * Returns how many there were. */
static inline size_t official_each(const char *part,
                                   void (*visit)(const char *name, const json_t *test))
{
    official_visitor = visit;
    official_count = 0;
    official_each_file(OFFICIAL_FORMATS, part, official_visit_file);
    return official_count;
}

static inline const char *official_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

#endif
