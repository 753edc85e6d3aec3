/* A job is hostile: each kind of misconduct ends with its own reason and leaves nothing behind. */
#include "tests/compute/job_maker.h"

#define ONE    "\"grid\": [1], \"block\": [1]"
#define LIMITS "\"seconds\": 20, \"memory_mib\": 64"

static void expect_launch(const char *source, enum reason reason, const char *launch,
                          const char *limits)
{
    struct maker m;
    struct run_result result;
    maker_open(&m);
    maker_simple(&m, source, 64, launch, limits);
    maker_run(&m, &result, NULL);
    if (result.reason != reason) {
        print_message("# wanted %s, got %s: %s\n%s\n", reason_name(reason),
                      reason_name(result.reason), result.message, result.log ? result.log : "");
    }
    assert_int_equal(result.reason, reason);
    assert_true(result.seconds >= 1);
    if (reason != REASON_OK) {
        assert_true(hash_is_zero(&result.root));
        assert_int_equal(result.size_bytes, 0);
        assert_int_equal(access(m.tar, F_OK), -1);
    }
    run_result_finish(&result);
    maker_close(&m);
}

static void expect(const char *source, enum reason reason)
{
    expect_launch(source, reason, ONE, LIMITS);
}

static void a_good_job_ends_ok(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { out[0] = 7; }", REASON_OK);
}

static void a_job_that_forks_is_stopped(void **state)
{
    (void)state;
    expect("extern \"C\" int fork(void);\n"
           "__global__ void k(int *out) { for (;;) out[0] += fork(); }",
           REASON_PROCESSES);
}

static void a_fork_before_main_is_stopped(void **state)
{
    (void)state;
    expect("extern \"C\" int fork(void);\nstruct boom { boom() { for (;;) fork(); } } bang;\n"
           "__global__ void k(int *out) { out[0] = 1; }",
           REASON_PROCESSES);
}

static void a_raw_fork_call_is_stopped(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { long r; asm volatile(\"syscall\" : \"=a\"(r) : "
           "\"a\"(57) : \"rcx\", \"r11\", \"memory\"); out[0] = (int)r; }",
           REASON_PROCESSES);
}

static void a_job_that_starts_a_thread_is_stopped(void **state)
{
    (void)state;
    expect("extern \"C\" int pthread_create(unsigned long *, const void *, void *(*)(void *), void "
           "*);\n"
           "static void *f(void *) { return 0; }\n"
           "__global__ void k(int *out) { unsigned long t; out[0] = pthread_create(&t, 0, f, 0); }",
           REASON_PROCESSES);
}

static void a_job_that_runs_a_program_is_stopped(void **state)
{
    (void)state;
    expect("extern \"C\" int execv(const char *, char *const *);\n"
           "__global__ void k(int *out) { out[0] = execv(\"/usr/bin/id\", 0); }",
           REASON_PROCESSES);
}

static void a_job_that_loops_runs_out_of_time(void **state)
{
    (void)state;
    expect_launch("__global__ void k(int *out) { for (;;) asm volatile(\"\" : : : \"memory\"); }",
                  REASON_TIME, ONE, "\"seconds\": 3, \"memory_mib\": 64");
}

static void a_job_that_allocates_without_end_is_stopped(void **state)
{
    (void)state;
    expect("extern \"C\" void *malloc(unsigned long);\n"
           "__global__ void k(int *out) { for (;;) { volatile char *p = (char *)malloc(1 << 20);\n"
           "for (int i = 0; i < 1 << 20; i += 4096) p[i] = 1; } }",
           REASON_MEMORY);
}

static void a_job_that_prints_without_end_is_stopped(void **state)
{
    (void)state;
    expect("extern \"C\" long write(int, const void *, unsigned long);\n"
           "__global__ void k(int *out) { for (;;) write(1, \"abcdefgh\", 8); }",
           REASON_OUTPUT);
}

static void a_job_that_forges_outputs_without_end_is_stopped(void **state)
{
    (void)state;
    expect("extern \"C\" long write(int, const void *, unsigned long);\n"
           "__global__ void k(int *out) { for (;;) write(3, out, 64); }",
           REASON_OUTPUT);
}

static void a_source_that_fills_the_disk_is_stopped(void **state)
{
    (void)state;
    expect("__device__ char big[600 << 20] = {1};\n"
           "__global__ void k(char *out) { out[0] = big[out[1]]; }",
           REASON_DISK);
}

static void a_job_that_opens_a_host_file_is_stopped(void **state)
{
    (void)state;
    expect("extern \"C\" int open(const char *, int, ...);\n"
           "__global__ void k(int *out) { out[0] = open(\"/etc/shadow\", 0); }",
           REASON_FILES);
}

static void a_source_that_includes_a_host_file_does_not_compile(void **state)
{
    (void)state;
    expect("#include \"/etc/shadow\"\n__global__ void k(int *out) { out[0] = 1; }", REASON_COMPILE);
}

static void an_assembler_cannot_read_host_files_either(void **state)
{
    (void)state;
    expect("asm(\".incbin \\\"/etc/passwd\\\"\");\n__global__ void k(int *out) { out[0] = 1; }",
           REASON_COMPILE);
}

static void a_job_that_connects_out_is_stopped(void **state)
{
    (void)state;
    expect("extern \"C\" int socket(int, int, int);\n"
           "__global__ void k(int *out) { out[0] = socket(2, 1, 0); }",
           REASON_NETWORK);
}

static void a_denied_call_has_its_reason(void **state)
{
    (void)state;
    expect("extern \"C\" long ptrace(int, ...);\n"
           "__global__ void k(int *out) { out[0] = (int)ptrace(0, 0, 0, 0); }",
           REASON_SYSCALL);
}

static void a_job_cannot_take_over_the_fault_handlers(void **state)
{
    (void)state;
    expect("extern \"C\" void *signal(int, void *);\n"
           "__global__ void k(int *out) { signal(31, (void *)1); out[0] = 1; }",
           REASON_SYSCALL);
}

static void writing_behind_a_buffer_is_a_fault(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { out[16] = 1; }", REASON_FAULT);
}

static void a_wild_pointer_is_a_fault(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { out[*(volatile int *)out + (1 << 28)] = 1; }",
           REASON_FAULT);
}

static void endless_recursion_is_a_fault(void **state)
{
    (void)state;
    expect("__device__ __noinline__ int f(volatile int *p, int n) { volatile int a[64]; "
           "a[n & 63] = p[0]; return f(p, n + 1) + a[n & 31]; }\n"
           "__global__ void k(int *out) { out[0] = f(out, out[1]); }",
           REASON_FAULT);
}

static void dividing_by_zero_is_an_arithmetic_fault(void **state)
{
    (void)state;
    expect("__global__ void k(volatile int *out) { out[0] = 5 / out[1]; }", REASON_ARITHMETIC);
}

static void an_assertion_that_fails_is_a_trap(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { assert(out[0] == 1); }", REASON_TRAP);
}

static void abort_is_a_trap(void **state)
{
    (void)state;
    expect("extern \"C\" void abort(void);\n__global__ void k(int *out) { abort(); }", REASON_TRAP);
}

static void leaving_early_is_no_output(void **state)
{
    (void)state;
    expect("extern \"C\" void _exit(int);\n__global__ void k(int *out) { _exit(0); }",
           REASON_NO_OUTPUT);
}

static void divergent_barriers_are_noticed(void **state)
{
    (void)state;
    expect_launch("__global__ void k(int *out) { if (threadIdx.x & 1) {\n__syncthreads();\n} else "
                  "{\n__syncthreads();\n} out[0] = 1; }",
                  REASON_BARRIER, "\"grid\": [1], \"block\": [64]", LIMITS);
}

static void a_warp_that_waits_for_others_at_a_barrier_is_noticed(void **state)
{
    (void)state;
    expect_launch("__global__ void k(int *out) { if (threadIdx.x & 1) __syncthreads(); else "
                  "__syncwarp(); out[0] = 1; }",
                  REASON_BARRIER, "\"grid\": [1], \"block\": [64]", LIMITS);
}

static void a_source_with_an_error_says_where(void **state)
{
    struct maker m;
    struct run_result result;
    (void)state;
    maker_open(&m);
    maker_simple(&m, "__global__ void k(int *out)\n{ out[0] = nonsense; }", 64, ONE, LIMITS);
    maker_run(&m, &result, NULL);
    assert_int_equal(result.reason, REASON_COMPILE);
    assert_non_null(strstr(result.log, "k.cu:2"));
    assert_non_null(strstr(result.message, "nonsense"));
    run_result_finish(&result);
    maker_close(&m);
}

static void float_atomics_do_not_compile(void **state)
{
    (void)state;
    expect("__global__ void k(float *out) { atomicAdd(out, 1.0f); }", REASON_COMPILE);
}

static void arguments_that_do_not_fit_are_a_bad_launch(void **state)
{
    (void)state;
    expect("__global__ void k(float x) { }", REASON_LAUNCH);
    expect("__global__ void k(int *out, int n) { out[0] = n; }", REASON_LAUNCH);
    expect("struct s { int a[7]; };\n__global__ void k(s *out) { out[0].a[0] = 1; }",
           REASON_LAUNCH);
}

static void a_bad_job_json_is_the_jobs_fault(void **state)
{
    struct maker m;
    struct run_result result;
    (void)state;
    maker_open(&m);
    maker_text(&m, "job.json", "{\"runtime\": \"cuda-c\"}");
    maker_run(&m, &result, NULL);
    assert_int_equal(result.reason, REASON_BAD_JOB);
    assert_non_null(strstr(result.message, "source"));
    run_result_finish(&result);
    maker_close(&m);
}

static void a_missing_runner_is_this_machines_fault(void **state)
{
    struct maker m;
    struct run_result result;
    char error[RUN_ERROR_SIZE] = "";
    struct run_options options = {.runner_path = "/nowhere/leasehold-run"};
    (void)state;
    maker_open(&m);
    assert_int_equal(run_job(&result, error, m.job, m.tar, &options), E_UNSUPPORTED);
    assert_non_null(strstr(error, "/nowhere/leasehold-run"));
    maker_close(&m);
}

/* Sealing a verdict of one's own would disagree with larger machines: it must be no result. */
static void a_job_for_more_memory_than_offered_is_not_run(void **state)
{
    struct maker m;
    struct run_result result = {0};
    char error[RUN_ERROR_SIZE] = "";
    (void)state;
    maker_open(&m);
    maker_simple(&m, "__global__ void k(int *out) { out[0] = 1; }", 64, ONE, LIMITS);
    struct run_options options = {.runner_path = m.runner, .memory_mib_max = 63};
    assert_int_equal(run_job(&result, error, m.job, m.tar, &options), E_UNSUPPORTED);
    assert_non_null(strstr(error, "64 MiB"));
    maker_nothing_is_left();
    maker_close(&m);
}

static void a_cancelled_run_ends_at_once(void **state)
{
    struct maker m;
    struct run_result result;
    char error[RUN_ERROR_SIZE] = "";
    static volatile sig_atomic_t cancel = 1;
    (void)state;
    maker_open(&m);
    maker_simple(&m, "__global__ void k(int *out) { out[0] = 1; }", 64, ONE, LIMITS);
    struct run_options options = {.runner_path = m.runner, .cancel = &cancel};
    assert_int_equal(run_job(&result, error, m.job, m.tar, &options), E_STATE);
    maker_nothing_is_left();
    maker_close(&m);
}

static void a_folder_and_its_bundle_have_one_result(void **state)
{
    struct maker m;
    struct run_result result;
    struct bundle_info info;
    char error[BUNDLE_ERROR_SIZE] = "", tar[128];
    (void)state;
    maker_open(&m);
    maker_simple(&m, "__global__ void k(int *out) { out[threadIdx.x] = threadIdx.x; }", 64,
                 "\"grid\": [1], \"block\": [16]", LIMITS);
    maker_run(&m, &result, NULL);
    snprintf(tar, sizeof tar, "%s/job.tar", m.folder);
    assert_int_equal(bundle_pack_job(&info, error, m.job, tar), OK);
    struct run_options options = {.runner_path = m.runner};
    struct run_result again;
    assert_int_equal(run_job(&again, error, tar, m.tar, &options), OK);
    assert_int_equal(again.reason, REASON_OK);
    assert_true(hash_equal(&result.root, &again.root));
    run_result_finish(&result);
    run_result_finish(&again);
    maker_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_job_ends_ok),
        cmocka_unit_test(a_job_that_forks_is_stopped),
        cmocka_unit_test(a_fork_before_main_is_stopped),
        cmocka_unit_test(a_raw_fork_call_is_stopped),
        cmocka_unit_test(a_job_that_starts_a_thread_is_stopped),
        cmocka_unit_test(a_job_that_runs_a_program_is_stopped),
        cmocka_unit_test(a_job_that_loops_runs_out_of_time),
        cmocka_unit_test(a_job_that_allocates_without_end_is_stopped),
        cmocka_unit_test(a_job_that_prints_without_end_is_stopped),
        cmocka_unit_test(a_job_that_forges_outputs_without_end_is_stopped),
        cmocka_unit_test(a_source_that_fills_the_disk_is_stopped),
        cmocka_unit_test(a_job_that_opens_a_host_file_is_stopped),
        cmocka_unit_test(a_source_that_includes_a_host_file_does_not_compile),
        cmocka_unit_test(an_assembler_cannot_read_host_files_either),
        cmocka_unit_test(a_job_that_connects_out_is_stopped),
        cmocka_unit_test(a_denied_call_has_its_reason),
        cmocka_unit_test(a_job_cannot_take_over_the_fault_handlers),
        cmocka_unit_test(writing_behind_a_buffer_is_a_fault),
        cmocka_unit_test(a_wild_pointer_is_a_fault),
        cmocka_unit_test(endless_recursion_is_a_fault),
        cmocka_unit_test(dividing_by_zero_is_an_arithmetic_fault),
        cmocka_unit_test(an_assertion_that_fails_is_a_trap),
        cmocka_unit_test(abort_is_a_trap),
        cmocka_unit_test(leaving_early_is_no_output),
        cmocka_unit_test(divergent_barriers_are_noticed),
        cmocka_unit_test(a_warp_that_waits_for_others_at_a_barrier_is_noticed),
        cmocka_unit_test(a_source_with_an_error_says_where),
        cmocka_unit_test(float_atomics_do_not_compile),
        cmocka_unit_test(arguments_that_do_not_fit_are_a_bad_launch),
        cmocka_unit_test(a_bad_job_json_is_the_jobs_fault),
        cmocka_unit_test(a_missing_runner_is_this_machines_fault),
        cmocka_unit_test(a_job_for_more_memory_than_offered_is_not_run),
        cmocka_unit_test(a_cancelled_run_ends_at_once),
        cmocka_unit_test(a_folder_and_its_bundle_have_one_result),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
