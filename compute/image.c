#include "compute/image.h"

#include <assert.h>
#include <string.h>

static_assert(JOB_BUFFERS_MAX <= 64, "a mask of buffers is 64 bits");

static uint64_t even_size(const struct plan_buffer *buffer)
{
    return (buffer->size_bytes + 15) & ~15ull;
}

uint64_t image_pages_of(const struct plan_buffer *buffer)
{
    return (buffer->size_bytes + IMAGE_PAGE_BYTES - 1) / IMAGE_PAGE_BYTES;
}

uint64_t image_offset_of(const struct plan_buffer *buffer)
{
    return image_pages_of(buffer) * IMAGE_PAGE_BYTES - even_size(buffer);
}

uint64_t image_pages(const struct plan *plan)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < plan->buffer_count; i++)
        sum += image_pages_of(&plan->buffers[i]);
    return sum;
}

/* One NaN for all machines: positive, quiet, no payload. */
static void one_nan_f32(uint32_t *words, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if ((words[i] & 0x7fffffffu) > 0x7f800000u) words[i] = 0x7fc00000u;
    }
}

static void one_nan_f64(uint64_t *words, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if ((words[i] & 0x7fffffffffffffffull) > 0x7ff0000000000000ull) {
            words[i] = 0x7ff8000000000000ull;
        }
    }
}

void image_one_nan(enum plan_type type, void *content, uint64_t size_bytes)
{
    assert(content != NULL);
    switch (type) {
    case PLAN_TYPE_NONE: break;
    case PLAN_TYPE_F32: one_nan_f32(content, size_bytes / 4); break;
    case PLAN_TYPE_F64: one_nan_f64(content, size_bytes / 8); break;
    }
}

void image_make_canonical(const struct plan_buffer *buffer, uint64_t page,
                          uint8_t bytes[IMAGE_PAGE_BYTES])
{
    uint64_t pages = image_pages_of(buffer);
    size_t start = page == 0 ? (size_t)image_offset_of(buffer) : 0;
    size_t end = IMAGE_PAGE_BYTES;
    assert(page < pages);
    if (page + 1 == pages) end -= (size_t)(even_size(buffer) - buffer->size_bytes);
    assert(start < end);
    memset(bytes, 0, start);
    memset(bytes + end, 0, IMAGE_PAGE_BYTES - end);
    image_one_nan(buffer->type, bytes + start, end - start);
}

uint64_t image_steps(const struct plan *plan)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < plan->group_count; i++)
        sum += (uint64_t)plan->groups[i].repeat * plan->groups[i].count;
    return sum;
}

struct image_step image_step_at(const struct plan *plan, uint64_t step)
{
    uint32_t i = 0;
    assert(step < image_steps(plan));
    const struct plan_group *group = plan->groups;
    while (step >= (uint64_t)group->repeat * group->count) {
        step -= (uint64_t)group->repeat * group->count;
        group = &plan->groups[++i];
    }
    return (struct image_step){&plan->launches[group->first + step % group->count],
                               (uint32_t)(step / group->count)};
}

uint64_t image_blocks_of(const struct plan_launch *launch)
{
    return (uint64_t)launch->grid[0] * launch->grid[1] * launch->grid[2];
}

bool image_launch_has(const struct plan_launch *launch, uint32_t buffer)
{
    for (uint32_t i = 0; i < launch->arg_count; i++) {
        const struct plan_arg *arg = &launch->args[i];
        if (arg->kind == PLAN_ARG_BUFFER && arg->bits == buffer) return true;
    }
    return false;
}

bool image_is_kept(const struct plan *plan)
{
    return plan->trace || plan->checkpoint_seconds != 0;
}
