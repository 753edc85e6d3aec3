/* exec_job.h - the part of job.json that says what an exec job runs.
 *
 * {"runtime": "exec", "image": "rootfs.tar", "command": ["/bin/prog", "x"], "env": {"K": "V"},
 *  "workdir": "/job/work", "inputs": {"name": "file"},
 *  "outputs": [{"name": "x", "path": "/job/out/x", "bytes_max": n}],
 *  "limits": {"seconds", "memory_mib", "disk_mib", "processes", "vram_mib"}} */
#ifndef LEASEHOLD_COMPUTE_EXEC_JOB_H
#define LEASEHOLD_COMPUTE_EXEC_JOB_H

#include "base/json.h"
#include "compute/exec_plan.h"
#include "compute/job.h"

struct exec_input {
    char name[JOB_NAME_SIZE]; /* read-only at EXEC_IN_FOLDER/NAME */
    char file[JOB_NAME_SIZE];
};

struct exec_job {
    char image[JOB_NAME_SIZE];
    uint32_t disk_mib;
    uint32_t input_count;
    struct exec_input inputs[EXEC_INPUTS_MAX];
    struct exec_plan plan; /* no command: the image's */
};

/* Reads all keys but "runtime" into job->exec, which job_destroy frees, and the limits that all
 * jobs have into job->plan. The first problem is the reader's. */
void exec_job_read(struct job *job, struct json_reader *top, job_file_size *file_size,
                   void *context);

#endif
