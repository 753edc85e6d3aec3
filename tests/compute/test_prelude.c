/* How far the prelude's functions are from the true values, measured against the C library's long
 * double functions, and what they answer where it is special. The bounds are docs/compute.md's. */
#include "tests/compute/job_maker.h"

#include <math.h>

#define COUNT 40000

struct function {
    const char *name;
    double low, high; /* range of arguments; low == high: all finite floats */
    double ulp_max;
    long double (*truth)(long double);
};

static long double true_rsqrt(long double x)
{
    return 1.0L / sqrtl(x);
}

static long double true_exp10(long double x)
{
    return powl(10.0L, x);
}

static const struct function FLOAT_FUNCTIONS[] = {
    {"expf", -104, 89, 0.51, expl},
    {"exp2f", -150, 128, 0.51, exp2l},
    {"exp10f", -45, 38.5, 0.51, true_exp10},
    {"expm1f", -20, 88, 0.51, expm1l},
    {"logf", 0, 0, 0.51, logl},
    {"log2f", 0, 0, 0.51, log2l},
    {"log10f", 0, 0, 0.51, log10l},
    {"log1pf", -0.99, 1e6, 0.51, log1pl},
    {"sinf", 0, 0, 0.51, sinl},
    {"cosf", 0, 0, 0.51, cosl},
    {"tanf", 0, 0, 0.51, tanl},
    {"asinf", -1, 1, 0.51, asinl},
    {"acosf", -1, 1, 0.51, acosl},
    {"atanf", 0, 0, 0.51, atanl},
    {"sinhf", -89, 89, 0.51, sinhl},
    {"coshf", -89, 89, 0.51, coshl},
    {"tanhf", -12, 12, 0.51, tanhl},
    {"erff", -4.5, 4.5, 0.51, erfl},
    {"rsqrtf", 0, 0, 0.51, true_rsqrt},
    {"cbrtf", 0, 0, 0.51, cbrtl},
};
#define FLOAT_COUNT (sizeof FLOAT_FUNCTIONS / sizeof *FLOAT_FUNCTIONS)

static const struct function DOUBLE_FUNCTIONS[] = {
    {"exp", -745, 709, 1.0, expl},    {"log", 0, 0, 1.0, logl},
    {"sin", -1e15, 1e15, 1.0, sinl},  {"cos", -1e15, 1e15, 1.0, cosl},
    {"rsqrt", 1, 4, 1.5, true_rsqrt},
};
#define DOUBLE_COUNT (sizeof DOUBLE_FUNCTIONS / sizeof *DOUBLE_FUNCTIONS)

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    uint64_t x = random_state ^ random_state >> 33;
    return x * 0xff51afd7ed558ccdull ^ x >> 29;
}

static double argument(const struct function *f)
{
    double u = (double)(next_random() >> 11) * 0x1p-53;
    if (f->low != f->high) return f->low + (f->high - f->low) * u;
    for (;;) {
        uint32_t bits = (uint32_t)next_random();
        float x;
        memcpy(&x, &bits, sizeof x);
        bool signed_too =
            f->truth == sinl || f->truth == cosl || f->truth == tanl || f->truth == atanl;
        if (isfinite(x) && (x > 0 || signed_too)) return x;
    }
}

static void make_job(struct maker *m, const struct function *functions, size_t count,
                     const char *type)
{
    struct buffer json = {0}, source = {0};
    buffer_print(&json,
                 "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"buffers\": {\"in\": "
                 "{\"file\": \"in.bin\"}, \"out\": {\"bytes\": %zu, \"output\": true}}, "
                 "\"launches\": [",
                 count * COUNT * (type[0] == 'f' ? 4 : 8));
    for (size_t i = 0; i < count; i++) {
        buffer_print(
            &source,
            "__global__ void k%zu(const %s *in, %s *out) { int i = %zu + blockIdx.x * 64 + "
            "threadIdx.x; out[i] = %s(in[i]); }\n",
            i, type, type, i * COUNT, functions[i].name);
        buffer_print(&json,
                     "%s{\"kernel\": \"k%zu\", \"grid\": [%d], \"block\": [64], \"args\": "
                     "[\"in\", \"out\"]}",
                     i ? ", " : "", i, COUNT / 64);
    }
    buffer_print(&json, "]}");
    maker_text(m, "job.json", buffer_text(&json));
    maker_text(m, "k.cu", buffer_text(&source));
    buffer_finish(&json);
    buffer_finish(&source);
}

/* Distance in units of the last place of the result's own format. */
static double ulps(long double got, long double truth, int digits, int lowest)
{
    if (got == truth || (isnan((double)got) && isnan((double)truth))) return 0;
    int exponent;
    (void)frexpl(truth, &exponent);
    if (exponent < lowest) exponent = lowest;
    return (double)(fabsl(got - truth) / ldexpl(1.0L, exponent - digits));
}

static void floats_are_within_their_bound(void **state)
{
    struct maker m;
    struct run_result result;
    size_t size = FLOAT_COUNT * COUNT * sizeof(float);
    float *in = malloc(size), *out = malloc(size);
    (void)state;
    assert_true(in != NULL && out != NULL);
    random_state = 7;
    for (size_t i = 0; i < FLOAT_COUNT * COUNT; i++) {
        in[i] = (float)argument(&FLOAT_FUNCTIONS[i / COUNT]);
    }
    maker_open(&m);
    maker_write(&m, "in.bin", in, size);
    make_job(&m, FLOAT_FUNCTIONS, FLOAT_COUNT, "float");
    maker_run(&m, &result, NULL);
    if (result.reason != REASON_OK) print_message("# %s\n", result.message);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "out", out, size);
    for (size_t f = 0; f < FLOAT_COUNT; f++) {
        double worst = 0;
        for (size_t i = f * COUNT; i < (f + 1) * COUNT; i++) {
            long double truth = FLOAT_FUNCTIONS[f].truth(in[i]);
            if (fabsl(truth) >= 0x1.ffffffp127L) truth = copysignl(INFINITY, truth);
            if (fabsl(truth) == INFINITY && out[i] == (float)truth) continue;
            double u = ulps(out[i], truth, 24, -125);
            if (u > worst) worst = u;
            if (u > FLOAT_FUNCTIONS[f].ulp_max) {
                print_message("# %s(%a) = %a, true %La\n", FLOAT_FUNCTIONS[f].name, in[i], out[i],
                              truth);
            }
            assert_true(u <= FLOAT_FUNCTIONS[f].ulp_max);
        }
        print_message("# %s: at most %.4f ulp\n", FLOAT_FUNCTIONS[f].name, worst);
    }
    free(in);
    free(out);
    run_result_finish(&result);
    maker_close(&m);
}

static void doubles_are_within_their_bound(void **state)
{
    struct maker m;
    struct run_result result;
    size_t size = DOUBLE_COUNT * COUNT * sizeof(double);
    double *in = malloc(size), *out = malloc(size);
    (void)state;
    assert_true(in != NULL && out != NULL);
    random_state = 11;
    for (size_t i = 0; i < DOUBLE_COUNT * COUNT; i++) {
        in[i] = argument(&DOUBLE_FUNCTIONS[i / COUNT]);
    }
    maker_open(&m);
    maker_write(&m, "in.bin", in, size);
    make_job(&m, DOUBLE_FUNCTIONS, DOUBLE_COUNT, "double");
    maker_run(&m, &result, NULL);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "out", out, size);
    for (size_t f = 0; f < DOUBLE_COUNT; f++) {
        double worst = 0;
        for (size_t i = f * COUNT; i < (f + 1) * COUNT; i++) {
            double u = ulps(out[i], DOUBLE_FUNCTIONS[f].truth(in[i]), 53, -1021);
            if (u > worst) worst = u;
        }
        print_message("# %s: at most %.4f ulp\n", DOUBLE_FUNCTIONS[f].name, worst);
        assert_true(worst <= DOUBLE_FUNCTIONS[f].ulp_max);
    }
    free(in);
    free(out);
    run_result_finish(&result);
    maker_close(&m);
}

static float any_float(void)
{
    for (;;) {
        uint32_t bits = (uint32_t)next_random();
        float x;
        memcpy(&x, &bits, sizeof x);
        if (isfinite(x)) return x;
    }
}

/* A base and an exponent whose power is a float, denormal ones included. */
static void power_arguments(float *x, float *y)
{
    double u = (double)(next_random() >> 11) * 0x1p-53;
    do {
        *x = fabsf(any_float());
    } while (*x == 0 || *x == 1);
    *y = (float)((-103 + 191 * u) / log(*x));
}

/* Half of them any floats, half near each other. */
static void pair_arguments(float *x, float *y)
{
    double u = (double)(next_random() >> 11) * 0x1p-53 - 0.5;
    *x = any_float();
    *y = next_random() & 1 ? any_float() : (float)(*x * 8 * u);
    if (!isfinite(*y)) *y = 1;
}

static const struct function2 {
    const char *name;
    void (*arguments)(float *x, float *y);
    double ulp_max;
    long double (*truth)(long double, long double);
} PAIR_FUNCTIONS[] = {
    {"powf", power_arguments, 0.51, powl},
    {"atan2f", pair_arguments, 0.51, atan2l},
    {"hypotf", pair_arguments, 0.51, hypotl},
};
#define PAIR_COUNT (sizeof PAIR_FUNCTIONS / sizeof *PAIR_FUNCTIONS)

static void make_pair_job(struct maker *m)
{
    struct buffer json = {0}, source = {0};
    buffer_print(&json,
                 "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"buffers\": {\"in\": "
                 "{\"file\": \"in.bin\"}, \"out\": {\"bytes\": %zu, \"output\": true}}, "
                 "\"launches\": [",
                 PAIR_COUNT * COUNT * sizeof(float));
    for (size_t i = 0; i < PAIR_COUNT; i++) {
        buffer_print(&source,
                     "__global__ void k%zu(const float2 *in, float *out) { int i = %zu + "
                     "blockIdx.x * 64 + threadIdx.x; out[i] = %s(in[i].x, in[i].y); }\n",
                     i, i * COUNT, PAIR_FUNCTIONS[i].name);
        buffer_print(&json,
                     "%s{\"kernel\": \"k%zu\", \"grid\": [%d], \"block\": [64], \"args\": "
                     "[\"in\", \"out\"]}",
                     i ? ", " : "", i, COUNT / 64);
    }
    buffer_print(&json, "]}");
    maker_text(m, "job.json", buffer_text(&json));
    maker_text(m, "k.cu", buffer_text(&source));
    buffer_finish(&json);
    buffer_finish(&source);
}

static double worst_of_pair(const struct function2 *f, const float *in, const float *out)
{
    double worst = 0;
    for (size_t i = 0; i < COUNT; i++) {
        long double truth = f->truth(in[2 * i], in[2 * i + 1]);
        if (fabsl(truth) >= 0x1.ffffffp127L) truth = copysignl(INFINITY, truth);
        if (fabsl(truth) == INFINITY && out[i] == (float)truth) continue;
        double u = ulps(out[i], truth, 24, -125);
        if (!(u <= f->ulp_max))
            print_message("# %s(%a, %a) = %a, true %La\n", f->name, in[2 * i], in[2 * i + 1],
                          out[i], truth);
        assert_true(u <= f->ulp_max);
        if (u > worst) worst = u;
    }
    return worst;
}

static void functions_of_two_floats_are_within_their_bound(void **state)
{
    struct maker m;
    struct run_result result;
    size_t size = PAIR_COUNT * COUNT * sizeof(float);
    float *in = malloc(2 * size), *out = malloc(size);
    (void)state;
    assert_true(in != NULL && out != NULL);
    random_state = 13;
    for (size_t i = 0; i < PAIR_COUNT * COUNT; i++)
        PAIR_FUNCTIONS[i / COUNT].arguments(&in[2 * i], &in[2 * i + 1]);
    maker_open(&m);
    maker_write(&m, "in.bin", in, 2 * size);
    make_pair_job(&m);
    maker_run(&m, &result, NULL);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "out", out, size);
    for (size_t f = 0; f < PAIR_COUNT; f++)
        print_message("# %s: at most %.4f ulp\n", PAIR_FUNCTIONS[f].name,
                      worst_of_pair(&PAIR_FUNCTIONS[f], in + 2 * f * COUNT, out + f * COUNT));
    free(in);
    free(out);
    run_result_finish(&result);
    maker_close(&m);
}

/* C99 annex F where CUDA follows it. */
static void powers_and_angles_have_their_special_values(void **state)
{
    static const float X[][2] = {{0, -3},         {-0.0f, -3},    {-2, 3},          {-2, 2},
                                 {-8, 1.0f / 3},  {1, NAN},       {NAN, 0},         {-1, INFINITY},
                                 {2, 200},        {2, -200},      {0.5f, INFINITY}, {-INFINITY, 3},
                                 {-INFINITY, -3}, {-INFINITY, 2}, {1.5f, 2.25f},    {3, -40}};
    enum { N = sizeof X / sizeof *X };
    struct maker m;
    struct run_result result;
    float out[2 * N];
    (void)state;
    maker_open(&m);
    maker_write(&m, "in.bin", X, sizeof X);
    maker_text(
        &m, "job.json",
        "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"buffers\": {\"in\": {\"file\": "
        "\"in.bin\"}, \"out\": {\"bytes\": 128, \"output\": true}}, \"launches\": [{\"kernel\": "
        "\"k\", \"grid\": [1], \"block\": [16], \"args\": [\"in\", \"out\"]}]}");
    maker_text(&m, "k.cu",
               "__global__ void k(const float2 *in, float2 *out) { int i = threadIdx.x;\n"
               "out[i] = make_float2(powf(in[i].x, in[i].y), atan2f(in[i].x, in[i].y)); }");
    maker_run(&m, &result, NULL);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "out", out, sizeof out);
    for (int i = 0; i < N; i++) {
        long double power = powl(X[i][0], X[i][1]), angle = atan2l(X[i][0], X[i][1]);
        assert_true(isnan((float)power) ? isnan(out[2 * i])
                                        : ulps(out[2 * i], (float)power, 24, -125) <= 0.0);
        assert_true(isnan((float)angle) ? isnan(out[2 * i + 1])
                                        : ulps(out[2 * i + 1], angle, 24, -125) <= 0.51);
    }
    run_result_finish(&result);
    maker_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_within_their_bound),
        cmocka_unit_test(doubles_are_within_their_bound),
        cmocka_unit_test(functions_of_two_floats_are_within_their_bound),
        cmocka_unit_test(powers_and_angles_have_their_special_values),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
