/* job.h - job.json: what a renter writes, checked before anything is paid.
 *
 * Reading is strict: an unknown key, a wrong type, a size that does not add up is E_MALFORMED with
 * the path of the key in `error` ("launches[0].args[2]: ..."). docs/compute.md is the reference of
 * the format, limits.h holds the bounds. Any thread. */
#ifndef LEASEHOLD_COMPUTE_JOB_H
#define LEASEHOLD_COMPUTE_JOB_H

#include "base/bytes.h"
#include "compute/plan.h"

#define JOB_FILE_NAME  "job.json"
#define JOB_ERROR_SIZE 512

enum job_picture_format {
    JOB_PICTURE_NONE,
    JOB_PICTURE_RGB8,
    JOB_PICTURE_RGBA8,
    JOB_PICTURE_GRAY8
};

struct job_view { /* how the renter's side shows an output buffer */
    enum job_picture_format picture;
    uint32_t width;
    uint32_t height;
    uint32_t frames_per_second; /* of a film; 0: one picture */
    bool text;                  /* zero-padded text, to be printed */
};

#define JOB_RUNTIME_CUDA_C      "cuda-c"      /* kernels in the deterministic profile */
#define JOB_RUNTIME_CUDA_C_FAST "cuda-c-fast" /* kernels with any instruction */
#define JOB_RUNTIME_EXEC        "exec"        /* a command in an image */

struct exec_job; /* exec_job.h */

struct job {
    char runtime[JOB_NAME_SIZE];
    struct exec_job *exec; /* owned; NULL unless the runtime is exec, and then of `plan` only the */
                           /* limits are said */
    uint32_t vram_mib;
    uint32_t file_count; /* extra files of the bundle, such as headers */
    char files[JOB_FILES_MAX][JOB_NAME_SIZE];
    struct job_view views[JOB_BUFFERS_MAX]; /* of plan.buffers, same index */
    struct plan plan;                       /* all that the runner needs */
};

/* Reads FOLDER/job.json and looks at the sizes of the files that it names (which must be plain
 * files right inside the folder). The caller destroys *out. E_NOT_FOUND: no such folder or no
 * job.json in it. */
MUST_CHECK enum status job_load(struct job **out, char error[JOB_ERROR_SIZE], const char *folder);
/* The text alone; sizes of files are asked of `file_size`, which may answer E_NOT_FOUND. */
typedef enum status job_file_size(void *context, uint64_t *out_bytes, const char *name);
MUST_CHECK enum status job_parse(struct job **out, char error[JOB_ERROR_SIZE], struct bytes text,
                                 job_file_size *file_size, void *context);
void job_destroy(struct job *job);
/* What a renter must know before paying for a job whose result cannot be checked by running it
 * again; NULL for one whose can. */
const char *job_settlement_note(const char *runtime);

/* The names that belong to the bundle, sorted, without repeats; returns how many. */
#define JOB_NAMES_MAX (JOB_BUFFERS_MAX + JOB_FILES_MAX + 2)
size_t job_names(const struct job *job, char out[JOB_NAMES_MAX][JOB_NAME_SIZE]);

/* After a result was unpacked into result_folder: writes NAME.png beside each output buffer that
 * declares a picture, NAME.webp (animated) and NAME-frames/0000.png ... beside a film, and appends
 * to `report` (may be NULL) one line "picture    PATH" for each and the content of text outputs.
 * E_IO, or E_MALFORMED when a file has not the declared size. */
MUST_CHECK enum status job_present_result(const struct job *job, const char *result_folder,
                                          struct buffer *report, char error[JOB_ERROR_SIZE]);

#endif
