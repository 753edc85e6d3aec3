#include "compute/image_store.h"

#include "base/fatal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct stored {
    uint64_t image;
    uint8_t *bytes;
    struct merkle_tree *trees[JOB_BUFFERS_MAX]; /* NULL until asked for */
};

struct image_store {
    char folder[PATH_MAX];
    const struct plan *plan;
    uint64_t size; /* of an image */
    size_t count;
    struct stored *images[TRACE_DUMPS_MAX];
};

struct image_store *image_store_open(const char *folder, const struct plan *plan)
{
    struct image_store *store = must_alloc(sizeof *store);
    assert(strlen(folder) < sizeof store->folder);
    snprintf(store->folder, sizeof store->folder, "%s", folder);
    store->plan = plan;
    store->size = image_pages(plan) * IMAGE_PAGE_BYTES;
    return store;
}

void image_store_close(struct image_store *store)
{
    if (store == NULL) return;
    for (size_t i = 0; i < store->count; i++) {
        struct stored *s = store->images[i];
        munmap(s->bytes, store->size);
        for (size_t b = 0; b < JOB_BUFFERS_MAX; b++)
            merkle_tree_destroy(s->trees[b]);
        free(s);
    }
    free(store);
}

static enum status map_image(uint8_t **out, const struct image_store *store, uint64_t image)
{
    char path[PATH_MAX + 32];
    struct stat s;
    snprintf(path, sizeof path, "%s/image-%" PRIu64, store->folder, image);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT ? E_NOT_FOUND : E_IO;
    enum status status = fstat(fd, &s) == 0 ? OK : E_IO;
    if (status == OK && (uint64_t)s.st_size != store->size) status = E_MALFORMED;
    void *at = MAP_FAILED;
    if (status == OK) at = mmap(NULL, store->size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (status != OK) return status;
    if (at == MAP_FAILED) return E_IO;
    *out = at;
    return OK;
}

static enum status find_image(struct stored **out, struct image_store *store, uint64_t image)
{
    uint8_t *bytes;
    for (size_t i = 0; i < store->count; i++) {
        if (store->images[i]->image != image) continue;
        *out = store->images[i];
        return OK;
    }
    if (store->count == TRACE_DUMPS_MAX) return E_LIMIT;
    enum status status = map_image(&bytes, store, image);
    if (status != OK) return status;
    struct stored *s = must_alloc(sizeof *s);
    *s = (struct stored){.image = image, .bytes = bytes};
    store->images[store->count++] = s;
    *out = s;
    return OK;
}

enum status image_store_page(struct image_store *store, const struct trace_page *at,
                             uint8_t out[IMAGE_PAGE_BYTES], struct merkle_proof *proof)
{
    const struct plan *plan = store->plan;
    struct stored *s;
    uint64_t first = 0;
    if (at->buffer >= plan->buffer_count ||
        at->page >= image_pages_of(&plan->buffers[at->buffer])) {
        return E_RANGE;
    }
    enum status status = find_image(&s, store, at->image);
    if (status != OK) return status;
    for (uint32_t i = 0; i < at->buffer; i++)
        first += image_pages_of(&plan->buffers[i]);
    const uint8_t *buffer = s->bytes + first * IMAGE_PAGE_BYTES;
    uint64_t size = image_pages_of(&plan->buffers[at->buffer]) * IMAGE_PAGE_BYTES;
    if (s->trees[at->buffer] == NULL) {
        s->trees[at->buffer] = merkle_tree_create(bytes_of(buffer, size));
    }
    merkle_tree_prove(proof, s->trees[at->buffer], at->page);
    memcpy(out, buffer + at->page * IMAGE_PAGE_BYTES, IMAGE_PAGE_BYTES);
    return OK;
}
