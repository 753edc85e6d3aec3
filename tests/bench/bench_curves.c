/* bench_curves - what the precompiles over curves take, in processor time of one thread.
 *
 * Runs each through its precompile's entry, decoding and checks included, on its first
 * vector of precompile_vectors.h; the pairings on two pairs and more, the sums of multiples on 1 to 128 items.
 * Prints tab-separated: name, median and least microseconds a call, gas, Mgas/s at the median. */
#include "tests/vm/precompile_vectors.h"

#include "base/hex.h"
#include "vm/precompile.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLES  31
#define SAMPLE_S 0.01
#define PLENTY   INT64_C(1000000000)

static double used_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int64_t call(uint8_t number, struct bytes input, struct buffer *out)
{
    struct address a = {{0}};
    int64_t gas = PLENTY;
    a.b[19] = number;
    buffer_clear(out);
    enum evm_result result = precompile_run(&a, &gas, out, input);
    assert(result == EVM_SUCCESS);
    return PLENTY - gas;
}

static void measure(const char *name, uint8_t number, struct bytes input)
{
    double samples[SAMPLES];
    struct buffer out = {.size = 0};
    int64_t gas = call(number, input, &out);
    double begin = used_s();
    size_t calls = 0;
    for (; used_s() - begin < SAMPLE_S; calls++)
        call(number, input, &out);
    for (int i = 0; i < SAMPLES; i++) {
        begin = used_s();
        for (size_t k = 0; k < calls; k++)
            call(number, input, &out);
        samples[i] = (used_s() - begin) / (double)calls;
    }
    qsort(samples, SAMPLES, sizeof(samples[0]), by_value);
    double median = samples[SAMPLES / 2];
    printf("%s\t%.2f\t%.2f\t%lld\t%.0f\n", name, median * 1e6, samples[0] * 1e6, (long long)gas,
           (double)gas / median / 1e6);
    buffer_finish(&out);
}

/* `count` times the vector's input, the last 32 bytes of each item (its scalar) filled up. */
static void measure_items(const char *name, uint8_t number, struct bytes item, size_t count)
{
    char title[80];
    struct buffer input = {.size = 0};
    for (size_t i = 0; i < count; i++) {
        buffer_append(&input, item);
        for (int k = 0; k < 32 && number != 8 && number != 0x0f; k++)
            input.data[input.size - 1 - (size_t)k] = (uint8_t)(i * 167 + (size_t)k * 89 + 41);
    }
    snprintf(title, sizeof(title), "%s, %zu items", name, count);
    measure(title, number, buffer_bytes(&input));
    buffer_finish(&input);
}

static void measure_vector(const struct precompile_vector *v)
{
    struct buffer text = {.size = 0}, input = {.size = 0};
    buffer_print(&text, "0x%s", v->input);
    enum status status = hex_decode(&input, buffer_bytes(&text));
    assert(status == OK);
    if (v->number == 0x0c || v->number == 0x0e) {
        measure_items(v->name, v->number, buffer_bytes(&input), 1);
        measure_items(v->name, v->number, buffer_bytes(&input), 16);
        measure_items(v->name, v->number, buffer_bytes(&input), 128);
    } else {
        measure(v->name, v->number, buffer_bytes(&input));
    }
    if (v->number == 8 || v->number == 0x0f)
        measure_items(v->name, v->number, buffer_bytes(&input), 4);
    buffer_finish(&text);
    buffer_finish(&input);
}

int main(void)
{
    printf("name\tmedian us\tleast us\tgas\tMgas/s\n");
    uint8_t last = 0;
    for (size_t i = 0; i < sizeof(precompile_vectors) / sizeof(precompile_vectors[0]); i++) {
        const struct precompile_vector *v = &precompile_vectors[i];
        bool is_curve = v->number >= 6 && v->number != 9;
        if (is_curve && v->number != last) measure_vector(v);
        last = v->number;
    }
    return 0;
}
