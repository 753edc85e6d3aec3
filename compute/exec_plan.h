/* exec_plan.h - a command with its surroundings, as text that needs no JSON parser.
 *
 * Three speak it: the unpacker tells what an image's config says (command, environment, folder);
 * the trusted side merges that with job.json and tells leasehold-init what to run; init reads it.
 * libc only, since init links this file too. Any thread.
 *
 * A record is a letter, a value and a zero byte; values hold any bytes but zero:
 *   leasehold-exec 1          first
 *   s<seconds> m<memory bytes> p<processes> g (a device) f<bytes of all outputs, a whole folder>
 *   w<folder> a<argument> e<NAME=value> o<bytes max> <name> <path>
 *   end                       last */
#ifndef LEASEHOLD_COMPUTE_EXEC_PLAN_H
#define LEASEHOLD_COMPUTE_EXEC_PLAN_H

#include "base/status.h"
#include "compute/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EXEC_IN_FOLDER   "/job/in"
#define EXEC_OUT_FOLDER  "/job/out"
#define EXEC_WORK_FOLDER "/job/work"
#define EXEC_TMP_FOLDER  "/job/tmp"

struct exec_output {
    char name[JOB_NAME_SIZE];
    char path[EXEC_PATH_SIZE]; /* below EXEC_OUT_FOLDER */
    uint64_t bytes_max;
};

/* Zero-initialised is empty and valid. Its pointers lead into itself: not to be copied. */
struct exec_plan {
    uint32_t seconds;
    uint32_t processes;
    uint64_t memory_bytes;
    uint64_t folder_bytes_max; /* 0: the outputs below; else all plain files of EXEC_OUT_FOLDER */
    bool device;
    const char *workdir; /* NULL: nobody said one */
    uint32_t arg_count;
    uint32_t env_count;
    uint32_t output_count;
    const char *args[EXEC_ARGS_MAX + 1]; /* closed by NULL, as execve wants them */
    const char *env[EXEC_ENV_MAX + 1];   /* NAME=value, each name once */
    struct exec_output outputs[EXEC_OUTPUTS_MAX];
    size_t text_used;
    char text[EXEC_TEXT_BYTES_MAX];
};

/* E_LIMIT when there is no more room, E_MALFORMED for what is no NAME=value, for a folder that is
 * not absolute, or for an output whose path is not below EXEC_OUT_FOLDER. */
MUST_CHECK enum status exec_plan_add_arg(struct exec_plan *plan, const char *arg);
MUST_CHECK enum status exec_plan_set_env(struct exec_plan *plan, const char *pair); /* or replace */
MUST_CHECK enum status exec_plan_set_workdir(struct exec_plan *plan, const char *folder);
MUST_CHECK enum status exec_plan_add_output(struct exec_plan *plan, const char *name,
                                            const char *path, uint64_t bytes_max);
/* What `over` says goes before what `plan` says: its whole command, if it has one, single
 * variables, the folder. Limits and outputs stay as they are in `plan`. */
MUST_CHECK enum status exec_plan_merge(struct exec_plan *plan, const struct exec_plan *under,
                                       const struct exec_plan *over);
/* The sum of what its outputs may hold. */
uint64_t exec_plan_output_bytes(const struct exec_plan *plan);

/* E_IO if the stream fails. */
MUST_CHECK enum status exec_plan_print(FILE *out, const struct exec_plan *plan);
/* Strict; `plan` must be empty, and is of no use after a failure. E_MALFORMED, E_LIMIT. */
MUST_CHECK enum status exec_plan_parse(struct exec_plan *plan, const char *text, size_t size);
/* True for a path of plain parts (no "", "." or "..") below EXEC_OUT_FOLDER. */
bool exec_output_path_ok(const char *path);

#endif
