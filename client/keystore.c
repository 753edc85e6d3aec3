#include "client/keystore.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "client/scrypt.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define SCRYPT_R       8
#define SCRYPT_P       1
#define DERIVED_BYTES  32
#define TEXT_BYTES_MAX 512

/* The parts of a file that matter, checked and bounded. */
struct sealed {
    uint8_t ciphertext[32];
    uint8_t iv[16];
    uint8_t mac[32];
    uint8_t salt[256];
    size_t salt_size;
    bool scrypt;
    uint64_t n; /* scrypt's, or pbkdf2's rounds */
    uint64_t r;
    uint64_t p;
};

static enum status complain(char *error, enum status status, const char *text)
{
    snprintf(error, JSON_ERROR_SIZE, "%s", text);
    return status;
}

/* Hexadecimal without 0x, as the standard writes it (0x is let pass). */
static bool read_hex(uint8_t *out, size_t size_max, size_t *out_size, const json_t *object,
                     const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || strlen(text) > TEXT_BYTES_MAX) return false;
    char prefixed[TEXT_BYTES_MAX + 3];
    bool has_prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    snprintf(prefixed, sizeof prefixed, "0x%s", has_prefix ? text + 2 : text);
    struct buffer raw = {0};
    bool ok = hex_decode(&raw, bytes_of_text(prefixed)) == OK && raw.size <= size_max;
    if (ok && raw.size > 0) memcpy(out, raw.data, raw.size);
    if (ok) *out_size = raw.size;
    buffer_finish(&raw);
    return ok;
}

static bool read_hex_exact(uint8_t *out, size_t size, const json_t *object, const char *key)
{
    size_t got = 0;
    return read_hex(out, size, &got, object, key) && got == size;
}

static uint64_t read_number(const json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));
    return n > 0 ? (uint64_t)n : 0;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static enum status read_scrypt(struct sealed *s, char *error, const json_t *params)
{
    s->scrypt = true;
    s->n = read_number(params, "n");
    s->r = read_number(params, "r");
    s->p = read_number(params, "p");
    if (s->n < 2 || (s->n & (s->n - 1)) != 0 || s->r == 0 || s->p == 0)
        return complain(error, E_MALFORMED, "key file: scrypt's n, r or p make no sense");
    if (s->n > (1u << 24) || s->r > 64 || s->p > 16 ||
        128 * s->n * s->r > KEYSTORE_SCRYPT_BYTES_MAX)
        return complain(error, E_LIMIT, "key file: scrypt's n, r or p ask for too much memory");
    return OK;
}

static enum status read_pbkdf2(struct sealed *s, char *error, const json_t *params)
{
    s->n = read_number(params, "c");
    if (strcmp(text_of(params, "prf"), "hmac-sha256") != 0)
        return complain(error, E_UNSUPPORTED, "key file: pbkdf2 with another prf than hmac-sha256");
    if (s->n == 0) return complain(error, E_MALFORMED, "key file: pbkdf2's c makes no sense");
    if (s->n > KEYSTORE_PBKDF2_ROUNDS_MAX)
        return complain(error, E_LIMIT, "key file: pbkdf2's c asks for too much work");
    return OK;
}

static enum status read_sealed(struct sealed *s, char *error, const json_t *file)
{
    const json_t *crypto = json_object_get(file, "crypto");
    if (crypto == NULL) crypto = json_object_get(file, "Crypto"); /* old geth */
    if (!json_is_object(crypto) || read_number(file, "version") != 3)
        return complain(error, E_MALFORMED, "not a key file (Web3 Secret Storage, version 3)");
    const json_t *params = json_object_get(crypto, "kdfparams");
    const json_t *cipher = json_object_get(crypto, "cipherparams");
    const char *kdf = text_of(crypto, "kdf");
    if (strcmp(text_of(crypto, "cipher"), "aes-128-ctr") != 0)
        return complain(error, E_UNSUPPORTED, "key file: another cipher than aes-128-ctr");
    if (!read_hex_exact(s->ciphertext, 32, crypto, "ciphertext") ||
        !read_hex_exact(s->iv, 16, cipher, "iv") || !read_hex_exact(s->mac, 32, crypto, "mac") ||
        !read_hex(s->salt, sizeof s->salt, &s->salt_size, params, "salt") ||
        read_number(params, "dklen") != DERIVED_BYTES)
        return complain(error, E_MALFORMED,
                        "key file: ciphertext, iv, mac, salt or dklen is missing or malformed");
    if (strcmp(kdf, "scrypt") == 0) return read_scrypt(s, error, params);
    if (strcmp(kdf, "pbkdf2") == 0) return read_pbkdf2(s, error, params);
    return complain(error, E_UNSUPPORTED, "key file: kdf is neither scrypt nor pbkdf2");
}

static void derive(uint8_t out[DERIVED_BYTES], const struct sealed *s, const char *password)
{
    int ok = 0;
    if (s->scrypt && s->r < 4 && s->n >= 1ull << (16 * s->r)) {
        struct scrypt_cost cost = {s->n, s->r, s->p};
        scrypt_any(out, password, bytes_of(s->salt, s->salt_size), &cost);
        ok = 1;
    } else if (s->scrypt) {
        uint64_t memory = 128 * s->n * s->r + 128 * s->r * s->p + (1u << 20);
        ok = EVP_PBE_scrypt(password, strlen(password), s->salt, s->salt_size, s->n, s->r, s->p,
                            memory, out, DERIVED_BYTES);
    } else {
        ok = PKCS5_PBKDF2_HMAC(password, (int)strlen(password), s->salt, (int)s->salt_size,
                               (int)s->n, EVP_sha256(), DERIVED_BYTES, out);
    }
    if (ok != 1) fatal("deriving a key from a password");
}

static void crypt_ctr(uint8_t out[32], const uint8_t key[16], const uint8_t iv[16],
                      const uint8_t in[32])
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int size = 0;
    if (c == NULL || EVP_EncryptInit_ex(c, EVP_aes_128_ctr(), NULL, key, iv) != 1 ||
        EVP_EncryptUpdate(c, out, &size, in, 32) != 1 || size != 32)
        fatal("running AES-128-CTR");
    EVP_CIPHER_CTX_free(c);
}

static struct hash mac_of(const uint8_t derived[DERIVED_BYTES], const uint8_t ciphertext[32])
{
    uint8_t joined[48];
    memcpy(joined, derived + 16, 16);
    memcpy(joined + 16, ciphertext, 32);
    return keccak256(bytes_of(joined, sizeof joined));
}

static enum status address_of_file(struct address *out, const json_t *file)
{
    uint8_t raw[20];
    if (!read_hex_exact(raw, sizeof raw, file, "address")) return E_MALFORMED;
    memcpy(out->b, raw, sizeof raw);
    return OK;
}

enum status keystore_decrypt(struct key *out, char error[JSON_ERROR_SIZE], const json_t *file,
                             const char *password)
{
    struct sealed s = {0};
    enum status status = read_sealed(&s, error, file);
    if (status != OK) return status;
    uint8_t derived[DERIVED_BYTES];
    uint8_t secret[32];
    struct key key = {0};
    derive(derived, &s, password);
    struct hash mac = mac_of(derived, s.ciphertext);
    if (CRYPTO_memcmp(mac.b, s.mac, 32) != 0) {
        OPENSSL_cleanse(derived, sizeof derived);
        return complain(error, E_DENIED, "wrong password");
    }
    crypt_ctr(secret, derived, s.iv, s.ciphertext);
    status = key_from_bytes(&key, bytes_of(secret, 32));
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(derived, sizeof derived);
    if (status != OK) return complain(error, E_MALFORMED, "key file: its key is out of range");
    struct address claimed;
    struct address real = key_address(&key);
    if (address_of_file(&claimed, file) == OK && !address_equal(&claimed, &real)) {
        key_finish(&key);
        return complain(error, E_MALFORMED, "key file: it holds the key of another address");
    }
    *out = key;
    key_finish(&key);
    return OK;
}

static json_t *hex_json(const uint8_t *data, size_t size)
{
    char text[2 * 64 + 3];
    assert(size <= 64);
    hex_encode(text, bytes_of(data, size));
    return json_string(text + 2);
}

static json_t *random_uuid(void)
{
    uint8_t b[16];
    char text[37];
    random_bytes(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(text, sizeof text,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return json_string(text);
}

static json_t *crypto_json(const struct sealed *s)
{
    return json_pack("{s:s,s:o,s:{s:o},s:s,s:{s:i,s:I,s:I,s:I,s:o},s:o}", "cipher", "aes-128-ctr",
                     "ciphertext", hex_json(s->ciphertext, 32), "cipherparams", "iv",
                     hex_json(s->iv, 16), "kdf", "scrypt", "kdfparams", "dklen", DERIVED_BYTES, "n",
                     (json_int_t)s->n, "r", (json_int_t)s->r, "p", (json_int_t)s->p, "salt",
                     hex_json(s->salt, s->salt_size), "mac", hex_json(s->mac, 32));
}

void keystore_encrypt(json_t **out, const struct key *key, const char *password, const char *name,
                      enum keystore_strength strength)
{
    struct sealed s = {.scrypt = true,
                       .n = strength == KEYSTORE_STANDARD ? 1u << 18 : 1u << 12,
                       .r = SCRYPT_R,
                       .p = SCRYPT_P,
                       .salt_size = 32};
    uint8_t derived[DERIVED_BYTES];
    random_bytes(s.salt, s.salt_size);
    random_bytes(s.iv, sizeof s.iv);
    derive(derived, &s, password);
    crypt_ctr(s.ciphertext, derived, s.iv, key->secret);
    struct hash mac = mac_of(derived, s.ciphertext);
    memcpy(s.mac, mac.b, 32);
    OPENSSL_cleanse(derived, sizeof derived);
    struct address address = key_address(key);
    json_t *file = json_pack("{s:o,s:o,s:i,s:o}", "address", hex_json(address.b, 20), "id",
                             random_uuid(), "version", 3, "crypto", crypto_json(&s));
    if (file == NULL) fatal("writing a key file");
    if (name != NULL && *name != '\0')
        json_object_set_new(file, "x-leasehold", json_pack("{s:s}", "name", name));
    *out = file;
}
