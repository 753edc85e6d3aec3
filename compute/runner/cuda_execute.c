/* cuda_execute.c - the child that holds a card and runs what the plan says.
 *
 * Nothing of the job runs in this process: its code is on the card, and reaches nothing but the
 * buffers. So there is no inner filter as for the cpu executor; the sandbox's outer one stays. A
 * kernel that hangs goes with the process that is killed, and its context with it. */
#include "compute/runner/cuda_card.h"
#include "compute/runner/machine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIN_BYTES_MIN (1ull << 20) /* pinning less costs more than it saves */

struct executor {
    const struct runner_options *options;
    struct machine machine; /* its memory is what goes to the card and what comes from there */
    struct card card;
    struct cuda_names names;
    void *module;
    struct cuda_row *rows;
    struct lh_kernel kernels[JOB_LAUNCHES_MAX + 1]; /* made of rows */
    void *functions[JOB_LAUNCHES_MAX];              /* of kernels, same index */
    cuda_address buffers[JOB_BUFFERS_MAX];
    void *start, *end; /* events */
};

/* ---- code ------------------------------------------------------------------------------------ */

static void *map_cached(struct executor *e, size_t *size)
{
    struct stat s;
    int fd = open(e->options->cached_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &s) != 0 || s.st_size <= 0) card_decline(&e->card, "no cached code");
    void *at = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) card_decline(&e->card, "no memory for cached code");
    close(fd);
    *size = (size_t)s.st_size;
    return at;
}

/* To the trusted side, which may keep it for the next run: before anything of the job has run. */
static void hand_out(struct executor *e, const char *cubin, size_t size)
{
    if (e->options->artifact_path == NULL || size > CUDA_CUBIN_BYTES_MAX) return;
    int fd = open(e->options->artifact_path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    for (size_t done = 0; fd >= 0 && done < size;) {
        ssize_t put = write(fd, cubin + done, size - done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) { /* better nothing than half of it */
            (void)!ftruncate(fd, 0);
            break;
        }
        done += (size_t)put;
    }
    if (fd >= 0) close(fd);
}

static void load_code(struct executor *e, const char *ptx)
{
    void *cubin = NULL;
    size_t size = 0;
    if (ptx == NULL) {
        cubin = map_cached(e, &size);
    } else {
        card_link(&e->card, ptx, &cubin, &size);
        hand_out(e, cubin, size);
    }
    card_check(&e->card, e->card.driver.module_load(&e->module, cubin), "loading the kernels");
}

/* What the kernels take, as the compiler saw it. */
static void load_rows(struct executor *e)
{
    struct card *c = &e->card;
    cuda_address at = 0;
    size_t size = 0;
    card_check(c, c->driver.module_global(&at, &size, e->module, "lh_rows"), "the kernels' table");
    if (size != e->names.count * sizeof *e->rows) card_decline(c, "the kernels' table is damaged");
    e->rows = malloc(size);
    if (e->rows == NULL) card_decline(c, "no memory");
    card_check(c, c->driver.copy_out(e->rows, at, size, c->stream), "the kernels' table");
    card_check(c, c->driver.stream_wait(c->stream), "the kernels' table");
    for (unsigned i = 0; i < e->names.count; i++) {
        e->rows[i].kinds[JOB_ARGS_MAX] = '\0';
        e->kernels[i] =
            (struct lh_kernel){e->names.names[i], NULL, e->rows[i].kinds, e->rows[i].sizes};
    }
}

/* Shared memory as the launches need it, and whether the largest block fits at all. */
static void prepare_function(struct executor *e, unsigned index)
{
    struct card *c = &e->card;
    void *f = e->functions[index];
    int threads = 0, local = 0;
    uint32_t shared = 0;
    const struct plan *plan = e->machine.plan;
    for (uint32_t i = 0; i < plan->launch_count; i++) {
        bool mine = strcmp(plan->launches[i].kernel, e->names.names[index]) == 0;
        if (mine && plan->launches[i].shared_bytes > shared)
            shared = plan->launches[i].shared_bytes;
    }
    card_check(c, c->driver.function_attribute(&threads, CUDA_FUNCTION_THREADS_MAX, f), "kernel");
    card_check(c, c->driver.function_attribute(&local, CUDA_FUNCTION_LOCAL_BYTES, f), "kernel");
    if ((unsigned)threads < e->names.threads_max[index])
        card_decline(c, "kernel %s needs more registers than its blocks can have",
                     e->names.names[index]);
    if (local > CUDA_LOCAL_BYTES_MAX)
        card_decline(c, "kernel %s has large local arrays", e->names.names[index]);
    if (shared == 0) return;
    int bytes = (int)((shared + 15) & ~15u);
    card_check(c, c->driver.function_set(f, CUDA_FUNCTION_DYNAMIC_SHARED_MAX, bytes),
               "the card's shared memory");
}

static void load_functions(struct executor *e)
{
    struct card *c = &e->card;
    for (unsigned i = 0; i < e->names.count; i++) {
        char name[32];
        snprintf(name, sizeof name, "lh_kernel_%u", i);
        card_check(c, c->driver.module_function(&e->functions[i], e->module, name), "a kernel");
        prepare_function(e, i);
    }
}

/* Tells the kernels where to leave why they ended. */
static void set_fault_address(struct executor *e)
{
    struct card *c = &e->card;
    cuda_address at = 0, words = 0;
    size_t size = 0;
    if (c->driver.module_global(&at, &size, e->module, "lh_fault") != 0) return;
    card_check(c, c->driver.host_address(&words, (void *)(uintptr_t)c->fault, 0), "pinned memory");
    card_check(c, c->driver.copy_in(at, &words, sizeof words, c->stream), "pinned memory");
    card_check(c, c->driver.stream_wait(c->stream), "pinned memory");
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Pinned pages travel faster and beside the processor; without them it goes as well. */
static void pin(struct executor *e, uint32_t buffer)
{
    const struct plan_buffer *b = &e->machine.plan->buffers[buffer];
    char *at = e->machine.memory[buffer] - image_offset_of(b);
    if (b->size_bytes < PIN_BYTES_MIN) return;
    (void)e->card.driver.host_register(at, image_pages_of(b) * IMAGE_PAGE_BYTES, 0);
}

static void copy_in(struct executor *e, uint32_t i)
{
    struct card *c = &e->card;
    uint64_t size = e->machine.plan->buffers[i].size_bytes;
    card_check(c, c->driver.copy_in(e->buffers[i], e->machine.memory[i], size, c->stream),
               "copying to the card");
}

static void copy_out(struct executor *e, uint32_t i)
{
    struct card *c = &e->card;
    uint64_t size = e->machine.plan->buffers[i].size_bytes;
    card_check(c, c->driver.copy_out(e->machine.memory[i], e->buffers[i], size, c->stream),
               "copying from the card");
}

static void make_buffers(struct executor *e)
{
    const struct plan *plan = e->machine.plan;
    size_t free_bytes = 0, total_bytes = 0;
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < plan->buffer_count; i++)
        wanted += plan->buffers[i].size_bytes;
    card_check(&e->card, e->card.driver.memory_info(&free_bytes, &total_bytes), "memory");
    if (wanted > free_bytes)
        card_decline(&e->card, "the job's buffers need %llu MiB, the card has %llu MiB free",
                     (unsigned long long)(wanted >> 20), (unsigned long long)(free_bytes >> 20));
    for (uint32_t i = 0; i < plan->buffer_count; i++)
        e->buffers[i] = card_buffer(&e->card, plan->buffers[i].size_bytes);
}

static void fill_buffers(struct executor *e)
{
    const struct plan *plan = e->machine.plan;
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        const struct plan_buffer *b = &plan->buffers[i];
        bool filled = b->file[0] != '\0' || e->machine.resume_step != 0;
        if (filled || b->output) pin(e, i);
        if (filled) copy_in(e, i);
    }
    card_wait(&e->card);
}

/* ---- launches -------------------------------------------------------------------------------- */

/* A trace looks at memory after each step, in this process; NaNs that it made one go back. */
static void bring_to_trace(struct executor *e, const struct plan_launch *l, uint64_t step)
{
    const struct plan *plan = e->machine.plan;
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        if (image_launch_has(l, i)) copy_out(e, i);
    }
    card_wait(&e->card);
    trace_step(l, step);
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        if (image_launch_has(l, i) && plan->buffers[i].type != PLAN_TYPE_NONE) copy_in(e, i);
    }
    card_wait(&e->card);
}

static void run_launch(struct executor *e, const struct plan_launch *l, uint32_t index)
{
    struct machine *m = &e->machine;
    uint64_t values[JOB_ARGS_MAX];
    void *params[JOB_ARGS_MAX];
    if (m->step++ < m->resume_step) return;
    for (uint32_t i = 0; i < l->arg_count; i++) {
        const struct plan_arg *arg = &l->args[i];
        values[i] = arg->bits;
        if (arg->kind == PLAN_ARG_INDEX) values[i] = index;
        if (arg->kind == PLAN_ARG_BUFFER) values[i] = e->buffers[arg->bits];
        params[i] = &values[i]; /* low bytes first, as the card wants them */
    }
    ptrdiff_t kernel = machine_find_kernel(m, l->kernel) - m->kernels;
    struct card *c = &e->card;
    int result = c->driver.launch(e->functions[kernel], l->grid[0], l->grid[1], l->grid[2],
                                  l->block[0], l->block[1], l->block[2],
                                  (l->shared_bytes + 15) & ~15u, c->stream, params, NULL);
    c->started = true;
    card_check(c, result, l->kernel);
    if (trace_is_framed(e->options, m->plan)) bring_to_trace(e, l, m->step);
}

static void run_launches(struct executor *e)
{
    const struct plan *plan = e->machine.plan;
    for (uint32_t g = 0; g < plan->group_count; g++) {
        const struct plan_group *group = &plan->groups[g];
        for (uint32_t index = 0; index < group->repeat; index++) {
            for (uint32_t i = 0; i < group->count; i++)
                run_launch(e, &plan->launches[group->first + i], index);
        }
    }
}

static void time_launches(struct executor *e)
{
    struct card *c = &e->card;
    float ms = 0;
    card_check(c, c->driver.event_create(&e->start, 0), "cuEventCreate");
    card_check(c, c->driver.event_create(&e->end, 0), "cuEventCreate");
    card_check(c, c->driver.event_record(e->start, c->stream), "cuEventRecord");
    run_launches(e);
    card_check(c, c->driver.event_record(e->end, c->stream), "a kernel");
    card_wait(c);
    if (c->driver.event_elapsed(&ms, e->start, e->end) == 0) c->shared->kernel_ms = (double)ms;
}

void cuda_execute(const struct runner_options *options, const struct plan *plan, const char *ptx,
                  struct cuda_shared *shared)
{
    static struct executor e; /* one job a process */
    e.options = options;
    e.machine = (struct machine){.plan = plan, .resume_step = options->resume_step};
    e.names = cuda_names_of(plan);
    card_open(&e.card, options->device, shared);
    load_code(&e, ptx);
    load_rows(&e);
    e.machine.kernels = e.kernels;
    machine_check_launches(&e.machine);
    load_functions(&e);
    set_fault_address(&e);
    make_buffers(&e);
    e.card.started = options->resume_step != 0; /* what stdin says cannot be read twice */
    machine_make_buffers(&e.machine, options->job_folder);
    fill_buffers(&e);
    if (trace_is_framed(options, plan)) {
        pool_start(options->threads);
        trace_start(options, plan, e.machine.memory);
    }
    time_launches(&e);
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        if (plan->buffers[i].output) copy_out(&e, i);
    }
    card_wait(&e.card);
    machine_send_outputs(options, &e.machine);
    _exit(REASON_OK);
}

/* ---- the parent's side ----------------------------------------------------------------------- */

static int run_child(const struct runner_options *options, const struct plan *plan, const char *ptx,
                     struct cuda_shared *shared)
{
    int status;
    pid_t child = fork();
    if (child < 0) give_up(REASON_PROCESSES, "cannot start a process: %s", strerror(errno));
    if (child == 0) {
        if (options->status_fd > STDERR_FILENO) close(options->status_fd);
        cuda_execute(options, plan, ptx, shared);
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) give_up(REASON_SIGNAL, "lost the job's process");
    }
    return status;
}

static void say_declined(const char *why)
{
    fprintf(stderr, "note: the cuda executor leaves this job to the cpu executor: %s\n", why);
}

bool cuda_run(const struct runner_options *options, const struct plan *plan, enum reason *out,
              double *kernel_ms)
{
    char *ptx = NULL;
    struct cuda_shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) give_up(REASON_MEMORY, "no memory");
    if (options->cached_path == NULL) ptx = cuda_compile(options, plan, shared->why);
    int status = CUDA_DECLINED << 8;
    if (ptx != NULL || options->cached_path != NULL) {
        status = run_child(options, plan, ptx, shared);
    }
    free(ptx);
    bool declined = WIFEXITED(status) && WEXITSTATUS(status) == CUDA_DECLINED;
    shared->why[CUDA_WHY_SIZE - 1] = '\0';
    if (declined) say_declined(shared->why);
    *out = !WIFEXITED(status)                    ? REASON_UNSUPPORTED
           : WEXITSTATUS(status) >= REASON_COUNT ? REASON_NO_OUTPUT
                                                 : (enum reason)WEXITSTATUS(status);
    *kernel_ms = shared->kernel_ms;
    return !declined;
}
