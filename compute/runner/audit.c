/* audit.c - single blocks on memory that comes page by page.
 *
 * No page of the buffers is there at first. A touch faults; the handler asks the trusted side for
 * the page through the output pipe, reads it from the input pipe and lets the block go on. A write,
 * at once or later, is a fault too: so what a block wrote, even if with the same values, is known
 * by its pages. They are sent when the block has ended. The trusted side may put other bytes into
 * them and run the block again; else they are forgotten. Pages that were only read stay for the
 * next block, unless the trusted side says that they are another image's.
 *
 * Pages are filled through a second mapping of the same memory, since changing protections is what
 * costs most. One thread. */
#include "compute/runner/runner.h"

#include "compute/image.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum page_state { PAGE_ABSENT, PAGE_READ, PAGE_WRITTEN };

struct range { /* a buffer's pages */
    const struct plan_buffer *buffer;
    char *memory; /* as the job sees it */
    char *window; /* the same, always open */
    uint64_t pages;
    uint8_t *state;
    uint64_t next;  /* the page that a reader in sequence wants next */
    uint64_t ahead; /* how many it gets at once */
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

static void open_window(struct range *r)
{
    size_t size = r->pages * IMAGE_PAGE_BYTES;
    void *at = mmap(r->memory, size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    void *state = mmap(NULL, r->pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || state == MAP_FAILED) {
        give_up(REASON_MEMORY, "no memory for the audit's pages");
    }
    void *window = mremap(r->memory, 0, size, MREMAP_MAYMOVE); /* of 0 bytes: a second mapping */
    if (window == MAP_FAILED) give_up(REASON_MEMORY, "no memory for the audit's pages");
    r->window = window;
    r->state = state;
}

void audit_start(const struct plan *plan, char *const *memory)
{
    audit.count = plan->buffer_count;
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        struct range *r = &audit.ranges[i];
        const struct plan_buffer *b = &plan->buffers[i];
        *r = (struct range){.buffer = b, .pages = image_pages_of(b), .ahead = 1};
        r->memory = memory[i] - image_offset_of(b);
        open_window(r);
        protect(r, 0, r->pages, PROT_NONE);
    }
}

/* More at once for who reads in sequence; never what is there already. */
static uint64_t count_ahead(struct range *r, uint64_t page)
{
    uint64_t count = 1;
    r->ahead = page == r->next ? r->ahead * 2 : 1;
    if (r->ahead > IMAGE_WINDOW_PAGES) r->ahead = IMAGE_WINDOW_PAGES;
    while (count < r->ahead && page + count < r->pages && r->state[page + count] == PAGE_ABSENT)
        count++;
    r->next = page + count;
    return count;
}

static void receive_pages(struct range *r, uint64_t page, uint64_t count)
{
    if (!receive_all(STDIN_FILENO, r->window + page * IMAGE_PAGE_BYTES, count * IMAGE_PAGE_BYTES)) {
        give_up(REASON_NO_OUTPUT, "the audit was ended from outside");
    }
}

static void get_pages(uint32_t number, uint64_t page, uint64_t count)
{
    struct range *r = &audit.ranges[number];
    struct frame frame = {.kind = FRAME_WANT, .buffer = number, .page = page, .count = count};
    send_frame(audit.output_fd, &frame);
    if (!receive_all(STDIN_FILENO, &frame, sizeof frame) || frame.kind != FRAME_PAGES ||
        frame.size != count * IMAGE_PAGE_BYTES) {
        give_up(REASON_NO_OUTPUT, "the audit was ended from outside");
    }
    receive_pages(r, page, count);
}

static void let_read(uint32_t number, uint64_t page)
{
    struct range *r = &audit.ranges[number];
    uint64_t count = count_ahead(r, page);
    get_pages(number, page, count);
    protect(r, page, count, PROT_READ);
    memset(r->state + page, PAGE_READ, count);
}

static void let_write(uint32_t number, uint64_t page)
{
    struct range *r = &audit.ranges[number];
    if (audit.written_count == AUDIT_WRITTEN_MAX) {
        give_up(REASON_OUTPUT, "a block writes to more than %u pages", AUDIT_WRITTEN_MAX);
    }
    if (r->state[page] == PAGE_ABSENT) get_pages(number, page, 1);
    audit.written[audit.written_count++] = (struct place){number, page};
    protect(r, page, 1, PROT_READ | PROT_WRITE);
    r->state[page] = PAGE_WRITTEN;
}

bool audit_serve(const void *address, bool writes)
{
    if (!audit.running) return false;
    int saved = errno;
    for (uint32_t i = 0; i < audit.count; i++) {
        struct range *r = &audit.ranges[i];
        uintptr_t offset = (uintptr_t)address - (uintptr_t)r->memory;
        if ((uintptr_t)address < (uintptr_t)r->memory) continue;
        uint64_t page = offset / IMAGE_PAGE_BYTES;
        if (page >= r->pages || r->state[page] == PAGE_WRITTEN) continue;
        if (writes || r->state[page] == PAGE_READ) {
            let_write(i, page);
        } else {
            let_read(i, page);
        }
        errno = saved;
        return true;
    }
    return false;
}

/* ---- between blocks -------------------------------------------------------------------------- */

static void forget_written(void)
{
    for (uint32_t i = 0; i < audit.written_count; i++) {
        const struct place *p = &audit.written[i];
        protect(&audit.ranges[p->buffer], p->page, 1, PROT_NONE);
        audit.ranges[p->buffer].state[p->page] = PAGE_ABSENT;
    }
    audit.written_count = 0;
}

/* Other bytes for the pages that were written, in the order in which they were sent. */
static void receive_written(uint64_t size)
{
    if (size != audit.written_count * (uint64_t)IMAGE_PAGE_BYTES) {
        give_up(REASON_NO_OUTPUT, "the audit sends other pages than were written");
    }
    for (uint32_t i = 0; i < audit.written_count; i++) {
        const struct place *p = &audit.written[i];
        receive_pages(&audit.ranges[p->buffer], p->page, 1);
    }
}

static void send_written(void)
{
    for (uint32_t i = 0; i < audit.written_count; i++) {
        const struct place *p = &audit.written[i];
        const struct range *r = &audit.ranges[p->buffer];
        uint8_t *bytes = (uint8_t *)r->window + p->page * IMAGE_PAGE_BYTES;
        const struct frame frame = {
            .kind = FRAME_WROTE, .buffer = p->buffer, .page = p->page, .size = IMAGE_PAGE_BYTES};
        image_make_canonical(r->buffer, p->page, bytes);
        send_frame(audit.output_fd, &frame);
        send_all(audit.output_fd, bytes, IMAGE_PAGE_BYTES);
    }
}

static void forget_buffers(uint64_t mask)
{
    for (uint32_t i = 0; i < audit.count; i++) {
        struct range *r = &audit.ranges[i];
        if ((mask >> i & 1) == 0) continue;
        protect(r, 0, r->pages, PROT_NONE);
        (void)madvise(r->window, r->pages * IMAGE_PAGE_BYTES, MADV_REMOVE);
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
        if (frame.size != 0) {
            receive_written(frame.size);
        } else {
            forget_written();
            forget_buffers(frame.count);
        }
        audit.running = true;
        run(context, frame.step, frame.page);
        audit.running = false;
        send_written();
        frame = (struct frame){.kind = FRAME_DONE};
        send_frame(output_fd, &frame);
    }
}
