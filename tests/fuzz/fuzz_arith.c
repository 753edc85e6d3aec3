/* 256-bit arithmetic: GMP says the same of any operands. The first byte chooses the operation, the
 * rest are the operands' bytes; a byte 0x80 or 0x7f stands for eight of 0xff or 0x00, so that limbs
 * at the edge are near to one another. */
#include "tests/vm/arith_oracle.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_words(struct u256 words[3], const uint8_t *data, size_t size)
{
    uint8_t raw[sizeof(struct u256) * 3] = {0};
    size_t used = 0;
    for (size_t i = 0; i < size && used < sizeof(raw); i++) {
        size_t room = sizeof(raw) - used < 8 ? sizeof(raw) - used : 8;
        if (data[i] == 0x80 || data[i] == 0x7f) {
            memset(raw + used, data[i] == 0x80 ? 0xff : 0x00, room);
            used += room;
        } else {
            raw[used++] = data[i];
        }
    }
    memcpy(words, raw, sizeof(raw));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct operands o;
    static bool ready;
    struct u256 words[3];
    if (!ready) operands_init(&o);
    ready = true;
    if (size == 0) return 0;
    read_words(words, data + 1, size - 1);
    const struct operation *op = &operations[data[0] % OPERATION_COUNT];
    assert(operation_agrees(&o, op, words));
    return 0;
}
