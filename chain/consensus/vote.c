#include "chain/consensus/vote.h"

#include "base/cursor.h"
#include "base/keccak.h"

#include <assert.h>
#include <string.h>

static const uint8_t DOMAIN[32] = {0x53, 0xf3, 0x90, 0xfe, 0x03, 0xfc, 0x42, 0x50, 0x45, 0xd3, 0xad,
                                   0x8f, 0x2e, 0xd2, 0xfd, 0x1a, 0xc0, 0xa9, 0x20, 0xa8, 0xf5, 0x49,
                                   0x29, 0x45, 0x72, 0xb7, 0x92, 0x69, 0x1f, 0xb1, 0xf9, 0xc7};

static void put_word(uint8_t *preimage, size_t index, uint64_t value)
{
    store_be64(preimage + 32 * index + 24, value);
}

void vote_preimage(uint8_t out[VOTE_PREIMAGE_SIZE], uint64_t chain_id, const struct vote *v)
{
    assert(v->kind < VOTE_KIND_COUNT);
    memset(out, 0, VOTE_PREIMAGE_SIZE);
    memcpy(out, DOMAIN, 32);
    put_word(out, 1, chain_id);
    put_word(out, 2, v->epoch);
    put_word(out, 3, v->view);
    put_word(out, 4, (uint64_t)v->kind);
    put_word(out, 5, v->parent_view);
    memcpy(out + 192, v->block.b, 32);
}

struct hash vote_digest(uint64_t chain_id, const struct vote *v)
{
    uint8_t preimage[VOTE_PREIMAGE_SIZE];
    vote_preimage(preimage, chain_id, v);
    return keccak256(bytes_of(preimage, sizeof(preimage)));
}

void vote_encode(struct buffer *out, const struct vote *v)
{
    uint8_t *p = buffer_extend(out, VOTE_SIZE);
    store_be64(p, v->epoch);
    store_be64(p + 8, v->view);
    p[16] = (uint8_t)v->kind;
    store_be64(p + 17, v->parent_view);
    memcpy(p + 25, v->block.b, 32);
    p[57] = (uint8_t)(v->signer >> 8);
    p[58] = (uint8_t)v->signer;
    memcpy(p + 59, v->signature.b, 65);
}

enum status vote_check_form(const struct vote *v)
{
    if (v->kind >= VOTE_KIND_COUNT || v->view == 0) return E_MALFORMED;
    if (v->parent_view >= v->view) return E_MALFORMED;
    if (v->kind != VOTE_NOTARIZE && v->parent_view != 0) return E_MALFORMED;
    if ((v->kind == VOTE_NULLIFY) != hash_is_zero(&v->block)) return E_MALFORMED;
    if (v->signer >= VALIDATORS_MAX) return E_LIMIT;
    return OK;
}

enum status vote_decode(struct vote *out, struct bytes input)
{
    struct cursor c = cursor_over(input);
    struct vote v = {0};
    v.epoch = cursor_u64(&c);
    v.view = cursor_u64(&c);
    uint8_t kind = cursor_u8(&c);
    v.parent_view = cursor_u64(&c);
    v.block = cursor_hash(&c);
    uint8_t signer_high = cursor_u8(&c);
    uint8_t signer_low = cursor_u8(&c);
    cursor_exact(&c, v.signature.b, 65);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (kind >= VOTE_KIND_COUNT || v.signature.b[64] > 1) return E_MALFORMED;
    v.kind = (enum vote_kind)kind;
    v.signer = (uint16_t)(signer_high << 8 | signer_low);
    status = vote_check_form(&v);
    if (status == OK) *out = v;
    return status;
}

bool vote_same(const struct vote *a, const struct vote *b)
{
    return a->epoch == b->epoch && a->view == b->view && a->kind == b->kind &&
           a->parent_view == b->parent_view && a->signer == b->signer &&
           hash_equal(&a->block, &b->block);
}
