/* samples.c - functions of doubles and of two floats on drawn arguments, against 200 bits of MPFR.
 * The draw is seeded: a figure can be had again. */
#include "tests/ulp/ulp.h"

#include <assert.h>
#include <math.h>
#include <mpfr.h>
#include <stdint.h>
#include <string.h>

#define BITS  200
#define CHUNK 4096u
#define SEED  0x9e3779b97f4a7c15ull

typedef int exact_one(mpfr_ptr out, mpfr_srcptr x, mpfr_rnd_t round);
typedef int exact_two(mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr y, mpfr_rnd_t round);
typedef void loop(const double *x, const double *y, double *out, unsigned count);

static uint64_t state;

static uint64_t next_random(void)
{
    state += SEED;
    uint64_t z = (state ^ state >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static double between(double low, double high)
{
    return low + (high - low) * ((double)(next_random() >> 11) * 0x1p-53);
}

static double any_float(void)
{
    for (;;) {
        uint32_t bits = (uint32_t)next_random();
        float x;
        memcpy(&x, &bits, sizeof x);
        if (isfinite(x)) return (double)x;
    }
}

static double any_double(void)
{
    for (;;) {
        uint64_t bits = next_random();
        double x;
        memcpy(&x, &bits, sizeof x);
        if (isfinite(x)) return x;
    }
}

static void draw_exp(double *x, double *y)
{
    *x = next_random() & 1 ? between(-745, 709.7) : between(-2, 2);
    *y = 0;
}

static void draw_positive(double *x, double *y)
{
    *x = next_random() & 1 ? fabs(any_double()) : between(0.25, 4);
    *y = 0;
}

static void draw_angle(double *x, double *y)
{
    static const double HIGH[] = {1, 100, 1e6, 1e15};
    *x = next_random() % 5 == 0 ? any_double() : between(-1, 1) * HIGH[next_random() % 4];
    *y = 0;
}

/* A base and an exponent whose power is a float, denormal ones included. */
static void draw_power(double *x, double *y)
{
    do {
        *x = next_random() & 1 ? fabs(any_float()) : (double)(float)between(0.5, 2);
    } while (*x == 0 || *x == 1);
    *y = (double)(float)(between(-103, 88) / log(*x));
    if (!isfinite(*y)) *y = 1;
}

/* Half of them any floats, half near each other. */
static void draw_pair(double *x, double *y)
{
    *x = any_float();
    *y = next_random() & 1 ? any_float() : (double)(float)(*x * between(-4, 4));
    if (!isfinite(*y)) *y = 1;
}

static const struct sampled {
    const char *name;
    void (*draw)(double *x, double *y);
    int digits; /* of the result's format */
    exact_one *one;
    exact_two *two;
} SAMPLED[] = {
    {"exp", draw_exp, 53, mpfr_exp, NULL},
    {"log", draw_positive, 53, mpfr_log, NULL},
    {"sin", draw_angle, 53, mpfr_sin, NULL},
    {"cos", draw_angle, 53, mpfr_cos, NULL},
    {"rsqrt", draw_positive, 53, mpfr_rec_sqrt, NULL},
    {"powf", draw_power, 24, NULL, mpfr_pow},
    {"atan2f", draw_pair, 24, NULL, mpfr_atan2},
    {"hypotf", draw_pair, 24, NULL, mpfr_hypot},
    {"fmodf", draw_pair, 24, NULL, mpfr_fmod},
};
#define SAMPLED_COUNT (sizeof SAMPLED / sizeof *SAMPLED)

void samples_write(FILE *out)
{
    for (size_t i = 0; i < SAMPLED_COUNT; i++) {
        const struct sampled *s = &SAMPLED[i];
        const char *type = s->digits == 53 ? "double" : "float";
        fprintf(out,
                "extern \"C\" void all_%s(const double *x, const double *y, double *out, "
                "unsigned n)\n{ for (unsigned i = 0; i < n; i++) out[i] = %s((%s)x[i]",
                s->name, s->name, type);
        if (s->two != NULL) fprintf(out, ", (float)y[i]");
        fprintf(out, "); }\n");
    }
}

/* An infinity counts as the first number that the format has no room for. */
static double ulps_off(const struct sampled *s, double x, double y, double got)
{
    static mpfr_t a, b, truth;
    int highest = s->digits == 53 ? 1024 : 128, lowest = s->digits == 53 ? -1021 : -125;
    if (a->_mpfr_d == NULL) mpfr_inits2(BITS, a, b, truth, (mpfr_ptr)0);
    mpfr_set_d(a, x, MPFR_RNDN);
    mpfr_set_d(b, y, MPFR_RNDN);
    if (s->one != NULL) s->one(truth, a, MPFR_RNDN);
    if (s->two != NULL) s->two(truth, a, b, MPFR_RNDN);
    if (!mpfr_number_p(truth)) return (mpfr_nan_p(truth) ? isnan(got) : isinf(got)) ? 0 : INFINITY;
    if (isnan(got)) return INFINITY;
    long exponent = mpfr_zero_p(truth) ? lowest : mpfr_get_exp(truth);
    if (exponent < lowest) exponent = lowest;
    if (isinf(got)) {
        mpfr_set_ui_2exp(b, 1, highest, MPFR_RNDN);
        mpfr_copysign(b, b, truth, MPFR_RNDN);
    } else {
        mpfr_set_d(b, got, MPFR_RNDN);
    }
    mpfr_sub(truth, truth, b, MPFR_RNDN);
    if (isinf(got) && (mpfr_sgn(truth) > 0) == (got > 0)) return 0; /* farther out still */
    mpfr_mul_2si(truth, truth, s->digits - exponent, MPFR_RNDN);
    return fabs(mpfr_get_d(truth, MPFR_RNDN));
}

static void measure(const struct sampled *s, void *library, unsigned long long count)
{
    double x[CHUNK], y[CHUNK], got[CHUNK], worst = 0, worst_x = 0, worst_y = 0;
    loop *run;
    ulp_find(&run, library, s->name);
    state = SEED;
    for (unsigned long long done = 0; done < count; done += CHUNK) {
        for (unsigned i = 0; i < CHUNK; i++)
            s->draw(&x[i], &y[i]);
        run(x, y, got, CHUNK);
        for (unsigned i = 0; i < CHUNK; i++) {
            double ulps = ulps_off(s, x[i], y[i], got[i]);
            if (ulps <= worst) continue;
            worst = ulps;
            worst_x = x[i];
            worst_y = y[i];
        }
    }
    printf("%-8s %.7f ulp at %a, %a, %llu arguments\n", s->name, worst, worst_x, worst_y, count);
    fflush(stdout);
}

bool samples_measure(const char *name, void *library, unsigned long long count)
{
    for (size_t i = 0; i < SAMPLED_COUNT; i++) {
        if (strcmp(SAMPLED[i].name, name) != 0) continue;
        measure(&SAMPLED[i], library, count);
        return true;
    }
    return false;
}

void samples_measure_all(void *library, unsigned long long count)
{
    for (size_t i = 0; i < SAMPLED_COUNT; i++)
        measure(&SAMPLED[i], library, count);
}
