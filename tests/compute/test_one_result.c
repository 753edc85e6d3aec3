/* Every function of the prelude has the same bits under clang and under gcc, with one thread or
 * two: a job computes each over arguments spread over all bit patterns, and its roots are compared.
 * NaNs are canonical, since the outputs are declared as floats. */
#include "tests/compute/job_maker.h"

#define BLOCKS 512 /* of 256 threads: arguments a function */

static const char *const OF_FLOAT[] = {
    "expf",  "exp2f", "exp10f", "expm1f", "logf",   "log2f",  "log10f", "log1pf", "sinf",
    "cosf",  "tanf",  "asinf",  "acosf",  "atanf",  "sinhf",  "coshf",  "tanhf",  "erff",
    "cbrtf", "sqrtf", "rsqrtf", "rintf",  "roundf", "floorf", "ceilf",  "truncf", "fabsf"};
static const char *const OF_FLOATS[] = {"powf",  "atan2f", "hypotf", "fmodf",
                                        "fminf", "fmaxf",  "fdimf",  "copysignf"};
static const char *const OF_DOUBLE[] = {"exp",   "log",  "sin",   "cos",   "sqrt",
                                        "rsqrt", "rint", "round", "floor", "trunc"};
static const char *const OF_DOUBLES[] = {"fmod", "fmin", "fmax", "copysign"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Bits of arguments: all of a float's, and near 1 every second time, where functions differ most.
 * */
static const char HELPERS[] =
    "__device__ inline unsigned bits(unsigned i) { i = i * 2654435761u; return i ^ i >> 15; }\n"
    "__device__ inline float f32(unsigned i) { unsigned b = bits(i);\n"
    "return __uint_as_float(i & 1 ? b : (b & 0x83ffffffu) + 0x3d000000u); }\n"
    "__device__ inline double f64(unsigned i) {\n"
    "long long b = (long long)((unsigned long long)bits(i) << 32 | bits(i + 77u));\n"
    "if (i & 1) return __longlong_as_double(b);\n"
    "return __longlong_as_double((b & (long long)0x807fffffffffffffull) + 0x3fb0000000000000ll); "
    "}\n";

static void add_kernels(struct buffer *source, struct buffer *launches, const char *const *names,
                        size_t count, const char *type, int arguments)
{
    const char *draw = type[0] == 'f' ? "f32" : "f64";
    for (size_t n = 0; n < count; n++) {
        buffer_print(source,
                     "__global__ void k_%s(%s *out, int at) {\n"
                     "unsigned i = blockIdx.x * blockDim.x + threadIdx.x;\n"
                     "out[at * gridDim.x * blockDim.x + i] = %s(%s(i)",
                     names[n], type, names[n], draw);
        if (arguments == 2) buffer_print(source, ", %s(i * 3 + 1)", draw);
        buffer_print(source, "); }\n");
        buffer_print(launches,
                     "%s{\"kernel\": \"k_%s\", \"grid\": [%d], \"block\": [256], \"args\": "
                     "[\"%s%d\", {\"i32\": %zu}]}",
                     launches->size > 0 ? ", " : "", names[n], BLOCKS, type, arguments, n);
    }
}

static void make_job(struct maker *m)
{
    struct buffer source = {0}, launches = {0}, json = {0};
    size_t each = (size_t)BLOCKS * 256;
    buffer_print(&source, "%s", HELPERS);
    add_kernels(&source, &launches, OF_FLOAT, COUNT(OF_FLOAT), "float", 1);
    add_kernels(&source, &launches, OF_FLOATS, COUNT(OF_FLOATS), "float", 2);
    add_kernels(&source, &launches, OF_DOUBLE, COUNT(OF_DOUBLE), "double", 1);
    add_kernels(&source, &launches, OF_DOUBLES, COUNT(OF_DOUBLES), "double", 2);
    buffer_print(&json,
                 "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"buffers\": {"
                 "\"float1\": {\"bytes\": %zu, \"type\": \"f32\", \"output\": true}, "
                 "\"float2\": {\"bytes\": %zu, \"type\": \"f32\", \"output\": true}, "
                 "\"double1\": {\"bytes\": %zu, \"type\": \"f64\", \"output\": true}, "
                 "\"double2\": {\"bytes\": %zu, \"type\": \"f64\", \"output\": true}}, "
                 "\"launches\": [%s]}",
                 COUNT(OF_FLOAT) * each * 4, COUNT(OF_FLOATS) * each * 4,
                 COUNT(OF_DOUBLE) * each * 8, COUNT(OF_DOUBLES) * each * 8, buffer_text(&launches));
    maker_text(m, "job.json", buffer_text(&json));
    maker_text(m, "k.cu", buffer_text(&source));
    buffer_finish(&source);
    buffer_finish(&launches);
    buffer_finish(&json);
}

static struct hash root_under(const char *cc, unsigned threads)
{
    struct maker m;
    struct run_result result;
    char error[RUN_ERROR_SIZE];
    struct run_options options = {.cc = cc, .threads = threads};
    maker_open(&m);
    make_job(&m);
    options.runner_path = m.runner;
    assert_int_equal(run_job(&result, error, m.job, m.tar, &options), OK);
    if (result.reason != REASON_OK) print_message("# %s: %s\n", cc, result.message);
    assert_int_equal(result.reason, REASON_OK);
    struct hash root = result.root;
    run_result_finish(&result);
    maker_close(&m);
    return root;
}

static void every_function_has_the_same_bits_under_clang_and_gcc(void **state)
{
    struct hash under_clang = root_under("clang", 1), under_gcc = root_under("g++", 2);
    (void)state;
    assert_memory_equal(&under_clang, &under_gcc, sizeof under_clang);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_has_the_same_bits_under_clang_and_gcc),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
