/* worker_gpus.c - leasehold-worker gpus: what of this machine can run jobs, and how fast. */
#include "compute/worker_gpus.h"

#include "base/json.h"
#include "compute/gpu_speed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct row {
    const char *name;
    const struct gpu *gpu; /* NULL: the processor */
    double gflops;         /* 0: not measured */
    char error[RUN_ERROR_SIZE];
};

static void measure(struct row *row, const char *runner)
{
    if (gpu_speed(&row->gflops, row->error, row->gpu, runner) != OK) row->gflops = 0;
}

static void print_people(const struct row *row, long cores)
{
    char speed[64] = "not measured";
    if (row->gflops > 0) snprintf(speed, sizeof speed, "%.0f GFLOP/s", row->gflops);
    if (row->gpu == NULL) {
        printf("cpu   %ld cores   %s\n", cores, speed);
    } else {
        printf("gpu %u %s   %u MiB   capability %u.%u   driver %s   %s\n", row->gpu->index,
               row->gpu->model, row->gpu->vram_mib, row->gpu->capability / 10,
               row->gpu->capability % 10, row->gpu->driver, speed);
    }
    if (row->gflops <= 0) printf("      %s\n", row->error);
}

static json_t *row_to_json(const struct row *row, long cores)
{
    json_t *o =
        json_pack("{s:f,s:s}", "gflops", row->gflops, "error", row->gflops > 0 ? "" : row->error);
    const struct gpu *g = row->gpu;
    if (g == NULL) {
        json_object_set_new(o, "cores", json_integer(cores));
        return o;
    }
    char capability[16];
    snprintf(capability, sizeof capability, "%u.%u", g->capability / 10, g->capability % 10);
    json_object_set_new(o, "index", json_integer(g->index));
    json_object_set_new(o, "model", json_string(g->model));
    json_object_set_new(o, "uuid", json_string(g->uuid));
    json_object_set_new(o, "vramMib", json_integer(g->vram_mib));
    json_object_set_new(o, "capability", json_string(capability));
    json_object_set_new(o, "driver", json_string(g->driver));
    return o;
}

static void print_json_rows(const struct row *rows, size_t count, long cores, const char *why)
{
    json_t *cards = json_array();
    for (size_t i = 1; i < count; i++)
        json_array_append_new(cards, row_to_json(&rows[i], cores));
    json_t *all = json_pack("{s:o,s:o,s:s}", "cpu", row_to_json(&rows[0], cores), "gpus", cards,
                            "noGpus", count > 1 ? "" : why);
    json_dumpf(all, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(all);
}

bool worker_gpus_print(const char *runner, bool json)
{
    static struct gpus gpus;
    static struct row rows[GPUS_MAX + 1];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    gpus_find(&gpus);
    for (size_t i = 0; i <= gpus.count; i++) {
        rows[i].gpu = i == 0 ? NULL : &gpus.cards[i - 1];
        measure(&rows[i], runner);
        if (!json) print_people(&rows[i], cores);
    }
    if (json) print_json_rows(rows, gpus.count + 1, cores, gpus.error);
    if (!json && gpus.count == 0) printf("gpu   none: %s\n", gpus.error);
    return rows[0].gflops > 0;
}
