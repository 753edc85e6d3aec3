#include "node/vote_log.h"

#include "base/file.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static char directory[64];
static char path[96];

static int fresh_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/vote_log_XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/votes.log", directory);
    return 0;
}

static int remove_directory(void **state)
{
    char lock[128];
    (void)state;
    snprintf(lock, sizeof(lock), "%s.lock", path);
    unlink(lock);
    unlink(path);
    return rmdir(directory);
}

struct replayed {
    size_t count;
    struct record records[16];
    size_t body_size;
};

static enum status remember(void *context, const struct record *record, struct bytes body)
{
    struct replayed *r = context;
    assert_true(r->count < 16);
    r->records[r->count++] = *record;
    r->body_size += body.size;
    return OK;
}

static struct vote_log *must_open(struct replayed *out, bool *out_created)
{
    struct vote_log *log = NULL;
    memset(out, 0, sizeof(*out));
    assert_int_equal(vote_log_open(&log, out_created, path, remember, out), OK);
    return log;
}

static struct record vote_record(uint64_t view)
{
    struct record r = {.kind = RECORD_VOTE};
    r.vote = (struct vote){.epoch = 3, .view = view, .kind = VOTE_NULLIFY, .signer = 2};
    memset(r.vote.signature.b, 0x11, 64);
    return r;
}

static void append_vote(struct vote_log *log, uint64_t view)
{
    struct record r = vote_record(view);
    vote_log_append(log, &r, bytes_of(NULL, 0));
}

/* Views 1..count, each synced alone. */
static void write_votes(uint64_t count)
{
    struct replayed r;
    bool created;
    struct vote_log *log = must_open(&r, &created);
    for (uint64_t view = 1; view <= count; view++) {
        append_vote(log, view);
        vote_log_sync(log);
    }
    vote_log_close(log);
}

static struct buffer read_file(void)
{
    struct buffer file = {0};
    assert_int_equal(file_read(&file, path, 1 << 20), OK);
    return file;
}

static void write_file(struct bytes content)
{
    assert_int_equal(file_write_atomic(path, content, 0600), OK);
}

static void gives_back_all_kinds_of_records_in_order(void **state)
{
    struct replayed r;
    bool created;
    struct vote_log *log = must_open(&r, &created);
    struct certificate cert = {.epoch = 3, .view = 9, .kind = VOTE_NULLIFY};
    struct record record = {.kind = RECORD_EPOCH, .epoch = {3, {{5}}, 100}};
    (void)state;
    assert_true(created);
    vote_log_append(log, &record, bytes_of(NULL, 0));
    append_vote(log, 7);
    record = (struct record){.kind = RECORD_CERTIFICATE, .certificate = &cert};
    vote_log_append(log, &record, bytes_of(NULL, 0));
    record = (struct record){.kind = RECORD_BLOCK, .block = {3, 8, 6, {{4}}}};
    vote_log_append(log, &record, bytes_of_text("a block's bytes"));
    vote_log_sync(log);
    vote_log_close(log);
    log = must_open(&r, &created);
    assert_false(created);
    assert_int_equal(r.count, 4);
    assert_int_equal(r.records[0].epoch.start_number, 100);
    assert_int_equal(r.records[1].vote.view, 7);
    assert_int_equal(r.records[2].kind, RECORD_CERTIFICATE);
    assert_int_equal(r.records[3].block.parent_view, 6);
    assert_int_equal(r.body_size, 15);
    vote_log_close(log);
}

static void keeps_nothing_that_was_not_synced(void **state)
{
    struct replayed r;
    bool created;
    struct vote_log *log = must_open(&r, &created);
    (void)state;
    append_vote(log, 1);
    vote_log_sync(log);
    append_vote(log, 2);
    vote_log_close(log);
    log = must_open(&r, &created);
    assert_int_equal(r.count, 1);
    vote_log_close(log);
}

static void cuts_a_torn_tail_wherever_it_tore(void **state)
{
    struct replayed r;
    bool created;
    (void)state;
    write_votes(2);
    struct buffer two = read_file();
    write_votes(1);
    struct buffer three = read_file();
    for (size_t size = two.size; size < three.size; size++) {
        write_file(bytes_of(three.data, size));
        struct vote_log *log = must_open(&r, &created);
        assert_int_equal(r.count, 2);
        append_vote(log, 77); /* and what follows is whole again */
        vote_log_sync(log);
        vote_log_close(log);
        log = must_open(&r, &created);
        assert_int_equal(r.count, 3);
        assert_int_equal(r.records[2].vote.view, 77);
        vote_log_close(log);
    }
    buffer_finish(&two);
    buffer_finish(&three);
}

static void refuses_a_flipped_bit_in_what_was_durable(void **state)
{
    struct replayed r = {0};
    struct vote_log *log = NULL;
    bool created;
    (void)state;
    write_votes(1);
    struct buffer one = read_file();
    write_votes(2);
    struct buffer file = read_file();
    for (size_t at = 0; at < one.size; at++) {
        file.data[at] ^= 0x10;
        write_file(buffer_bytes(&file));
        assert_int_equal(vote_log_open(&log, &created, path, remember, &r), E_MALFORMED);
        file.data[at] ^= 0x10;
    }
    assert_null(log);
    buffer_finish(&one);
    buffer_finish(&file);
}

static void is_not_fooled_by_a_block_that_looks_like_records(void **state)
{
    struct replayed r;
    bool created;
    (void)state;
    write_votes(3);
    struct buffer evil = read_file(); /* whole records, but of no place in this file */
    struct vote_log *log = must_open(&r, &created);
    struct record record = {.kind = RECORD_BLOCK, .block = {3, 8, 6, {{4}}}};
    vote_log_append(log, &record, buffer_bytes(&evil));
    vote_log_sync(log);
    vote_log_close(log);
    struct buffer file = read_file();
    write_file(bytes_of(file.data, file.size - 3)); /* torn inside the block's record */
    log = must_open(&r, &created);
    assert_int_equal(r.count, 3);
    vote_log_close(log);
    buffer_finish(&evil);
    buffer_finish(&file);
}

static void belongs_to_one_at_a_time(void **state)
{
    struct replayed r;
    bool created;
    struct vote_log *log = must_open(&r, &created);
    struct vote_log *second = NULL;
    (void)state;
    assert_int_equal(vote_log_open(&second, &created, path, remember, &r), E_EXISTS);
    vote_log_close(log);
    second = must_open(&r, &created);
    vote_log_close(second);
}

static void starts_afresh_with_what_must_stay(void **state)
{
    struct replayed r;
    bool created;
    (void)state;
    write_votes(9);
    struct vote_log *log = must_open(&r, &created);
    uint64_t before = vote_log_size(log);
    vote_log_rewrite_begin(log);
    append_vote(log, 8);
    append_vote(log, 9);
    vote_log_rewrite_commit(log);
    assert_true(vote_log_size(log) < before / 2);
    append_vote(log, 10);
    vote_log_sync(log);
    vote_log_close(log);
    log = must_open(&r, &created);
    assert_int_equal(r.count, 3);
    assert_int_equal(r.records[0].vote.view, 8);
    assert_int_equal(r.records[2].vote.view, 10);
    vote_log_close(log);
}

static enum status object(void *context, const struct record *record, struct bytes body)
{
    (void)context;
    (void)record;
    (void)body;
    return E_STATE;
}

static void passes_on_what_the_replay_objects_to(void **state)
{
    struct vote_log *log = NULL;
    bool created;
    (void)state;
    write_votes(1);
    assert_int_equal(vote_log_open(&log, &created, path, object, NULL), E_STATE);
    assert_null(log);
}

static void dies_when_the_disk_does_not_take_a_vote(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct replayed r;
        bool created;
        struct vote_log *log = must_open(&r, &created);
        struct rlimit full = {.rlim_cur = 40, .rlim_max = 40};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        setrlimit(RLIMIT_FSIZE, &full);
        fclose(stderr);
        append_vote(log, 1);
        vote_log_sync(log);
        _exit(0); /* it went on without its vote on disk */
    }
    int result = 0;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_all_kinds_of_records_in_order, fresh_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(keeps_nothing_that_was_not_synced, fresh_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(cuts_a_torn_tail_wherever_it_tore, fresh_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(refuses_a_flipped_bit_in_what_was_durable, fresh_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(is_not_fooled_by_a_block_that_looks_like_records,
                                        fresh_directory, remove_directory),
        cmocka_unit_test_setup_teardown(belongs_to_one_at_a_time, fresh_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(starts_afresh_with_what_must_stay, fresh_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(passes_on_what_the_replay_objects_to, fresh_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(dies_when_the_disk_does_not_take_a_vote, fresh_directory,
                                        remove_directory),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
