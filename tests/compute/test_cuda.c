/* The cuda executor as far as it goes without a card: what NVRTC makes of the examples and of
 * everything that the prelude promises, what happens where there is no card, and compiled code that
 * is kept. Where NVRTC cannot be opened, tests say so. Run from the top of the tree. */
#include "base/file.h"
#include "compute/code_cache.h"
#include "compute/gpus.h"
#include "compute/runner/nvrtc.h"
#include "tests/compute/job_maker.h"

#include <dirent.h>
#include <sys/stat.h>

#define TEXT_BYTES_MAX (1u << 20)

static bool nvrtc_is_there(void)
{
    static struct nvrtc nvrtc;
    char error[LIBRARY_ERROR_SIZE] = "";
    if (nvrtc_open(&nvrtc, error, NULL) == OK) return true;
    print_message("# left out: %s\n", error);
    return false;
}

static void check(struct run_result *out, const struct maker *m, const char *folder)
{
    char error[RUN_ERROR_SIZE] = "";
    struct run_options options = {.runner_path = m->runner, .check = true};
    if (run_job(out, error, folder, "", &options) != OK) fail_msg("%s: %s", folder, error);
}

static bool says(const struct run_result *r, const char *text)
{
    return r->log != NULL && strstr(r->log, text) != NULL;
}

static char *text_of(const char *path)
{
    struct buffer text = {0};
    if (file_read(&text, path, TEXT_BYTES_MAX) != OK) fail_msg("cannot read %s", path);
    char *out = strdup(buffer_text(&text));
    buffer_finish(&text);
    return out;
}

/* Not a job of another runtime, one in parts, or a folder without a job. */
static bool has_kernels(const char *job_json)
{
    if (access(job_json, R_OK) != 0) return false;
    char *text = text_of(job_json);
    bool kernels = strstr(text, "\"cuda-c\"") != NULL && strstr(text, "\"split\"") == NULL;
    free(text);
    return kernels;
}

/* ---- NVRTC ----------------------------------------------------------------------------------- */

static void every_example_compiles_for_cards_and_its_ptx_is_clean(void **state)
{
    struct maker m;
    struct dirent *entry;
    size_t seen = 0;
    (void)state;
    if (!nvrtc_is_there()) skip();
    maker_open(&m);
    DIR *examples = opendir("examples");
    assert_non_null(examples);
    while ((entry = readdir(examples)) != NULL) {
        char folder[300], job[320];
        struct run_result result;
        snprintf(folder, sizeof folder, "examples/%.200s", entry->d_name);
        snprintf(job, sizeof job, "%s/job.json", folder);
        if (entry->d_name[0] == '.' || !has_kernels(job)) continue;
        check(&result, &m, folder);
        bool clean = result.reason == REASON_OK && says(&result, "the scan of its PTX is clean");
        if (!clean) fail_msg("%s: %s", folder, result.log != NULL ? result.log : result.message);
        print_message("# %s: clean\n", folder);
        run_result_finish(&result);
        seen++;
    }
    closedir(examples);
    assert_true(seen >= 3);
    maker_close(&m);
}

/* Calls all that docs/compute.md names, so that NVRTC sees each as clang does. */
static const char EVERYTHING[] =
    "#include <cuda_runtime.h>\n#include <math.h>\n#include \"more.cuh\"\n"
    "#define F(n) o[i++] = n(o[i]);\n#define D(n) d[i++] = n(d[i]);\n"
    "__constant__ int table[4] = {1, 2, 3, 4};\n__device__ int counter;\n"
    "struct pair { float a; int b; };\n"
    "template <int N> __device__ int times(int x) { return x * N; }\n"
    "__global__ void k(float *o, double *d, int *q, unsigned long long *u, long long *s,\n"
    "                  float x, double y, int n, unsigned m, long long l) {\n"
    "    int i = threadIdx.x + blockIdx.y * blockDim.z + gridDim.x;\n"
    "    F(expf) F(exp2f) F(exp10f) F(expm1f) F(logf) F(log2f) F(log10f) F(log1pf) F(sinf) "
    "F(cosf)\n"
    "    F(tanf) F(asinf) F(acosf) F(atanf) F(sinhf) F(coshf) F(tanhf) F(erff) F(rsqrtf) F(cbrtf)\n"
    "    F(floorf) F(ceilf) F(truncf) F(rintf) F(roundf) F(sqrtf) F(fabsf) F(nearbyintf)\n"
    "    F(exp) F(log) F(sin) F(cos) F(abs) F(floor) F(sqrt) F(__saturatef) F(__frcp_rn)\n"
    "    D(exp) D(log) D(sin) D(cos) D(rsqrt) D(floor) D(sqrt) D(fabs) D(rint) D(round) D(abs)\n"
    "    o[1] = powf(x, o[1]) + atan2f(x, o[2]) + fmodf(x, o[3]) + hypotf(x, o[4]) + pow(x, "
    "2.0f);\n"
    "    o[2] = fminf(x, o[5]) + fmaxf(x, o[6]) + fmaf(x, x, o[7]) + copysignf(x, o[8]);\n"
    "    o[3] = fdimf(x, o[1]) + __fadd_rn(x, x) + __fmul_rn(x, o[1]) + __fdiv_rn(x, o[2]);\n"
    "    o[4] = __fmaf_rn(x, o[1], x) + __fsqrt_rn(x) + min(x, o[1]) + max(x, o[2]) + INFINITY;\n"
    "    d[1] = fmod(y, d[2]) + fma(y, d[1], y) + fmin(y, d[3]) + fmax(y, d[4]) + copysign(y, "
    "d[5]);\n"
    "    sincosf(x, o + 5, o + 6); o[7] = NAN; o[8] = (float)FLT_MAX; d[2] = DBL_MAX + M_PI;\n"
    "    q[1] = __float2int_rz(x) + __float2int_rn(x) + __double2int_rd(y) + __float2int_ru(x);\n"
    "    s[1] = __float2ll_rd(x) + __double2ll_rn(y) + (long long)__double2ull_ru(y);\n"
    "    q[2] = (int)__float2uint_rz(x) + (int)lrintf(x) + (int)lroundf(x) + isnan(x) + isinf(y);\n"
    "    q[3] = isfinite(x) + signbit(y) + __float_as_int(x) + (int)__float_as_uint(x);\n"
    "    o[9] = __int_as_float(n) + __uint_as_float(m) + __int2float_rn(n) + __uint2float_rn(m);\n"
    "    d[3] = __longlong_as_double(l) + (double)__double_as_longlong(y);\n"
    "    q[4] = __popc(m) + __clz(n) + __ffs(n) + (int)__brev(m) + __mulhi(n, n) + __mul24(n, 3);\n"
    "    q[5] = (int)(__umulhi(m, m) + __byte_perm(m, m, m) + __funnelshift_l(m, m, m));\n"
    "    q[6] = (int)__funnelshift_r(m, m, m) + __popcll(u[1]) + __clzll(l) + __ffsll(l);\n"
    "    u[2] = __brevll(u[1]) + __umul64hi(u[1], u[2]) + (unsigned long long)__mul64hi(l, s[1]);\n"
    "    q[7] = lh_div(n, q[1]) + lh_rem(n, q[2]) + (int)lh_udiv(m, m) + (int)lh_urem(m, m);\n"
    "    q[8] = (int)lh_shl(m, m) + (int)lh_shr(m, m) + lh_sar(n, m) + n / q[1] + n % q[2];\n"
    "    s[2] = l / s[1] + llabs(l) + abs(l) + min(l, s[1]) + max(1, 2) + min(3u, 2u) + max(n, "
    "m);\n"
    "    atomicAdd(q, 1); atomicSub(q, 2); atomicMin(q, 3); atomicMax(q, 4); atomicAnd(q, 5);\n"
    "    atomicOr(q, 6); atomicXor(q, 7); atomicExch(q, 8); atomicCAS(q, 9, 10);\n"
    "    atomicAdd(s, 1ll); atomicSub(s, 1ll); atomicMin(s, 1ll); atomicMax(s, 1ll);\n"
    "    atomicAnd(s, 1ll); atomicCAS(u, 1ull, 2ull); atomicXor(u, 2ull); atomicExch(u, 1ull);\n"
    "    atomicInc((unsigned *)q, 4u); atomicDec((unsigned *)q, 4u); atomicAdd(&counter, 1);\n"
    "    DYNAMIC_SHARED(float, dynamic); __shared__ float tile[64]; __shared__ pair p;\n"
    "    dynamic[threadIdx.x] = x; tile[threadIdx.x & 63] = x; p.b = n; __syncthreads();\n"
    "    q[9] = __syncthreads_count(n) + __syncthreads_and(n) + __syncthreads_or(n) + p.b;\n"
    "    q[10] = __shfl_sync(~0u, n, 4) + __shfl_up_sync(~0u, n, 1) + __shfl_down_sync(~0u, n, 1, "
    "8);\n"
    "    d[4] = __shfl_xor_sync(~0u, y, 2); q[11] = (int)__ballot_sync(~0u, n);\n"
    "    q[12] = __any_sync(~0u, n) + __all_sync(~0u, n); __syncwarp(); __threadfence();\n"
    "    assert(n != 77); if (n == 78) __trap();\n"
    "    float4 v = make_float4(x, x, x, x); v.x += make_float3(x, x, x).z; ((float4 *)o)[9] = v;\n"
    "    q[13] = table[n & 3] + times<3>(n) + fourth(q) + warpSize + INT_MAX + (int)tile[3];\n"
    "    memcpy(o + 40, &v, sizeof v); memset(q + 50, 0, 16); int64_t w = l; s[3] = w;\n"
    "    int local[32]; for (int j = 0; j < 32; j++) local[j] = q[j]; q[14] = local[n & 31];\n"
    "}\n";

static void everything_that_the_prelude_promises_compiles_for_cards(void **state)
{
    struct maker m;
    struct run_result result;
    (void)state;
    if (!nvrtc_is_there()) skip();
    maker_open(&m);
    maker_text(&m, "more.cuh", "__device__ int fourth(const int *in) { return in[3]; }\n");
    maker_text(&m, "k.cu", EVERYTHING);
    maker_text(
        &m, "job.json",
        "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"files\": [\"more.cuh\"],\n"
        "\"buffers\": {\"out\": {\"bytes\": 4096, \"output\": true}},\n"
        "\"launches\": [{\"kernel\": \"k\", \"grid\": [1], \"block\": [64], \"shared_bytes\": "
        "256,\n"
        "\"args\": [\"out\", \"out\", \"out\", \"out\", \"out\", {\"f32\": 1.0}, {\"f64\": 1.0},\n"
        "{\"i32\": 3}, {\"u32\": 4}, {\"i64\": 5}]}]}");
    check(&result, &m, m.job);
    bool clean = result.reason == REASON_OK && says(&result, "the scan of its PTX is clean");
    if (!clean) fail_msg("%s", result.log != NULL ? result.log : result.message);
    run_result_finish(&result);
    maker_close(&m);
}

static void what_only_the_processor_can_do_is_told(void **state)
{
    static const char *const SOURCES[] = {
        "__global__ void k(int *out) { out[0] = (int)__activemask(); }",
        "__global__ void k(int *out) { out[0] = __builtin_popcount(out[1]); }",
        "__device__ __noinline__ int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }\n"
        "__global__ void k(int *out) { out[0] = f(out[1]); }",
    };
    (void)state;
    if (!nvrtc_is_there()) skip();
    for (size_t i = 0; i < sizeof SOURCES / sizeof *SOURCES; i++) {
        struct maker m;
        struct run_result result;
        maker_open(&m);
        maker_simple(&m, SOURCES[i], 4096, "\"grid\": [1], \"block\": [32]", "\"seconds\": 30");
        check(&result, &m, m.job);
        assert_int_equal(result.reason, REASON_OK);
        if (!says(&result, "only the cpu executor")) fail_msg("%s", SOURCES[i]);
        run_result_finish(&result);
        maker_close(&m);
    }
}

static void what_clang_refuses_is_refused_whatever_nvrtc_knows(void **state)
{
    static const char *const SOURCES[] = {
        "__global__ void k(float *out) { atomicAdd(out, 1.0f); }",
        "__global__ void k(float *out) { out[0] = __expf(out[1]); }",
        "__global__ void k(float *out) { out[0] = erfcf(out[1]); }",
        "__global__ void k(long long *out) { out[0] = clock64(); }",
        "__global__ void k(int *out) { printf(\"%d\", out[0]); }",
    };
    (void)state;
    for (size_t i = 0; i < sizeof SOURCES / sizeof *SOURCES; i++) {
        struct maker m;
        struct run_result result;
        maker_open(&m);
        maker_simple(&m, SOURCES[i], 4096, "\"grid\": [1], \"block\": [32]", "\"seconds\": 30");
        check(&result, &m, m.job);
        if (result.reason != REASON_COMPILE) fail_msg("%s: %s", SOURCES[i], result.message);
        run_result_finish(&result);
        maker_close(&m);
    }
}

static void a_local_variable_without_a_value_is_a_warning(void **state)
{
    struct maker m;
    struct run_result result;
    (void)state;
    maker_open(&m);
    maker_simple(&m, "__global__ void k(int *out) { int n; if (out[1]) n = 3; out[0] = n; }", 4096,
                 "\"grid\": [1], \"block\": [32]", "\"seconds\": 30");
    check(&result, &m, m.job);
    assert_int_equal(result.reason, REASON_OK);
    assert_true(says(&result, "warning:"));
    run_result_finish(&result);
    maker_close(&m);
}

/* ---- the prelude ----------------------------------------------------------------------------- */

/* The name in front of the first parenthesis of a line that begins a function. */
static bool function_name(char out[64], const char *line, size_t size)
{
    const char *paren = memchr(line, '(', size);
    if (size < 14 || strncmp(line, "static inline", 13) != 0 || paren == NULL) return false;
    const char *start = paren;
    while (start > line && strchr(" *", start[-1]) == NULL)
        start--;
    snprintf(out, 64, "%.*s", (int)(paren - start), start);
    return strncmp(out, "lh_", 3) != 0 && out[0] != '\0';
}

static void expect_renamed(const char *cuda, const char *path)
{
    char *text = text_of(path), name[64], wanted[96];
    for (const char *line = text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        if (function_name(name, line, size)) {
            snprintf(wanted, sizeof wanted, "#define %s lhm_", name);
            if (strstr(cuda, wanted) == NULL)
                fail_msg("%s: %s is CUDA's own on a card", path, name);
        }
        line += size + (line[size] == '\n');
    }
    free(text);
}

static void no_function_of_the_prelude_is_cudas_own(void **state)
{
    struct dirent *entry;
    size_t seen = 0;
    char *cuda = text_of("compute/runner/prelude_cuda.h");
    char *texts = text_of("compute/runner/texts.S");
    const char *behind = strstr(texts, "prelude_cuda.h");
    (void)state;
    assert_non_null(behind);
    DIR *folder = opendir("compute/runner");
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char path[300];
        snprintf(path, sizeof path, "compute/runner/%.200s", entry->d_name);
        bool is_prelude = strncmp(entry->d_name, "prelude", 7) == 0;
        if (!is_prelude || strstr(behind + 1, path) == NULL) continue;
        expect_renamed(cuda, path);
        seen++;
    }
    closedir(folder);
    assert_true(seen >= 1);
    free(cuda);
    free(texts);
}

/* ---- no card --------------------------------------------------------------------------------- */

static void a_job_for_a_card_that_is_not_there_is_run_by_the_processor(void **state)
{
    struct maker m;
    struct run_result on_cpu, on_card;
    char error[RUN_ERROR_SIZE] = "", cache[128];
    struct gpu gpu = {.node = 99, .capability = 75, .uuid = "GPU-none", .driver = "0"};
    (void)state;
    maker_open(&m);
    maker_simple(&m, "__global__ void k(float *o) { o[threadIdx.x] = sinf((float)threadIdx.x); }",
                 256, "\"grid\": [1], \"block\": [64]", "\"seconds\": 300, \"memory_mib\": 64");
    maker_run(&m, &on_cpu, NULL);
    assert_int_equal(on_cpu.reason, REASON_OK);
    snprintf(cache, sizeof cache, "%s/cache", m.folder);
    struct run_options options = {
        .runner_path = m.runner, .gpu = &gpu, .cache_folder = cache, .threads = 2};
    if (run_job(&on_card, error, m.job, m.tar, &options) != OK) fail_msg("%s", error);
    if (on_card.reason != REASON_OK) fail_msg("%s", on_card.message);
    assert_true(says(&on_card, "leaves this job to the cpu executor"));
    assert_memory_equal(&on_cpu.root, &on_card.root, sizeof on_cpu.root);
    maker_nothing_is_left();
    run_result_finish(&on_cpu);
    run_result_finish(&on_card);
    maker_close(&m);
}

static void the_cuda_executor_without_a_card_is_an_error(void **state)
{
    struct maker m;
    struct run_result result;
    char error[RUN_ERROR_SIZE] = "";
    (void)state;
    maker_open(&m);
    struct run_options options = {.runner_path = m.runner, .executor = RUN_CUDA};
    assert_int_equal(run_job(&result, error, m.job, m.tar, &options), E_UNSUPPORTED);
    assert_non_null(strstr(error, "no card"));
    maker_close(&m);
}

static void cards_are_chosen_by_index(void **state)
{
    struct gpus all = {.count = 3}, chosen;
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        all.cards[i].index = i;
    chosen = all;
    assert_int_equal(gpus_choose(&chosen, "2,0"), OK);
    assert_int_equal(chosen.count, 2);
    assert_int_equal(chosen.cards[0].index, 2);
    assert_int_equal(chosen.cards[1].index, 0);
    static const char *const WRONG[] = {"3", "0,", "a", "0,0", ",1", "1;2", "0 1"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        chosen = all;
        if (gpus_choose(&chosen, WRONG[i]) == OK) fail_msg("\"%s\"", WRONG[i]);
        assert_true(chosen.error[0] != '\0');
    }
    chosen = all;
    assert_int_equal(gpus_choose(&chosen, ""), OK);
    assert_int_equal(chosen.count, 3);
}

/* ---- compiled code --------------------------------------------------------------------------- */

static void write_bytes(const char *path, const char *start, size_t size)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(start, out) >= 0);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(fputc('x', out), 'x');
    assert_int_equal(fclose(out), 0);
}

static struct hash key_of(const struct code_key_parts *parts)
{
    struct hash key;
    assert_int_equal(code_cache_key(&key, parts), OK);
    return key;
}

static void a_key_changes_with_all_that_the_code_depends_on(void **state)
{
    struct maker m;
    struct plan *plan = calloc(1, sizeof *plan);
    (void)state;
    assert_non_null(plan);
    maker_open(&m);
    maker_text(&m, "k.cu", "one");
    snprintf(plan->source, sizeof plan->source, "k.cu");
    plan->launch_count = 1;
    plan->launches[0] = (struct plan_launch){.kernel = "k", .block = {32, 1, 1}};
    struct code_key_parts parts = {plan, m.job, m.runner, "nvrtc 1", "driver 1", 75};
    struct hash keys[7];
    keys[0] = key_of(&parts);
    struct hash again = key_of(&parts);
    assert_memory_equal(&keys[0], &again, sizeof again);
    parts.compiler = "nvrtc 2";
    keys[1] = key_of(&parts);
    parts.driver = "driver 2";
    keys[2] = key_of(&parts);
    parts.capability = 80;
    keys[3] = key_of(&parts);
    plan->launches[0].block[0] = 64;
    keys[4] = key_of(&parts);
    maker_text(&m, "k.cu", "two");
    keys[5] = key_of(&parts);
    maker_text(&m, "more.cuh", "");
    keys[6] = key_of(&parts);
    for (int i = 0; i < 7; i++) {
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(&keys[i], &keys[j], sizeof keys[i]);
    }
    free(plan);
    maker_close(&m);
}

static void code_is_kept_whole_or_not_at_all(void **state)
{
    struct maker m;
    char folder[128], made[128], found[PATH_MAX];
    struct hash key = {{1}}, other = {{2}};
    (void)state;
    maker_open(&m);
    snprintf(folder, sizeof folder, "%s/cache", m.folder);
    snprintf(made, sizeof made, "%s/made", m.folder);
    assert_false(code_cache_find(found, sizeof found, folder, &key));
    write_bytes(made, "no machine code", 200);
    code_cache_keep(folder, &key, made);
    assert_false(code_cache_find(found, sizeof found, folder, &key));
    write_bytes(made, "\177ELF", 0); /* what is left of a run that was cut off */
    code_cache_keep(folder, &key, made);
    assert_false(code_cache_find(found, sizeof found, folder, &key));
    write_bytes(made, "\177ELF", 200);
    code_cache_keep(folder, &key, made);
    assert_false(code_cache_find(found, sizeof found, folder, &other));
    assert_true(code_cache_find(found, sizeof found, folder, &key));
    assert_int_equal(access(found, R_OK), 0);
    maker_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_compiles_for_cards_and_its_ptx_is_clean),
        cmocka_unit_test(everything_that_the_prelude_promises_compiles_for_cards),
        cmocka_unit_test(what_only_the_processor_can_do_is_told),
        cmocka_unit_test(what_clang_refuses_is_refused_whatever_nvrtc_knows),
        cmocka_unit_test(a_local_variable_without_a_value_is_a_warning),
        cmocka_unit_test(no_function_of_the_prelude_is_cudas_own),
        cmocka_unit_test(a_job_for_a_card_that_is_not_there_is_run_by_the_processor),
        cmocka_unit_test(the_cuda_executor_without_a_card_is_an_error),
        cmocka_unit_test(cards_are_chosen_by_index),
        cmocka_unit_test(a_key_changes_with_all_that_the_code_depends_on),
        cmocka_unit_test(code_is_kept_whole_or_not_at_all),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
