/* execute.c - the child that loads the compiled kernels and runs what the plan says.
 *
 * Everything that needs the file system or new threads is done before the first byte of the job's
 * code is mapped; then the child confines itself and goes on. */
#include "compute/runner/machine.h"

#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 512

/* Exactly rounded functions that a compiler may call from kernels: they must be in the process,
 * since a confined job opens no library. */
__attribute__((used)) static const void *const EXACT_FUNCTIONS[] = {
    (const void *)(uintptr_t)&floor, (const void *)(uintptr_t)&floorf,
    (const void *)(uintptr_t)&ceil,  (const void *)(uintptr_t)&ceilf,
    (const void *)(uintptr_t)&trunc, (const void *)(uintptr_t)&truncf,
    (const void *)(uintptr_t)&rint,  (const void *)(uintptr_t)&rintf,
    (const void *)(uintptr_t)&fma,   (const void *)(uintptr_t)&fmaf,
    (const void *)(uintptr_t)&fmod,  (const void *)(uintptr_t)&fmodf,
    (const void *)(uintptr_t)&sqrt,  (const void *)(uintptr_t)&sqrtf,
};

static void load_module(struct machine *m, const char *path)
{
    struct link_map *map = NULL;
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        const char *why = dlerror();
        bool tls = why != NULL && strstr(why, "static TLS") != NULL;
        give_up(tls ? REASON_LAUNCH : REASON_COMPILE, "%s: %s",
                tls ? "too much __shared__ memory" : "the compiled kernels do not load",
                why == NULL ? "" : why);
    }
    m->kernels = dlsym(module, "lh_kernels");
    if (m->kernels == NULL || dlinfo(module, RTLD_DI_LINKMAP, &map) != 0) {
        give_up(REASON_COMPILE, "the compiled kernels have no table");
    }
    m->module_base = (const void *)map->l_addr;
}

/* What kernels are passed lies in `args`. */
static struct launch launch_of(const struct machine *m, const struct plan_launch *l, uint32_t index,
                               unsigned long long args[JOB_ARGS_MAX + 1])
{
    for (uint32_t i = 0; i < l->arg_count; i++) {
        const struct plan_arg *arg = &l->args[i];
        args[i] = arg->bits;
        if (arg->kind == PLAN_ARG_INDEX) args[i] = index;
        if (arg->kind == PLAN_ARG_BUFFER) args[i] = (uintptr_t)m->memory[arg->bits];
    }
    return (struct launch){machine_find_kernel(m, l->kernel), l, args, image_blocks_of(l)};
}

static void run_launch(struct machine *m, const struct plan_launch *l, uint32_t index)
{
    unsigned long long args[JOB_ARGS_MAX + 1] = {0};
    if (m->step++ < m->resume_step) return;
    struct launch launch = launch_of(m, l, index, args);
    pool_run(&launch);
    trace_step(l, m->step);
}

static void run_for_audit(void *machine, uint64_t step, uint64_t block)
{
    const struct machine *m = machine;
    unsigned long long args[JOB_ARGS_MAX + 1] = {0};
    if (step >= image_steps(m->plan)) give_up(REASON_BAD_JOB, "the audit asks for no step");
    struct image_step s = image_step_at(m->plan, step);
    struct launch launch = launch_of(m, s.launch, s.index, args);
    if (block == IMAGE_ALL_BLOCKS) {
        for (uint64_t i = 0; i < launch.block_count; i++)
            block_run(&launch, i);
        return;
    }
    if (block >= launch.block_count) give_up(REASON_BAD_JOB, "the audit asks for no block");
    block_run(&launch, block);
}

static void run_group(struct machine *m, const struct plan_group *group)
{
    for (uint32_t index = 0; index < group->repeat; index++) {
        for (uint32_t i = 0; i < group->count; i++) {
            run_launch(m, &m->plan->launches[group->first + i], index);
        }
    }
}

void execute_job(const struct runner_options *options, const struct plan *plan)
{
    char module_path[PATH_BYTES];
    struct machine m = {.plan = plan, .resume_step = options->resume_step};
    snprintf(module_path, sizeof module_path, "%s/kernels.so", options->work_folder);
    mallopt(M_ARENA_MAX, 1);
    limit_job(options, plan);
    machine_make_buffers(&m, options->job_folder);
    catch_faults();
    prepare_thread_for_faults();
    pool_start(options->threads);
    if (options->audit) audit_start(plan, m.memory);
    if (!options->audit) trace_start(options, plan, m.memory);
    confine_job(module_path);
    load_module(&m, module_path);
    pool_bind_module(m.module_base);
    machine_check_launches(&m);
    if (options->audit) {
        audit_loop(options->output_fd, run_for_audit, &m);
        _exit(REASON_OK);
    }
    for (uint32_t i = 0; i < plan->group_count; i++)
        run_group(&m, &plan->groups[i]);
    machine_send_outputs(options, &m);
    _exit(REASON_OK);
}
