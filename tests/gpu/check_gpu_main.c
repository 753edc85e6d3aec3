/* make check-gpu: on a machine with a card, everything that the cuda executor promises, against the
 * cpu executor; without one it says so and is done. Run from the top of the tree.
 *
 * - each example has the same root on card and processor, bit for bit;
 * - so have small kernels for what the cards leave open, and every function of the prelude over
 *   dense samples of all floats;
 * - kernels that hang, fault, divide by zero or stop themselves end with the processor's reason,
 *   and the next job is none the worse;
 * - throughput beside the same kernel launched straight through the driver. */
#include "compute/gpus.h"
#include "compute/run.h"
#include "tests/gpu/straight.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SWEEP_SAMPLES (1 << 20)
#define STRAIGHT_MIN  0.95

struct checks {
    const struct gpu *gpu;
    char folder[64]; /* a job is made here */
    char tar[80];
    unsigned passed, failed;
};

static void tell(struct checks *c, bool good, const char *name, const char *more)
{
    printf("%s %s%s%s\n", good ? "ok  " : "FAIL", name, more[0] != '\0' ? ": " : "", more);
    if (good) {
        c->passed++;
    } else {
        c->failed++;
    }
}

/* False when this machine could not run it. */
static bool run_on(const struct checks *c, struct run_result *out, const char *job,
                   const struct gpu *gpu, char error[RUN_ERROR_SIZE])
{
    struct run_options options = {.gpu = gpu};
    if (run_job(out, error, job, c->tar, &options) != OK) return false;
    bool declined = out->log != NULL && strstr(out->log, "leaves this job") != NULL;
    if (declined) snprintf(error, RUN_ERROR_SIZE, "%.500s", out->log);
    return !declined;
}

static void compare(struct checks *c, const char *name, const char *job)
{
    struct run_result card = {0}, cpu = {0};
    char error[RUN_ERROR_SIZE] = "", more[RUN_ERROR_SIZE + 64];
    bool ran = run_on(c, &card, job, c->gpu, error) && run_on(c, &cpu, job, NULL, error);
    bool same =
        ran && card.reason == cpu.reason && memcmp(&card.root, &cpu.root, sizeof card.root) == 0;
    snprintf(more, sizeof more, "%s, card %llu ms, processor %llu ms%s%.300s",
             ran ? reason_name(card.reason) : "not run", (unsigned long long)card.kernel_ms,
             (unsigned long long)cpu.kernel_ms, error[0] != '\0' ? ", " : "", error);
    tell(c, same, name, more);
    run_result_finish(&card);
    run_result_finish(&cpu);
}

/* ---- examples -------------------------------------------------------------------------------- */

static bool has_kernels(const char *folder)
{
    char path[PATH_MAX], text[4096] = "";
    snprintf(path, sizeof path, "%.4000s/job.json", folder);
    FILE *in = fopen(path, "r");
    if (in == NULL) return false;
    size_t size = fread(text, 1, sizeof text - 1, in);
    text[size] = '\0';
    fclose(in);
    return strstr(text, "\"cuda-c\"") != NULL && strstr(text, "\"split\"") == NULL;
}

static void check_examples(struct checks *c)
{
    struct dirent *entry;
    DIR *examples = opendir("examples");
    if (examples == NULL) tell(c, false, "examples", "not in this folder");
    while (examples != NULL && (entry = readdir(examples)) != NULL) {
        char folder[300];
        snprintf(folder, sizeof folder, "examples/%.200s", entry->d_name);
        if (entry->d_name[0] != '.' && has_kernels(folder)) compare(c, folder, folder);
    }
    if (examples != NULL) closedir(examples);
}

/* ---- jobs of one kernel ---------------------------------------------------------------------- */

static void write_text(const struct checks *c, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", c->folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL || fputs(text, out) < 0 || fclose(out) != 0) {
        fprintf(stderr, "check-gpu: cannot write %s\n", path);
        exit(1);
    }
}

struct small {
    const char *name;
    const char *source; /* kernel k(T *out) */
    unsigned grid, block, bytes, seconds;
    enum reason reason;
};

static void make_small(const struct checks *c, const struct small *s)
{
    char json[1024];
    snprintf(json, sizeof json,
             "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"buffers\": {\"out\": {\"bytes\": "
             "%u, \"output\": true, \"type\": \"f32\"}}, \"launches\": [{\"kernel\": \"k\", "
             "\"grid\": [%u], \"block\": [%u], \"args\": [\"out\"], \"shared_bytes\": 256}], "
             "\"limits\": {\"seconds\": %u, \"memory_mib\": 1024}}",
             s->bytes, s->grid, s->block, s->seconds);
    write_text(c, "job.json", json);
    write_text(c, "k.cu", s->source);
}

static const struct small SAME[] = {
    {"shared memory starts as zeros in every block",
     "__global__ void k(int *out) { __shared__ int a[300]; __shared__ char odd[7];\n"
     "DYNAMIC_SHARED(int, d); int t = threadIdx.x; a[t] += t + 1; d[t & 63] |= 4;\n"
     "odd[t % 7] = 1; __syncthreads(); out[blockIdx.x * 256 + t] = a[t] + a[(t + 9) % 300] +\n"
     "d[(t + 3) & 63] + odd[(t + 1) % 7]; }",
     2000, 256, 2048000, 60, REASON_OK},
    {"warps shuffle and vote as documented",
     "__global__ void k(int *out) { int t = threadIdx.x, *o = out + (blockIdx.x * 96 + t) * 8;\n"
     "if (t >= 70) return; unsigned all = t < 64 ? ~0u : 0x3fu;\n"
     "o[0] = __shfl_sync(all, t, 5); o[1] = __shfl_up_sync(all, t, 3); o[2] =\n"
     "__shfl_down_sync(all, t, 3); o[3] = __shfl_xor_sync(all, t, 7, 8); o[4] =\n"
     "(int)__ballot_sync(all, t & 1); o[5] = __any_sync(all, t == 40); o[6] = __shfl_sync(all, t,\n"
     "9, 8); o[7] = (int)(__shfl_xor_sync(all, t * 4294967296ll, 16) >> 32); }",
     8, 96, 24576, 60, REASON_OK},
    {"integers have the documented results at their ends",
     "__global__ void k(int *out) { int i = threadIdx.x, *o = out + i * 16; unsigned n = i * 3;\n"
     "int e[4] = {INT_MIN, -1, 0, INT_MAX}; int a = e[i & 3], b = e[i >> 2 & 3];\n"
     "o[0] = lh_div(a, b); o[1] = lh_rem(a, b); o[2] = (int)lh_udiv(a, b); o[3] = (int)lh_urem(a,\n"
     "b); o[4] = (int)lh_shl(a, n); o[5] = (int)lh_shr(a, n); o[6] = lh_sar(a, n); o[7] =\n"
     "__mulhi(a, b); o[8] = __popc(a) + __clz(b) + __ffs(a); o[9] = (int)__brev(a); o[10] =\n"
     "(int)__byte_perm(a, b, n * 0x1357u); o[11] = (int)__funnelshift_l(a, b, n); o[12] = min(a, "
     "b)\n"
     "^ max(a, 7); o[13] = abs(a); o[14] = __mul24(a, b); o[15] = a * b + a; }",
     1, 256, 16384, 60, REASON_OK},
    {"floats become integers as documented",
     "__global__ void k(int *out) { unsigned i = blockIdx.x * 256 + threadIdx.x; float x =\n"
     "__uint_as_float(i * 65537u); double d = (double)x * 3.7; int *o = out + i * 8;\n"
     "o[0] = __float2int_rz(x); o[1] = (int)__float2uint_rn(x); o[2] = __double2int_rd(d); o[3] =\n"
     "(int)__double2uint_ru(d); o[4] = (int)(__float2ll_rn(x) >> 7); o[5] = "
     "(int)(__double2ull_rz(d)\n"
     ">> 9); o[6] = __float_as_int(fminf(x, -0.0f)); o[7] = isnan(x) ? 0 :\n"
     "__float_as_int(fmaxf(x, 0.0f)); }",
     256, 256, 2097152, 60, REASON_OK},
    {"atomics count over all blocks",
     "__global__ void k(int *out) { int i = blockIdx.x * 128 + threadIdx.x; atomicAdd(out, 1);\n"
     "atomicMax(out + 1, i); atomicMin(out + 2, -i); atomicXor(out + 3, i); atomicOr(out + 4, 1 "
     "<<\n"
     "(i & 15)); atomicSub((unsigned *)out + 5, 2u); atomicAdd((long long *)(out + 6), 5ll);\n"
     "atomicInc((unsigned *)out + 8, 1000u); atomicMin((long long *)(out + 10), -(long long)i); }",
     500, 128, 64, 60, REASON_OK},
    {"a division by zero is an arithmetic-fault",
     "__global__ void k(int *out) { out[0] = 7 / out[1]; }", 1, 32, 4096, 60, REASON_ARITHMETIC},
    {"the lowest number by -1 is an arithmetic-fault",
     "__global__ void k(int *out) { out[0] = (out[2] + INT_MIN) / (out[1] - 1); }", 1, 32, 4096, 60,
     REASON_ARITHMETIC},
    {"an assert that fails is a trap",
     "__global__ void k(int *out) { assert(out[0] != 0); out[1] = 3; }", 1, 32, 4096, 60,
     REASON_TRAP},
    {"writing past a buffer is a memory-fault",
     "__global__ void k(int *out) { out[threadIdx.x + (1 << 24)] = 1; }", 1, 32, 4096, 60,
     REASON_FAULT},
    {"writing 16 bytes past a buffer is a memory-fault",
     "__global__ void k(int *out) { out[1024 + out[0]] = 1; }", 1, 1, 4096, 60, REASON_FAULT},
    {"a kernel that hangs is ended in time",
     "__global__ void k(volatile int *out) { while (out[0] == 0) { } out[1] = 1; }", 1, 32, 4096, 5,
     REASON_TIME},
};

static void check_small(struct checks *c, const struct small *s)
{
    struct run_result card = {0};
    char error[RUN_ERROR_SIZE] = "", more[RUN_ERROR_SIZE];
    make_small(c, s);
    if (s->reason == REASON_OK) {
        compare(c, s->name, c->folder);
        return;
    }
    bool ran = run_on(c, &card, c->folder, c->gpu, error);
    snprintf(more, sizeof more, "%.400s", ran ? card.message : error);
    tell(c, ran && card.reason == s->reason, s->name, more);
    run_result_finish(&card);
}

/* ---- the prelude over all floats ------------------------------------------------------------- */

static const char *const FUNCTIONS[] = {"expf",   "exp2f",  "exp10f", "expm1f", "logf",  "log2f",
                                        "log10f", "log1pf", "sinf",   "cosf",   "tanf",  "asinf",
                                        "acosf",  "atanf",  "sinhf",  "coshf",  "tanhf", "erff",
                                        "sqrtf",  "cbrtf",  "rsqrtf", "floorf", "rintf", "roundf"};

/* Every 4096th of all 2^32 patterns, from another start for each function. */
static void check_sweep(struct checks *c)
{
    char source[1024], name[64];
    for (unsigned i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
        snprintf(source, sizeof source,
                 "__global__ void k(float *out) { unsigned i = blockIdx.x * 256 + threadIdx.x;\n"
                 "float x = __uint_as_float(i * 4096u + %uu); out[i] = %s(x); }\n",
                 i * 163 % 4096, FUNCTIONS[i]);
        snprintf(name, sizeof name, "%s, %d samples", FUNCTIONS[i], SWEEP_SAMPLES);
        check_small(c, &(struct small){name, source, SWEEP_SAMPLES / 256, 256, SWEEP_SAMPLES * 4,
                                       120, REASON_OK});
    }
    static const char *const DOUBLES[] = {"exp", "log", "sin", "cos", "rsqrt", "sqrt"};
    for (unsigned i = 0; i < sizeof DOUBLES / sizeof *DOUBLES; i++) {
        snprintf(source, sizeof source,
                 "__global__ void k(unsigned *out) { unsigned i = blockIdx.x * 256 + threadIdx.x;\n"
                 "long long b = (long long)(i * 0x9e3779b97f4a7c15ull + %u);\n"
                 "double y = %s(__longlong_as_double(b));\n"
                 "long long r = y != y ? 0 : __double_as_longlong(y);\n"
                 "out[i] = (unsigned)r ^ (unsigned)(r >> 32); }\n",
                 i, DOUBLES[i]);
        snprintf(name, sizeof name, "%s of doubles, %d samples", DOUBLES[i], SWEEP_SAMPLES);
        check_small(c, &(struct small){name, source, SWEEP_SAMPLES / 256, 256, SWEEP_SAMPLES * 4,
                                       120, REASON_OK});
    }
}

/* ---- throughput ------------------------------------------------------------------------------ */

static const char HEAVY[] = "extern \"C\" __global__ void k(float *out) {\n"
                            "    float a[8], b = 0.999f + 1e-9f * threadIdx.x;\n"
                            "    for (int c = 0; c < 8; c++) a[c] = (float)(c + (int)blockIdx.x);\n"
                            "    for (int s = 0; s < 65536; s++)\n"
                            "        for (int c = 0; c < 8; c++) a[c] = a[c] * b + 0.5f;\n"
                            "    float sum = 0.0f;\n"
                            "    for (int c = 0; c < 8; c++) sum += a[c];\n"
                            "    if (sum < 0.0f) out[threadIdx.x] = sum;\n"
                            "}\n";

static void check_throughput(struct checks *c)
{
    const struct straight s = {
        HEAVY, 2048, 256, 1, 4096, (int)c->gpu->capability, (int)c->gpu->index};
    struct run_result result = {0};
    double straight_ms = 0;
    char error[RUN_ERROR_SIZE] = "", more[RUN_ERROR_SIZE];
    make_small(c, &(struct small){"", HEAVY, s.grid, s.block, 4096, 120, REASON_OK});
    bool ran = run_on(c, &result, c->folder, c->gpu, error) && result.reason == REASON_OK &&
               straight_run(&straight_ms, error, &s) == OK;
    double ratio = ran && result.kernel_ms > 0 ? straight_ms / (double)result.kernel_ms : 0;
    snprintf(more, sizeof more, "%.3f of straight (%.1f ms there, %llu ms here)%s%.200s", ratio,
             straight_ms, (unsigned long long)result.kernel_ms, error[0] != '\0' ? ", " : "",
             error);
    tell(c, ran && ratio >= STRAIGHT_MIN, "throughput", more);
    run_result_finish(&result);
}

static void check_card(struct checks *c)
{
    printf("card %u: %s, %u MiB, capability %u.%u, driver %s\n", c->gpu->index, c->gpu->model,
           c->gpu->vram_mib, c->gpu->capability / 10, c->gpu->capability % 10, c->gpu->driver);
    check_examples(c);
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        check_small(c, &SAME[i]);
        if (SAME[i].reason != REASON_OK) check_small(c, &SAME[0]); /* none the worse */
    }
    check_sweep(c);
    check_throughput(c);
}

int main(void)
{
    static struct gpus gpus;
    struct checks c = {.folder = "/tmp/leasehold-gpu-XXXXXX"};
    gpus_find(&gpus);
    if (gpus.count == 0) {
        printf("no card was found, so nothing was checked: %s\n", gpus.error);
        return 0;
    }
    if (mkdtemp(c.folder) == NULL) return 1;
    snprintf(c.tar, sizeof c.tar, "%s.tar", c.folder);
    for (size_t i = 0; i < gpus.count; i++) {
        c.gpu = &gpus.cards[i];
        check_card(&c);
    }
    unlink(c.tar);
    if (folder_remove(c.folder) != OK) printf("cannot remove %s\n", c.folder);
    printf("%u passed, %u failed\n", c.passed, c.failed);
    return c.failed == 0 ? 0 : 1;
}
