#include "base/sha256.h"

#include "base/fatal.h"

#include <assert.h>
#include <openssl/evp.h>

struct hash sha256(struct bytes input)
{
    return sha256_parts(&input, 1);
}

struct hash sha256_parts(const struct bytes *parts, size_t count)
{
    assert(parts || count == 0);
    struct hash out;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context) fatal("SHA-256: out of memory");
    int good = EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size) good &= EVP_DigestUpdate(context, parts[i].data, parts[i].size);
    }
    unsigned size = 0;
    good &= EVP_DigestFinal_ex(context, out.b, &size);
    EVP_MD_CTX_free(context);
    if (!good || size != sizeof out.b) fatal("SHA-256: the crypto library refused");
    return out;
}
