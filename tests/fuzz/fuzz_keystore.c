/* Key files from anywhere: read, bounded, refused or opened. The input is tried as a file, and as a
 * list of changes to a good file, since few random bytes are JSON. Files that ask for real work in
 * key derivation within the bounds are passed over, or each run would take a second. */
#include "client/keystore.h"

#include "base/cursor.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool cheap(const json_t *file)
{
    const json_t *crypto = json_object_get(file, "crypto");
    if (crypto == NULL) crypto = json_object_get(file, "Crypto");
    const json_t *p = json_object_get(crypto, "kdfparams");
    json_int_t n = number(p, "n"), r = number(p, "r"), parallel = number(p, "p");
    bool small = n <= 1024 && r <= 16 && parallel <= 4 && number(p, "c") <= 1000;
    bool refused = n > (1 << 24) || r > 64 || parallel > 16 ||
                   number(p, "c") > (json_int_t)KEYSTORE_PBKDF2_ROUNDS_MAX;
    return small || refused;
}

static void open_file(const json_t *file)
{
    char error[JSON_ERROR_SIZE];
    struct key key;
    if (cheap(file) && keystore_decrypt(&key, error, file, "password") == OK) key_finish(&key);
}

static json_t *good_file(bool scrypt)
{
    static const char digits[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    json_t *params = scrypt ? json_pack("{s:i,s:i,s:i}", "n", 2, "r", 1, "p", 1)
                            : json_pack("{s:i,s:s}", "c", 1, "prf", "hmac-sha256");
    json_object_set_new(params, "dklen", json_integer(32));
    json_object_set_new(params, "salt", json_string(digits));
    return json_pack("{s:i,s:s,s:{s:s,s:s,s:{s:s},s:s,s:o,s:s}}", "version", 3, "address",
                     "0123456789012345678901234567890123456789", "crypto", "cipher", "aes-128-ctr",
                     "ciphertext", digits, "cipherparams", "iv", "0123456789abcdef0123456789abcdef",
                     "kdf", scrypt ? "scrypt" : "pbkdf2", "kdfparams", params, "mac", digits);
}

static json_t *value_from(struct cursor *c)
{
    uint8_t kind = cursor_u8(c);
    if (kind % 4 == 0) return json_integer((json_int_t)cursor_u64(c));
    if (kind % 4 == 1) return json_integer(cursor_u8(c));
    if (kind % 4 == 2) return json_object();
    struct bytes text = cursor_bytes(c, kind / 4 < c->rest.size ? kind / 4 : c->rest.size);
    json_t *value = json_stringn((const char *)text.data, text.size);
    return value != NULL ? value : json_null();
}

static void change(json_t *file, struct cursor *c)
{
    static const struct {
        const char *object; /* inside crypto; NULL: the file itself */
        const char *key;
    } places[] = {
        {"", "cipher"},
        {"", "ciphertext"},
        {"", "mac"},
        {"", "kdf"},
        {"", "cipherparams"},
        {"", "kdfparams"},
        {"cipherparams", "iv"},
        {"kdfparams", "n"},
        {"kdfparams", "r"},
        {"kdfparams", "p"},
        {"kdfparams", "c"},
        {"kdfparams", "salt"},
        {"kdfparams", "dklen"},
        {"kdfparams", "prf"},
        {NULL, "version"},
        {NULL, "address"},
        {NULL, "crypto"},
    };
    size_t at = cursor_u8(c) % (sizeof places / sizeof *places);
    json_t *object = file;
    if (places[at].object != NULL) object = json_object_get(file, "crypto");
    if (places[at].object != NULL && places[at].object[0] != '\0')
        object = json_object_get(object, places[at].object);
    json_object_set_new(object, places[at].key, value_from(c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[JSON_ERROR_SIZE];
    json_t *file = NULL;
    if (size > KEYSTORE_FILE_BYTES_MAX) return 0;
    if (json_parse(&file, error, bytes_of(data, size)) == OK) open_file(file);
    json_decref(file);
    struct cursor c = cursor_over(bytes_of(data, size));
    file = good_file(cursor_u8(&c) % 2 == 0);
    while (c.rest.size > 0 && !c.failed)
        change(file, &c);
    open_file(file);
    json_decref(file);
    return 0;
}
