#include "compute/worker_state.h"

#include "base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

/* A whole content as bytes, without reading it into memory. */
static enum status map_content(struct bytes *out, const char *path, uint64_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return E_IO;
    void *start = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (start == MAP_FAILED) return E_IO;
    *out = bytes_of(start, (size_t)size);
    return OK;
}

static struct bytes leaf_of(struct bytes content, uint64_t index)
{
    size_t offset = (size_t)index * MERKLE_LEAF_BYTES;
    size_t left = content.size - offset;
    return bytes_slice(content, offset, left < MERKLE_LEAF_BYTES ? left : MERKLE_LEAF_BYTES);
}

static enum status show_leaf(struct worker *w, const struct chain_demand *d)
{
    char path[PATH_MAX];
    struct bytes content;
    struct merkle_proof proof;
    if (d->leaf >= (d->size + MERKLE_LEAF_BYTES - 1) / MERKLE_LEAF_BYTES) return E_RANGE;
    struct blob_key key = {d->job, d->root};
    enum status status = blobs_path(w->blobs, path, &key);
    if (status == OK) status = map_content(&content, path, d->size);
    if (status != OK) return status;
    merkle_prove(&proof, content, d->leaf);
    status = chain_answer(&w->chain, d->id, leaf_of(content, d->leaf), &proof);
    munmap((void *)(uintptr_t)content.data, content.size);
    return status;
}

static void answer(struct worker *w, uint64_t id)
{
    struct chain_demand d;
    if (chain_find_demand(&w->chain, &d, id) != OK) return;
    if (!d.open || w->now_s > d.answer_by_s) return;
    enum status status = show_leaf(w, &d);
    w->look_again = true;
    if (status != OK) {
        log_error(WORKER_AREA,
                  "cannot show what was demanded demand=%" PRIu64 " job=%" PRIu64 " leaf=%" PRIu64
                  " status=%s: %s",
                  id, d.job, d.leaf, status_text(status), rpc_problem(w->rpc));
        return;
    }
    log_info(WORKER_AREA, "answered demand=%" PRIu64 " job=%" PRIu64 " leaf=%" PRIu64, id, d.job,
             d.leaf);
    if (chain_sweep(&w->chain, CONTRACT_CUSTODY) != OK) /* the bond that came with it */
        log_warn(WORKER_AREA, "cannot pay out to the owner: %s", rpc_problem(w->rpc));
}

void worker_answer_demands(struct worker *w)
{
    uint64_t ids[DEMANDS_MAX];
    size_t count = 0;
    if (w->fault == FAULT_WITHHOLD) return;
    if (chain_demands(&w->chain, ids, &count) != OK) {
        if (!worker_stopping(w))
            log_limited(LOG_WARN, WORKER_AREA, "cannot read demands: %s", rpc_problem(w->rpc));
        return;
    }
    for (size_t i = 0; i < count && !worker_stopping(w); i++)
        answer(w, ids[i]);
}
