/* How the threads of a block run beside each other on the cpu executor: those that wait, those that
 * never do, and what a barrier must keep; under clang and gcc. */
#include "tests/compute/job_maker.h"

static const char *const COMPILERS[] = {"clang", "g++"};

static enum reason run(const char *source, const char *launch, void *out, size_t bytes,
                       const char *cc)
{
    struct maker m;
    struct run_result result;
    maker_open(&m);
    maker_simple(&m, source, (unsigned)bytes, launch, "\"seconds\": 30, \"memory_mib\": 64");
    maker_run(&m, &result, cc);
    enum reason reason = result.reason;
    if (reason != REASON_OK) print_message("# %s\n", result.message);
    if (reason == REASON_OK) maker_output(&m, "out", out, bytes);
    run_result_finish(&result);
    maker_close(&m);
    return reason;
}

/* Runs one block (or a grid of them) under both compilers; `expected` says what each item is. */
static void expect(const char *source, const char *launch, size_t count, int (*expected)(int))
{
    int out[2048];
    assert_true(count <= 2048);
    for (int c = 0; c < 2; c++) {
        assert_int_equal(run(source, launch, out, count * sizeof *out, COMPILERS[c]), REASON_OK);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(out[i], expected((int)i));
    }
}

static int waiters_of(int i)
{
    return i % 3 == 0 ? 171 : 1000 + i; /* 0, 3, ... 510 wait */
}

static void threads_that_never_wait_go_between_those_that_do(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { __shared__ int n; int t = threadIdx.x;\n"
           "if (t % 3 != 0) { out[t] = 1000 + threadIdx.x; return; }\n"
           "atomicAdd(&n, 1); __syncthreads(); out[threadIdx.x] = n; }",
           "\"grid\": [1], \"block\": [512]", 512, waiters_of);
}

static int lanes_of(int i)
{
    int lane = i % 32;
    return lane < 20 ? 20 + (i - lane) : -1;
}

/* The last lanes end without a word, in the last warp too. */
static void lanes_that_ended_silently_are_not_waited_for(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { int t = threadIdx.x; out[t] = -1;\n"
           "if (t % 32 >= 20) return;\n"
           "unsigned votes = __ballot_sync(0xffffffffu, 1); __syncwarp();\n"
           "out[t] = __popc(votes) + threadIdx.x / 32 * 32; }",
           "\"grid\": [1], \"block\": [256]", 256, lanes_of);
}

static int active_of(int i)
{
    return i < 40 ? 32 - i % 32 - (i >= 32 ? 24 : 0) : 40;
}

/* A thread that has ended is no active lane, though nothing ever waits; 40 threads. */
static void lanes_before_this_have_ended_where_nothing_waits(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { out[threadIdx.x] = __popc(__activemask());\n"
           "out[40] = threadIdx.x + 1; }",
           "\"grid\": [1], \"block\": [40]", 41, active_of);
}

static int places_of(int i)
{
    return 3 * i;
}

static void places_hold_across_barriers_in_three_dimensions(void **state)
{
    (void)state;
    expect(
        "__device__ __noinline__ int place() { return (threadIdx.z * blockDim.y + threadIdx.y) *\n"
        "blockDim.x + threadIdx.x; }\n"
        "__global__ void k(int *out) { int block = blockIdx.x * 210; int a = place();\n"
        "__syncthreads(); int b = place(); __syncwarp(__ballot_sync(0xffffffffu, 1));\n"
        "__syncthreads(); out[block + place()] = 3 * block + a + b + place(); }",
        "\"grid\": [3], \"block\": [7, 5, 6]", 630, places_of);
}

static int kept_of(int i)
{
    return i * 17 + 5;
}

/* Vectors, long doubles, a frame of unknown size: whatever the compiler had in registers. */
static void barriers_keep_what_threads_had_in_registers(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { int t = threadIdx.x; __shared__ int s[256]; s[t] = t;\n"
           "volatile int *room = (volatile int *)__builtin_alloca(64 + 4 * t); room[t] = t;\n"
           "long double wide = (long double)t * 3; double d[8]; int v[16];\n"
           "for (int i = 0; i < 8; i++) d[i] = t + i;\n"
           "for (int i = 0; i < 16; i++) v[i] = t * i;\n"
           "for (int round = 0; round < 5; round++) { __syncthreads();\n"
           "wide += s[255 - t] - (255 - t); for (int i = 0; i < 8; i++) d[i] += s[t] - t;\n"
           "for (int i = 0; i < 16; i++) v[i] ^= s[i] - i; __syncthreads(); }\n"
           "double sum = 0; int parts = 0; for (int i = 0; i < 8; i++) sum += d[i] - i;\n"
           "for (int i = 0; i < 16; i++) parts += v[i];\n"
           "out[t] = t * 17 + 5 + (int)(wide - 3 * t) + (int)(sum - 8 * t) + (parts - 120 * t)\n"
           "+ (room[t] - t); }",
           "\"grid\": [1], \"block\": [256]", 256, kept_of);
}

static int votes_of(int i)
{
    return 64 * 10 + i / 64;
}

static void votes_come_with_barriers_in_a_loop(void **state)
{
    (void)state;
    expect("__global__ void k(int *out) { int t = threadIdx.x, n = 0;\n"
           "for (int i = 0; i < 20; i++) { n += __syncthreads_count(((t + i) & 1) == 0);\n"
           "if (__syncthreads_or(t == 64)) n = -1; if (!__syncthreads_and(t < 64)) n = -2; }\n"
           "out[blockIdx.x * 64 + t] = n + blockIdx.x; }",
           "\"grid\": [4], \"block\": [64]", 256, votes_of);
}

static int chain_of(int i)
{
    return i == 0 ? 7 : 0;
}

/* Each thread reads its own place twice, around a write through another name for it. */
static void writes_through_another_name_are_seen_by_their_thread(void **state)
{
    (void)state;
    expect("__device__ void swap(int2 *p, const int2 *q) { p->x = q->y; p->y = q->x; }\n"
           "__global__ void k(int *out) { int2 *p = (int2 *)out; int i = threadIdx.x;\n"
           "p[i].x = 3; p[i].y = i == 0 ? 7 : 0; swap(p + i, p + i);\n"
           "p[i].y = i == 0 ? p[i].y - 7 : 0; }",
           "\"grid\": [1], \"block\": [128]", 256, chain_of);
}

static int guarded_of(int i)
{
    return 2 * i + 1;
}

#define GUARDED                                                                                    \
    "__global__ void k(int *out) { int i = blockIdx.x * blockDim.x + threadIdx.x;\n"               \
    "if (i < LIMIT) out[i] = 2 * i + 1 + out[i]; }"

/* 1000 items and 1024 threads: what the condition keeps out must not be touched in vectors. */
static void a_guarded_access_beyond_a_buffer_does_not_happen(void **state)
{
    (void)state;
    expect("#define LIMIT 1000\n" GUARDED, "\"grid\": [4], \"block\": [256]", 1000, guarded_of);
}

static void an_access_beyond_a_buffer_is_a_fault_in_vectors_too(void **state)
{
    int out[1000];
    (void)state;
    for (int c = 0; c < 2; c++) {
        enum reason reason = run("#define LIMIT 1005\n" GUARDED, "\"grid\": [4], \"block\": [256]",
                                 out, sizeof out, COMPILERS[c]);
        assert_int_equal(reason, REASON_FAULT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_never_wait_go_between_those_that_do),
        cmocka_unit_test(lanes_that_ended_silently_are_not_waited_for),
        cmocka_unit_test(lanes_before_this_have_ended_where_nothing_waits),
        cmocka_unit_test(places_hold_across_barriers_in_three_dimensions),
        cmocka_unit_test(barriers_keep_what_threads_had_in_registers),
        cmocka_unit_test(votes_come_with_barriers_in_a_loop),
        cmocka_unit_test(writes_through_another_name_are_seen_by_their_thread),
        cmocka_unit_test(a_guarded_access_beyond_a_buffer_does_not_happen),
        cmocka_unit_test(an_access_beyond_a_buffer_is_a_fault_in_vectors_too),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
