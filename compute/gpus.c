#include "compute/gpus.h"

#include "compute/runner/library.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memory { /* nvmlMemory_t */
    unsigned long long total, free, used;
};

/* "NVML API Reference"; the names with _v2 are those that its header maps the plain ones to. */
#define NVML_FUNCTIONS(X)                                                                          \
    X(init, "nvmlInit_v2", (void))                                                                 \
    X(shutdown, "nvmlShutdown", (void))                                                            \
    X(driver_version, "nvmlSystemGetDriverVersion", (char *out, unsigned size))                    \
    X(count, "nvmlDeviceGetCount_v2", (unsigned *out))                                             \
    X(handle, "nvmlDeviceGetHandleByIndex_v2", (unsigned index, void **out))                       \
    X(name, "nvmlDeviceGetName", (void *device, char *out, unsigned size))                         \
    X(uuid, "nvmlDeviceGetUUID", (void *device, char *out, unsigned size))                         \
    X(memory, "nvmlDeviceGetMemoryInfo", (void *device, struct memory *out))                       \
    X(capability, "nvmlDeviceGetCudaComputeCapability", (void *device, int *major, int *minor))    \
    X(node, "nvmlDeviceGetMinorNumber", (void *device, unsigned *out))

struct nvml {
#define X(field, symbol, arguments) int(*field) arguments;
    NVML_FUNCTIONS(X)
#undef X
};

static const struct library_symbol SYMBOLS[] = {
#define X(field, symbol, arguments) {symbol, offsetof(struct nvml, field)},
    NVML_FUNCTIONS(X)
#undef X
};

static const char *const PATHS[] = {"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1",
                                    "/usr/local/nvidia/lib64/libnvidia-ml.so.1", NULL};

static const struct library NVML = {.what = "NVIDIA's NVML",
                                    .install = "install NVIDIA's driver (Debian: nvidia-driver)",
                                    .paths = PATHS,
                                    .symbols = SYMBOLS,
                                    .symbol_count = sizeof SYMBOLS / sizeof *SYMBOLS};

static bool read_card(const struct nvml *n, struct gpu *out, unsigned index)
{
    void *device = NULL;
    struct memory memory = {0};
    int major = 0, minor = 0;
    *out = (struct gpu){.index = index};
    if (n->handle(index, &device) != 0 || n->name(device, out->model, GPUS_TEXT_SIZE) != 0 ||
        n->uuid(device, out->uuid, GPUS_TEXT_SIZE) != 0 || n->memory(device, &memory) != 0 ||
        n->capability(device, &major, &minor) != 0 || n->node(device, &out->node) != 0) {
        return false;
    }
    (void)n->driver_version(out->driver, GPUS_TEXT_SIZE);
    out->vram_mib = (uint32_t)(memory.total >> 20);
    out->capability = (unsigned)(major * 10 + minor);
    return true;
}

void gpus_find(struct gpus *out)
{
    static_assert(GPUS_ERROR_SIZE >= LIBRARY_ERROR_SIZE, "a library's error must fit");
    struct nvml nvml;
    unsigned count = 0;
    *out = (struct gpus){.count = 0};
    if (library_open(&nvml, out->error, &NVML, NULL) != OK) return;
    if (nvml.init() != 0) {
        snprintf(out->error, sizeof out->error,
                 "NVML is there, but the driver does not answer: is its kernel module loaded?");
        return;
    }
    if (nvml.count(&count) != 0) count = 0;
    for (unsigned i = 0; i < count && out->count < GPUS_MAX; i++) {
        if (read_card(&nvml, &out->cards[out->count], i)) out->count++;
    }
    (void)nvml.shutdown();
    out->error[0] = '\0';
    if (out->count == 0)
        snprintf(out->error, sizeof out->error, "the driver is there, but no card");
}

static const struct gpu *card_with_index(const struct gpus *g, unsigned long index)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->cards[i].index == index) return &g->cards[i];
    }
    return NULL;
}

enum status gpus_choose(struct gpus *out, const char *list)
{
    struct gpus chosen = {.count = 0};
    if (list[0] == '\0') return OK;
    for (const char *at = list; *at != '\0' && chosen.count < GPUS_MAX;) {
        char *end;
        unsigned long index = strtoul(at, &end, 10);
        if (end == at || (*end != '\0' && *end != ',') || (*end == ',' && end[1] == '\0')) {
            snprintf(out->error, sizeof out->error,
                     "\"%.60s\" must be indexes of cards with commas between, such as 0,1", list);
            return E_MALFORMED;
        }
        const struct gpu *card = card_with_index(out, index);
        if (card == NULL || card_with_index(&chosen, index) != NULL) {
            snprintf(out->error, sizeof out->error, "card %lu %s", index,
                     card == NULL ? "is not there" : "is named twice");
            return E_NOT_FOUND;
        }
        chosen.cards[chosen.count++] = *card;
        at = *end == ',' ? end + 1 : end;
    }
    *out = chosen;
    return OK;
}
