#include "compute/audit_check.h"

#include "compute/page_hash.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum status inputs_open(struct inputs *in, const struct plan *plan, const char *folder)
{
    char path[PATH_MAX];
    in->plan = plan;
    in->count = plan->buffer_count;
    for (uint32_t i = 0; i < plan->buffer_count; i++)
        in->fds[i] = -1;
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        const struct plan_buffer *b = &plan->buffers[i];
        if (b->file[0] == '\0') continue;
        int size = snprintf(path, sizeof path, "%s/%s", folder, b->file);
        if (size < 0 || size >= (int)sizeof path) return E_IO;
        in->fds[i] = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (in->fds[i] < 0) return E_IO;
    }
    return OK;
}

void inputs_close(struct inputs *in)
{
    for (uint32_t i = 0; i < in->count; i++) {
        if (in->fds[i] >= 0) close(in->fds[i]);
    }
    in->count = 0;
}

/* A page of a buffer whose first `content` bytes are in the file and whose rest is zeros. */
static enum status page_of_file(int fd, const struct plan_buffer *b, uint64_t content,
                                uint64_t page, uint8_t out[IMAGE_PAGE_BYTES])
{
    uint64_t offset = image_offset_of(b);
    uint64_t first = page * IMAGE_PAGE_BYTES; /* of the image */
    uint64_t from = first < offset ? offset : first;
    uint64_t end = first + IMAGE_PAGE_BYTES;
    if (end > offset + content) end = offset + content;
    memset(out, 0, IMAGE_PAGE_BYTES);
    while (from < end) {
        ssize_t got = pread(fd, out + (from - first), end - from, (off_t)(from - offset));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return E_IO;
        from += (uint64_t)got;
    }
    image_make_canonical(b, page, out);
    return OK;
}

enum status inputs_page(const struct inputs *in, uint32_t buffer, uint64_t page,
                        uint8_t out[IMAGE_PAGE_BYTES])
{
    const struct plan_buffer *b = &in->plan->buffers[buffer];
    assert(page < image_pages_of(b));
    return page_of_file(in->fds[buffer], b, b->file_bytes, page, out);
}

static enum status root_of_file(struct hash *out, int fd, const struct plan_buffer *b,
                                uint64_t content)
{
    uint8_t page[IMAGE_PAGE_BYTES];
    struct merkle m;
    merkle_init(&m);
    for (uint64_t i = 0; i < image_pages_of(b); i++) {
        enum status status = page_of_file(fd, b, content, i, page);
        if (status != OK) return status;
        merkle_update(&m, bytes_of(page, sizeof page));
    }
    *out = merkle_finish(&m);
    return OK;
}

/* Of pages that are all zeros: subtrees of one size are all the same. */
static struct hash root_of_zeros(uint64_t pages)
{
    static const uint8_t ZEROS[IMAGE_PAGE_BYTES];
    struct hash level;
    struct merkle m;
    merkle_init(&m);
    m.leaf_count = pages;
    m.size_bytes = pages * IMAGE_PAGE_BYTES;
    page_hash_leaf(&level, ZEROS, sizeof ZEROS);
    for (size_t i = 0; pages >> i != 0; i++) {
        if (pages >> i & 1) m.pending[i] = level;
        page_hash_node(&level, &level, &level);
    }
    return merkle_finish(&m);
}

static bool differs(const struct trace *trace, uint64_t image, uint32_t buffer,
                    const struct hash *root)
{
    const struct hash said = trace_buffer_root(trace, image, buffer);
    return !hash_equal(&said, root);
}

enum status check_inputs(bool *holds, char why[AUDIT_WHY_SIZE], const struct inputs *in,
                         const struct trace *trace)
{
    *holds = true;
    for (uint32_t i = 0; i < in->plan->buffer_count && *holds; i++) {
        const struct plan_buffer *b = &in->plan->buffers[i];
        struct hash root = root_of_zeros(image_pages_of(b));
        enum status status = OK;
        if (in->fds[i] >= 0) status = root_of_file(&root, in->fds[i], b, b->file_bytes);
        if (status != OK) return status;
        if (!differs(trace, 0, i, &root)) continue;
        *holds = false;
        snprintf(why, AUDIT_WHY_SIZE, "the trace does not begin with the bundle's %s", b->name);
    }
    return OK;
}

bool check_untouched(char why[AUDIT_WHY_SIZE], uint64_t *step, const struct plan *plan,
                     const struct trace *trace)
{
    for (uint64_t i = 0; i < trace->step_count; i++) {
        const struct plan_launch *launch = image_step_at(plan, i).launch;
        for (uint32_t b = 0; b < plan->buffer_count; b++) {
            struct hash before = trace_buffer_root(trace, i, b);
            if (image_launch_has(launch, b) || !differs(trace, i + 1, b, &before)) continue;
            *step = i;
            snprintf(why, AUDIT_WHY_SIZE,
                     "launch %" PRIu64 " is not passed buffer %s, and yet the trace changes it", i,
                     plan->buffers[b].name);
            return false;
        }
    }
    return true;
}

static enum status root_of_output(struct hash *out, const char *folder, const struct plan_buffer *b)
{
    char path[PATH_MAX];
    struct stat s;
    int size = snprintf(path, sizeof path, "%s/%s", folder, b->name);
    if (size < 0 || size >= (int)sizeof path) return E_IO;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT ? E_NOT_FOUND : E_IO;
    enum status status = fstat(fd, &s) == 0 ? OK : E_IO;
    if (status == OK && (uint64_t)s.st_size != b->size_bytes) status = E_NOT_FOUND;
    if (status == OK) status = root_of_file(out, fd, b, b->size_bytes);
    close(fd);
    return status;
}

enum status check_result(bool *holds, char why[AUDIT_WHY_SIZE], const char *folder,
                         const struct plan *plan, const struct trace *trace)
{
    *holds = true;
    for (uint32_t i = 0; i < plan->buffer_count && *holds; i++) {
        struct hash root;
        if (!plan->buffers[i].output) continue;
        enum status status = root_of_output(&root, folder, &plan->buffers[i]);
        if (status == E_IO) return E_IO;
        *holds = status == OK && !differs(trace, trace->step_count, i, &root);
        if (*holds) continue;
        snprintf(why, AUDIT_WHY_SIZE, "the result's %s is not that of the trace's end",
                 plan->buffers[i].name);
    }
    return OK;
}
