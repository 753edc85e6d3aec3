/* audit_talk.c - the auditor's talk with the runner.
 *
 * For each draw the block runs on image k: pages come from a mirror that is filled through `fetch`.
 * Each page that it wrote is compared: where it changed a byte, the byte must be image k+1's. Then
 * it runs once more on pages that hold, wherever the first run changed nothing, image k+1: so a
 * write of what was there already shows too when the provider claims something else. After it every
 * written page must be image k+1's in all its bytes. A block that reads nothing but what it writes
 * itself or what nobody writes in its launch does the same in both runs.
 *
 * Where that fails, blocks may have written to the same addresses in all honesty. Then the launch
 * is run as a whole, and what it wrote must be image k+1's. */
#include "compute/audit_session.h"

#include "base/fatal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

uint64_t audit_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

enum sandbox_next audit_conclude(struct session *s, enum audit_verdict verdict, const char *format,
                                 ...)
{
    va_list args;
    if (s->over) return TALK_ENOUGH;
    va_start(args, format);
    vsnprintf(s->result.why, sizeof s->result.why, format, args);
    va_end(args);
    s->over = true;
    s->result.verdict = verdict;
    if (s->start_ms != 0) s->result.blocks_ms = audit_now_ms() - s->start_ms;
    return TALK_ENOUGH;
}

static const struct audit_draw *draw_now(const struct session *s)
{
    assert(s->at < s->draw_count);
    return &s->draws[s->at];
}

/* ---- pages ----------------------------------------------------------------------------------- */

/* A page of an image of the trace, verified. False after a verdict, or when this machine failed. */
static bool get_page(struct session *s, const struct trace_page *at, uint8_t out[IMAGE_PAGE_BYTES])
{
    struct merkle_proof proof;
    if (at->image == 0) {
        s->io_failed = inputs_page(&s->inputs, at->buffer, at->page, out) != OK;
        return !s->io_failed;
    }
    uint64_t start = audit_now_ms();
    enum status status = s->options->fetch(s->options->context, at, out, &proof);
    const char *why = status_text(status);
    if (status == OK && !trace_verify(&s->trace, s->plan, at, out, &proof)) {
        status = E_MALFORMED;
        why = "is not the trace's";
    }
    s->result.page_count++;
    s->result.fetch_ms += audit_now_ms() - start;
    if (status == OK) return true;
    audit_conclude(s, AUDIT_UNSERVED, "page %" PRIu64 " of %s in image %" PRIu64 ": %s", at->page,
                   s->plan->buffers[at->buffer].name, at->image, why);
    return false;
}

/* As the block finds it, before the launch. NULL as get_page's false. */
static const uint8_t *page_before(struct session *s, uint32_t buffer, uint64_t page)
{
    struct mirror *m = &s->mirrors[buffer];
    uint8_t *bytes = m->pages + page * IMAGE_PAGE_BYTES;
    const struct trace_page at = {draw_now(s)->step, buffer, page};
    if (m->present[page]) return bytes;
    if (!get_page(s, &at, bytes)) return NULL;
    m->present[page] = 1;
    return bytes;
}

static bool same_roots(const struct session *s, uint64_t a, uint64_t b, uint32_t buffer)
{
    struct hash x = trace_buffer_root(&s->trace, a, buffer);
    struct hash y = trace_buffer_root(&s->trace, b, buffer);
    return hash_equal(&x, &y);
}

static bool page_after(struct session *s, uint32_t buffer, uint64_t page, const uint8_t *before,
                       uint8_t out[IMAGE_PAGE_BYTES])
{
    uint64_t step = draw_now(s)->step;
    const struct trace_page at = {step + 1, buffer, page};
    if (!same_roots(s, step, step + 1, buffer)) return get_page(s, &at, out);
    memcpy(out, before, IMAGE_PAGE_BYTES);
    return true;
}

static struct written *find_written(const struct session *s, uint32_t buffer, uint64_t page)
{
    for (size_t i = 0; i < s->written_count; i++) {
        struct written *w = s->written[i];
        if (w->buffer == buffer && w->page == page) return w;
    }
    return NULL;
}

void audit_forget_written(struct session *s)
{
    for (size_t i = 0; i < s->written_count; i++)
        free(s->written[i]);
    s->written_count = s->again_count = 0;
    s->overlaid = s->doubtful = false;
}

static bool page_exists(const struct session *s, uint32_t buffer, uint64_t page, uint64_t count)
{
    if (buffer >= s->plan->buffer_count) return false;
    uint64_t pages = s->mirrors[buffer].count;
    return page < pages && count >= 1 && count <= pages - page;
}

/* ---- what the runner says -------------------------------------------------------------------- */

static void say_run(struct session *s, struct buffer *reply, enum phase phase, uint64_t forget)
{
    const struct audit_draw *draw = draw_now(s);
    size_t overlays = phase == PHASE_AGAIN ? s->written_count : 0;
    const struct frame frame = {.kind = FRAME_RUN,
                                .step = draw->step,
                                .page = phase == PHASE_WHOLE ? IMAGE_ALL_BLOCKS : draw->block,
                                .count = forget,
                                .size = overlays * IMAGE_PAGE_BYTES};
    s->phase = phase;
    buffer_append(reply, bytes_of(&frame, sizeof frame));
    for (size_t i = 0; i < overlays; i++)
        buffer_append(reply, bytes_of(s->written[i]->base, IMAGE_PAGE_BYTES));
}

static enum sandbox_next on_want(struct session *s, struct buffer *reply)
{
    const struct frame *f = &s->frame;
    if (!page_exists(s, f->buffer, f->page, f->count) || f->count > IMAGE_WINDOW_PAGES) {
        return TALK_WRONG;
    }
    s->served += f->count;
    if (s->served > AUDIT_PAGES_MAX) {
        return audit_conclude(s, AUDIT_DIFFERS, "the blocks want more than %u pages",
                              AUDIT_PAGES_MAX);
    }
    const struct frame head = {.kind = FRAME_PAGES, .size = f->count * IMAGE_PAGE_BYTES};
    buffer_append(reply, bytes_of(&head, sizeof head));
    for (uint64_t i = 0; i < f->count; i++) {
        const uint8_t *bytes = page_before(s, f->buffer, f->page + i);
        if (bytes == NULL) return s->io_failed ? TALK_FAILED : TALK_ENOUGH;
        buffer_append(reply, bytes_of(bytes, IMAGE_PAGE_BYTES));
    }
    return TALK_ON;
}

/* One block alone proves little: what it writes, others may write too. */
static enum sandbox_next wrong_page(struct session *s)
{
    s->doubtful = true;
    if (s->phase != PHASE_WHOLE) return TALK_ON;
    return audit_conclude(s, AUDIT_DIFFERS,
                          "launch %" PRIu64 ": page %" PRIu64
                          " of %s is not what the launch makes of it",
                          draw_now(s)->step, s->frame.page, s->plan->buffers[s->frame.buffer].name);
}

/* After the first run: what the block changed must be as claimed; the rest is for the second. */
static enum sandbox_next compare_changes(struct session *s, struct written *w,
                                         const uint8_t *before)
{
    for (size_t i = 0; i < IMAGE_PAGE_BYTES; i++) {
        bool changed = s->body[i] != before[i];
        if (changed && s->body[i] != w->next[i]) return wrong_page(s);
        w->base[i] = changed ? before[i] : w->next[i];
    }
    if (memcmp(w->base, before, IMAGE_PAGE_BYTES) != 0) s->overlaid = true;
    return TALK_ON;
}

/* A page that this draw has not seen written: of the first run, or of a whole launch. */
static enum sandbox_next on_new_written(struct session *s)
{
    const struct frame *f = &s->frame;
    if (s->written_count == AUDIT_WRITTEN_MAX || find_written(s, f->buffer, f->page) != NULL) {
        return TALK_WRONG;
    }
    const uint8_t *before = page_before(s, f->buffer, f->page);
    if (before == NULL) return s->io_failed ? TALK_FAILED : TALK_ENOUGH;
    struct written *w = must_alloc(sizeof *w);
    w->buffer = f->buffer;
    w->page = f->page;
    s->written[s->written_count++] = w;
    if (!page_after(s, w->buffer, w->page, before, w->next)) {
        return s->io_failed ? TALK_FAILED : TALK_ENOUGH;
    }
    if (s->phase == PHASE_FIRST) return compare_changes(s, w, before);
    return memcmp(s->body, w->next, IMAGE_PAGE_BYTES) == 0 ? TALK_ON : wrong_page(s);
}

static enum sandbox_next on_written(struct session *s)
{
    if (s->doubtful) return TALK_ON; /* the launch will be run as a whole */
    if (s->phase != PHASE_AGAIN) return on_new_written(s);
    struct written *w = find_written(s, s->frame.buffer, s->frame.page);
    if (w == NULL || w->again || memcmp(s->body, w->next, IMAGE_PAGE_BYTES) != 0) {
        return wrong_page(s);
    }
    w->again = true;
    s->again_count++;
    return TALK_ON;
}

/* Which buffers are others in the next draw's image; their pages are of no use any more. */
static uint64_t move_on(struct session *s, uint64_t from, uint64_t to)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < s->plan->buffer_count; i++) {
        struct mirror *m = &s->mirrors[i];
        if (same_roots(s, from, to, i)) continue;
        mask |= 1ull << i;
        memset(m->present, 0, m->count);
        (void)madvise(m->pages, m->count * IMAGE_PAGE_BYTES, MADV_DONTNEED);
    }
    return mask;
}

/* A launch that was run as a whole needs no more of its blocks. */
static enum sandbox_next next_draw(struct session *s, struct buffer *reply)
{
    uint64_t step = draw_now(s)->step;
    bool whole = s->phase == PHASE_WHOLE;
    audit_forget_written(s);
    if (whole) s->result.launch_count++;
    do {
        s->result.block_count++;
        s->at++;
    } while (whole && s->at < s->draw_count && draw_now(s)->step == step);
    if (s->at == s->draw_count) return audit_conclude(s, AUDIT_CLEAN, "%s", "");
    say_run(s, reply, PHASE_FIRST, move_on(s, step, draw_now(s)->step));
    return TALK_ON;
}

static enum sandbox_next on_done(struct session *s, struct buffer *reply)
{
    if (s->phase == PHASE_AGAIN && s->again_count != s->written_count) s->doubtful = true;
    if (s->doubtful) {
        audit_forget_written(s);
        say_run(s, reply, PHASE_WHOLE, UINT64_MAX); /* it may hold pages of the second run */
        return TALK_ON;
    }
    if (s->phase == PHASE_FIRST && s->overlaid) {
        say_run(s, reply, PHASE_AGAIN, 0);
        return TALK_ON;
    }
    return next_draw(s, reply);
}

static enum sandbox_next on_ready(struct session *s, struct buffer *reply)
{
    if (s->start_ms != 0) return TALK_WRONG;
    s->start_ms = audit_now_ms();
    if (s->draw_count == 0) return audit_conclude(s, AUDIT_CLEAN, "%s", "");
    say_run(s, reply, PHASE_FIRST, 0);
    return TALK_ON;
}

static enum sandbox_next on_frame(struct session *s, struct buffer *reply)
{
    s->head_used = s->body_used = 0;
    if (s->frame.kind != FRAME_READY && s->start_ms == 0) return TALK_WRONG;
    switch (s->frame.kind) { /* a number from outside, not an enum */
    case FRAME_READY: return on_ready(s, reply);
    case FRAME_WANT: return on_want(s, reply);
    case FRAME_WROTE: return on_written(s);
    case FRAME_DONE: return on_done(s, reply);
    default: return TALK_WRONG;
    }
}

/* Only what was written has something after the frame: a page. */
static bool frame_fits(const struct session *s)
{
    if (s->frame.kind != FRAME_WROTE) return s->frame.size == 0;
    return s->frame.size == IMAGE_PAGE_BYTES && page_exists(s, s->frame.buffer, s->frame.page, 1);
}

enum sandbox_next audit_hear(void *session, struct buffer *reply, struct bytes said)
{
    struct session *s = session;
    enum sandbox_next next = TALK_ON;
    while (said.size > 0 && next == TALK_ON && !s->over) {
        bool in_head = s->head_used < sizeof s->frame;
        uint8_t *to = in_head ? (uint8_t *)&s->frame + s->head_used : s->body + s->body_used;
        size_t *used = in_head ? &s->head_used : &s->body_used;
        size_t room = in_head ? sizeof s->frame - *used : sizeof s->body - *used;
        size_t take = said.size < room ? said.size : room;
        memcpy(to, said.data, take);
        *used += take;
        said = bytes_slice(said, take, said.size - take);
        if (in_head && *used == sizeof s->frame && !frame_fits(s)) return TALK_WRONG;
        if (s->head_used == sizeof s->frame && s->body_used == s->frame.size) {
            next = on_frame(s, reply);
        }
    }
    return s->over ? TALK_ENOUGH : next;
}
