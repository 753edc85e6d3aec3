#include "compute/run_keep.h"

#include "base/file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum status say(char *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status say(char *error, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, RUN_ERROR_SIZE, format, args);
    va_end(args);
    return status;
}

static enum status check_dumps(const struct run_keeper *k, char *error)
{
    const struct run_keep *w = k->wish;
    uint64_t steps = image_steps(k->plan);
    uint64_t each = image_pages(k->plan) * IMAGE_PAGE_BYTES;
    if (w->dump_count == 0) return OK;
    if (!k->plan->trace) return say(error, E_RANGE, "the job has no trace, so no images");
    if (w->resume_path != NULL) return say(error, E_RANGE, "images want a run from the start");
    if (w->dump_count > TRACE_DUMPS_MAX) {
        return say(error, E_LIMIT, "%" PRIu32 " images are more than %u", w->dump_count,
                   TRACE_DUMPS_MAX);
    }
    if (w->dump_bytes_max != 0 && each > w->dump_bytes_max / w->dump_count) {
        return say(error, E_LIMIT, "%" PRIu32 " images of %" PRIu64 " bytes are more than %" PRIu64,
                   w->dump_count, each, w->dump_bytes_max);
    }
    for (uint32_t i = 0; i < w->dump_count; i++) {
        if (w->dump_images[i] > steps || (i > 0 && w->dump_images[i] <= w->dump_images[i - 1])) {
            return say(error, E_RANGE, "image %" PRIu64 " is out of order, or above %" PRIu64,
                       w->dump_images[i], steps);
        }
    }
    return OK;
}

static enum status open_checkpoint(struct run_keeper *k, char *error)
{
    char what[CHECKPOINT_ERROR_SIZE];
    struct checkpoint from;
    struct buffer rows = {0};
    if (k->wish->resume_path == NULL) return OK;
    struct checkpoint_source source = {k->wish->resume_path, k->plan, &k->bundle};
    enum status status = checkpoint_open(&k->resume_fd, &from, &rows, what, &source);
    if (status != OK) return say(error, status, "%s", what);
    k->resume_step = from.step;
    size_t row = k->plan->trace ? k->plan->buffer_count * sizeof(struct hash) : 0;
    buffer_append(&k->rows, bytes_slice(buffer_bytes(&rows), 0, rows.size - row));
    buffer_finish(&rows);
    return OK;
}

static void add(struct run_keeper *k, const char *option, const char *value)
{
    assert(k->arg_count + 2 < KEEPING_ARGS_MAX);
    k->args[k->arg_count++] = option;
    k->args[k->arg_count++] = value;
}

static bool wants_checkpoints(const struct run_keeper *k)
{
    return k->wish->checkpoint_path != NULL && k->plan->checkpoint_seconds != 0;
}

static uint32_t gap_seconds(const struct run_keeper *k)
{
    return k->wish->checkpoint_always ? 0 : k->plan->checkpoint_seconds;
}

static void make_args(struct run_keeper *k)
{
    size_t used = 0;
    if (wants_checkpoints(k)) {
        snprintf(k->seconds, sizeof k->seconds, "%" PRIu32, gap_seconds(k));
        add(k, "--checkpoint", k->seconds);
    }
    if (k->resume_fd != 0) {
        snprintf(k->step, sizeof k->step, "%" PRIu64, k->resume_step);
        add(k, "--resume", k->step);
    }
    for (uint32_t i = 0; i < k->wish->dump_count; i++) {
        used += (size_t)snprintf(k->dumps + used, sizeof k->dumps - used, "%s%" PRIu64,
                                 i == 0 ? "" : ",", k->wish->dump_images[i]);
        assert(used < sizeof k->dumps);
    }
    if (used > 0) add(k, "--dump", k->dumps);
}

enum status run_keeper_open(struct run_keeper *k, char error[RUN_ERROR_SIZE],
                            const struct run_keep *wish, const struct plan *plan,
                            const struct hash *bundle, int outputs_fd)
{
    static const struct run_keep NOTHING = {0};
    *k = (struct run_keeper){
        .wish = wish == NULL ? &NOTHING : wish, .plan = plan, .bundle = *bundle};
    k->listener.dump_fd = -1;
    enum status status = check_dumps(k, error);
    if (status == OK) status = open_checkpoint(k, error);
    if (status != OK) return status;
    make_args(k);
    const struct listener_spec spec = {.plan = plan,
                                       .bundle = &k->bundle,
                                       .outputs_fd = outputs_fd,
                                       .checkpoint_path =
                                           wants_checkpoints(k) ? k->wish->checkpoint_path : NULL,
                                       .checkpoint_gap_ms = (uint64_t)gap_seconds(k) * 1000,
                                       .dump_folder = k->wish->dump_folder,
                                       .dump_steps = k->wish->dump_images,
                                       .dump_count = k->wish->dump_count,
                                       .resume_step = k->resume_step,
                                       .rows_until = buffer_bytes(&k->rows)};
    listener_init(&k->listener, &spec);
    return OK;
}

void run_keeper_spec(struct run_keeper *k, struct sandbox_spec *spec)
{
    spec->more_args = k->args;
    spec->input_fd = k->resume_fd;
    if (!k->plan->trace && !wants_checkpoints(k)) return; /* nothing but outputs will come */
    spec->talk = listener_hear;
    spec->context = &k->listener;
}

enum status run_keeper_end(struct run_keeper *k, struct run_result *result)
{
    assert(result->reason == REASON_OK);
    if (!k->plan->trace && !wants_checkpoints(k)) return OK;
    if (!listener_is_whole(&k->listener)) {
        result->reason = REASON_NO_OUTPUT;
        snprintf(result->message, sizeof result->message, "%s", reason_text(REASON_NO_OUTPUT));
        return OK;
    }
    if (!k->plan->trace) return OK;
    struct bytes list = buffer_bytes(&k->listener.rows);
    assert(list.size == trace_list_bytes(k->plan));
    result->trace = merkle_root(list);
    if (k->wish->trace_path == NULL) return OK;
    return file_write_atomic(k->wish->trace_path, list, 0600);
}

void run_keeper_close(struct run_keeper *k)
{
    if (k->plan == NULL) return;
    listener_finish(&k->listener);
    if (k->resume_fd > 0) close(k->resume_fd);
    buffer_finish(&k->rows);
    *k = (struct run_keeper){0};
}
