#include "node/pool_journal.h"

#include "base/file.h"
#include "chain/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/leasehold-journal-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void append_line(void *context, struct bytes wire)
{
    struct buffer *seen = context;
    buffer_append(seen, wire);
    buffer_append_byte(seen, '|');
}

/* What the journal replays, as text; the journal stays open in *out unless out is NULL. */
static const char *replayed(struct pool_journal **out)
{
    static struct buffer seen;
    struct pool_journal *j;
    buffer_clear(&seen);
    assert_int_equal(pool_journal_open(&j, path, append_line, &seen), OK);
    if (out != NULL)
        *out = j;
    else
        pool_journal_close(j);
    return buffer_text(&seen);
}

static void put_file(const struct buffer *content, size_t size)
{
    assert_int_equal(file_write_atomic(path, bytes_of(content->data, size), 0600), OK);
}

static void replays_what_was_appended(void **state)
{
    struct pool_journal *j;
    (void)state;
    assert_string_equal(replayed(&j), "");
    pool_journal_append(j, bytes_of_text("one"));
    pool_journal_append(j, bytes_of_text("two"));
    pool_journal_close(j);
    assert_string_equal(replayed(&j), "one|two|");
    pool_journal_append(j, bytes_of_text("three"));
    pool_journal_close(j);
    assert_string_equal(replayed(NULL), "one|two|three|");
}

static void ends_at_a_torn_tail_and_goes_on_after_it(void **state)
{
    struct pool_journal *j;
    struct buffer whole = {0};
    (void)state;
    assert_int_equal(file_read(&whole, path, 1000), OK);
    for (size_t cut = 0; cut < whole.size; cut++) {
        put_file(&whole, cut);
        replayed(&j);
        pool_journal_append(j, bytes_of_text("more"));
        pool_journal_close(j);
        const char *want = cut < 11 ? "more|" : cut < 22 ? "one|more|" : "one|two|more|";
        assert_string_equal(replayed(NULL), want);
    }
    put_file(&whole, whole.size);
    buffer_finish(&whole);
}

static void ends_at_any_flipped_bit(void **state)
{
    struct buffer whole = {0};
    (void)state;
    assert_int_equal(file_read(&whole, path, 1000), OK);
    for (size_t at = 11; at < 22; at++) { /* the second entry */
        whole.data[at] ^= 0x20;
        put_file(&whole, whole.size);
        assert_string_equal(replayed(NULL), "one|");
        whole.data[at] ^= 0x20;
    }
    put_file(&whole, whole.size);
    assert_string_equal(replayed(NULL), "one|two|three|");
    buffer_finish(&whole);
}

static void is_replaced_whole(void **state)
{
    struct pool_journal *j;
    struct bytes kept[] = {bytes_of_text("two"), bytes_of_text("new")};
    (void)state;
    replayed(&j);
    pool_journal_rewrite(j, kept, 2);
    assert_int_equal(pool_journal_size(j), 22);
    pool_journal_append(j, bytes_of_text("last"));
    pool_journal_close(j);
    assert_string_equal(replayed(NULL), "two|new|last|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replays_what_was_appended),
        cmocka_unit_test(ends_at_a_torn_tail_and_goes_on_after_it),
        cmocka_unit_test(ends_at_any_flipped_bit),
        cmocka_unit_test(is_replaced_whole),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
