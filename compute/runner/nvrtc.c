#include "compute/runner/nvrtc.h"

#include <assert.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct library_symbol SYMBOLS[] = {
#define X(result, name, arguments) {#name, offsetof(struct nvrtc, name)},
    NVRTC_FUNCTIONS(X)
#undef X
};

static const char *const PATHS[] = {"libnvrtc.so.13",
                                    "libnvrtc.so.12",
                                    "libnvrtc.so.11.2",
                                    "libnvrtc.so",
                                    "/usr/local/cuda/lib64/libnvrtc.so",
                                    "/usr/local/cuda/lib/libnvrtc.so",
                                    "/opt/cuda/lib64/libnvrtc.so",
                                    NULL};

static const struct library NVRTC = {
    .what = "NVIDIA's compiler NVRTC",
    .install = "install CUDA's libnvrtc, or run `make nvrtc` and set LEASEHOLD_NVRTC",
    .paths = PATHS,
    .symbols = SYMBOLS,
    .symbol_count = sizeof SYMBOLS / sizeof *SYMBOLS};

/* NVRTC opens its other half by name alone, and finds it if it is open already. */
static void open_other_half(const struct nvrtc *n)
{
    char folder[PATH_MAX], path[PATH_MAX + 64];
    const void *function;
    memcpy(&function, &n->nvrtcVersion, sizeof function);
    library_folder(folder, sizeof folder, function);
    if (folder[0] == '\0') return;
    snprintf(path, sizeof path, "%s/libnvrtc-builtins.so.%d.%d", folder, n->major, n->minor);
    (void)dlopen(path, RTLD_NOW | RTLD_GLOBAL);
}

enum status nvrtc_open(struct nvrtc *out, char error[LIBRARY_ERROR_SIZE], const char *preferred)
{
    if (preferred == NULL) preferred = getenv("LEASEHOLD_NVRTC");
    enum status status = library_open(out, error, &NVRTC, preferred);
    if (status != OK) return status;
    if (out->nvrtcVersion(&out->major, &out->minor) != 0 || out->major < 11) {
        snprintf(error, LIBRARY_ERROR_SIZE, "NVRTC %d.%d is too old, 11.2 is needed", out->major,
                 out->minor);
        return E_NOT_FOUND;
    }
    open_other_half(out);
    return OK;
}

int nvrtc_arch_for(const struct nvrtc *n, int card)
{
    int count = 0, best = 0;
    if (n->nvrtcGetNumSupportedArchs(&count) != 0 || count < 1 || count > 256) return card;
    int *archs = calloc((size_t)count, sizeof *archs);
    if (archs == NULL || n->nvrtcGetSupportedArchs(archs) != 0) count = 0;
    for (int i = 0; i < count; i++) {
        if (archs[i] <= card && archs[i] > best) best = archs[i];
    }
    free(archs);
    return best;
}

static char *empty_text(void)
{
    return calloc(1, 1);
}

static char *read_log(const struct nvrtc *n, void *program)
{
    size_t size = 0;
    if (n->nvrtcGetProgramLogSize(program, &size) != 0 || size == 0) return empty_text();
    char *log = calloc(1, size + 1);
    if (log != NULL && n->nvrtcGetProgramLog(program, log) != 0) log[0] = '\0';
    return log;
}

static enum status take_ptx(const struct nvrtc *n, void *program, struct nvrtc_result *out,
                            const struct nvrtc_source *source)
{
    size_t size = 0;
    if (n->nvrtcGetPTXSize(program, &size) != 0) return E_MALFORMED;
    out->ptx = calloc(1, size + 1);
    if (out->ptx == NULL || n->nvrtcGetPTX(program, out->ptx) != 0) return E_MALFORMED;
    for (int i = 0; i < source->kernel_count; i++) {
        const char *lowered = NULL;
        if (n->nvrtcGetLoweredName(program, source->kernels[i], &lowered) != 0) return E_MALFORMED;
        out->lowered[i] = strdup(lowered);
        if (out->lowered[i] == NULL) return E_MALFORMED;
        out->kernel_count++;
    }
    return OK;
}

/* No contraction, exact division and root, denormals kept: NVRTC's defaults but for the first, all
 * said all the same. */
static int compile_program(const struct nvrtc *n, void *program, int arch)
{
    char target[48];
    snprintf(target, sizeof target, "--gpu-architecture=compute_%d", arch);
    const char *const options[] = {target,
                                   "--std=c++17",
                                   "--fmad=false",
                                   "--prec-div=true",
                                   "--prec-sqrt=true",
                                   "--ftz=false",
                                   "--device-as-default-execution-space",
                                   "--device-int128",
                                   "--generate-line-info",
                                   "--disable-warnings"};
    return n->nvrtcCompileProgram(program, (int)(sizeof options / sizeof *options), options);
}

enum status nvrtc_compile(const struct nvrtc *n, struct nvrtc_result *out,
                          const struct nvrtc_source *source)
{
    void *program = NULL;
    enum status status = E_MALFORMED;
    assert(source->header_count <= NVRTC_HEADERS_MAX && source->kernel_count <= NVRTC_NAMES_MAX);
    *out = (struct nvrtc_result){0};
    int result = n->nvrtcCreateProgram(&program, source->text, source->name, source->header_count,
                                       source->headers, source->header_names);
    for (int i = 0; result == 0 && i < source->kernel_count; i++)
        result = n->nvrtcAddNameExpression(program, source->kernels[i]);
    if (result == 0) result = compile_program(n, program, source->arch);
    if (program != NULL) out->log = read_log(n, program);
    if (result == 0) status = take_ptx(n, program, out, source);
    if (program != NULL) (void)n->nvrtcDestroyProgram(&program);
    if (out->log == NULL || (result != 0 && out->log[0] == '\0')) {
        free(out->log);
        out->log = strdup(n->nvrtcGetErrorString(result));
    }
    return status;
}

void nvrtc_result_finish(struct nvrtc_result *r)
{
    free(r->ptx);
    free(r->log);
    for (int i = 0; i < r->kernel_count; i++)
        free(r->lowered[i]);
    *r = (struct nvrtc_result){0};
}
