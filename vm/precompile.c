#include "vm/precompile.h"

#include "base/fatal.h"
#include "base/key.h"
#include "base/sha256.h"
#include "vm/precompile_curves.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#define GAS_ECRECOVER 3000

typedef enum evm_result precompile_function(int64_t *gas, struct buffer *out, struct bytes input);

static bool charge_words(int64_t *gas, int64_t base, int64_t word, size_t size_bytes)
{
    int64_t words = (int64_t)(size_bytes / 32 + (size_bytes % 32 != 0));
    *gas -= base + word * words;
    return *gas >= 0;
}

/* Input: hash, v, r, s. Whatever does not recover gives empty output, not a failure. */
static enum evm_result run_ecrecover(int64_t *gas, struct buffer *out, struct bytes input)
{
    static const uint8_t zeros[31] = {0};
    uint8_t padded[128] = {0};
    *gas -= GAS_ECRECOVER;
    if (*gas < 0) return EVM_OUT_OF_GAS;
    if (input.size > 0)
        memcpy(padded, input.data, input.size < sizeof(padded) ? input.size : sizeof(padded));
    if (memcmp(padded + 32, zeros, sizeof(zeros)) != 0) return EVM_SUCCESS;
    if (padded[63] != 27 && padded[63] != 28) return EVM_SUCCESS;

    struct hash digest;
    struct signature signature;
    struct address signer;
    memcpy(digest.b, padded, sizeof(digest.b));
    memcpy(signature.b, padded + 64, 64);
    signature.b[64] = (uint8_t)(padded[63] - 27);
    if (signature_recover(&signer, &signature, &digest, false) != OK) return EVM_SUCCESS;
    memcpy(buffer_extend(out, 32) + 12, signer.b, sizeof(signer.b));
    return EVM_SUCCESS;
}

static enum evm_result run_sha256(int64_t *gas, struct buffer *out, struct bytes input)
{
    if (!charge_words(gas, 60, 12, input.size)) return EVM_OUT_OF_GAS;
    struct hash h = sha256(input);
    buffer_append(out, hash_bytes(&h));
    return EVM_SUCCESS;
}

static enum evm_result run_ripemd160(int64_t *gas, struct buffer *out, struct bytes input)
{
    if (!charge_words(gas, 600, 120, input.size)) return EVM_OUT_OF_GAS;
    const void *data = input.size == 0 ? (const void *)"" : input.data;
    uint8_t *digest = buffer_extend(out, 32) + 12;
    if (EVP_Digest(data, input.size, digest, NULL, EVP_ripemd160(), NULL) != 1)
        fatal("computing RIPEMD-160: the OpenSSL library does not offer it");
    return EVM_SUCCESS;
}

static enum evm_result run_identity(int64_t *gas, struct buffer *out, struct bytes input)
{
    if (!charge_words(gas, 15, 3, input.size)) return EVM_OUT_OF_GAS;
    buffer_append(out, input);
    return EVM_SUCCESS;
}

static const struct {
    uint8_t last_byte;
    enum evm_revision since; /* rows stand in the order of revisions */
    precompile_function *run;
} precompiles[] = {
    {0x01, EVM_CANCUN, run_ecrecover},     {0x02, EVM_CANCUN, run_sha256},
    {0x03, EVM_CANCUN, run_ripemd160},     {0x04, EVM_CANCUN, run_identity},
    {0x05, EVM_CANCUN, modexp_run},        {0x06, EVM_CANCUN, bn254_add_run},
    {0x07, EVM_CANCUN, bn254_mul_run},     {0x08, EVM_CANCUN, bn254_pairing_run},
    {0x09, EVM_CANCUN, blake2f_run},       {0x0a, EVM_CANCUN, point_evaluation_run},
    {0x0b, EVM_PRAGUE, bls_g1_add_run},    {0x0c, EVM_PRAGUE, bls_g1_msm_run},
    {0x0d, EVM_PRAGUE, bls_g2_add_run},    {0x0e, EVM_PRAGUE, bls_g2_msm_run},
    {0x0f, EVM_PRAGUE, bls_pairing_run},   {0x10, EVM_PRAGUE, bls_map_to_g1_run},
    {0x11, EVM_PRAGUE, bls_map_to_g2_run},
};

#define PRECOMPILE_COUNT (sizeof(precompiles) / sizeof(precompiles[0]))

/* The row of an address; PRECOMPILE_COUNT when it has none. */
static size_t find(const struct address *a)
{
    static const uint8_t zeros[19] = {0};
    if (memcmp(a->b, zeros, sizeof(zeros)) != 0) return PRECOMPILE_COUNT;
    size_t i = 0;
    while (i < PRECOMPILE_COUNT && precompiles[i].last_byte != a->b[19])
        i++;
    return i;
}

enum evm_result precompile_run(const struct address *a, int64_t *gas, struct buffer *out,
                               struct bytes input)
{
    size_t row = find(a);
    assert(row < PRECOMPILE_COUNT);
    assert(*gas >= 0);
    return precompiles[row].run(gas, out, input);
}

bool evm_is_precompile(enum evm_revision revision, const struct address *a)
{
    size_t row = find(a);
    return row < PRECOMPILE_COUNT && precompiles[row].since <= revision;
}

size_t evm_precompile_count(enum evm_revision revision)
{
    size_t count = 0;
    while (count < PRECOMPILE_COUNT && precompiles[count].since <= revision)
        count++;
    return count;
}

void evm_precompile_address(enum evm_revision revision, size_t index, struct address *out)
{
    assert(index < evm_precompile_count(revision));
    *out = (struct address){{0}};
    out->b[19] = precompiles[index].last_byte;
}
