/* Any header is refused, or is one that encodes again as itself. */
#include "compute/checkpoint.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t again[CHECKPOINT_HEADER_BYTES];
    struct checkpoint c;
    if (checkpoint_decode(&c, bytes_of(data, size)) == OK) {
        checkpoint_encode(again, &c);
        assert(size == sizeof again && memcmp(again, data, size) == 0);
    }
    if (size < 96) return 0;
    memcpy(c.bundle.b, data, 32);
    memcpy(c.root.b, data + 32, 32);
    c.step = load_be64(data + 64);
    c.row_bytes = load_be64(data + 72);
    c.image_bytes = load_be64(data + 80);
    checkpoint_encode(again, &c);
    struct checkpoint same;
    assert(checkpoint_decode(&same, bytes_of(again, sizeof again)) == OK);
    assert(memcmp(&same, &c, sizeof c) == 0);
    again[data[95] % CHECKPOINT_HEADER_BYTES] ^= 1;
    assert(checkpoint_decode(&same, bytes_of(again, sizeof again)) == E_MALFORMED);
    return 0;
}
