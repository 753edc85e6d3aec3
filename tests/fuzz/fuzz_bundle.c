/* Any bytes are refused with a message or are a tar of plain files within the bounds. */
#include "compute/bundle.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[BUNDLE_ERROR_SIZE] = "";
    size_t count = 0;
    if (bundle_check(error, &count, bytes_of(data, size)) != OK) {
        assert(strlen(error) > 0);
        return 0;
    }
    assert(count <= BUNDLE_ENTRIES_MAX);
    return 0;
}
