/* Each job of examples/ runs in the sandbox under two compilers and has the root that
 * examples/roots.txt states. Run from the top of the tree. */
#include "base/file.h"
#include "base/hex.h"
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

static void run_under(const char *name, const char *cc)
{
    struct maker m;
    struct run_result result;
    struct run_options options = {.cc = cc, .threads = 2};
    char folder[64], error[RUN_ERROR_SIZE] = "", root[67];
    maker_open(&m);
    options.runner_path = m.runner;
    snprintf(folder, sizeof folder, "examples/%s", name);
    enum status status = run_job(&result, error, folder, m.tar, &options);
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
    maker_close(&m);
}

static void expect_one_result(const char *name)
{
    run_under(name, "clang");
    run_under(name, "g++");
}

static void render_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_one_result("render");
}

static void nbody_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_one_result("nbody");
}

static void matmul_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_one_result("matmul");
}

static void sgd_has_the_stated_root_under_clang_and_gcc(void **state)
{
    (void)state;
    expect_one_result("sgd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(render_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(nbody_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(matmul_has_the_stated_root_under_clang_and_gcc),
        cmocka_unit_test(sgd_has_the_stated_root_under_clang_and_gcc),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
