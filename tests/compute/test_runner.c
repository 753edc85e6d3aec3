/* What CUDA C means on the cpu executor: barriers, shared memory, warps, atomics, launches. */
#include "tests/compute/job_maker.h"

static void run_values(const char *source, const char *launch, int *out, size_t count,
                       const char *cc)
{
    struct maker m;
    struct run_result result;
    maker_open(&m);
    maker_simple(&m, source, (unsigned)(count * sizeof *out), launch,
                 "\"seconds\": 30, \"memory_mib\": 64");
    maker_run(&m, &result, cc);
    if (result.reason != REASON_OK) print_message("# %s\n", result.message);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "out", out, count * sizeof *out);
    run_result_finish(&result);
    maker_close(&m);
}

static void every_thread_knows_its_place(void **state)
{
    int out[2 * 3 * 2 * 4 * 3 * 2];
    (void)state;
    run_values("__global__ void k(int *out) {\n"
               "int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;\n"
               "int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;\n"
               "int size = blockDim.x * blockDim.y * blockDim.z;\n"
               "out[block * size + thread] = block * 1000 + thread; }",
               "\"grid\": [2, 3, 2], \"block\": [4, 3, 2]", out, 288, NULL);
    for (int i = 0; i < 288; i++)
        assert_int_equal(out[i], i / 24 * 1000 + i % 24);
}

static void barriers_order_shared_memory(void **state)
{
    int out[256];
    (void)state;
    run_values(
        "__global__ void k(int *out) { __shared__ int a[256]; int t = threadIdx.x;\n"
        "a[t] = t; __syncthreads();\n"
        "for (int s = 1; s < 256; s *= 2) { int v = t >= s ? a[t - s] : 0; __syncthreads();\n"
        "a[t] += v; __syncthreads(); }\n"
        "out[t] = a[t]; }",
        "\"grid\": [1], \"block\": [256]", out, 256, NULL);
    for (int i = 0; i < 256; i++)
        assert_int_equal(out[i], i * (i + 1) / 2);
}

static void shared_memory_starts_as_zeros_in_every_block(void **state)
{
    int out[64];
    (void)state;
    run_values("__global__ void k(int *out) { __shared__ int n; __shared__ int m[100];\n"
               "atomicAdd(&n, 1); m[threadIdx.x] += 5; __syncthreads();\n"
               "if (threadIdx.x == 0) out[blockIdx.x] = n + m[31] + m[99]; }",
               "\"grid\": [64], \"block\": [32]", out, 64, NULL);
    for (int i = 0; i < 64; i++)
        assert_int_equal(out[i], 37);
}

static void dynamic_shared_memory_is_there_and_zero(void **state)
{
    int out[8];
    (void)state;
    run_values(
        "__global__ void k(int *out) { DYNAMIC_SHARED(int, s); s[threadIdx.x] += threadIdx.x;\n"
        "__syncthreads(); if (threadIdx.x == 0) { int n = 0; for (int i = 0; i < 64; i++) "
        "n += s[i]; out[blockIdx.x] = n; } }",
        "\"grid\": [8], \"block\": [64], \"shared_bytes\": 256", out, 8, NULL);
    for (int i = 0; i < 8; i++)
        assert_int_equal(out[i], 2016);
}

static void threads_that_have_ended_do_not_hold_up_a_barrier(void **state)
{
    int out[1];
    (void)state;
    run_values("__global__ void k(int *out) { __shared__ int n; if (threadIdx.x >= 40) return;\n"
               "atomicAdd(&n, 1); __syncthreads(); if (threadIdx.x == 0) out[0] = n; }",
               "\"grid\": [1], \"block\": [64]", out, 1, NULL);
    assert_int_equal(out[0], 40);
}

static void barriers_count_and_join_votes(void **state)
{
    int out[6];
    (void)state;
    run_values("__global__ void k(int *out) { int t = threadIdx.x;\n"
               "int a = __syncthreads_count(t % 3 == 0);\n"
               "int b = __syncthreads_and(t < 96); int c = __syncthreads_and(t < 95);\n"
               "int d = __syncthreads_or(t == 95); int e = __syncthreads_or(t == 96);\n"
               "int f = __syncthreads_count(1);\n"
               "if (t == 50) { out[0] = a; out[1] = b; out[2] = c; out[3] = d; out[4] = e; "
               "out[5] = f; } }",
               "\"grid\": [1], \"block\": [96]", out, 6, NULL);
    assert_int_equal(out[0], 32);
    assert_int_equal(out[1], 1);
    assert_int_equal(out[2], 0);
    assert_int_equal(out[3], 1);
    assert_int_equal(out[4], 0);
    assert_int_equal(out[5], 96);
}

static void warps_shuffle_and_vote(void **state)
{
    int out[64 * 8];
    (void)state;
    run_values("__global__ void k(int *out) { int t = threadIdx.x, *o = out + t * 8;\n"
               "unsigned all = 0xffffffffu;\n"
               "o[0] = __shfl_sync(all, t, 5); o[1] = __shfl_up_sync(all, t, 3);\n"
               "o[2] = __shfl_down_sync(all, t, 3); o[3] = __shfl_xor_sync(all, t, 7);\n"
               "o[4] = (int)__ballot_sync(all, t & 1); o[5] = __any_sync(all, t == 40);\n"
               "o[6] = __all_sync(all, t < 32); o[7] = __shfl_sync(all, t, 2, 8); }",
               "\"grid\": [1], \"block\": [64]", out, 512, NULL);
    for (int t = 0; t < 64; t++) {
        const int *o = out + t * 8;
        int lane = t % 32, base = t - lane;
        assert_int_equal(o[0], base + 5);
        assert_int_equal(o[1], lane >= 3 ? t - 3 : t);
        assert_int_equal(o[2], lane < 29 ? t + 3 : t);
        assert_int_equal(o[3], t ^ 7);
        assert_int_equal((unsigned)o[4], 0xaaaaaaaau);
        assert_int_equal(o[5], t >= 32);
        assert_int_equal(o[6], t < 32);
        assert_int_equal(o[7], t / 8 * 8 + 2);
    }
}

static void parts_of_a_warp_work_apart(void **state)
{
    int out[32];
    (void)state;
    run_values(
        "__global__ void k(int *out) { int t = threadIdx.x; long long v = t * 4294967296ll;\n"
        "if (t < 16) { for (int s = 8; s > 0; s /= 2) v += __shfl_xor_sync(0xffffu, v, s); }\n"
        "else v = __shfl_sync(0xffff0000u, v, 20);\n"
        "out[t] = (int)(v >> 32); }",
        "\"grid\": [1], \"block\": [32]", out, 32, NULL);
    for (int t = 0; t < 32; t++)
        assert_int_equal(out[t], t < 16 ? 120 : 20);
}

static void atomics_count_over_all_blocks(void **state)
{
    int out[8];
    (void)state;
    run_values("__global__ void k(int *out) { int i = blockIdx.x * 128 + threadIdx.x;\n"
               "atomicAdd(&out[0], 1); atomicMax(&out[1], i); atomicMin(&out[2], -i);\n"
               "atomicXor(&out[3], i); atomicOr(&out[4], 1 << (i & 15));\n"
               "atomicSub((unsigned *)&out[5], 2u);\n"
               "atomicAdd((unsigned long long *)&out[6], 65536ull * 65536ull + 1); }",
               "\"grid\": [50], \"block\": [128]", out, 8, NULL);
    assert_int_equal(out[0], 6400);
    assert_int_equal(out[1], 6399);
    assert_int_equal(out[2], -6399);
    int xor = 0;
    for (int i = 0; i < 6400; i++)
        xor ^= i;
    assert_int_equal(out[3], xor);
    assert_int_equal(out[4], 0xffff);
    assert_int_equal(out[5], -12800);
    assert_int_equal(out[6], 6400);
    assert_int_equal(out[7], 6400);
}

static void integer_functions_have_the_cards_results(void **state)
{
    int out[16];
    (void)state;
    run_values(
        "__global__ void k(int *out) { volatile int z = 0; volatile float big = 1e20f;\n"
        "out[0] = __popc(0xf0f0u); out[1] = __clz(z); out[2] = __clz(1); out[3] = __ffs(8);\n"
        "out[4] = (int)__brev(1u); out[5] = __mulhi(1 << 30, 8);\n"
        "out[6] = (int)__umulhi(0x80000000u, 6u); out[7] = __float2int_rz(big);\n"
        "out[8] = __float2int_rz(-big); out[9] = __float2int_rn(2.5f);\n"
        "out[10] = (int)__float2uint_rz(-1.0f); out[11] = __float2int_rz(big - big * big);\n"
        "out[12] = (int)__byte_perm(0x33221100u, 0x77665544u, 0x7531u);\n"
        "out[13] = lh_div(7, z); out[14] = lh_div(INT_MIN, z - 1); out[15] = __float2int_rz(NAN); "
        "}",
        "\"grid\": [1], \"block\": [1]", out, 16, NULL);
    static const int WANTED[16] = {8,       32, 31, 4,       INT_MIN,    2,  3,       INT_MAX,
                                   INT_MIN, 2,  0,  INT_MIN, 0x77553311, -1, INT_MIN, 0};
    for (int i = 0; i < 16; i++)
        assert_int_equal(out[i], WANTED[i]);
}

static void minimum_and_maximum_order_zeros_and_drop_nans(void **state)
{
    int out[6];
    (void)state;
    run_values(
        "__global__ void k(int *out) { volatile float p = 0.0f, n = -0.0f; float q = p / n;\n"
        "out[0] = __float_as_int(fminf(p, n)); out[1] = __float_as_int(fmaxf(n, p));\n"
        "out[2] = __float_as_int(fminf(q, 2.0f)); out[3] = __float_as_int(fmaxf(2.0f, q));\n"
        "out[4] = __float_as_int(fminf(n, p)); out[5] = __float_as_int(fmaxf(p, n)); }",
        "\"grid\": [1], \"block\": [1]", out, 6, NULL);
    assert_int_equal(out[0], INT_MIN);
    assert_int_equal(out[1], 0);
    assert_int_equal(out[2], 0x40000000);
    assert_int_equal(out[3], 0x40000000);
    assert_int_equal(out[4], INT_MIN);
    assert_int_equal(out[5], 0);
}

static void groups_repeat_with_their_index(void **state)
{
    struct maker m;
    struct run_result result;
    int out[4], in[4] = {10, 20, 30, 40};
    (void)state;
    maker_open(&m);
    maker_write(&m, "in.bin", in, sizeof in);
    maker_text(&m, "job.json",
               "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"files\": [\"more.cuh\"],\n"
               "\"buffers\": {\"in\": {\"file\": \"in.bin\"}, \"out\": {\"bytes\": 16, \"output\": "
               "true}},\n"
               "\"launches\": [{\"repeat\": 5, \"launches\": [\n"
               "{\"kernel\": \"add\", \"grid\": [1], \"block\": [4], \"args\": [\"in\", \"out\", "
               "{\"index\": true}]},\n"
               "{\"kernel\": \"twice\", \"grid\": [2], \"block\": [2], \"args\": [\"out\", "
               "{\"f64\": 2.0}, {\"i64\": -1}]}]}]}");
    maker_text(&m, "more.cuh", "__device__ int fourth(const int *in, int i) { return in[i]; }\n");
    maker_text(&m, "k.cu",
               "#include <cuda_runtime.h>\n#include \"more.cuh\"\n"
               "__global__ void add(const int *in, int *out, int index)\n"
               "{ out[threadIdx.x] += fourth(in, threadIdx.x) + index; }\n"
               "__global__ void twice(int *out, double by, long long less)\n"
               "{ int i = blockIdx.x * blockDim.x + threadIdx.x; "
               "out[i] = (int)(out[i] * by) + (int)less; }\n");
    maker_run(&m, &result, NULL);
    if (result.reason != REASON_OK) print_message("# %s\n", result.message);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "out", out, sizeof out);
    for (int i = 0; i < 4; i++) {
        int wanted = 0;
        for (int n = 0; n < 5; n++)
            wanted = (wanted + in[i] + n) * 2 - 1;
        assert_int_equal(out[i], wanted);
    }
    run_result_finish(&result);
    maker_close(&m);
}

static void nans_of_float_outputs_have_one_pattern(void **state)
{
    struct maker m;
    struct run_result result;
    unsigned out[4];
    (void)state;
    maker_open(&m);
    maker_text(
        &m, "job.json",
        "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"buffers\": {\"out\": {\"bytes\": 16, "
        "\"type\": \"f32\", \"output\": true}}, \"launches\": [{\"kernel\": \"k\", \"grid\": [1], "
        "\"block\": [1], \"args\": [\"out\"]}]}");
    maker_text(
        &m, "k.cu",
        "__global__ void k(float *out) { volatile float z = 0.0f; out[0] = z / z;\n"
        "out[1] = __int_as_float(0xffc12345); out[2] = sqrtf(z - 1.0f); out[3] = 1.0f / z; }");
    maker_run(&m, &result, NULL);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "out", out, sizeof out);
    for (int i = 0; i < 3; i++)
        assert_int_equal(out[i], 0x7fc00000u);
    assert_int_equal(out[3], 0x7f800000u);
    run_result_finish(&result);
    maker_close(&m);
}

static void many_waiting_threads_with_large_frames(void **state)
{
    int out[1024];
    (void)state;
    run_values("__global__ void k(int *out) { volatile int a[4000]; int t = threadIdx.x;\n"
               "for (int i = 0; i < 4000; i++) a[i] = t + i; __syncthreads();\n"
               "int s = 0; for (int i = 0; i < 4000; i += 100) s += a[i]; __syncthreads();\n"
               "out[t] = s; }",
               "\"grid\": [1], \"block\": [1024]", out, 1024, NULL);
    for (int t = 0; t < 1024; t++)
        assert_int_equal(out[t], 40 * t + 78000);
}

static void one_thread_or_two_clang_or_gcc_give_one_root(void **state)
{
    static const char SOURCE[] =
        "__global__ void k(float *out) { int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
        "float x = (float)i * 0.37f - 90.0f; float s = 0.0f;\n"
        "for (int n = 1; n < 40; n++) s += sinf(x * n) / (float)n + expf(-fabsf(x) * 0.01f) * x;\n"
        "out[i] = s + logf(fabsf(x) + 1.0f) * powf(fabsf(x), 0.3f) - tanhf(x) + erff(x * 0.1f); }";
    static const char *const CC[] = {"clang", "g++", "clang", "g++"};
    struct hash first = {{0}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct maker m;
        struct run_result result;
        char error[RUN_ERROR_SIZE];
        struct run_options options = {.cc = CC[i], .threads = i < 2 ? 1 : 2};
        maker_open(&m);
        options.runner_path = m.runner;
        maker_simple(&m, SOURCE, 4096, "\"grid\": [16], \"block\": [64]",
                     "\"seconds\": 20, \"memory_mib\": 64");
        assert_int_equal(run_job(&result, error, m.job, m.tar, &options), OK);
        assert_int_equal(result.reason, REASON_OK);
        if (i == 0) first = result.root;
        assert_true(hash_equal(&first, &result.root));
        run_result_finish(&result);
        maker_close(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_thread_knows_its_place),
        cmocka_unit_test(barriers_order_shared_memory),
        cmocka_unit_test(shared_memory_starts_as_zeros_in_every_block),
        cmocka_unit_test(dynamic_shared_memory_is_there_and_zero),
        cmocka_unit_test(threads_that_have_ended_do_not_hold_up_a_barrier),
        cmocka_unit_test(barriers_count_and_join_votes),
        cmocka_unit_test(warps_shuffle_and_vote),
        cmocka_unit_test(parts_of_a_warp_work_apart),
        cmocka_unit_test(atomics_count_over_all_blocks),
        cmocka_unit_test(integer_functions_have_the_cards_results),
        cmocka_unit_test(minimum_and_maximum_order_zeros_and_drop_nans),
        cmocka_unit_test(groups_repeat_with_their_index),
        cmocka_unit_test(nans_of_float_outputs_have_one_pattern),
        cmocka_unit_test(many_waiting_threads_with_large_frames),
        cmocka_unit_test(one_thread_or_two_clang_or_gcc_give_one_root),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
