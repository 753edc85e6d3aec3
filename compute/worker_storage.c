#include "compute/worker_storage.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "compute/blobs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB (1024.0 * 1024.0)

static int by_job(const void *a, const void *b)
{
    const struct blob_info *left = a, *right = b;
    return left->key.job < right->key.job ? -1 : left->key.job > right->key.job;
}

static void print_all(FILE *out, struct blobs *blobs)
{
    struct blob_info *all = must_alloc(BLOBS_MAX * sizeof *all);
    size_t count = blobs_list(blobs, all, BLOBS_MAX);
    qsort(all, count, sizeof *all, by_job);
    if (count > 0) fprintf(out, "%8s  %-18s  %10s  state\n", "job", "root", "MiB");
    for (size_t i = 0; i < count; i++) {
        char root[67];
        const struct blob_state *s = &all[i].state;
        hash_to_text(root, &all[i].key.root);
        fprintf(out, "%8" PRIu64 "  %.18s  %10.1f  %s\n", all[i].key.job, root,
                (double)s->size / MIB, s->whole ? "whole" : "arriving");
    }
    free(all);
}

enum status worker_storage_print(FILE *out, const struct worker_config *config)
{
    char path[PATH_MAX];
    struct blobs *blobs;
    if (snprintf(path, sizeof path, "%s/blobs", config->data_dir) >= (int)sizeof path) return E_IO;
    if (access(path, R_OK) != 0) return E_NOT_FOUND;
    enum status status = blobs_open(&blobs, path, config->blob_mib << 20);
    if (status != OK) return status;
    print_all(out, blobs);
    fprintf(out, "%.1f of %" PRIu64 " MiB\n", (double)blobs_used(blobs) / MIB, config->blob_mib);
    blobs_close(blobs);
    return OK;
}
