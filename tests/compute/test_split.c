/* A job in parts: what a part's job.json says, and that joined parts are the whole. */
#include "base/file.h"
#include "base/hex.h"
#include "compute/split.h"
#include "tests/compute/job_maker.h"

static const char SOURCE[] = "__global__ void k(int *out, int part, int rows)\n"
                             "{\n"
                             "    int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
                             "    if (i < rows) out[i] = (part * rows + i) * 3;\n"
                             "}\n";

#define PATTERN(extra)                                                                             \
    "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"split\": {\"parts\": 4},\n"                 \
    " \"buffers\": {\"out\": {\"bytes\": {\"share\": 240}, \"output\": true" extra "},\n"          \
    "               \"edge\": {\"bytes\": {\"share\": 240, \"plus\": 8}}},\n"                      \
    " \"launches\": [{\"kernel\": \"k\", \"grid\": [{\"share\": 60}], \"block\": [1],\n"           \
    "   \"args\": [\"out\", {\"i32\": {\"part\": true}}, {\"i32\": {\"share\": 60}}]}]}\n"
#define JOINED ", \"join\": \"concat\""

static void write_pattern(struct maker *m, const char *pattern)
{
    maker_text(m, "job.json", pattern);
    maker_text(m, "k.cu", SOURCE);
}

/* Runs all parts, and joins them into m->unpacked, which stays. */
static struct hash root_in_parts(struct maker *m, uint32_t parts)
{
    char error[RUN_ERROR_SIZE] = "", folder[160], results[96], result[160];
    struct run_options options = {.runner_path = m->runner, .threads = 2};
    struct bundle_info joined;
    struct run_result r;
    struct job *whole = NULL;
    snprintf(results, sizeof results, "%s/results", m->folder);
    assert_int_equal(directory_make(results, 0700), OK);
    for (uint32_t i = 0; i < parts; i++) {
        snprintf(folder, sizeof folder, "%s/part-%u", m->folder, i);
        snprintf(result, sizeof result, "%s/%u", results, i);
        assert_int_equal(split_make_part(error, m->job, folder, i, parts), OK);
        assert_int_equal(run_job(&r, error, folder, m->tar, &options), OK);
        assert_int_equal(r.reason, REASON_OK);
        assert_int_equal(bundle_unpack(error, m->tar, result), OK);
        run_result_finish(&r);
        assert_int_equal(folder_remove(folder), OK);
    }
    assert_int_equal(split_load_whole(&whole, error, m->job), OK);
    assert_int_equal(split_join(&joined, error, whole, results, parts, m->unpacked), OK);
    job_destroy(whole);
    assert_int_equal(folder_remove(results), OK);
    return joined.root;
}

static void joined_parts_are_the_whole_however_many_they_are(void **state)
{
    (void)state;
    struct maker m;
    struct hash roots[3];
    static const uint32_t PARTS[3] = {1, 3, 4};
    maker_open(&m);
    write_pattern(&m, PATTERN(JOINED));
    for (size_t i = 0; i < 3; i++) {
        int32_t out[60];
        char path[128];
        struct buffer content = {0};
        roots[i] = root_in_parts(&m, PARTS[i]);
        snprintf(path, sizeof path, "%s/out", m.unpacked);
        assert_int_equal(file_read(&content, path, 1000), OK);
        assert_int_equal(content.size, sizeof out);
        memcpy(out, content.data, sizeof out);
        for (int32_t k = 0; k < 60; k++)
            assert_int_equal(out[k], 3 * k);
        assert_memory_equal(&roots[i], &roots[0], sizeof roots[0]);
        buffer_finish(&content);
        assert_int_equal(folder_remove(m.unpacked), OK);
    }
    maker_close(&m);
}

static void each_part_has_a_bundle_root_of_its_own(void **state)
{
    (void)state;
    struct maker m;
    char error[BUNDLE_ERROR_SIZE] = "", folder[160];
    struct bundle_info parts[2];
    maker_open(&m);
    write_pattern(&m, PATTERN(JOINED));
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(folder, sizeof folder, "%s/part-%u", m.folder, i);
        assert_int_equal(split_make_part(error, m.job, folder, i, 4), OK);
        assert_int_equal(bundle_pack_job(&parts[i], error, folder, m.tar), OK);
    }
    assert_memory_not_equal(&parts[0].root, &parts[1].root, sizeof parts[0].root);
    maker_close(&m);
}

static void numbers_stand_where_words_stood(void **state)
{
    (void)state;
    struct maker m;
    char error[JOB_ERROR_SIZE] = "", folder[160];
    struct job *job = NULL;
    maker_open(&m);
    write_pattern(&m, PATTERN(JOINED));
    snprintf(folder, sizeof folder, "%s/part", m.folder);
    assert_int_equal(split_make_part(error, m.job, folder, 2, 4), OK);
    assert_int_equal(job_load(&job, error, folder), OK);
    assert_int_equal(job->plan.buffers[0].size_bytes, 60);
    assert_int_equal(job->plan.buffers[1].size_bytes, 68);
    assert_int_equal(job->plan.launches[0].grid[0], 15);
    assert_int_equal(job->plan.launches[0].args[1].bits, 2);
    assert_int_equal(job->plan.launches[0].args[2].bits, 15);
    job_destroy(job);
    maker_close(&m);
}

static void expect_refusal(const char *pattern, uint32_t parts, const char *words)
{
    struct maker m;
    char error[JOB_ERROR_SIZE] = "", folder[160];
    maker_open(&m);
    write_pattern(&m, pattern);
    snprintf(folder, sizeof folder, "%s/part", m.folder);
    assert_int_equal(split_make_part(error, m.job, folder, 0, parts), E_MALFORMED);
    assert_non_null(strstr(error, words));
    maker_close(&m);
}

static void a_share_that_leaves_a_rest_is_refused(void **state)
{
    (void)state;
    expect_refusal(PATTERN(JOINED), 7, "{\"share\": 240} cannot be divided into 7 equal parts");
}

static void an_output_that_does_not_say_how_it_is_joined_is_refused(void **state)
{
    (void)state;
    expect_refusal(PATTERN(""), 4, "buffers.out");
    expect_refusal(PATTERN(", \"join\": \"shuffle\""), 4, "buffers.out");
}

static void a_split_job_is_no_job_until_it_is_split(void **state)
{
    (void)state;
    struct maker m;
    struct job *job = NULL;
    char error[JOB_ERROR_SIZE] = "";
    uint32_t parts = 0;
    maker_open(&m);
    write_pattern(&m, PATTERN(JOINED));
    assert_int_equal(job_load(&job, error, m.job), E_MALFORMED);
    assert_non_null(strstr(error, "--split"));
    assert_int_equal(split_read(&parts, error, m.job), OK);
    assert_int_equal(parts, 4);
    assert_int_equal(split_read(&parts, error, "examples/render"), OK);
    assert_int_equal(parts, 0);
    maker_text(&m, "job.json", "{\"split\": {\"parts\": 257}}");
    assert_int_equal(split_read(&parts, error, m.job), E_MALFORMED);
    maker_close(&m);
}

static void parts_of_another_size_are_not_joined(void **state)
{
    (void)state;
    struct maker m;
    struct job *whole = NULL;
    struct bundle_info joined;
    char error[JOB_ERROR_SIZE] = "", command[640], results[96];
    maker_open(&m);
    write_pattern(&m, PATTERN(JOINED));
    snprintf(results, sizeof results, "%s/results", m.folder);
    snprintf(command, sizeof command, "mkdir -p %s/0 %s/1; printf abc >%s/0/out; cp %s/0/out %s/1/",
             results, results, results, results, results);
    assert_int_equal(system(command), 0);
    assert_int_equal(split_load_whole(&whole, error, m.job), OK);
    assert_int_equal(split_join(&joined, error, whole, results, 2, m.unpacked), E_MALFORMED);
    assert_non_null(strstr(error, "6 bytes"));
    job_destroy(whole);
    maker_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joined_parts_are_the_whole_however_many_they_are),
        cmocka_unit_test(each_part_has_a_bundle_root_of_its_own),
        cmocka_unit_test(numbers_stand_where_words_stood),
        cmocka_unit_test(a_share_that_leaves_a_rest_is_refused),
        cmocka_unit_test(an_output_that_does_not_say_how_it_is_joined_is_refused),
        cmocka_unit_test(a_split_job_is_no_job_until_it_is_split),
        cmocka_unit_test(parts_of_another_size_are_not_joined),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
