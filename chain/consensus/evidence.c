#include "chain/consensus/evidence.h"

#include "chain/consensus/planted.h"

static enum evidence_kind kind_of(const struct vote *a, const struct vote *b)
{
    if (a->signer != b->signer || a->epoch != b->epoch || a->view != b->view) return EVIDENCE_NONE;
    bool same_block = hash_equal(&a->block, &b->block);
    if (a->kind == b->kind) {
        if (same_block) return EVIDENCE_NONE; /* nullify is always here */
        return a->kind == VOTE_NOTARIZE ? EVIDENCE_E1 : EVIDENCE_E2;
    }
    if (a->kind != VOTE_FINALIZE && b->kind != VOTE_FINALIZE)
        return PLANTED(ACCUSE_LAWFUL) ? EVIDENCE_E3 : EVIDENCE_NONE;
    if (a->kind == VOTE_NULLIFY || b->kind == VOTE_NULLIFY) return EVIDENCE_E3;
    return same_block ? EVIDENCE_NONE : EVIDENCE_E4;
}

static bool overlooked(enum evidence_kind kind)
{
    return (kind == EVIDENCE_E1 && PLANTED(BLIND_TO_E1)) ||
           (kind == EVIDENCE_E2 && PLANTED(BLIND_TO_E2)) ||
           (kind == EVIDENCE_E3 && PLANTED(BLIND_TO_E3)) ||
           (kind == EVIDENCE_E4 && PLANTED(BLIND_TO_E4));
}

enum evidence_kind evidence_between(const struct vote *a, const struct vote *b)
{
    enum evidence_kind kind = kind_of(a, b);
    return overlooked(kind) ? EVIDENCE_NONE : kind;
}
