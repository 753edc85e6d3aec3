#include "base/key.h"

#include "base/fatal.h"
#include "base/keccak.h"
#include "base/rlp.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>
#include <sys/random.h>

static secp256k1_context *shared_context;
static pthread_once_t context_once = PTHREAD_ONCE_INIT;

/* Randomized against side channels once, before any other thread can see it. */
static void make_context(void)
{
    shared_context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
    uint8_t seed[32];
    random_bytes(seed, sizeof seed);
    if (!shared_context || !secp256k1_context_randomize(shared_context, seed))
        fatal("secp256k1: the context cannot be made");
    OPENSSL_cleanse(seed, sizeof seed);
}

static const secp256k1_context *context(void)
{
    pthread_once(&context_once, make_context);
    return shared_context;
}

void random_bytes(uint8_t *out, size_t size)
{
    while (size > 0) {
        ssize_t got = getrandom(out, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fatal("no random bytes from the system: %s", strerror(errno));
        out += got;
        size -= (size_t)got;
    }
}

enum status key_from_bytes(struct key *out, struct bytes secret)
{
    if (secret.size != sizeof out->secret) return E_MALFORMED;
    if (!secp256k1_ec_seckey_verify(context(), secret.data)) return E_RANGE;
    memcpy(out->secret, secret.data, secret.size);
    return OK;
}

void key_generate(struct key *out)
{
    do
        random_bytes(out->secret, sizeof out->secret);
    while (!secp256k1_ec_seckey_verify(context(), out->secret));
}

void key_finish(struct key *k)
{
    if (k) OPENSSL_cleanse(k->secret, sizeof k->secret);
}

static void public_bytes(uint8_t out[64], const secp256k1_pubkey *point)
{
    uint8_t full[65];
    size_t size = sizeof full;
    secp256k1_ec_pubkey_serialize(context(), full, &size, point, SECP256K1_EC_UNCOMPRESSED);
    assert(size == sizeof full);
    memcpy(out, full + 1, 64);
}

static struct address address_of_public(const uint8_t public_key[64])
{
    struct hash h = keccak256(bytes_of(public_key, 64));
    struct address a;
    memcpy(a.b, h.b + 12, sizeof a.b);
    return a;
}

void key_public(uint8_t out[64], const struct key *k)
{
    secp256k1_pubkey point;
    int made = secp256k1_ec_pubkey_create(context(), &point, k->secret);
    assert(made);
    public_bytes(out, &point);
}

struct address key_address(const struct key *k)
{
    uint8_t public_key[64];
    key_public(public_key, k);
    return address_of_public(public_key);
}

struct signature key_sign(const struct key *k, const struct hash *digest)
{
    secp256k1_ecdsa_recoverable_signature raw;
    int made = secp256k1_ecdsa_sign_recoverable(context(), &raw, digest->b, k->secret, NULL, NULL);
    assert(made);
    struct signature s;
    int parity = 0;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), s.b, &parity, &raw);
    assert(parity == 0 || parity == 1);
    s.b[64] = (uint8_t)parity;
    return s;
}

static bool is_low_s(const secp256k1_ecdsa_recoverable_signature *raw)
{
    secp256k1_ecdsa_signature plain;
    secp256k1_ecdsa_recoverable_signature_convert(context(), &plain, raw);
    return !secp256k1_ecdsa_signature_normalize(context(), NULL, &plain);
}

enum status signature_recover(struct address *out, const struct signature *s,
                              const struct hash *digest, bool require_low_s)
{
    if (s->b[64] > 1) return E_SIGNATURE;
    secp256k1_ecdsa_recoverable_signature raw;
    if (!secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &raw, s->b, s->b[64]))
        return E_SIGNATURE;
    if (require_low_s && !is_low_s(&raw)) return E_SIGNATURE;
    secp256k1_pubkey point;
    if (!secp256k1_ecdsa_recover(context(), &point, &raw, digest->b)) return E_SIGNATURE;
    uint8_t public_key[64];
    public_bytes(public_key, &point);
    *out = address_of_public(public_key);
    return OK;
}

struct address address_of_create(const struct address *sender, uint64_t nonce)
{
    uint8_t be[8];
    store_be64(be, nonce);
    size_t skip = 0;
    while (skip < 8 && be[skip] == 0)
        skip++;
    uint8_t rlp[32];
    size_t size = 0;
    rlp[size++] = 0; /* the list header, filled in below */
    rlp[size++] = 0x80 + 20;
    memcpy(rlp + size, sender->b, 20);
    size += 20;
    bool single_byte = skip == 7 && be[7] < 0x80;
    if (!single_byte) rlp[size++] = (uint8_t)(0x80 + 8 - skip);
    memcpy(rlp + size, be + skip, 8 - skip);
    size += 8 - skip;
    rlp[0] = (uint8_t)(0xc0 + size - 1);
    struct hash h = keccak256(bytes_of(rlp, size));
    struct address a;
    memcpy(a.b, h.b + 12, sizeof a.b);
    return a;
}

struct address address_of_create2(const struct address *sender, const struct hash *salt,
                                  const struct hash *init_code_hash)
{
    uint8_t input[1 + 20 + 32 + 32];
    input[0] = 0xff;
    memcpy(input + 1, sender->b, 20);
    memcpy(input + 21, salt->b, 32);
    memcpy(input + 53, init_code_hash->b, 32);
    struct hash h = keccak256(bytes_of(input, sizeof input));
    struct address a;
    memcpy(a.b, h.b + 12, sizeof a.b);
    return a;
}
