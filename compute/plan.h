/* plan.h - what the runner must do, as a line-based text that needs no JSON parser.
 *
 * The trusted side turns job.json into a plan; the runner inside the sandbox reads it strictly.
 * libc only, since the runner links this file too. Any thread.
 *
 *   leasehold-plan 1
 *   source render.cu
 *   limits <seconds> <memory bytes>
 *   trace                              if the job wants one
 *   checkpoint <seconds>               if it wants them
 *   buffer <name> <bytes> <none|f32|f64> <in|out> <file or -> <file bytes>
 *   group <repeat> <number of launches that follow>
 *   launch <kernel> <gx> <gy> <gz> <bx> <by> <bz> <shared bytes> <number of args>
 *   arg <buffer|i32|u32|i64|u64|f32|f64|index> <16 hex digits: buffer number or value's bits>
 *   end
 *
 * One space between words, one newline after each line, nothing after `end`. */
#ifndef LEASEHOLD_COMPUTE_PLAN_H
#define LEASEHOLD_COMPUTE_PLAN_H

#include "base/status.h"
#include "compute/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PLAN_ERROR_SIZE 256

#define PLAN_ARG_KINDS(X) /* name  word  bytes of the kernel's parameter */                        \
    X(BUFFER, "buffer", 8)                                                                         \
    X(I32, "i32", 4)                                                                               \
    X(U32, "u32", 4)                                                                               \
    X(I64, "i64", 8)                                                                               \
    X(U64, "u64", 8)                                                                               \
    X(F32, "f32", 4)                                                                               \
    X(F64, "f64", 8)                                                                               \
    X(INDEX, "index", 4)

enum plan_arg_kind {
#define X(name, word, bytes) PLAN_ARG_##name,
    PLAN_ARG_KINDS(X)
#undef X
        PLAN_ARG_KIND_COUNT
};

enum plan_type { PLAN_TYPE_NONE, PLAN_TYPE_F32, PLAN_TYPE_F64 }; /* whose NaNs are made one */

struct plan_arg {
    enum plan_arg_kind kind;
    uint64_t bits; /* a buffer's index, or the value, low bytes first */
};

struct plan_buffer {
    char name[JOB_NAME_SIZE];
    char file[JOB_NAME_SIZE]; /* "" for a buffer that starts as zeros */
    uint64_t size_bytes;
    uint64_t file_bytes; /* at most size_bytes; the rest is zeros */
    enum plan_type type;
    bool output;
};

struct plan_launch {
    char kernel[JOB_NAME_SIZE];
    uint32_t grid[3];
    uint32_t block[3];
    uint32_t shared_bytes;
    uint32_t arg_count;
    struct plan_arg args[JOB_ARGS_MAX];
};

struct plan_group { /* launches [first, first + count) run in order, `repeat` times */
    uint32_t repeat;
    uint32_t first;
    uint32_t count;
};

struct plan {
    char source[JOB_NAME_SIZE];
    uint32_t seconds;
    uint64_t memory_bytes;
    bool trace;                  /* the roots of memory after each launch: compute/trace.h */
    uint32_t checkpoint_seconds; /* how often its memory is kept; 0: never */
    uint32_t buffer_count;
    uint32_t launch_count;
    uint32_t group_count;
    struct plan_buffer buffers[JOB_BUFFERS_MAX];
    struct plan_group groups[JOB_GROUPS_MAX];
    struct plan_launch launches[JOB_LAUNCHES_MAX];
};

/* E_IO if the stream fails. */
MUST_CHECK enum status plan_print(FILE *out, const struct plan *plan);
/* Strict. On failure *out is undefined and `error` names the line. */
MUST_CHECK enum status plan_parse(struct plan *out, char error[PLAN_ERROR_SIZE], const char *text,
                                  size_t size);
uint64_t plan_output_bytes(const struct plan *plan);
/* The table's word for a kind. */
const char *plan_arg_word(enum plan_arg_kind kind);
/* Letters, digits, '_', '-', '.'; first neither '.' nor '-'; short enough. */
bool plan_name_ok(const char *name);
/* A C identifier that is short enough. */
bool plan_kernel_ok(const char *name);

#endif
