/* Checkpoints: a job that is killed goes on where it was and has the same result. */
#include "compute/checkpoint.h"
#include "tests/compute/trace_maker.h"

#include <signal.h>
#include <time.h>

/* Steps of some milliseconds that read and write all of x; 40 of them. */
static const char SOURCE[] =
    "__global__ void step(float *x, unsigned *n, int index) {\n"
    "int i = blockIdx.x * blockDim.x + threadIdx.x; float v = x[i] + (float)(i % 13);\n"
    "for (int k = 0; k < WORK; k++) v = v * 0.999f + (float)((i + k) % 7);\n"
    "x[i] = i == index ? __int_as_float(0x7fc00001 + i) : v; atomicAdd(n, (unsigned)index); }\n";
#define STEPS 40

static void write_job(struct maker *m, const char *keys, unsigned work)
{
    char text[1024];
    snprintf(text, sizeof text, "#define WORK %u\n%s", work, SOURCE);
    maker_text(m, "k.cu", text);
    snprintf(text, sizeof text,
             "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", %s,\n"
             " \"buffers\": {\"x\": {\"bytes\": 40000, \"type\": \"f32\", \"output\": true},\n"
             " \"n\": {\"bytes\": 4, \"output\": true}},\n"
             " \"launches\": [{\"kernel\": \"step\", \"grid\": [40], \"block\": [250], \"repeat\": "
             "%d,\n \"args\": [\"x\", \"n\", {\"index\": true}]}],\n"
             " \"limits\": {\"seconds\": 60, \"memory_mib\": 64}}\n",
             keys, STEPS);
    maker_text(m, "job.json", text);
}

static struct run_result run_well(struct maker *m, struct run_keep *keep)
{
    struct run_result result;
    maker_run_kept(m, &result, NULL, keep);
    if (result.reason != REASON_OK) fail_msg("%s", result.message);
    run_result_finish(&result);
    return result;
}

/* Runs it in a process of its own and kills that once the checkpoint has come this far. */
static uint64_t run_and_kill(struct maker *m, struct run_keep *keep, uint64_t step)
{
    struct checkpoint c = {.step = 0};
    struct timespec pause = {0, 2000000};
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char error[RUN_ERROR_SIZE];
        struct run_result result;
        const struct run_options options = {.runner_path = m->runner, .threads = 2, .keep = keep};
        _exit(run_job(&result, error, m->job, m->tar, &options) == OK ? 0 : 1);
    }
    while (checkpoint_look(&c, keep->checkpoint_path) != OK || c.step < step) {
        assert_int_equal(waitpid(child, &status, WNOHANG), 0); /* it still runs */
        nanosleep(&pause, NULL);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(checkpoint_look(&c, keep->checkpoint_path), OK);
    return c.step;
}

static void expect_same_after_kills(const char *keys)
{
    struct maker m;
    struct run_keep plain = {0};
    char path[256];
    maker_open(&m);
    maker_path(&m, path, "state");
    write_job(&m, keys, 4000);
    struct run_result whole = run_well(&m, &plain);
    struct run_keep keep = {.checkpoint_path = path, .checkpoint_always = true};
    uint64_t first = run_and_kill(&m, &keep, 5);
    keep.resume_path = path;
    uint64_t second = run_and_kill(&m, &keep, first + 5);
    assert_true(second > first && second < STEPS);
    struct run_result rest = run_well(&m, &keep);
    print_message("# killed after %d and %d of %d launches\n", (int)first, (int)second, STEPS);
    assert_memory_equal(&whole.root, &rest.root, sizeof whole.root);
    assert_memory_equal(&whole.trace, &rest.trace, sizeof whole.trace);
    maker_close(&m);
}

static void a_job_that_is_killed_twice_has_the_same_result(void **state)
{
    (void)state;
    expect_same_after_kills("\"checkpoint\": 5");
}

static void a_traced_job_that_is_killed_twice_has_the_same_trace(void **state)
{
    (void)state;
    expect_same_after_kills("\"trace\": true, \"checkpoint\": 5");
}

static void checkpoints_come_as_seldom_as_the_job_says(void **state)
{
    struct maker m;
    char path[256];
    (void)state;
    maker_open(&m);
    maker_path(&m, path, "state");
    write_job(&m, "\"checkpoint\": 3600", 10);
    struct run_keep keep = {.checkpoint_path = path};
    (void)run_well(&m, &keep);
    assert_int_not_equal(access(path, F_OK), 0);
    write_job(&m, "\"trace\": true", 10); /* it wants none */
    keep.checkpoint_always = true;
    (void)run_well(&m, &keep);
    assert_int_not_equal(access(path, F_OK), 0);
    maker_close(&m);
}

/* ---- files that lie -------------------------------------------------------------------------- */

struct kept {
    struct maker m;
    char path[256];
    struct job *job;
    struct buffer file;
    struct checkpoint head;
    struct hash bundle;
};

static void kept_open(struct kept *k)
{
    char path[256], error[BUNDLE_ERROR_SIZE];
    struct bundle_info info;
    memset(k, 0, sizeof *k);
    maker_open(&k->m);
    maker_path(&k->m, k->path, "state");
    write_job(&k->m, "\"trace\": true, \"checkpoint\": 5", 10);
    struct run_keep keep = {.checkpoint_path = k->path, .checkpoint_always = true};
    (void)run_well(&k->m, &keep);
    k->job = maker_load(&k->m);
    k->file = maker_file(&k->m, "state");
    assert_int_equal(checkpoint_look(&k->head, k->path), OK);
    assert_int_equal(k->head.step, STEPS);
    maker_path(&k->m, path, "job.tar");
    assert_int_equal(bundle_pack_job(&info, error, k->m.job, path), OK);
    k->bundle = info.root;
    assert_memory_equal(&k->bundle, &k->head.bundle, sizeof k->bundle);
}

static void kept_close(struct kept *k)
{
    buffer_finish(&k->file);
    job_destroy(k->job);
    maker_close(&k->m);
}

static void expect_open(struct kept *k, enum status wanted, const char *why)
{
    char error[CHECKPOINT_ERROR_SIZE] = "";
    struct checkpoint c;
    struct buffer rows = {0};
    int fd = -1;
    assert_int_equal(file_write_atomic(k->path, buffer_bytes(&k->file), 0600), OK);
    struct checkpoint_source source = {k->path, &k->job->plan, &k->bundle};
    enum status status = checkpoint_open(&fd, &c, &rows, error, &source);
    if (status != wanted || strstr(error, why) == NULL) {
        fail_msg("%s: %s", status_text(status), error);
    }
    if (status == OK) close(fd);
    buffer_finish(&rows);
}

static void any_changed_byte_is_noticed(void **state)
{
    struct kept k;
    (void)state;
    kept_open(&k);
    expect_open(&k, OK, "");
    for (size_t at = 0; at < k.file.size; at += at < CHECKPOINT_HEADER_BYTES ? 1 : 509) {
        k.file.data[at] ^= 0x40;
        expect_open(&k, E_MALFORMED, "");
        k.file.data[at] ^= 0x40;
    }
    expect_open(&k, OK, "");
    kept_close(&k);
}

static void cut_and_grown_files_are_refused(void **state)
{
    struct kept k;
    (void)state;
    kept_open(&k);
    size_t size = k.file.size;
    const size_t sizes[] = {0, 8, CHECKPOINT_HEADER_BYTES - 1, CHECKPOINT_HEADER_BYTES, size - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        k.file.size = sizes[i];
        expect_open(&k, E_MALFORMED, "");
    }
    k.file.size = size;
    buffer_append_byte(&k.file, 0);
    expect_open(&k, E_MALFORMED, "has not the size");
    kept_close(&k);
}

/* A header that says the truth about a file that lies. */
static void seal(struct kept *k)
{
    size_t head = CHECKPOINT_HEADER_BYTES;
    k->head.root = merkle_root(bytes_of(k->file.data + head, k->file.size - head));
    checkpoint_encode(k->file.data, &k->head);
}

static void another_jobs_or_steps_or_memory_is_refused(void **state)
{
    struct kept k;
    (void)state;
    kept_open(&k);
    k.file.data[k.file.size - 5000] ^= 1; /* memory that is not that of the trace */
    seal(&k);
    expect_open(&k, E_MALFORMED, "is not that of its trace");
    k.file.data[k.file.size - 5000] ^= 1;
    k.head.step = STEPS + 1;
    seal(&k);
    expect_open(&k, E_MALFORMED, "41 launches, the job has 40");
    k.head.step = STEPS - 1;
    seal(&k);
    expect_open(&k, E_MALFORMED, "has not the size");
    k.head.step = STEPS;
    k.head.bundle.b[0] ^= 1;
    seal(&k);
    expect_open(&k, E_MALFORMED, "another job's");
    kept_close(&k);
}

static void run_job_says_why_it_cannot_go_on(void **state)
{
    struct maker m;
    struct run_result result;
    char error[RUN_ERROR_SIZE] = "", path[256];
    (void)state;
    maker_open(&m);
    maker_path(&m, path, "state");
    write_job(&m, "\"checkpoint\": 5", 10);
    const struct run_keep keep = {.resume_path = path};
    const struct run_options options = {.runner_path = m.runner, .threads = 1, .keep = &keep};
    assert_int_equal(run_job(&result, error, m.job, m.tar, &options), E_NOT_FOUND);
    assert_non_null(strstr(error, "state"));
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fclose(out);
    assert_int_equal(run_job(&result, error, m.job, m.tar, &options), E_MALFORMED);
    assert_non_null(strstr(error, "is no checkpoint"));
    maker_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_that_is_killed_twice_has_the_same_result),
        cmocka_unit_test(a_traced_job_that_is_killed_twice_has_the_same_trace),
        cmocka_unit_test(checkpoints_come_as_seldom_as_the_job_says),
        cmocka_unit_test(any_changed_byte_is_noticed),
        cmocka_unit_test(cut_and_grown_files_are_refused),
        cmocka_unit_test(another_jobs_or_steps_or_memory_is_refused),
        cmocka_unit_test(run_job_says_why_it_cannot_go_on),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
