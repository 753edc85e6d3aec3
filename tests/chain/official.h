/* official.h - reads the published vectors of ethereum/tests out of an archive beside the tree.
 *
 * They are not part of the project. Where the archive is missing the test is skipped, in words. */
#ifndef LEASEHOLD_TESTS_CHAIN_OFFICIAL_H
#define LEASEHOLD_TESTS_CHAIN_OFFICIAL_H

#include <setjmp.h>
#include <stdarg.h>
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

#define OFFICIAL_ARCHIVE "../shared/evm/format-tests.tar.zst"

static json_t *official_read_json(struct archive *a)
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
    json_t *root = json_loadb(text, size, 0, NULL);
    free(text);
    return root;
}

/* Calls `visit` for each top-level member of each JSON file whose path begins with `prefix`.
 * Returns how many there were. Skips the test if the archive is not there. */
static size_t official_each(const char *prefix, void (*visit)(const char *name, const json_t *test))
{
    if (access(OFFICIAL_ARCHIVE, R_OK) != 0) {
        print_message("# skipped: the official vectors (%s) are not on this machine\n",
                      OFFICIAL_ARCHIVE);
        skip();
    }
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    size_t count = 0;
    archive_read_support_format_all(a);
    archive_read_support_filter_all(a);
    assert_int_equal(archive_read_open_filename(a, OFFICIAL_ARCHIVE, 65536), ARCHIVE_OK);
    while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
        const char *path = archive_entry_pathname(entry);
        if (!strstr(path, prefix) || !strstr(path, ".json")) continue;
        json_t *root = official_read_json(a);
        assert_non_null(root);
        const char *name;
        json_t *test;
        json_object_foreach(root, name, test)
        {
            visit(name, test);
            count++;
        }
        json_decref(root);
    }
    archive_read_free(a);
    return count;
}

#endif
