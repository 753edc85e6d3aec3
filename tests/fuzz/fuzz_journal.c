/* Any bytes as the worker's journal: decoded records encode to the same bytes. */
#include "compute/journal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal_entry entry;
    size_t used = 0;
    if (journal_decode(&entry, &used, bytes_of(data, size)) != OK) return 0;
    struct buffer again = {0};
    journal_encode(&again, &entry);
    if (used > size || again.size != used || memcmp(again.data, data, used) != 0) abort();
    buffer_finish(&again);
    return 0;
}
