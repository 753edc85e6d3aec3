/* runner.h - the parts of leasehold-run, which works inside the sandbox and needs libc alone.
 *
 * main.c supervises: it compiles (compile.c) and then forks one child that loads the module and
 * runs the launches (execute.c). The child confines itself (confine.c) before any code of the job
 * runs. block.c turns a thread block into fibers, pool.c spreads blocks over the cores. */
#ifndef LEASEHOLD_RUNNER_RUNNER_H
#define LEASEHOLD_RUNNER_RUNNER_H

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
};

/* compile.c */
enum reason compile_job(const struct runner_options *options, const struct plan *plan);

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
void pool_run(const struct launch *launch);

/* fiber_switch.S or fiber.c: saves this stack, goes on with the other. */
void fiber_switch(void **save_sp, void *load_sp);
void *fiber_prepare(void *stack_low, size_t stack_bytes, void (*entry)(void));

#endif
