#include "compute/runner/cuda_card.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

void card_decline(struct card *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->shared->why, CUDA_WHY_SIZE, format, args);
    va_end(args);
    _exit(CUDA_DECLINED);
}

/* What the job itself can bring about; REASON_OK for what only a card or driver can. */
static enum reason reason_of(int result)
{
    switch (result) {
    case CUDA_OUT_OF_MEMORY: return REASON_MEMORY;
    case CUDA_ILLEGAL_ADDRESS:
    case CUDA_MISALIGNED_ADDRESS:
    case CUDA_ADDRESS_SPACE:
    case CUDA_STACK_ERROR:
    case CUDA_INVALID_PC: return REASON_FAULT;
    case CUDA_INVALID_VALUE:
    case CUDA_OUT_OF_RESOURCES: return REASON_LAUNCH;
    case CUDA_LAUNCH_TIMEOUT: return REASON_TIME;
    case CUDA_ASSERT:
    case CUDA_ILLEGAL_INSTRUCTION:
    case CUDA_LAUNCH_FAILED: return REASON_TRAP;
    default: return REASON_OK; /* a number from outside, not an enum */
    }
}

/* A kernel that ended itself has said why, in memory that outlives the context. */
static void give_up_for_kernel(const struct card *c)
{
    const volatile unsigned *f = c->fault;
    if (f == NULL || f[0] == 0 || f[0] >= REASON_COUNT) return;
    enum reason reason = f[0] == REASON_ARITHMETIC ? REASON_ARITHMETIC : REASON_TRAP;
    give_up(reason, "block (%u,%u,%u), thread (%u,%u,%u), line %u: %s", f[2], f[3], f[4], f[5],
            f[6], f[7], f[1], reason_text(reason));
}

void card_check(struct card *c, int result, const char *doing)
{
    if (result == 0) return;
    const char *name = cuda_error_text(&c->driver, result);
    if (!c->started) card_decline(c, "%s: %s", doing, name);
    give_up_for_kernel(c);
    enum reason reason = reason_of(result);
    if (reason == REASON_OK) give_up(REASON_UNSUPPORTED, "the card failed at %s: %s", doing, name);
    give_up(reason, "%s: %s (%s)", doing, reason_text(reason), name);
}

static void make_fault_words(struct card *c)
{
    void *words = NULL;
    size_t size = CARD_FAULT_WORDS * sizeof(unsigned);
    card_check(c, c->driver.host_alloc(&words, size, CUDA_HOST_DEVICE_MAPPED), "pinned memory");
    memset(words, 0, size);
    c->fault = words;
}

void card_open(struct card *c, unsigned number, struct cuda_shared *shared)
{
    char error[LIBRARY_ERROR_SIZE] = "";
    *c = (struct card){.shared = shared};
    if (cuda_driver_open(&c->driver, error) != OK) card_decline(c, "%s", error);
    card_check(c, c->driver.init(0), "cuInit");
    card_check(c, c->driver.device_get(&c->device, (int)number), "cuDeviceGet");
    card_check(c, c->driver.context_create(&c->context, CUDA_CONTEXT_BLOCKING_SYNC, c->device),
               "cuCtxCreate");
    card_check(c, c->driver.stream_create(&c->stream, 0), "cuStreamCreate");
    make_fault_words(c);
}

static cuda_address plain_buffer(struct card *c, uint64_t size_bytes)
{
    cuda_address at = 0;
    card_check(c, c->driver.alloc(&at, size_bytes), "memory of the card");
    card_check(c, c->driver.set_zero(at, 0, size_bytes, c->stream), "zeroing");
    return at;
}

/* Address space of the buffer's chunk and as much again behind it, where nothing is. */
static cuda_address guarded_buffer(struct card *c, uint64_t size_bytes)
{
    const struct cuda_allocation what = {.type = 1, .location = {1, c->device}};
    const struct cuda_access access = {{1, c->device}, 3};
    unsigned long long handle = 0;
    size_t unit = 0;
    cuda_address at = 0;
    uint64_t size = (size_bytes + 15) & ~15ull;
    card_check(c, c->driver.granularity(&unit, &what, 0), "granularity");
    assert(unit > 0);
    uint64_t room = (size + unit - 1) / unit * unit;
    card_check(c, c->driver.reserve(&at, room + unit, 0, 0, 0), "address space of the card");
    card_check(c, c->driver.create(&handle, room, &what, 0), "memory of the card");
    card_check(c, c->driver.map(at, room, 0, handle, 0), "mapping memory of the card");
    card_check(c, c->driver.set_access(at, room, &access, 1), "access to memory of the card");
    card_check(c, c->driver.set_zero(at, 0, room, c->stream), "zeroing");
    return at + (room - size);
}

cuda_address card_buffer(struct card *c, uint64_t size_bytes)
{
    int guarded = 0;
    (void)c->driver.device_attribute(&guarded, CUDA_DEVICE_VIRTUAL_MEMORY, c->device);
    return guarded != 0 ? guarded_buffer(c, size_bytes) : plain_buffer(c, size_bytes);
}

/* The linker's state is never destroyed: its cubin goes with it. */
void card_link(struct card *c, const char *ptx, void **cubin, size_t *size)
{
    void *state = NULL;
    card_check(c, c->driver.link_create(0, NULL, NULL, &state), "cuLinkCreate");
    int result = c->driver.link_add(state, CUDA_INPUT_PTX, (void *)(uintptr_t)ptx, strlen(ptx) + 1,
                                    "kernels.ptx", 0, NULL, NULL);
    card_check(c, result, "the driver's compiler");
    card_check(c, c->driver.link_complete(state, cubin, size), "the driver's linker");
}

void card_wait(struct card *c)
{
    card_check(c, c->driver.stream_wait(c->stream), "a kernel");
}
