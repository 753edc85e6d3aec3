/* runner.h - the parts of leasehold-run, which works inside the sandbox and needs libc alone.
 *
 * main.c supervises: it compiles (compile.c) and then forks one child that loads the module and
 * runs the launches (execute.c). The child confines itself (confine.c) before any code of the job
 * runs. block.c turns a thread block into fibers, pool.c spreads blocks over the cores. */
#ifndef LEASEHOLD_RUNNER_RUNNER_H
#define LEASEHOLD_RUNNER_RUNNER_H

#include "compute/image.h"
#include "compute/plan.h"
#include "compute/reason.h"
#include "compute/runner/abi.h"

#include <sys/types.h>

#define FIBER_STACK_BYTES       (128u * 1024u)
#define SHARED_STATIC_BYTES_MAX (128u * 1024u)

struct runner_options {
    const char *plan_path;
    const char *job_folder;
    const char *work_folder;
    const char *cc;
    unsigned threads;
    unsigned drop_to; /* a user id to become, or 0 */
    int output_fd;
    int status_fd;
    bool audit;                 /* single blocks, as stdin says; nothing else */
    int64_t checkpoint_seconds; /* how often an image is sent to go on from; -1: never */
    uint64_t resume_step;       /* not 0: that image is on stdin; go on from there */
    uint32_t dump_count;
    uint32_t dumps[TRACE_DUMPS_MAX]; /* images to be sent, ascending */
    bool check;                      /* say what is wrong with the job, and run nothing */
    bool cuda;                       /* try a card first; see cuda.h */
    unsigned device;                 /* its number among those that this process sees */
    unsigned arch;                   /* 75 for a card of capability 7.5; 0: there is none */
    const char *nvrtc_path;          /* NULL: found as nvrtc.h says */
    const char *cached_path;         /* machine code of an earlier run, or NULL */
    const char *artifact_path;       /* where new machine code goes, or NULL */
};

/* How compile_job is asked: for a module, for errors alone, or for warnings that show a job whose
 * result may differ between machines, too. */
enum compile_use { COMPILE_MODULE, COMPILE_ERRORS, COMPILE_WARNINGS };

/* compile.c */
enum reason compile_job(const struct runner_options *options, const struct plan *plan,
                        enum compile_use use);

/* execute.c: never returns; the exit status is the reason. */
void execute_job(const struct runner_options *options, const struct plan *plan)
    __attribute__((noreturn));

/* Prints the line on stderr and ends the process with the reason as its status. */
void give_up(enum reason reason, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* confine.c */
void limit_compiler(void);
void limit_job(const struct runner_options *options, const struct plan *plan);
/* Opens the module for confine's own loader path, then no call but the few on the list. */
void confine_job(const char *module_path);
void become_nobody(unsigned user);
/* Alternate stack and handlers of the calling thread, so that faults become reasons. */
void catch_faults(void);
void prepare_thread_for_faults(void);

/* block.c */
extern __thread struct lh_now lh_now;
struct launch {
    const struct lh_kernel *kernel;
    const struct plan_launch *plan;
    const unsigned long long *args;
    unsigned long long block_count;
};
/* Finds the calling thread's copy of the module's __shared__ variables. */
void block_bind_module(const void *module_base);
void block_run(const struct launch *launch, unsigned long long number);

/* pool.c */
void pool_start(unsigned threads);
void pool_bind_module(const void *module_base);
void pool_run(struct launch *launch);

/* Any work in `count` parts that do not touch each other, on all threads. */
typedef void pool_item(void *context, unsigned long long number);
void pool_each(unsigned long long count, pool_item *item, void *context);

/* output.c: E_IO has no place here, a pipe that is gone ends the job. */
void send_all(int fd, const void *data, uint64_t size);
void send_frame(int fd, const struct frame *frame);
bool receive_all(int fd, void *out, uint64_t size); /* false at the end */

/* trace.c: for jobs with a trace or checkpoints, else nothing happens. An executor whose memory is
 * elsewhere (a card's) must bring the buffers that the launch was passed into `memory` before
 * trace_step, and take them back after it where they declare a float type. */
uint64_t trace_memory_bytes(const struct plan *plan); /* beyond the job's own */
/* True if what the runner sends is frames and not the plain outputs. */
bool trace_is_framed(const struct runner_options *options, const struct plan *plan);
void trace_start(const struct runner_options *options, const struct plan *plan,
                 char *const *memory);
void trace_step(const struct plan_launch *launch, uint64_t step); /* `step` launches are done */

/* audit.c */
void audit_start(const struct plan *plan, char *const *memory);
typedef void audit_run_block(void *context, uint64_t step, uint64_t block);
void audit_loop(int output_fd, audit_run_block *run, void *context); /* until stdin ends */
/* In the fault handler: true if the address is a page of the job that now can be had. */
bool audit_serve(const void *address, bool writes);

/* fiber_switch.S or fiber.c: leaves `from` where it stands, goes on with `to`. */
void fiber_switch(struct lh_fiber *from, struct lh_fiber *to);
void fiber_prepare(struct lh_fiber *f, void *stack_low, size_t stack_bytes, void (*entry)(void));

#endif
