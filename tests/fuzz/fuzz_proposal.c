/* Whatever proposal_decode takes encodes to the same bytes. */
#include "chain/consensus/proposal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct proposal p;
    struct bytes block;
    if (proposal_decode(&p, &block, bytes_of(data, size)) != OK) return 0;
    struct buffer again = {0};
    proposal_encode(&again, &p, block);
    if (!bytes_equal(buffer_bytes(&again), bytes_of(data, size))) abort();
    buffer_finish(&again);
    return 0;
}
