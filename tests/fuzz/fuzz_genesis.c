/* fuzz_genesis - any bytes as a genesis file: parsed or refused with a message, never half. */
#include "chain/genesis.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[JSON_ERROR_SIZE] = "";
    struct genesis *g = NULL;
    enum status status = genesis_parse(&g, error, bytes_of(data, size));
    if ((status == OK) != (g != NULL)) abort();
    if ((status == OK) != (error[0] == 0)) abort();
    genesis_destroy(g);
    return 0;
}
