/* audit.c - single blocks on memory that comes page by page.
 *
 * No page of the buffers is there at first. A touch faults; the handler asks the trusted side for
 * the page through the output pipe, reads it from the input pipe and lets the block go on. The
 * first write to a page faults once more: what a block wrote, even if with the same values, is
 * known by its pages. They are sent when the block has ended, and forgotten. Pages that were only
 * read stay for the next block, unless the trusted side says that they are another image's. One
 * thread. */
#include "compute/runner/runner.h"

#include "compute/image.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum page_state { PAGE_ABSENT, PAGE_READ, PAGE_WRITTEN };

struct range { /* a buffer's pages */
    const struct plan_buffer *buffer;
    char *memory;
    uint64_t pages;
    uint8_t *state;
    uint64_t next; /* the page that a reader in sequence wants next */
    uint64_t window;
};

struct place {
    uint32_t buffer;
    uint64_t page;
};

struct audit {
    bool running;
    int output_fd;
    uint32_t count;
    struct range ranges[JOB_BUFFERS_MAX];
    uint32_t written_count;
    struct place written[AUDIT_WRITTEN_MAX];
};

static struct audit audit; /* one job a process */

static void protect(const struct range *r, uint64_t page, uint64_t count, int protection)
{
    char *at = r->memory + page * IMAGE_PAGE_BYTES;
    if (mprotect(at, count * IMAGE_PAGE_BYTES, protection) != 0) {
        give_up(REASON_MEMORY, "the pages that a block touches are too scattered");
    }
}

void audit_start(const struct plan *plan, char *const *memory)
{
    audit.count = plan->buffer_count;
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        struct range *r = &audit.ranges[i];
        const struct plan_buffer *b = &plan->buffers[i];
        *r = (struct range){b, memory[i] - image_offset_of(b), image_pages_of(b), NULL, 0, 1};
        void *state =
            mmap(NULL, r->pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (state == MAP_FAILED) give_up(REASON_MEMORY, "no memory for the audit's pages");
        r->state = state;
        (void)madvise(r->memory, r->pages * IMAGE_PAGE_BYTES, MADV_NOHUGEPAGE);
        protect(r, 0, r->pages, PROT_NONE);
    }
}

/* More at once for who reads in sequence; never what is there already. */
static uint64_t window_at(struct range *r, uint64_t page)
{
    uint64_t count = 1;
    r->window = page == r->next ? r->window * 2 : 1;
    if (r->window > IMAGE_WINDOW_PAGES) r->window = IMAGE_WINDOW_PAGES;
    while (count < r->window && page + count < r->pages && r->state[page + count] == PAGE_ABSENT)
        count++;
    r->next = page + count;
    return count;
}

static void get_pages(uint32_t number, uint64_t page)
{
    struct range *r = &audit.ranges[number];
    uint64_t count = window_at(r, page);
    struct frame frame = {.kind = FRAME_WANT, .buffer = number, .page = page, .count = count};
    send_frame(audit.output_fd, &frame);
    protect(r, page, count, PROT_READ | PROT_WRITE);
    if (!receive_all(STDIN_FILENO, &frame, sizeof frame) || frame.kind != FRAME_PAGES ||
        frame.size != count * IMAGE_PAGE_BYTES ||
        !receive_all(STDIN_FILENO, r->memory + page * IMAGE_PAGE_BYTES, frame.size)) {
        give_up(REASON_NO_OUTPUT, "the audit was ended from outside");
    }
    protect(r, page, count, PROT_READ);
    memset(r->state + page, PAGE_READ, count);
}

static void let_write(uint32_t number, uint64_t page)
{
    struct range *r = &audit.ranges[number];
    if (audit.written_count == AUDIT_WRITTEN_MAX) {
        give_up(REASON_OUTPUT, "a block writes to more than %u pages", AUDIT_WRITTEN_MAX);
    }
    audit.written[audit.written_count++] = (struct place){number, page};
    protect(r, page, 1, PROT_READ | PROT_WRITE);
    r->state[page] = PAGE_WRITTEN;
}

bool audit_serve(const void *address)
{
    if (!audit.running) return false;
    int saved = errno;
    for (uint32_t i = 0; i < audit.count; i++) {
        struct range *r = &audit.ranges[i];
        uintptr_t offset = (uintptr_t)address - (uintptr_t)r->memory;
        if ((uintptr_t)address < (uintptr_t)r->memory) continue;
        uint64_t page = offset / IMAGE_PAGE_BYTES;
        if (page >= r->pages || r->state[page] == PAGE_WRITTEN) continue;
        if (r->state[page] == PAGE_ABSENT) {
            get_pages(i, page);
        } else {
            let_write(i, page); /* it could be read: so it was written */
        }
        errno = saved;
        return true;
    }
    return false;
}

static void forget_page(const struct place *place)
{
    struct range *r = &audit.ranges[place->buffer];
    protect(r, place->page, 1, PROT_NONE);
    r->state[place->page] = PAGE_ABSENT;
}

static void send_written(void)
{
    for (uint32_t i = 0; i < audit.written_count; i++) {
        const struct place *p = &audit.written[i];
        const struct range *r = &audit.ranges[p->buffer];
        uint8_t *bytes = (uint8_t *)r->memory + p->page * IMAGE_PAGE_BYTES;
        const struct frame frame = {
            .kind = FRAME_WROTE, .buffer = p->buffer, .page = p->page, .size = IMAGE_PAGE_BYTES};
        image_make_canonical(r->buffer, p->page, bytes);
        send_frame(audit.output_fd, &frame);
        send_all(audit.output_fd, bytes, IMAGE_PAGE_BYTES);
        forget_page(p);
    }
    audit.written_count = 0;
}

static void forget_buffers(uint64_t mask)
{
    for (uint32_t i = 0; i < audit.count; i++) {
        struct range *r = &audit.ranges[i];
        if ((mask >> i & 1) == 0) continue;
        protect(r, 0, r->pages, PROT_NONE);
        (void)madvise(r->memory, r->pages * IMAGE_PAGE_BYTES, MADV_DONTNEED);
        memset(r->state, PAGE_ABSENT, r->pages);
        r->next = 0;
    }
}

void audit_loop(int output_fd, audit_run_block *run, void *context)
{
    struct frame frame = {.kind = FRAME_READY};
    audit.output_fd = output_fd;
    send_frame(output_fd, &frame);
    while (receive_all(STDIN_FILENO, &frame, sizeof frame)) {
        if (frame.kind != FRAME_RUN) give_up(REASON_NO_OUTPUT, "the audit asks for no block");
        forget_buffers(frame.count);
        assert(audit.written_count == 0);
        audit.running = true;
        run(context, frame.step, frame.page);
        audit.running = false;
        send_written();
        frame = (struct frame){.kind = FRAME_DONE};
        send_frame(output_fd, &frame);
    }
}
