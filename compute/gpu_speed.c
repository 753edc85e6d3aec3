#include "compute/gpu_speed.h"

#include "base/file.h"
#include "compute/bundle.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS    256
#define STEPS      1024
#define CHAINS     8
#define CARD_GRID  4096
#define CARD_TIMES 32
#define CPU_GRID   64
#define CPU_TIMES  4

/* Chains that wait for nothing but themselves; the sum keeps them from being thought away. */
static const char SOURCE[] =
    "__global__ void k(float *out) {\n"
    "    float a[8], b = 0.999f + 1e-9f * threadIdx.x;\n"
    "    for (int c = 0; c < 8; c++) a[c] = (float)(c + (int)blockIdx.x);\n"
    "    for (int s = 0; s < 1024; s++)\n"
    "        for (int c = 0; c < 8; c++) a[c] = fmaf(a[c], b, 0.5f);\n"
    "    float sum = 0.0f;\n"
    "    for (int c = 0; c < 8; c++) sum += a[c];\n"
    "    if (sum < 0.0f) out[threadIdx.x] = sum;\n"
    "}\n";

static enum status write_text(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.4000s/%s", folder, name);
    return file_write_atomic(path, bytes_of(text, strlen(text)), 0644);
}

static enum status write_job(const char *folder, unsigned grid, unsigned times)
{
    char json[512];
    snprintf(
        json, sizeof json,
        "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"buffers\": {\"out\": {\"bytes\": "
        "1024, \"output\": true}}, \"launches\": [{\"kernel\": \"k\", \"grid\": [%u], "
        "\"block\": [%d], \"args\": [\"out\"], \"repeat\": %u}], \"limits\": {\"seconds\": 60, "
        "\"memory_mib\": 64}}",
        grid, THREADS, times);
    enum status status = write_text(folder, "job.json", json);
    return status == OK ? write_text(folder, "k.cu", SOURCE) : status;
}

static double gflops_of(const struct run_result *r, unsigned grid, unsigned times)
{
    double operations = 2.0 * STEPS * CHAINS * THREADS * (double)grid * (double)times;
    double ms = r->kernel_ms > 0 ? (double)r->kernel_ms : 1.0;
    return operations / ms / 1e6;
}

static enum status measure(double *out, char error[RUN_ERROR_SIZE], const char *folder,
                           const struct run_options *options)
{
    struct run_result result = {0};
    char tar[PATH_MAX];
    unsigned grid = options->gpu != NULL ? CARD_GRID : CPU_GRID;
    unsigned times = options->gpu != NULL ? CARD_TIMES : CPU_TIMES;
    snprintf(tar, sizeof tar, "%.4000s.tar", folder);
    enum status status = write_job(folder, grid, times);
    if (status != OK) snprintf(error, RUN_ERROR_SIZE, "cannot write %.300s", folder);
    if (status == OK) status = run_job(&result, error, folder, tar, options);
    if (status == OK && result.reason != REASON_OK) {
        snprintf(error, RUN_ERROR_SIZE, "%.400s", result.message);
        status = E_UNSUPPORTED;
    }
    bool declined = result.log != NULL && strstr(result.log, "leaves this job") != NULL;
    if (status == OK && options->gpu != NULL && declined) {
        snprintf(error, RUN_ERROR_SIZE, "%.400s", result.log);
        status = E_UNSUPPORTED;
    }
    if (status == OK) *out = gflops_of(&result, grid, times);
    run_result_finish(&result);
    unlink(tar);
    return status;
}

enum status gpu_speed(double *out_gflops, char error[RUN_ERROR_SIZE], const struct gpu *gpu,
                      const char *runner)
{
    char folder[64] = "/tmp/leasehold-speed-XXXXXX";
    struct run_options options = {.runner_path = runner, .gpu = gpu};
    if (mkdtemp(folder) == NULL) {
        snprintf(error, RUN_ERROR_SIZE, "cannot make a folder in /tmp");
        return E_IO;
    }
    enum status status = measure(out_gflops, error, folder, &options);
    if (folder_remove(folder) != OK && status == OK) status = E_IO;
    return status;
}
