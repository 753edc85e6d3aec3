/* Each job of examples/ runs in the sandbox under two compilers and has the root that
 * examples/roots.txt states; of the longer ones a short form does. Run from the top of the tree. */
#include "base/file.h"
#include "base/hex.h"
#include "compute/split.h"
#include "tests/compute/job_maker.h"

#define ROOTS_FILE      "examples/roots.txt"
#define ROOTS_BYTES_MAX 4096

/* The root behind "NAME " at the start of a line. */
static struct hash stated_root(const char *name)
{
    struct buffer text = {0};
    struct hash root = {0};
    char start[64];
    assert_int_equal(file_read(&text, ROOTS_FILE, ROOTS_BYTES_MAX), OK);
    buffer_append_byte(&text, 0);
    snprintf(start, sizeof start, "\n%s 0x", name);
    const char *at = strstr((const char *)text.data, start);
    assert_non_null(at);
    at += strlen(start) - 2;
    assert_int_equal(hash_from_text(&root, (struct bytes){(const uint8_t *)at, 66}), OK);
    buffer_finish(&text);
    return root;
}

static void run_under(struct maker *m, const char *name, const char *folder, const char *cc)
{
    struct run_result result;
    struct run_options options = {.cc = cc, .threads = 2, .runner_path = m->runner};
    char error[RUN_ERROR_SIZE] = "", root[67];
    enum status status = run_job(&result, error, folder, m->tar, &options);
    if (status != OK) fail_msg("%s under %s: %s", name, cc, error);
    if (result.reason != REASON_OK) {
        fail_msg("%s under %s: %s\n%s", name, cc, result.message, result.log ? result.log : "");
    }
    struct hash wanted = stated_root(name);
    hash_to_text(root, &result.root);
    print_message("# %s under %s: %s, compiled in %llu ms, ran %llu ms\n", name, cc, root,
                  (unsigned long long)result.compile_ms, (unsigned long long)result.kernel_ms);
    assert_memory_equal(&result.root, &wanted, sizeof wanted);
    run_result_finish(&result);
}

static void expect_in(struct maker *m, const char *name, const char *folder)
{
    run_under(m, name, folder, "clang");
    run_under(m, name, folder, "g++");
}

static void expect_one_result(const char *name)
{
    struct maker m;
    char folder[64];
    maker_open(&m);
    snprintf(folder, sizeof folder, "examples/%s", name);
    expect_in(&m, name, folder);
    maker_close(&m);
}

/* The example with `from` in its job.json put as `to`, which is as long, wherever it stands. */
static void expect_short_form(const char *name, const char *from, const char *to)
{
    struct maker m;
    struct buffer text = {0};
    char path[160], short_name[64];
    maker_open(&m);
    snprintf(path, sizeof path, "cp examples/%s/* %s", name, m.job);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/job.json", m.job);
    assert_int_equal(file_read(&text, path, JOB_JSON_BYTES_MAX), OK);
    buffer_append_byte(&text, 0);
    assert_int_equal(strlen(from), strlen(to));
    assert_non_null(strstr((char *)text.data, from));
    for (char *at = (char *)text.data; (at = strstr(at, from)) != NULL;)
        memcpy(at, to, strlen(to));
    maker_text(&m, "job.json", (const char *)text.data);
    snprintf(short_name, sizeof short_name, "%s-short", name);
    expect_in(&m, short_name, m.job);
    buffer_finish(&text);
    maker_close(&m);
}

static void render_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_one_result("render");
}

static void a_part_of_film_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    struct maker m;
    char error[JOB_ERROR_SIZE] = "", folder[96];
    maker_open(&m);
    snprintf(folder, sizeof folder, "%s/part", m.folder);
    enum status status = split_make_part(error, "examples/film", folder, 9, 36);
    if (status != OK) fail_msg("%s", error);
    expect_in(&m, "film-part-9", folder);
    maker_close(&m);
}

static void nbody_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_one_result("nbody");
}

static void digits_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_short_form("digits", "\"repeat\": 250", "\"repeat\": 5  ");
}

static void lm_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_short_form("lm", "\"repeat\": 1600", "\"repeat\": 20  ");
}

static void lm_sample_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_one_result("lm-sample");
}

static void lm_sample_is_of_the_same_model_as_lm(void **state)
{
    (void)state;
    assert_int_equal(system("cmp examples/lm/config.h examples/lm-sample/config.h"), 0);
}

static void matmul_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_one_result("matmul");
}

static void sgemm_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_one_result("sgemm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(render_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(a_part_of_film_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(nbody_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(digits_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(lm_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(lm_sample_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(lm_sample_is_of_the_same_model_as_lm),
        cmocka_unit_test(matmul_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(sgemm_has_the_stated_root_under_clang_and_gcc),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
