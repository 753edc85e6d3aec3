#include "chain/consensus/certificate.h"

#include "base/cursor.h"
#include "chain/consensus/planted.h"

#include <assert.h>
#include <string.h>

bool certificate_has_signer(const struct certificate *c, uint32_t index)
{
    return index < VALIDATORS_MAX && (c->signers[index / 8] >> (index % 8) & 1) != 0;
}

static uint32_t count_bits(const uint8_t bitmap[SIGNER_BITMAP_BYTES])
{
    uint32_t count = 0;
    for (size_t i = 0; i < SIGNER_BITMAP_BYTES; i++)
        for (unsigned bits = bitmap[i]; bits != 0; bits &= bits - 1)
            count++;
    return count;
}

void certificate_start(struct certificate *c, const struct vote *subject)
{
    c->epoch = subject->epoch;
    c->view = subject->view;
    c->parent_view = subject->parent_view;
    c->kind = subject->kind;
    c->block = subject->block;
    c->signature_count = 0;
    memset(c->signers, 0, sizeof(c->signers));
}

/* EIP-2098: the parity moves into the highest bit of s, which low-s leaves free. */
static void compact(uint8_t out[COMPACT_SIGNATURE_SIZE], const struct signature *s)
{
    memcpy(out, s->b, 64);
    out[32] = (uint8_t)((out[32] & 0x7f) | (s->b[64] & 1) << 7);
}

static struct signature expand(const uint8_t in[COMPACT_SIGNATURE_SIZE])
{
    struct signature s;
    memcpy(s.b, in, 64);
    s.b[64] = in[32] >> 7;
    s.b[32] &= 0x7f;
    return s;
}

static bool highest_signer_below(const struct certificate *c, uint32_t index)
{
    for (uint32_t i = index; i < VALIDATORS_MAX; i++)
        if (certificate_has_signer(c, i)) return false;
    return true;
}

void certificate_add(struct certificate *c, const struct vote *v)
{
    assert(v->signer < VALIDATORS_MAX && highest_signer_below(c, v->signer));
    assert(v->kind == c->kind && v->view == c->view && v->epoch == c->epoch);
    assert(v->parent_view == c->parent_view && hash_equal(&v->block, &c->block));
    c->signers[v->signer / 8] = (uint8_t)(c->signers[v->signer / 8] | 1u << (v->signer % 8));
    compact(c->signatures[c->signature_count++], &v->signature);
}

static uint32_t nth_signer(const struct certificate *c, uint32_t n)
{
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        if (!certificate_has_signer(c, i)) continue;
        if (n == 0) return i;
        n--;
    }
    assert(0 && "n is below the number of signers");
    return VALIDATORS_MAX;
}

static struct vote subject_of(const struct certificate *c)
{
    struct vote v = {.epoch = c->epoch,
                     .view = c->view,
                     .parent_view = c->parent_view,
                     .kind = c->kind,
                     .block = c->block};
    return v;
}

struct vote certificate_vote(const struct certificate *c, uint32_t n)
{
    assert(n < c->signature_count);
    struct vote v = subject_of(c);
    v.signer = (uint16_t)nth_signer(c, n);
    v.signature = expand(c->signatures[n]);
    return v;
}

void certificate_copy(struct certificate *to, const struct certificate *from)
{
    size_t used_size = (size_t)from->signature_count * COMPACT_SIGNATURE_SIZE;
    assert(from->signature_count <= VALIDATORS_MAX);
    if (to == from) return;
    memcpy(to, from, offsetof(struct certificate, signatures) + used_size);
}

void certificate_encode(struct buffer *out, const struct certificate *c)
{
    assert(c->signature_count == count_bits(c->signers));
    size_t signatures_size = (size_t)c->signature_count * COMPACT_SIGNATURE_SIZE;
    uint8_t *p = buffer_extend(out, CERTIFICATE_SIZE_MIN + signatures_size);
    store_be64(p, c->epoch);
    store_be64(p + 8, c->view);
    p[16] = (uint8_t)c->kind;
    store_be64(p + 17, c->parent_view);
    memcpy(p + 25, c->block.b, 32);
    memcpy(p + 57, c->signers, SIGNER_BITMAP_BYTES);
    memcpy(p + CERTIFICATE_SIZE_MIN, c->signatures, signatures_size);
}

size_t certificate_size_in(struct bytes input)
{
    if (input.size < CERTIFICATE_SIZE_MIN) return 0;
    return CERTIFICATE_SIZE_MIN + (size_t)count_bits(input.data + 57) * COMPACT_SIGNATURE_SIZE;
}

enum status certificate_decode(struct certificate *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct vote subject = {0};
    uint8_t bitmap[SIGNER_BITMAP_BYTES];
    subject.epoch = cursor_u64(&c);
    subject.view = cursor_u64(&c);
    uint8_t kind = cursor_u8(&c);
    subject.parent_view = cursor_u64(&c);
    subject.block = cursor_hash(&c);
    cursor_exact(&c, bitmap, sizeof(bitmap));
    if (c.failed || kind >= VOTE_KIND_COUNT) return E_MALFORMED;
    subject.kind = (enum vote_kind)kind;
    enum status status = vote_check_form(&subject);
    if (status != OK) return status;
    struct bytes signatures = cursor_bytes(&c, (size_t)count_bits(bitmap) * COMPACT_SIGNATURE_SIZE);
    status = cursor_end(&c);
    if (status != OK) return status;
    certificate_start(out, &subject);
    memcpy(out->signers, bitmap, sizeof(bitmap));
    out->signature_count = count_bits(bitmap);
    if (signatures.size > 0) memcpy(out->signatures, signatures.data, signatures.size);
    return OK;
}

/* The weight of all signers; 0 if one of them is not in the set. */
static uint64_t signed_weight(const struct certificate *c, const struct epoch *epoch)
{
    uint64_t weight = 0;
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        if (!certificate_has_signer(c, i)) continue;
        if (i >= epoch->validator_count) return 0;
        weight += epoch->validators[i].weight;
    }
    return weight;
}

enum status certificate_verify(const struct certificate *c, const struct epoch *epoch,
                               const struct signer *signer)
{
    struct vote subject = subject_of(c);
    if (c->epoch != epoch->number) return E_STATE;
    uint64_t least = PLANTED(CERT_UNWEIGHED) ? 1 : epoch_quorum(epoch);
    if (signed_weight(c, epoch) < least) return E_LIMIT;
    assert(c->signature_count == count_bits(c->signers));
    struct hash digest = vote_digest(epoch->chain_id, &subject);
    for (uint32_t i = 0, n = 0; i < epoch->validator_count; i++) {
        if (!certificate_has_signer(c, i)) continue;
        struct signature signature = expand(c->signatures[n++]);
        struct address address;
        if (signer->recover(&address, &signature, &digest) != OK) return E_SIGNATURE;
        if (!address_equal(&address, &epoch->validators[i].consensus_address)) return E_SIGNATURE;
    }
    return OK;
}
