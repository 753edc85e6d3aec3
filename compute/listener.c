#include "compute/listener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void listener_init(struct listener *l, const struct listener_spec *spec)
{
    const struct plan *plan = spec->plan;
    *l = (struct listener){.spec = *spec, .dump_fd = -1, .kept_step = spec->resume_step};
    assert(spec->dump_count == 0 || plan->trace);
    assert(!plan->trace ||
           spec->rows_until.size == spec->resume_step * plan->buffer_count * sizeof(struct hash));
    if (plan->trace) buffer_append(&l->rows, spec->rows_until);
}

void listener_finish(struct listener *l)
{
    if (l->dump_fd >= 0) close(l->dump_fd);
    l->dump_fd = -1;
    checkpoint_abandon(&l->writer);
    buffer_finish(&l->rows);
}

static uint64_t image_bytes(const struct listener *l)
{
    return image_pages(l->spec.plan) * IMAGE_PAGE_BYTES;
}

/* The last row that came is that of `step`; without a trace there are none to come. */
static bool row_is_there(const struct listener *l, uint64_t step)
{
    const struct plan *plan = l->spec.plan;
    return !plan->trace || l->rows.size == (step + 1) * plan->buffer_count * sizeof(struct hash);
}

bool listener_is_whole(const struct listener *l)
{
    return l->ended && l->dumped == l->spec.dump_count &&
           row_is_there(l, image_steps(l->spec.plan));
}

/* ---- a frame begins -------------------------------------------------------------------------- */

static enum sandbox_next begin_row(const struct listener *l)
{
    const struct plan *plan = l->spec.plan;
    uint64_t row = plan->buffer_count * sizeof(struct hash);
    bool good = plan->trace && l->frame.size == row && l->frame.step <= image_steps(plan) &&
                l->rows.size == l->frame.step * row;
    return good ? TALK_ON : TALK_WRONG;
}

static enum sandbox_next begin_dump(struct listener *l)
{
    char path[PATH_MAX];
    const struct listener_spec *s = &l->spec;
    if (l->dumped == s->dump_count || s->dump_steps[l->dumped] != l->frame.step ||
        !row_is_there(l, l->frame.step) || l->frame.size != image_bytes(l)) {
        return TALK_WRONG;
    }
    int size = snprintf(path, sizeof path, "%s/image-%" PRIu64, s->dump_folder, l->frame.step);
    if (size < 0 || size >= (int)sizeof path) return TALK_FAILED;
    l->dump_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return l->dump_fd < 0 ? TALK_FAILED : TALK_ON;
}

static enum sandbox_next begin_checkpoint(struct listener *l)
{
    const struct listener_spec *s = &l->spec;
    uint64_t now = now_ms();
    if (s->checkpoint_path == NULL || l->frame.size != image_bytes(l) ||
        l->frame.step <= l->kept_step || l->frame.step > image_steps(s->plan) ||
        !row_is_there(l, l->frame.step)) {
        return TALK_WRONG;
    }
    l->kept_step = l->frame.step;
    if (now - l->kept_ms < s->checkpoint_gap_ms / 2) return TALK_ON; /* the disk's sake */
    l->kept_ms = now;
    enum status status = checkpoint_begin(&l->writer, s->checkpoint_path, s->bundle, l->frame.step,
                                          l->frame.size, buffer_bytes(&l->rows));
    return status == OK ? TALK_ON : TALK_FAILED;
}

static enum sandbox_next begin_outputs(const struct listener *l)
{
    const struct plan *plan = l->spec.plan;
    bool good = l->frame.size == plan_output_bytes(plan) && row_is_there(l, image_steps(plan)) &&
                l->dumped == l->spec.dump_count;
    return good ? TALK_ON : TALK_WRONG;
}

static enum sandbox_next begin_frame(struct listener *l)
{
    memcpy(&l->frame, l->head, sizeof l->frame);
    l->left = l->frame.size;
    if (l->ended || l->left == 0) return TALK_WRONG;
    switch (l->frame.kind) { /* a number from outside, not an enum */
    case FRAME_ROW: return begin_row(l);
    case FRAME_IMAGE: return begin_dump(l);
    case FRAME_CHECKPOINT: return begin_checkpoint(l);
    case FRAME_OUTPUTS: return begin_outputs(l);
    default: return TALK_WRONG;
    }
}

/* ---- its content, its end -------------------------------------------------------------------- */

static enum sandbox_next write_out(int fd, struct bytes what)
{
    while (what.size > 0) {
        ssize_t put = write(fd, what.data, what.size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return TALK_FAILED;
        what = bytes_slice(what, (size_t)put, what.size - (size_t)put);
    }
    return TALK_ON;
}

static enum sandbox_next take_content(struct listener *l, struct bytes what)
{
    l->left -= what.size;
    switch (l->frame.kind) {
    case FRAME_ROW: buffer_append(&l->rows, what); return TALK_ON;
    case FRAME_IMAGE: return write_out(l->dump_fd, what);
    case FRAME_CHECKPOINT:
        if (!l->writer.open) return TALK_ON;
        return checkpoint_add(&l->writer, what) == OK ? TALK_ON : TALK_FAILED;
    default: return write_out(l->spec.outputs_fd, what);
    }
}

static enum sandbox_next end_frame(struct listener *l)
{
    l->head_used = 0;
    if (l->frame.kind == FRAME_OUTPUTS) l->ended = true;
    if (l->frame.kind == FRAME_IMAGE) {
        int fd = l->dump_fd;
        l->dump_fd = -1;
        l->dumped++;
        return close(fd) == 0 ? TALK_ON : TALK_FAILED;
    }
    if (l->frame.kind == FRAME_CHECKPOINT && l->writer.open) {
        return checkpoint_commit(&l->writer) == OK ? TALK_ON : TALK_FAILED;
    }
    return TALK_ON;
}

enum sandbox_next listener_hear(void *listener, struct buffer *reply, struct bytes said)
{
    struct listener *l = listener;
    enum sandbox_next next = TALK_ON;
    (void)reply;
    while (said.size > 0 && next == TALK_ON) {
        bool in_head = l->head_used < sizeof l->head;
        uint64_t wanted = in_head ? sizeof l->head - l->head_used : l->left;
        size_t take = said.size < wanted ? said.size : (size_t)wanted;
        if (in_head) {
            memcpy(l->head + l->head_used, said.data, take);
            l->head_used += take;
            if (l->head_used == sizeof l->head) next = begin_frame(l);
        } else {
            next = take_content(l, bytes_slice(said, 0, take));
            if (next == TALK_ON && l->left == 0) next = end_frame(l);
        }
        said = bytes_slice(said, take, said.size - take);
    }
    return next;
}
