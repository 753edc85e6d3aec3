#include "tests/gpu/straight.h"

#include "compute/runner/cuda_driver.h"
#include "compute/runner/nvrtc.h"

#include <stdio.h>
#include <stdlib.h>

struct run {
    struct cuda_driver d;
    const struct straight *s;
    void *context, *module, *function, *stream, *start, *end;
    cuda_address out;
    char *error;
};

static bool good(struct run *r, int result, const char *doing)
{
    if (result == 0) return true;
    snprintf(r->error, 512, "%s: %s", doing, cuda_error_text(&r->d, result));
    return false;
}

static bool load(struct run *r, const char *ptx)
{
    const struct cuda_driver *d = &r->d;
    int device = 0;
    return good(r, d->init(0), "cuInit") &&
           good(r, d->device_get(&device, r->s->device), "device") &&
           good(r, d->context_create(&r->context, 0, device), "context") &&
           good(r, d->module_load(&r->module, ptx), "module") &&
           good(r, d->module_function(&r->function, r->module, "k"), "function") &&
           good(r, d->stream_create(&r->stream, 0), "stream") &&
           good(r, d->event_create(&r->start, 0), "event") &&
           good(r, d->event_create(&r->end, 0), "event") &&
           good(r, d->alloc(&r->out, r->s->bytes), "memory");
}

static bool launch(struct run *r)
{
    void *params[] = {&r->out};
    return good(
        r,
        r->d.launch(r->function, r->s->grid, 1, 1, r->s->block, 1, 1, 0, r->stream, params, NULL),
        "launch");
}

static bool time_it(struct run *r, float *ms)
{
    bool fine = launch(r) && good(r, r->d.stream_wait(r->stream), "warm-up") &&
                good(r, r->d.event_record(r->start, r->stream), "event");
    for (unsigned i = 0; fine && i < r->s->times; i++)
        fine = launch(r);
    return fine && good(r, r->d.event_record(r->end, r->stream), "event") &&
           good(r, r->d.stream_wait(r->stream), "kernel") &&
           good(r, r->d.event_elapsed(ms, r->start, r->end), "event");
}

enum status straight_run(double *out_ms, char *error, const struct straight *s)
{
    struct run r = {.s = s, .error = error};
    struct nvrtc nvrtc;
    struct nvrtc_result result = {0};
    struct nvrtc_source *source = calloc(1, sizeof *source);
    float ms = 0;
    enum status status = source != NULL ? cuda_driver_open(&r.d, error) : E_IO;
    if (status == OK) status = nvrtc_open(&nvrtc, error, NULL);
    if (status == OK) {
        *source = (struct nvrtc_source){.name = "straight", .text = s->source};
        source->arch = nvrtc_arch_for(&nvrtc, s->capability);
        status = nvrtc_compile(&nvrtc, &result, source);
        if (status != OK) snprintf(error, 512, "%.400s", result.log);
    }
    if (status == OK && !(load(&r, result.ptx) && time_it(&r, &ms))) status = E_IO;
    nvrtc_result_finish(&result);
    free(source);
    *out_ms = (double)ms;
    return status;
}
