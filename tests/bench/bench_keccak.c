/* bench_keccak - what a Keccak-256 takes, in nanoseconds, for each way that this processor can run.
 *
 * Beside them, in the same run, the same sponge over nettle's permutation, and OpenSSL's SHA3-256
 * (the same permutation under another padding) as its one-shot call. Each hash is of a message that
 * begins with the hash before, so nothing overlaps. Ways take turns and so see the same clock.
 * Prints tab-separated: name, bytes, median and least nanoseconds a hash. */
#include "base/keccak.h"
#include "base/keccak_permute.h"

#include <assert.h>
#include <nettle/sha3.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLES     201
#define SAMPLE_NS   100000.0
#define MESSAGE_MAX 4096

static const size_t SIZES[] = {32, 64, 136, 532, MESSAGE_MAX};
#define SIZE_COUNT (sizeof SIZES / sizeof *SIZES)

struct contender {
    const char *name;
    struct hash (*hash)(struct bytes input);
    double ns[SAMPLES];
};

static struct hash with_nettle(struct bytes input)
{
    struct sha3_state s = {{0}};
    bool ended = false;
    while (!ended) {
        uint64_t block[KECCAK_RATE_BYTES / 8] = {0};
        size_t here = input.size < KECCAK_RATE_BYTES ? input.size : KECCAK_RATE_BYTES;
        ended = here < KECCAK_RATE_BYTES;
        memcpy(block, input.data, here);
        if (ended) {
            ((uint8_t *)block)[here] ^= 0x01;
            ((uint8_t *)block)[KECCAK_RATE_BYTES - 1] ^= 0x80;
        }
        for (size_t i = 0; i < KECCAK_RATE_BYTES / 8; i++)
            s.a[i] ^= block[i];
        sha3_permute(&s);
        input.data += here;
        input.size -= here;
    }
    struct hash out;
    memcpy(out.b, s.a, sizeof out.b);
    return out;
}

static EVP_MD *sha3;
static EVP_MD_CTX *context;

static struct hash with_openssl(struct bytes input)
{
    struct hash out;
    int ok = EVP_DigestInit_ex2(context, sha3, NULL) &&
             EVP_DigestUpdate(context, input.data, input.size) &&
             EVP_DigestFinal_ex(context, out.b, NULL);
    assert(ok);
    return out;
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double chain_ns(const struct contender *c, size_t size, size_t count)
{
    static uint8_t message[MESSAGE_MAX];
    double begin = now_ns();
    for (size_t i = 0; i < count; i++) {
        struct hash h = c->hash(bytes_of(message, size));
        memcpy(message, h.b, sizeof h.b);
    }
    return (now_ns() - begin) / (double)count;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct contender *all, size_t count, size_t size)
{
    size_t repeat = 1 + (size_t)(SAMPLE_NS / chain_ns(&all[count - 1], size, 100));
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t k = 0; k < count; k++)
            all[k].ns[i] = chain_ns(&all[k], size, repeat);
    }
    for (size_t k = 0; k < count; k++) {
        qsort(all[k].ns, SAMPLES, sizeof all[k].ns[0], by_value);
        printf("%s\t%zu\t%.1f\t%.1f\n", all[k].name, size, all[k].ns[SAMPLES / 2], all[k].ns[0]);
    }
}

int main(void)
{
    static struct contender all[8];
    size_t count = 0;
    for (size_t i = 0; i < KECCAK_WAY_COUNT; i++) {
        if (!keccak_ways[i]->runs_here()) continue;
        all[count++] =
            (struct contender){.name = keccak_ways[i]->name, .hash = keccak_ways[i]->hash};
    }
    all[count++] = (struct contender){.name = "keccak256", .hash = keccak256};
    all[count++] = (struct contender){.name = "nettle", .hash = with_nettle};
    sha3 = EVP_MD_fetch(NULL, "SHA3-256", NULL);
    context = EVP_MD_CTX_new();
    assert(sha3 != NULL && context != NULL);
    all[count++] = (struct contender){.name = "openssl sha3-256", .hash = with_openssl};
    printf("name\tbytes\tmedian ns\tleast ns\n");
    for (size_t i = 0; i < SIZE_COUNT; i++)
        measure(all, count, SIZES[i]);
    EVP_MD_CTX_free(context);
    EVP_MD_free(sha3);
    return 0;
}
