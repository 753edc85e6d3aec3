#include "compute/trace.h"

#include <assert.h>

uint64_t trace_list_bytes(const struct plan *plan)
{
    return (image_steps(plan) + 1) * plan->buffer_count * sizeof(struct hash);
}

enum status trace_read(struct trace *out, struct bytes list, const struct plan *plan,
                       const struct hash *wanted)
{
    struct trace t = {.buffer_count = plan->buffer_count, .step_count = image_steps(plan)};
    if (!plan->trace || list.size != trace_list_bytes(plan)) return E_MALFORMED;
    t.root = merkle_root(list);
    if (wanted != NULL && !hash_equal(&t.root, wanted)) return E_MALFORMED;
    buffer_append(&t.list, list);
    *out = t;
    return OK;
}

void trace_finish(struct trace *trace)
{
    buffer_finish(&trace->list);
}

struct hash trace_buffer_root(const struct trace *trace, uint64_t image, uint32_t buffer)
{
    struct hash root;
    assert(image <= trace->step_count && buffer < trace->buffer_count);
    memcpy(&root, trace->list.data + (image * trace->buffer_count + buffer) * sizeof root,
           sizeof root);
    return root;
}

bool trace_verify(const struct trace *trace, const struct plan *plan, const struct trace_page *at,
                  const uint8_t bytes[IMAGE_PAGE_BYTES], const struct merkle_proof *proof)
{
    const struct hash root = trace_buffer_root(trace, at->image, at->buffer);
    uint64_t pages = image_pages_of(&plan->buffers[at->buffer]);
    if (proof->leaf_index != at->page || proof->size_bytes != pages * IMAGE_PAGE_BYTES) {
        return false;
    }
    return merkle_verify(&root, proof, bytes_of(bytes, IMAGE_PAGE_BYTES));
}
