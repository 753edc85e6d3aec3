/* trace.c - what a job's memory was after each launch: roots, dumps, checkpoints.
 *
 * Beside each buffer stands a copy of it as it was, and the hashes of all its pages. After a launch
 * the pages of the buffers that it was passed are compared with the copy; only what changed is put
 * into canonical form, copied and hashed, and only the nodes above it. So a trace costs a look at
 * memory for each launch, and hashing in proportion to what was written. */
#include "compute/runner/runner.h"

#include "compute/image.h"
#include "compute/page_hash.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define CHUNK_PAGES 64u

struct tree {
    const struct plan_buffer *buffer;
    uint8_t *memory; /* the first page */
    uint8_t *copy;
    uint64_t pages;
    struct hash *nodes; /* of the pages, then of each level above */
    uint8_t *changed;   /* a flag for each node of the level that is looked at */
    struct hash root;
};

struct trace {
    const struct runner_options *options;
    const struct plan *plan;
    struct tree trees[JOB_BUFFERS_MAX];
    uint64_t kept_ms; /* when the last checkpoint was sent */
    uint32_t dumped;
};

static struct trace trace; /* one job a process */

uint64_t trace_memory_bytes(const struct plan *plan)
{
    uint64_t each = IMAGE_PAGE_BYTES + 2 * sizeof(struct hash) + 1;
    if (!plan->trace) return 0;
    return image_pages(plan) * each + plan->buffer_count * 4ull * IMAGE_PAGE_BYTES;
}

bool trace_is_framed(const struct runner_options *options, const struct plan *plan)
{
    return plan->trace || options->checkpoint_seconds >= 0;
}

static void *map_zeros(uint64_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (at == MAP_FAILED) give_up(REASON_MEMORY, "no memory for the job's trace");
    return at;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- trees ----------------------------------------------------------------------------------- */

static void look_at_page(struct tree *t, uint64_t page)
{
    uint8_t *now = t->memory + page * IMAGE_PAGE_BYTES;
    uint8_t *before = t->copy + page * IMAGE_PAGE_BYTES;
    if (memcmp(now, before, IMAGE_PAGE_BYTES) == 0) return;
    image_make_canonical(t->buffer, page, now);
    memcpy(before, now, IMAGE_PAGE_BYTES);
    page_hash_leaf(&t->nodes[page], now, IMAGE_PAGE_BYTES);
    t->changed[page] = 1;
}

static void look_at_chunk(void *tree, unsigned long long number)
{
    struct tree *t = tree;
    uint64_t first = number * CHUNK_PAGES;
    for (uint64_t page = first; page < first + CHUNK_PAGES && page < t->pages; page++)
        look_at_page(t, page);
}

/* base/merkle.h's shape: pairs from the left, an odd node at the end moves up as it is. */
static void raise_levels(struct tree *t)
{
    struct hash *level = t->nodes;
    for (uint64_t width = t->pages; width > 1; width = (width + 1) / 2) {
        struct hash *above = level + width;
        for (uint64_t i = 0; 2 * i < width; i++) {
            bool paired = 2 * i + 1 < width;
            bool changed = t->changed[2 * i] || (paired && t->changed[2 * i + 1]);
            t->changed[i] = changed;
            if (changed && paired) page_hash_node(&above[i], &level[2 * i], &level[2 * i + 1]);
            if (changed && !paired) above[i] = level[2 * i];
        }
        level = above;
    }
    page_hash_root(&t->root, t->pages * IMAGE_PAGE_BYTES, level);
    memset(t->changed, 0, t->pages);
}

static void look_at_buffer(struct tree *t)
{
    pool_each((t->pages + CHUNK_PAGES - 1) / CHUNK_PAGES, look_at_chunk, t);
    if (memchr(t->changed, 1, t->pages) != NULL) raise_levels(t);
}

static void plant(struct tree *t)
{
    struct hash of_zeros;
    t->copy = map_zeros(t->pages * IMAGE_PAGE_BYTES);
    t->nodes = map_zeros((2 * t->pages + 64) * sizeof *t->nodes);
    t->changed = map_zeros(t->pages);
    page_hash_leaf(&of_zeros, t->copy, IMAGE_PAGE_BYTES); /* as all of the copy still is */
    for (uint64_t i = 0; i < t->pages; i++)
        t->nodes[i] = of_zeros;
    pool_each((t->pages + CHUNK_PAGES - 1) / CHUNK_PAGES, look_at_chunk, t);
    memset(t->changed, 1, t->pages);
    raise_levels(t);
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static void send_row(uint64_t step)
{
    uint64_t size = trace.plan->buffer_count * sizeof(struct hash);
    const struct frame frame = {.kind = FRAME_ROW, .step = step, .size = size};
    send_frame(trace.options->output_fd, &frame);
    for (uint32_t i = 0; i < trace.plan->buffer_count; i++)
        send_all(trace.options->output_fd, &trace.trees[i].root, sizeof(struct hash));
}

static void send_image(enum frame_kind kind, uint64_t step)
{
    const struct frame frame = {
        .kind = kind, .step = step, .size = image_pages(trace.plan) * IMAGE_PAGE_BYTES};
    send_frame(trace.options->output_fd, &frame);
    for (uint32_t i = 0; i < trace.plan->buffer_count; i++) {
        const struct tree *t = &trace.trees[i];
        send_all(trace.options->output_fd, t->memory, t->pages * IMAGE_PAGE_BYTES);
    }
}

static void send_what_is_due(uint64_t step)
{
    const struct runner_options *o = trace.options;
    if (trace.plan->trace) send_row(step);
    if (trace.dumped < o->dump_count && o->dumps[trace.dumped] == step) {
        send_image(FRAME_IMAGE, step);
        trace.dumped++;
    }
    uint64_t every_ms = (uint64_t)o->checkpoint_seconds * 1000;
    if (o->checkpoint_seconds < 0 || step == 0 || step == o->resume_step) return;
    if (now_ms() - trace.kept_ms < every_ms) return;
    send_image(FRAME_CHECKPOINT, step);
    trace.kept_ms = now_ms();
}

/* ---- the way in ------------------------------------------------------------------------------ */

/* Without a trace: only floats can hold a NaN inside, only first and last page are not all content.
 */
static void make_canonical(const struct tree *t)
{
    bool whole = t->buffer->type != PLAN_TYPE_NONE;
    for (uint64_t page = 0; page < t->pages; page++) {
        if (!whole && page != 0 && page + 1 != t->pages) continue;
        image_make_canonical(t->buffer, page, t->memory + page * IMAGE_PAGE_BYTES);
    }
}

void trace_start(const struct runner_options *options, const struct plan *plan, char *const *memory)
{
    trace.options = options;
    trace.plan = plan;
    trace.kept_ms = now_ms();
    if (!image_is_kept(plan)) return;
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        const struct plan_buffer *b = &plan->buffers[i];
        struct tree *t = &trace.trees[i];
        t->buffer = b;
        t->memory = (uint8_t *)memory[i] - image_offset_of(b);
        t->pages = image_pages_of(b);
        assert((uintptr_t)t->memory % IMAGE_PAGE_BYTES == 0);
        if (plan->trace) plant(t);
        if (!plan->trace) make_canonical(t);
    }
    send_what_is_due(options->resume_step);
}

void trace_step(const struct plan_launch *launch, uint64_t step)
{
    if (!image_is_kept(trace.plan)) return;
    for (uint32_t i = 0; i < trace.plan->buffer_count; i++) {
        if (!image_launch_has(launch, i)) continue;
        if (trace.plan->trace) look_at_buffer(&trace.trees[i]);
        if (!trace.plan->trace) make_canonical(&trace.trees[i]);
    }
    send_what_is_due(step);
}
