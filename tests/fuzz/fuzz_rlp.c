/* Whatever the strict reader accepts, the writer must give back byte for byte. */
#include "base/rlp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH_MAX 64

static void copy_items(struct buffer *out, struct rlp_reader *r, int depth)
{
    while (!rlp_at_end(r)) {
        if (!rlp_next_is_list(r)) {
            struct bytes item = rlp_bytes(r);
            if (!r->failed) rlp_put_bytes(out, item);
            continue;
        }
        if (depth == DEPTH_MAX) {
            rlp_fail(r);
            return;
        }
        struct rlp_reader list = rlp_list(r);
        size_t mark = rlp_list_open(out);
        copy_items(out, &list, depth + 1);
        rlp_list_close(out, mark);
        if (list.failed) rlp_fail(r);
    }
}

static void read_scalars(struct bytes input)
{
    struct rlp_reader r = rlp_reader_over(input);
    while (!rlp_at_end(&r)) {
        struct rlp_reader kept = r;
        struct u256 number = rlp_u256(&r);
        struct buffer again = {0};
        if (r.failed) return;
        rlp_put_u256(&again, number);
        size_t used = kept.rest.size - r.rest.size;
        assert(bytes_equal(buffer_bytes(&again), bytes_slice(kept.rest, 0, used)));
        buffer_finish(&again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rlp_reader r = rlp_reader_over(bytes_of(data, size));
    struct buffer copy = {0};
    copy_items(&copy, &r, 0);
    if (rlp_end(&r) == OK) assert(bytes_equal(buffer_bytes(&copy), bytes_of(data, size)));
    buffer_finish(&copy);
    read_scalars(bytes_of(data, size));
    return 0;
}
