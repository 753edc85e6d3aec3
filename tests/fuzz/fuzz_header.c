/* A header that decodes must encode to the same bytes. */
#include "chain/header.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header h;
    struct header_extra e;
    struct buffer again = {0};
    struct bytes input = bytes_of(data, size);
    if (header_decode(&h, input) == OK) {
        header_encode(&again, &h);
        assert(bytes_equal(buffer_bytes(&again), input));
        (void)header_next_base_fee(&h, 192);
    }
    buffer_clear(&again);
    if (header_extra_decode(&e, input) == OK) {
        header_extra_encode(&again, &e);
        assert(bytes_equal(buffer_bytes(&again), input));
    }
    buffer_finish(&again);
    return 0;
}
