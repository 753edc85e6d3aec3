#include "compute/runner/machine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES 4096ull
#define PATH_BYTES 512
#define HUGE_BYTES (4ull << 20)

/* Ends where a page ends (as alignment allows), a guard page before and behind. */
static char *map_buffer(const struct plan_buffer *b)
{
    uint64_t room = (b->size_bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    uint64_t size = (b->size_bytes + 15) & ~15ull;
    char *at = mmap(NULL, room + 2 * PAGE_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        give_up(REASON_MEMORY, "no memory for buffer %s of %llu bytes", b->name,
                (unsigned long long)b->size_bytes);
    }
    if (mprotect(at, PAGE_BYTES, PROT_NONE) != 0 ||
        mprotect(at + PAGE_BYTES + room, PAGE_BYTES, PROT_NONE) != 0) {
        give_up(REASON_MEMORY, "no guard pages for buffer %s", b->name);
    }
    if (room >= HUGE_BYTES) (void)madvise(at + PAGE_BYTES, room, MADV_HUGEPAGE);
    return at + PAGE_BYTES + (room - size);
}

static void fill_buffer(char *memory, const struct plan_buffer *b, const char *folder)
{
    char path[PATH_BYTES];
    uint64_t done = 0;
    snprintf(path, sizeof path, "%s/%s", folder, b->file);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) give_up(REASON_BAD_JOB, "cannot open %s: %s", path, strerror(errno));
    while (done < b->file_bytes) {
        ssize_t got = read(fd, memory + done, b->file_bytes - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) give_up(REASON_BAD_JOB, "%s is shorter than the plan says", b->file);
        done += (uint64_t)got;
    }
    close(fd);
}

/* Goes on from an image: on stdin are the pages of this buffer, and then of those after it. */
static void fill_from_image(char *memory, const struct plan_buffer *b)
{
    if (!receive_all(STDIN_FILENO, memory - image_offset_of(b),
                     image_pages_of(b) * IMAGE_PAGE_BYTES)) {
        give_up(REASON_BAD_JOB, "the image to go on from is too short");
    }
}

void machine_make_buffers(struct machine *m, const char *folder)
{
    for (uint32_t i = 0; i < m->plan->buffer_count; i++) {
        const struct plan_buffer *b = &m->plan->buffers[i];
        m->memory[i] = map_buffer(b);
        if (m->resume_step != 0) {
            fill_from_image(m->memory[i], b);
        } else if (b->file[0] != '\0') {
            fill_buffer(m->memory[i], b, folder);
        }
    }
}

const struct lh_kernel *machine_find_kernel(const struct machine *m, const char *name)
{
    for (const struct lh_kernel *k = m->kernels; k->name != NULL; k++) {
        if (strcmp(k->name, name) == 0) return k;
    }
    give_up(REASON_LAUNCH, "there is no kernel %s", name);
}

static const char *type_of_letter(char letter)
{
    switch (letter) {
    case 'p': return "a pointer";
    case 'i': return "int";
    case 'u': return "unsigned int";
    case 'l': return "long long";
    case 'm': return "unsigned long long";
    case 'f': return "float";
    case 'd': return "double";
    default: return "of a type that job.json cannot pass";
    }
}

static bool letter_takes(char letter, enum plan_arg_kind kind)
{
    switch (kind) {
    case PLAN_ARG_BUFFER: return letter == 'p';
    case PLAN_ARG_I32:
    case PLAN_ARG_U32:
    case PLAN_ARG_INDEX: return letter == 'i' || letter == 'u';
    case PLAN_ARG_I64:
    case PLAN_ARG_U64: return letter == 'l' || letter == 'm';
    case PLAN_ARG_F32: return letter == 'f';
    case PLAN_ARG_F64: return letter == 'd';
    case PLAN_ARG_KIND_COUNT: break;
    }
    return false;
}

static void check_arg(const struct machine *m, const struct lh_kernel *k,
                      const struct plan_launch *l, uint32_t i)
{
    uint32_t number = (uint32_t)(l - m->plan->launches);
    const struct plan_arg *arg = &l->args[i];
    if (!letter_takes(k->kinds[i], arg->kind)) {
        give_up(REASON_LAUNCH, "launch %u: args[%u] of kernel %s is %s, the job passes %s", number,
                i, l->kernel, type_of_letter(k->kinds[i]), plan_arg_word(arg->kind));
    }
    if (arg->kind != PLAN_ARG_BUFFER) return;
    const struct plan_buffer *b = &m->plan->buffers[arg->bits];
    if (k->sizes[i] > 1 && b->size_bytes % k->sizes[i] != 0) {
        give_up(REASON_LAUNCH,
                "launch %u: args[%u] of kernel %s points to items of %u bytes, but buffer %s has "
                "%llu bytes",
                number, i, l->kernel, k->sizes[i], b->name, (unsigned long long)b->size_bytes);
    }
}

static void check_launch(const struct machine *m, const struct plan_launch *l)
{
    const struct lh_kernel *k = machine_find_kernel(m, l->kernel);
    size_t wanted = strlen(k->kinds);
    if (wanted != l->arg_count) {
        give_up(REASON_LAUNCH, "launch %u: kernel %s takes %zu arguments, the job passes %u",
                (unsigned)(l - m->plan->launches), l->kernel, wanted, l->arg_count);
    }
    for (uint32_t i = 0; i < l->arg_count; i++)
        check_arg(m, k, l, i);
}

void machine_check_launches(const struct machine *m)
{
    for (uint32_t i = 0; i < m->plan->launch_count; i++)
        check_launch(m, &m->plan->launches[i]);
}

void machine_send_outputs(const struct runner_options *options, const struct machine *m)
{
    const struct plan *plan = m->plan;
    if (trace_is_framed(options, plan)) {
        const struct frame frame = {.kind = FRAME_OUTPUTS, .size = plan_output_bytes(plan)};
        send_frame(options->output_fd, &frame);
    }
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        const struct plan_buffer *b = &plan->buffers[i];
        if (!b->output) continue;
        image_one_nan(b->type, m->memory[i], b->size_bytes);
        send_all(options->output_fd, m->memory[i], b->size_bytes);
    }
}
