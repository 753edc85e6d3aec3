/* Text for a peer, as people and genesis files write it: whatever is taken has a port, and the text
 * of its address reads back as the same address. */
#include "net/net_address.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_peer p, again;
    char text[NET_ADDRESS_TEXT_SIZE];
    char *input = calloc(1, size + 1);
    assert(input);
    if (size > 0) memcpy(input, data, size);
    if (wire_peer_from_text(&p, input) == OK) {
        if (p.address.port == 0) abort();
        net_address_to_text(text, &p.address);
        if (wire_peer_from_text(&again, text) != OK) abort();
        if (!net_address_equal(&p.address, &again.address)) abort();
        if (net_address_is_routable(&p.address, false))
            assert(net_address_is_routable(&p.address, true));
    }
    free(input);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    static const char *const SAMPLES[] = {
        "1.2.3.4:30333",
        "[::1]:30333",
        "[2a00:1450:4001:81b::200e]:1",
        "[::ffff:10.0.0.1]:65535",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff@9.9.9.9:9",
    };
    if (size > 0 && seed % 32 != 0) return LLVMFuzzerMutate(data, size, size_max);
    const char *sample = SAMPLES[seed / 32 % (sizeof(SAMPLES) / sizeof(SAMPLES[0]))];
    size = strlen(sample) < size_max ? strlen(sample) : size_max;
    memcpy(data, sample, size);
    return size;
}
