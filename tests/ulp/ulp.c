/* ulp - the largest error of the prelude's functions of one float, over all floats that there are.
 *
 *   ulp [--step N] [--samples M] [FUNCTION...]      from the top of the tree
 *
 * N: every N-th float only; M: drawn arguments for what has more arguments than can be tried.
 * The functions are compiled by clang from compute/runner/prelude_*.h with the runner's flags. Each
 * float's result is compared with the C library's vectors of doubles (at most 4 of a double's own
 * ulp off, 2^-27 of a float's), and where that leaves open whether it is the worst so far, with 160
 * bits of MPFR. Infinities and NaNs are compared with MPFR too. A run over all floats takes a
 * minute or so a function on a quiet core. */
#include "tests/ulp/ulp.h"

#include <assert.h>
#include <dlfcn.h>
#include <float.h>
#include <getopt.h>
#include <math.h>
#include <mpfr.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK      65536u
#define BITS       160
#define DOUBT_ULPS 1e-7 /* what the doubles may be off, and then some */

typedef int exact_function(mpfr_ptr out, mpfr_srcptr x, mpfr_rnd_t round);
typedef void floats_function(const float *in, float *out, unsigned count);
/* Whether all results are within `limit` ulp of the doubles; false for infinities and NaNs. */
typedef int within_function(const float *got, const double *near, unsigned count, double limit);
typedef void doubles_function(const float *in, double *out, unsigned count);

/* name of the prelude's, the C library's expression of a double x, MPFR's */
#define FUNCTIONS(X)                                                                               \
    X(expf, "exp(x)", mpfr_exp)                                                                    \
    X(exp2f, "exp2(x)", mpfr_exp2)                                                                 \
    X(exp10f, "exp10(x)", mpfr_exp10)                                                              \
    X(expm1f, "expm1(x)", mpfr_expm1)                                                              \
    X(logf, "log(x)", mpfr_log)                                                                    \
    X(log2f, "log2(x)", mpfr_log2)                                                                 \
    X(log10f, "log10(x)", mpfr_log10)                                                              \
    X(log1pf, "log1p(x)", mpfr_log1p)                                                              \
    X(sinf, "sin(x)", mpfr_sin)                                                                    \
    X(cosf, "cos(x)", mpfr_cos)                                                                    \
    X(tanf, "tan(x)", mpfr_tan)                                                                    \
    X(asinf, "asin(x)", mpfr_asin)                                                                 \
    X(acosf, "acos(x)", mpfr_acos)                                                                 \
    X(atanf, "atan(x)", mpfr_atan)                                                                 \
    X(sinhf, "sinh(x)", mpfr_sinh)                                                                 \
    X(coshf, "cosh(x)", mpfr_cosh)                                                                 \
    X(tanhf, "tanh(x)", mpfr_tanh)                                                                 \
    X(erff, "erf(x)", mpfr_erf)                                                                    \
    X(rsqrtf, "1 / sqrt(x)", mpfr_rec_sqrt)                                                        \
    X(cbrtf, "cbrt(x)", mpfr_cbrt)

static const struct function {
    const char *name;
    const char *truth;
    exact_function *exact;
} FUNCTIONS_TABLE[] = {
#define X(name, truth, exact) {#name, truth, exact},
    FUNCTIONS(X)
#undef X
};
#define FUNCTION_COUNT (sizeof FUNCTIONS_TABLE / sizeof *FUNCTIONS_TABLE)

struct sweep {
    const struct function *f;
    floats_function *got;
    doubles_function *near;
    within_function *within;
    uint64_t misrounded; /* not the nearest float: more than half an ulp off */
    uint64_t special;    /* wrong infinities and NaNs */
    double worst_ulps;
    float worst_x;
};

/* ---- the two libraries ---- */

static const char *const OURS_HEAD =
    "#define INT_MAX 2147483647\n#define INT_MIN (-2147483647 - 1)\n#define UINT_MAX 4294967295u\n"
    "#define LLONG_MAX 9223372036854775807ll\n#define LLONG_MIN (-9223372036854775807ll - 1)\n"
    "#define ULLONG_MAX 18446744073709551615ull\n#define INFINITY (__builtin_inff())\n"
    "#include \"compute/runner/prelude_math.h\"\n#include \"compute/runner/prelude_exp.h\"\n"
    "#include \"compute/runner/prelude_trig.h\"\n#include \"compute/runner/prelude_special.h\"\n";

/* ulp_at in a loop that becomes vectors. */
static const char *const OURS_WITHIN =
    "extern \"C\" int all_within(const float *got, const double *near, unsigned n, double limit)\n"
    "{ int far = 0; for (unsigned i = 0; i < n; i++) {\n"
    "unsigned long e = lh_bits(near[i]) >> 52 & 2047; e = e < 897 ? 897 : e;\n"
    "double ulp = __longlong_as_double((long long)((e - 23) << 52));\n"
    "far |= !(__builtin_fabs((double)got[i] - near[i]) <= limit * ulp); } return !far; }\n";

static void write_ours(FILE *out)
{
    fputs(OURS_HEAD, out);
    fputs(OURS_WITHIN, out);
    samples_write(out);
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        const char *name = FUNCTIONS_TABLE[i].name;
        fprintf(out,
                "extern \"C\" void all_%s(const float *in, float *out, unsigned n)\n"
                "{ for (unsigned i = 0; i < n; i++) out[i] = %s(in[i]); }\n",
                name, name);
    }
}

static void write_truth(FILE *out)
{
    fputs("#define _GNU_SOURCE\n#include <math.h>\n", out);
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        fprintf(out,
                "void all_%s(const float *restrict in, double *restrict out, unsigned n)\n"
                "{ for (unsigned i = 0; i < n; i++) { double x = in[i]; out[i] = %s; } }\n",
                FUNCTIONS_TABLE[i].name, FUNCTIONS_TABLE[i].truth);
    }
}

/* Fast math lets gcc call the C library's vectors; a library linked by it would flush denormals,
 * so it is linked apart. */
static const char OURS_COMMAND[] =
    "clang -x c++ -std=c++17 -O3 -w -march=native -ffp-contract=off -fno-fast-math -fno-math-errno "
    "-fno-trapping-math -fwrapv -fno-builtin -fno-exceptions -shared -fPIC -iquote. %s/ours.cpp "
    "-o %s/ours.so -lm";
static const char TRUTH_COMMAND[] =
    "gcc -O3 -w -march=native -ffast-math -fPIC -c %s/truth.c -o %s/truth.o && "
    "gcc -shared %s/truth.o -o %s/truth.so -lmvec -lm";

static void *library(const char *folder, const char *source, void (*write)(FILE *),
                     const char *command, const char *object)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, source);
    FILE *out = fopen(path, "w");
    assert(out != NULL);
    write(out);
    int closed = fclose(out);
    int made = system(command);
    snprintf(path, sizeof path, "%s/%s", folder, object);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (closed != 0 || made != 0 || handle == NULL) {
        fprintf(stderr, "ulp: %s\n", handle == NULL ? dlerror() : "cannot compile");
        exit(EXIT_FAILURE);
    }
    return handle;
}

void ulp_find(void *out, void *library, const char *name)
{
    char symbol[64];
    snprintf(symbol, sizeof symbol, "all_%s", name);
    void *at = dlsym(library, symbol);
    assert(at != NULL);
    memcpy(out, &at, sizeof at);
}

/* ---- the sweep ---- */

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Units in the last place that a float of about this size has; called once a float, so by bits. */
static double ulp_at(double truth)
{
    uint64_t bits;
    double ulp;
    memcpy(&bits, &truth, sizeof bits);
    uint64_t exponent = bits >> 52 & 2047;
    if (exponent < 1023 - 126) exponent = 1023 - 126;
    bits = (exponent - 23) << 52;
    memcpy(&ulp, &bits, sizeof ulp);
    return ulp;
}

/* Beyond the largest float as rounding sees it: the result is an infinity. */
static bool overflows(double truth)
{
    return fabs(truth) >= 0x1.ffffffp127;
}

static void note(struct sweep *s, float x, double ulps)
{
    if (ulps <= s->worst_ulps) return;
    s->worst_ulps = ulps;
    s->worst_x = x;
}

/* The exact error of one result; a wrong infinity or NaN is counted apart. */
static double exact_ulps(struct sweep *s, float x, float got)
{
    static mpfr_t argument, truth;
    if (argument->_mpfr_d == NULL) mpfr_inits2(BITS, argument, truth, (mpfr_ptr)0);
    mpfr_set_flt(argument, x, MPFR_RNDN);
    s->f->exact(truth, argument, MPFR_RNDN);
    double near = mpfr_get_d(truth, MPFR_RNDN);
    if (isnan(near) || isinf(near) || overflows(near) || !isfinite(got)) {
        float expected = overflows(near) ? copysignf(INFINITY, (float)near) : (float)near;
        bool same = isnan(expected) ? isnan(got) : expected == got;
        if (!same) s->special++;
        if (!same) fprintf(stderr, "# %s(%a) = %a, true %a\n", s->f->name, x, got, near);
        return 0;
    }
    mpfr_sub_d(truth, truth, (double)got, MPFR_RNDN);
    return fabs(mpfr_get_d(truth, MPFR_RNDN)) / ulp_at(near);
}

static void judge(struct sweep *s, float x, float got, double near)
{
    if (!isfinite(x) || !isfinite(got) || !isfinite(near)) {
        note(s, x, exact_ulps(s, x, got));
        return;
    }
    double ulps = fabs((double)got - near) / ulp_at(near);
    if (ulps <= 0.5 - DOUBT_ULPS) {
        note(s, x, ulps);
        return;
    }
    bool sure = ulps > 0.5 + DOUBT_ULPS && ulps < s->worst_ulps - DOUBT_ULPS;
    if (!sure) ulps = exact_ulps(s, x, got);
    if (ulps > 0.5) s->misrounded++;
    note(s, x, ulps);
}

/* Most non-finite results stand in long runs, which MPFR need not see one by one. */
static bool all_alike(const float *got, const double *near, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        bool nan = isnan(got[i]) && isnan(near[i]);
        bool infinite = isinf(got[i]) && overflows(near[i]) && (got[i] > 0) == (near[i] > 0);
        bool zero = got[i] == 0 && fabs(near[i]) < 0x1p-151;
        if (!nan && !infinite && !zero) return false;
    }
    return true;
}

static void sweep_chunk(struct sweep *s, uint64_t first, uint64_t step)
{
    static float in[CHUNK], got[CHUNK];
    static double near[CHUNK];
    unsigned count = 0;
    for (; count < CHUNK && first + count * step <= UINT32_MAX; count++)
        in[count] = float_of((uint32_t)(first + count * step));
    s->got(in, got, count);
    s->near(in, near, count);
    double limit = s->worst_ulps < 0.5 - DOUBT_ULPS ? s->worst_ulps : 0.5 - DOUBT_ULPS;
    if (s->within(got, near, count, limit) || all_alike(got, near, count)) return;
    for (unsigned i = 0; i < count; i++)
        judge(s, in[i], got[i], near[i]);
}

static void sweep(const struct function *f, void *ours, void *truth, uint64_t step)
{
    struct sweep s = {.f = f};
    ulp_find(&s.got, ours, f->name);
    ulp_find(&s.near, truth, f->name);
    ulp_find(&s.within, ours, "within");
    for (uint64_t at = 0; at <= UINT32_MAX; at += CHUNK * step)
        sweep_chunk(&s, at, step);
    printf("%-8s %.9f ulp at %a, %llu not the nearest float, %llu wrong specials, %s\n", f->name,
           s.worst_ulps, (double)s.worst_x, (unsigned long long)s.misrounded,
           (unsigned long long)s.special, step == 1 ? "all floats" : "some floats");
    fflush(stdout);
}

struct wish {
    uint64_t step;
    uint64_t samples;
};

static bool measure(const char *name, void *ours, void *truth, const struct wish *wish)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (strcmp(FUNCTIONS_TABLE[i].name, name) != 0) continue;
        sweep(&FUNCTIONS_TABLE[i], ours, truth, wish->step);
        return true;
    }
    return samples_measure(name, ours, wish->samples);
}

static void measure_all(void *ours, void *truth, const struct wish *wish)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++)
        sweep(&FUNCTIONS_TABLE[i], ours, truth, wish->step);
    samples_measure_all(ours, wish->samples);
}

static void open_libraries(void **ours, void **truth)
{
    char folder[] = "/tmp/leasehold-ulp-XXXXXX", command[512];
    if (mkdtemp(folder) == NULL) exit(EXIT_FAILURE);
    snprintf(command, sizeof command, OURS_COMMAND, folder, folder);
    *ours = library(folder, "ours.cpp", write_ours, command, "ours.so");
    snprintf(command, sizeof command, TRUTH_COMMAND, folder, folder, folder, folder);
    *truth = library(folder, "truth.c", write_truth, command, "truth.so");
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0) exit(EXIT_FAILURE);
}

static void parse(struct wish *wish, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"step", required_argument, NULL, 's'}, {"samples", required_argument, NULL, 'm'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "s:m:", OPTIONS, NULL)) != -1;) {
        uint64_t value = c == '?' ? 0 : strtoull(optarg, NULL, 10);
        if (c == 's') wish->step = value;
        if (c == 'm') wish->samples = value;
        if (value == 0) {
            fprintf(stderr, "usage: ulp [--step N] [--samples M] [FUNCTION...]\n");
            exit(EXIT_FAILURE);
        }
    }
}

int main(int argc, char **argv)
{
    struct wish wish = {.step = 1, .samples = 10000000};
    void *ours, *truth;
    parse(&wish, argc, argv);
    open_libraries(&ours, &truth);
    if (optind == argc) measure_all(ours, truth, &wish);
    for (int i = optind; i < argc; i++) {
        if (measure(argv[i], ours, truth, &wish)) continue;
        fprintf(stderr, "ulp: no function %s is measured\n", argv[i]);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
