/* nvrtc.h - NVIDIA's run-time compiler: CUDA C in, PTX out. It needs no card.
 *
 * The declarations are those of the "NVRTC" reference, whose binary interface is stable, so that no
 * header of CUDA is needed to build this. libc only. One thread at a time. */
#ifndef LEASEHOLD_RUNNER_NVRTC_H
#define LEASEHOLD_RUNNER_NVRTC_H

#include "compute/runner/library.h"

#include <stdbool.h>

/* result, name, arguments */
#define NVRTC_FUNCTIONS(X)                                                                         \
    X(int, nvrtcVersion, (int *major, int *minor))                                                 \
    X(const char *, nvrtcGetErrorString, (int result))                                             \
    X(int, nvrtcCreateProgram,                                                                     \
      (void **program, const char *source, const char *name, int header_count,                     \
       const char *const *headers, const char *const *header_names))                               \
    X(int, nvrtcDestroyProgram, (void **program))                                                  \
    X(int, nvrtcAddNameExpression, (void *program, const char *expression))                        \
    X(int, nvrtcCompileProgram, (void *program, int option_count, const char *const *options))     \
    X(int, nvrtcGetProgramLogSize, (void *program, size_t *out))                                   \
    X(int, nvrtcGetProgramLog, (void *program, char *out))                                         \
    X(int, nvrtcGetPTXSize, (void *program, size_t *out))                                          \
    X(int, nvrtcGetPTX, (void *program, char *out))                                                \
    X(int, nvrtcGetLoweredName, (void *program, const char *expression, const char **out))         \
    X(int, nvrtcGetNumSupportedArchs, (int *out))                                                  \
    X(int, nvrtcGetSupportedArchs, (int *out))

struct nvrtc {
#define X(result, name, arguments) result(*name) arguments;
    NVRTC_FUNCTIONS(X)
#undef X
    int major, minor;
};

#define NVRTC_HEADERS_MAX 128
#define NVRTC_NAMES_MAX   256
#define NVRTC_ARCH_PLAIN  75 /* where no card says better: what all releases from 10 to 13 know */

struct nvrtc_source {
    const char *name; /* of the text below, as PTX and messages call it */
    const char *text;
    const char *header_names[NVRTC_HEADERS_MAX]; /* what #include finds, and nothing else */
    const char *headers[NVRTC_HEADERS_MAX];
    int header_count;
    const char *kernels[NVRTC_NAMES_MAX];
    int kernel_count;
    int arch; /* 75 for compute_75 */
};

struct nvrtc_result {
    char *ptx;                      /* NULL when it did not compile */
    char *log;                      /* never NULL */
    char *lowered[NVRTC_NAMES_MAX]; /* the kernels' names in the PTX */
    int kernel_count;
};

/* preferred: a path, or NULL for LEASEHOLD_NVRTC and then the usual places. E_NOT_FOUND: see
 * `error`. */
MUST_CHECK enum status nvrtc_open(struct nvrtc *out, char error[LIBRARY_ERROR_SIZE],
                                  const char *preferred);
/* The best architecture that this NVRTC knows and the card (75 for 7.5) can run. */
int nvrtc_arch_for(const struct nvrtc *n, int card);
/* With the deterministic profile's flags. OK, or E_MALFORMED: it does not compile, see out->log.
 * The caller finishes *out. */
MUST_CHECK enum status nvrtc_compile(const struct nvrtc *n, struct nvrtc_result *out,
                                     const struct nvrtc_source *source);
void nvrtc_result_finish(struct nvrtc_result *r);

#endif
