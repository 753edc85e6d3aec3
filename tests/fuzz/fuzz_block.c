/* Blocks and receipts that decode must encode to the same bytes. The input is tried as a block, as
 * a receipt, and as what follows a good header in a block, since few inputs hold a good header. */
#include "chain/block.h"
#include "chain/receipt.h"

#include "base/rlp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_block(struct arena *arena, struct bytes input)
{
    struct block b;
    struct buffer again = {0};
    if (block_decode(&b, arena, input) == OK) {
        block_encode(&again, &b);
        assert(bytes_equal(buffer_bytes(&again), input));
        (void)!block_check_body(&b);
    }
    buffer_finish(&again);
}

static void try_body(struct arena *arena, struct bytes body)
{
    struct header h = {.extra = {.version = HEADER_VERSION}};
    struct buffer whole = {0};
    size_t list = rlp_list_open(&whole);
    header_encode(&whole, &h);
    buffer_append(&whole, body);
    rlp_list_close(&whole, list);
    try_block(arena, buffer_bytes(&whole));
    buffer_finish(&whole);
}

static void try_receipt(struct arena *arena, struct bytes input)
{
    struct receipt r;
    struct buffer again = {0};
    if (receipt_decode(&r, arena, input) == OK) {
        receipt_encode(&again, &r);
        assert(bytes_equal(buffer_bytes(&again), input));
    }
    buffer_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct bytes input = bytes_of(data, size);
    try_block(&arena, input);
    try_body(&arena, input);
    try_receipt(&arena, input);
    arena_finish(&arena);
    return 0;
}
