/* Key files from anywhere: read, bounded, refused or opened. Files that ask for real work in key
 * derivation within the bounds are passed over, or each run would take a second. */
#include "client/keystore.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_int_t cost_of(const json_t *file)
{
    const json_t *crypto = json_object_get(file, "crypto");
    if (crypto == NULL) crypto = json_object_get(file, "Crypto");
    const json_t *p = json_object_get(crypto, "kdfparams");
    json_int_t n = json_integer_value(json_object_get(p, "n"));
    json_int_t r = json_integer_value(json_object_get(p, "r"));
    json_int_t parallel = json_integer_value(json_object_get(p, "p"));
    json_int_t c = json_integer_value(json_object_get(p, "c"));
    bool small = n <= 1024 && r <= 16 && parallel <= 4 && c <= 1000;
    bool refused = n > (1 << 24) || r > 64 || parallel > 16 || c > KEYSTORE_PBKDF2_ROUNDS_MAX;
    return small || refused ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[JSON_ERROR_SIZE];
    json_t *file = NULL;
    struct key key;
    if (size > KEYSTORE_FILE_BYTES_MAX || json_parse(&file, error, bytes_of(data, size)) != OK)
        return 0;
    if (cost_of(file) == 0 && keystore_decrypt(&key, error, file, "password") == OK)
        key_finish(&key);
    json_decref(file);
    return 0;
}
