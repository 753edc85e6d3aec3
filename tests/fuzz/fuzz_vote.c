/* Whatever vote_decode takes encodes to the same bytes. */
#include "chain/consensus/vote.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vote v;
    if (vote_decode(&v, bytes_of(data, size)) != OK) return 0;
    struct buffer again = {0};
    vote_encode(&again, &v);
    if (!bytes_equal(buffer_bytes(&again), bytes_of(data, size))) abort();
    if (vote_check_form(&v) != OK) abort();
    buffer_finish(&again);
    return 0;
}
