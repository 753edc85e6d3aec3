/* bench_precompiles - what each precompile takes, in processor time of one thread.
 *
 * Runs each through its entry, decoding and checks included, on its first vector of
 * precompile_vectors.h; sums of multiples on 1 to 128 items, pairings on two pairs and more,
 * modexp on 256 bytes, hashes on more than the vector. "libsecp256k1's recovery" is the library's
 * own three calls (parse, recover, serialize) on the signature that ecrecover gets, no hash of the
 * key. All are sampled in turn. Prints tab-separated: name, median and least microseconds a call,
 * gas, Mgas/s at the median. */
#include "tests/vm/precompile_vectors.h"

#include "base/hex.h"
#include "vm/precompile.h"

#include <assert.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLES  31
#define SAMPLE_S 0.01
#define PLENTY   INT64_C(1000000000)
#define JOBS_MAX 48
#define LIBRARY  0 /* in place of a precompile's number */

struct job {
    char name[80];
    uint8_t number;
    struct buffer input;
    int64_t gas;
    size_t calls; /* in a sample */
    double samples[SAMPLES];
};

static struct job jobs[JOBS_MAX];
static size_t job_count;

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

/* `input` as ecrecover's: hash, v, r, s. */
static void recover_by_library(struct buffer *out, struct bytes input)
{
    static secp256k1_context *context;
    secp256k1_ecdsa_recoverable_signature signature;
    secp256k1_pubkey key;
    size_t size = 65;
    if (context == NULL) context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    int good = secp256k1_ecdsa_recoverable_signature_parse_compact(
        context, &signature, input.data + 64, input.data[63] - 27);
    good &= secp256k1_ecdsa_recover(context, &key, &signature, input.data);
    good &= secp256k1_ec_pubkey_serialize(context, buffer_extend(out, 65), &size, &key,
                                          SECP256K1_EC_UNCOMPRESSED);
    assert(good == 1);
}

static int64_t call(const struct job *j, struct buffer *out)
{
    struct address a = {{0}};
    int64_t gas = PLENTY;
    a.b[19] = j->number;
    buffer_clear(out);
    if (j->number == LIBRARY) {
        recover_by_library(out, buffer_bytes(&j->input));
        return 0;
    }
    enum evm_result result = precompile_run(&a, &gas, out, buffer_bytes(&j->input));
    assert(result == EVM_SUCCESS);
    return PLENTY - gas;
}

/* ---- what is measured ---- */

static const struct {
    const char *name;
    const char *unit; /* of which the input may hold many */
    size_t unit_bytes;
} kinds[] = {
    [LIBRARY] = {"libsecp256k1's recovery", NULL, 0},
    [0x01] = {"ecrecover", NULL, 0},
    [0x02] = {"sha256", "bytes", 1},
    [0x03] = {"ripemd160", "bytes", 1},
    [0x04] = {"identity", "bytes", 1},
    [0x05] = {"modexp, 32 bytes", NULL, 0},
    [0x06] = {"bn254 addition", NULL, 0},
    [0x07] = {"bn254 multiplication", NULL, 0},
    [0x08] = {"bn254 pairing", "pairs", 192},
    [0x09] = {"blake2f, 12 rounds", NULL, 0},
    [0x0a] = {"KZG point evaluation", NULL, 0},
    [0x0b] = {"BLS12-381 G1 addition", NULL, 0},
    [0x0c] = {"BLS12-381 G1 sum of multiples", "points", 160},
    [0x0d] = {"BLS12-381 G2 addition", NULL, 0},
    [0x0e] = {"BLS12-381 G2 sum of multiples", "points", 288},
    [0x0f] = {"BLS12-381 pairing", "pairs", 384},
    [0x10] = {"map to G1", NULL, 0},
    [0x11] = {"map to G2", NULL, 0},
};

static struct job *add_job(uint8_t number)
{
    assert(job_count < JOBS_MAX);
    struct job *j = &jobs[job_count++];
    snprintf(j->name, sizeof(j->name), "%s", kinds[number].name);
    j->number = number;
    return j;
}

/* `count` times the vector's input; with `scalars`, the last 32 bytes of each filled up. */
static void add_inputs(uint8_t number, struct bytes input, size_t count, bool scalars)
{
    struct job *j = add_job(number);
    for (size_t i = 0; i < count; i++) {
        buffer_append(&j->input, input);
        for (size_t k = 0; k < 32 && scalars; k++)
            j->input.data[j->input.size - 1 - k] = (uint8_t)(i * 167 + k * 89 + 41);
    }
    if (kinds[number].unit != NULL)
        snprintf(j->name, sizeof(j->name), "%s, %zu %s", kinds[number].name,
                 j->input.size / kinds[number].unit_bytes, kinds[number].unit);
}

static void put_length(uint8_t *out, size_t length)
{
    out[30] = (uint8_t)(length >> 8);
    out[31] = (uint8_t)length;
}

/* Base and modulus of 256 bytes, the modulus odd. */
static void add_modexp(const char *name, struct bytes exponent)
{
    struct job *j = add_job(5);
    snprintf(j->name, sizeof(j->name), "%s", name);
    uint8_t *lengths = buffer_extend(&j->input, 96);
    put_length(lengths, 256);
    put_length(lengths + 32, exponent.size);
    put_length(lengths + 64, 256);
    for (size_t i = 0; i < 256; i++)
        buffer_append_byte(&j->input, (uint8_t)(i * 151 + 67));
    buffer_append(&j->input, exponent);
    for (size_t i = 0; i < 256; i++)
        buffer_append_byte(&j->input, (uint8_t)(i * 59 + 213) | 1);
}

static void add_modexps(void)
{
    static const uint8_t public_exponent[] = {1, 0, 1};
    uint8_t full[256];
    for (size_t i = 0; i < sizeof(full); i++)
        full[i] = (uint8_t)(i * 113 + 201);
    add_modexp("modexp, 256 bytes, exponent 65537", (struct bytes){public_exponent, 3});
    add_modexp("modexp, 256 bytes, exponent as long", (struct bytes){full, sizeof(full)});
}

/* Many rounds show what one takes. */
static void add_blake2f(struct bytes input)
{
    struct job *j = add_job(9);
    buffer_append(&j->input, input);
    memcpy(j->input.data, "\0\1\0\0", 4);
    snprintf(j->name, sizeof(j->name), "blake2f, 65,536 rounds");
}

static void add_number(uint8_t number, struct bytes input)
{
    bool is_sum = number == 0x0c || number == 0x0e;
    add_inputs(number, input, 1, is_sum);
    if (is_sum) add_inputs(number, input, 16, true);
    if (is_sum) add_inputs(number, input, 128, true);
    if (number == 1) add_inputs(LIBRARY, input, 1, false);
    if (number >= 2 && number <= 4) add_inputs(number, input, 100, false);
    if (number == 5) add_modexps();
    if (number == 8 || number == 0x0f) add_inputs(number, input, 4, false);
    if (number == 9) add_blake2f(input);
}

static void add_all(void)
{
    uint8_t last = 0;
    for (size_t i = 0; i < sizeof(precompile_vectors) / sizeof(precompile_vectors[0]); i++) {
        const struct precompile_vector *v = &precompile_vectors[i];
        struct buffer text = {.size = 0}, input = {.size = 0};
        if (v->number == last) continue;
        buffer_print(&text, "0x%s", v->input);
        enum status status = hex_decode(&input, buffer_bytes(&text));
        assert(status == OK);
        add_number(v->number, buffer_bytes(&input));
        buffer_finish(&text);
        buffer_finish(&input);
        last = v->number;
    }
}

/* ---- measuring ---- */

static void find_calls(struct job *j, struct buffer *out)
{
    j->gas = call(j, out);
    double begin = used_s();
    for (j->calls = 0; used_s() - begin < SAMPLE_S; j->calls++)
        call(j, out);
}

static void sample(struct job *j, struct buffer *out, size_t index)
{
    double begin = used_s();
    for (size_t k = 0; k < j->calls; k++)
        call(j, out);
    j->samples[index] = (used_s() - begin) / (double)j->calls;
}

static void print(struct job *j)
{
    qsort(j->samples, SAMPLES, sizeof(j->samples[0]), by_value);
    double median = j->samples[SAMPLES / 2];
    printf("%s\t%.2f\t%.2f\t%lld\t%.0f\n", j->name, median * 1e6, j->samples[0] * 1e6,
           (long long)j->gas, (double)j->gas / median / 1e6);
}

int main(void)
{
    struct buffer out = {.size = 0};
    add_all();
    for (size_t i = 0; i < job_count; i++)
        find_calls(&jobs[i], &out);
    for (size_t round = 0; round < SAMPLES; round++)
        for (size_t i = 0; i < job_count; i++)
            sample(&jobs[i], &out, round);
    printf("name\tmedian us\tleast us\tgas\tMgas/s\n");
    for (size_t i = 0; i < job_count; i++) {
        print(&jobs[i]);
        buffer_finish(&jobs[i].input);
    }
    buffer_finish(&out);
    return 0;
}
