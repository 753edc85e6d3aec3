/* cuda_driver.h - the functions of NVIDIA's driver library that the cuda executor calls.
 *
 * Declared here after the "CUDA Driver API" reference, whose binary interface is stable (_v2 is
 * part of a symbol's name where the reference's header renames it), so that no header of CUDA is
 * needed. Results are CUresult: 0 is success. */
#ifndef LEASEHOLD_RUNNER_CUDA_DRIVER_H
#define LEASEHOLD_RUNNER_CUDA_DRIVER_H

#include "compute/runner/library.h"

#include <stdint.h>

typedef unsigned long long cuda_address;

struct cuda_location { /* CUmemLocation */
    int type;          /* 1: a device */
    int id;
};
struct cuda_allocation { /* CUmemAllocationProp */
    int type;            /* 1: pinned */
    int handle_types;
    struct cuda_location location;
    void *windows_data;
    unsigned char flags[8];
};
struct cuda_access { /* CUmemAccessDesc */
    struct cuda_location location;
    int flags; /* 3: read and write */
};

/* name of the field, symbol, arguments */
#define CUDA_FUNCTIONS(X)                                                                          \
    X(init, "cuInit", (unsigned flags))                                                            \
    X(driver_version, "cuDriverGetVersion", (int *out))                                            \
    X(error_name, "cuGetErrorName", (int result, const char **out))                                \
    X(device_get, "cuDeviceGet", (int *out, int ordinal))                                          \
    X(device_count, "cuDeviceGetCount", (int *out))                                                \
    X(device_attribute, "cuDeviceGetAttribute", (int *out, int attribute, int device))             \
    X(context_create, "cuCtxCreate_v2", (void **out, unsigned flags, int device))                  \
    X(memory_info, "cuMemGetInfo_v2", (size_t * free_bytes, size_t * total_bytes))                 \
    X(link_create, "cuLinkCreate_v2", (unsigned count, int *options, void **values, void **state)) \
    X(link_add, "cuLinkAddData_v2",                                                                \
      (void *state, int type, void *data, size_t size, const char *name, unsigned count,           \
       int *options, void **values))                                                               \
    X(link_complete, "cuLinkComplete", (void *state, void **cubin, size_t *size))                  \
    X(link_destroy, "cuLinkDestroy", (void *state))                                                \
    X(module_load, "cuModuleLoadData", (void **out, const void *image))                            \
    X(module_function, "cuModuleGetFunction", (void **out, void *module, const char *name))        \
    X(module_global, "cuModuleGetGlobal_v2",                                                       \
      (cuda_address * out, size_t * size, void *module, const char *name))                         \
    X(function_attribute, "cuFuncGetAttribute", (int *out, int attribute, void *function))         \
    X(function_set, "cuFuncSetAttribute", (void *function, int attribute, int value))              \
    X(launch, "cuLaunchKernel",                                                                    \
      (void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,            \
       unsigned bz, unsigned shared_bytes, void *stream, void **params, void **extra))             \
    X(stream_create, "cuStreamCreate", (void **out, unsigned flags))                               \
    X(stream_wait, "cuStreamSynchronize", (void *stream))                                          \
    X(event_create, "cuEventCreate", (void **out, unsigned flags))                                 \
    X(event_record, "cuEventRecord", (void *event, void *stream))                                  \
    X(event_elapsed, "cuEventElapsedTime", (float *out_ms, void *start, void *end))                \
    X(host_alloc, "cuMemHostAlloc", (void **out, size_t size, unsigned flags))                     \
    X(host_address, "cuMemHostGetDevicePointer_v2",                                                \
      (cuda_address * out, void *at, unsigned flags))                                              \
    X(host_register, "cuMemHostRegister_v2", (void *at, size_t size, unsigned flags))              \
    X(alloc, "cuMemAlloc_v2", (cuda_address * out, size_t size))                                   \
    X(set_zero, "cuMemsetD8Async",                                                                 \
      (cuda_address at, unsigned char value, size_t size, void *stream))                           \
    X(copy_in, "cuMemcpyHtoDAsync_v2",                                                             \
      (cuda_address to, const void *from, size_t size, void *stream))                              \
    X(copy_out, "cuMemcpyDtoHAsync_v2", (void *to, cuda_address from, size_t size, void *stream))  \
    X(granularity, "cuMemGetAllocationGranularity",                                                \
      (size_t * out, const struct cuda_allocation *what, int option))                              \
    X(reserve, "cuMemAddressReserve",                                                              \
      (cuda_address * out, size_t size, size_t alignment, cuda_address at,                         \
       unsigned long long flags))                                                                  \
    X(create, "cuMemCreate",                                                                       \
      (unsigned long long *out, size_t size, const struct cuda_allocation *what,                   \
       unsigned long long flags))                                                                  \
    X(map, "cuMemMap",                                                                             \
      (cuda_address at, size_t size, size_t offset, unsigned long long handle,                     \
       unsigned long long flags))                                                                  \
    X(set_access, "cuMemSetAccess",                                                                \
      (cuda_address at, size_t size, const struct cuda_access *what, size_t count))

struct cuda_driver {
#define X(field, symbol, arguments) int(*field) arguments;
    CUDA_FUNCTIONS(X)
#undef X
};

/* CUdevice_attribute */
#define CUDA_DEVICE_MAJOR          75
#define CUDA_DEVICE_MINOR          76
#define CUDA_DEVICE_VIRTUAL_MEMORY 102
/* CUfunction_attribute */
#define CUDA_FUNCTION_THREADS_MAX        0
#define CUDA_FUNCTION_LOCAL_BYTES        3
#define CUDA_FUNCTION_DYNAMIC_SHARED_MAX 8
/* CUjitInputType */
#define CUDA_INPUT_PTX 1
/* Flags of cuCtxCreate and cuMemHostAlloc */
#define CUDA_CONTEXT_BLOCKING_SYNC 4
#define CUDA_HOST_DEVICE_MAPPED    2

/* CUresult */
#define CUDA_OUT_OF_MEMORY       2
#define CUDA_INVALID_VALUE       1
#define CUDA_ILLEGAL_ADDRESS     700
#define CUDA_OUT_OF_RESOURCES    701
#define CUDA_LAUNCH_TIMEOUT      702
#define CUDA_ASSERT              710
#define CUDA_STACK_ERROR         714
#define CUDA_ILLEGAL_INSTRUCTION 715
#define CUDA_MISALIGNED_ADDRESS  716
#define CUDA_ADDRESS_SPACE       717
#define CUDA_INVALID_PC          718
#define CUDA_LAUNCH_FAILED       719

/* E_NOT_FOUND: `error` says what was sought and what to install. */
MUST_CHECK enum status cuda_driver_open(struct cuda_driver *out, char error[LIBRARY_ERROR_SIZE]);
/* "CUDA_ERROR_ILLEGAL_ADDRESS" */
const char *cuda_error_text(const struct cuda_driver *d, int result);

#endif
