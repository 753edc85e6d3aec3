#include "chain/consensus/certificate.h"
#include "chain/consensus/proposal.h"
#include "chain/consensus/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

#define SIGNERS 5

static struct key keys[SIGNERS];
static struct epoch epoch;

/* Weights 1, 2, 3, 4, 5: W = 15, quorum 11. */
static int make_epoch(void **state)
{
    (void)state;
    memset(&epoch, 0, sizeof(epoch));
    epoch.chain_id = 7117;
    epoch.number = 2;
    epoch.last_number = 10;
    epoch.validator_count = SIGNERS;
    for (uint32_t i = 0; i < SIGNERS; i++) {
        keys[i].secret[31] = (uint8_t)(i + 1);
        epoch.validators[i].consensus_address = key_address(&keys[i]);
        epoch.validators[i].weight = i + 1;
    }
    return epoch_seal(&epoch) == OK ? 0 : -1;
}

static struct vote signed_vote(uint32_t signer, enum vote_kind kind)
{
    struct vote v = {.epoch = 2, .view = 9, .kind = kind, .signer = (uint16_t)signer};
    if (kind == VOTE_NOTARIZE) v.parent_view = 7;
    if (kind != VOTE_NULLIFY) v.block = (struct hash){{0xcc}};
    struct hash digest = vote_digest(epoch.chain_id, &v);
    v.signature = key_sign(&keys[signer], &digest);
    return v;
}

static struct certificate signed_by(uint32_t mask, enum vote_kind kind)
{
    struct certificate c;
    struct vote subject = signed_vote(0, kind);
    memset(&c, 0, sizeof(c));
    certificate_start(&c, &subject);
    for (uint32_t i = 0; i < SIGNERS; i++) {
        struct vote v = signed_vote(i, kind);
        if (mask >> i & 1) certificate_add(&c, &v);
    }
    return c;
}

static void holds_from_a_quorum_of_weight_on(void **state)
{
    (void)state;
    for (uint32_t mask = 1; mask < 1u << SIGNERS; mask++) {
        uint32_t weight = 0;
        for (uint32_t i = 0; i < SIGNERS; i++)
            weight += mask >> i & 1 ? i + 1 : 0;
        struct certificate c = signed_by(mask, VOTE_NOTARIZE);
        assert_int_equal(certificate_verify(&c, &epoch, &SIGNER_SECP256K1),
                         weight >= 11 ? OK : E_LIMIT);
    }
}

static void comes_back_from_its_encoding_for_every_kind(void **state)
{
    (void)state;
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        struct certificate c = signed_by(0x1d, (enum vote_kind)kind), d;
        struct buffer bytes = {0};
        certificate_encode(&bytes, &c);
        assert_int_equal(bytes.size, CERTIFICATE_SIZE_MIN + 4 * COMPACT_SIGNATURE_SIZE);
        assert_int_equal(certificate_size_in(buffer_bytes(&bytes)), bytes.size);
        assert_int_equal(certificate_decode(&d, buffer_bytes(&bytes)), OK);
        assert_int_equal(certificate_verify(&d, &epoch, &SIGNER_SECP256K1), OK);
        assert_int_equal(d.signature_count, 4);
        assert_int_equal(d.parent_view, kind == VOTE_NOTARIZE ? 7 : 0);
        for (size_t size = 0; size < bytes.size; size++)
            assert_int_equal(certificate_decode(&d, bytes_of(bytes.data, size)), E_MALFORMED);
        buffer_finish(&bytes);
    }
}

static void gives_back_the_votes_it_is_made_of(void **state)
{
    struct certificate c = signed_by(0x1d, VOTE_FINALIZE);
    const uint32_t signers[] = {0, 2, 3, 4};
    (void)state;
    for (uint32_t n = 0; n < 4; n++) {
        struct vote v = certificate_vote(&c, n);
        struct vote original = signed_vote(signers[n], VOTE_FINALIZE);
        assert_true(vote_same(&v, &original));
        assert_memory_equal(v.signature.b, original.signature.b, 65);
    }
}

static void refuses_what_the_signers_did_not_sign(void **state)
{
    struct certificate c = signed_by(0x1f, VOTE_NOTARIZE);
    (void)state;
    c.view = 10;
    assert_int_equal(certificate_verify(&c, &epoch, &SIGNER_SECP256K1), E_SIGNATURE);
    c.view = 9;
    c.signatures[4][5] ^= 1;
    assert_int_equal(certificate_verify(&c, &epoch, &SIGNER_SECP256K1), E_SIGNATURE);
    c.signatures[4][5] ^= 1;
    c.epoch = 3;
    assert_int_equal(certificate_verify(&c, &epoch, &SIGNER_SECP256K1), E_STATE);
}

static void refuses_a_signature_under_another_signers_name(void **state)
{
    struct certificate c = signed_by(0x1e, VOTE_NOTARIZE); /* 1..4, weight 14 */
    (void)state;
    c.signers[0] = 0x1d; /* 0, 2..4: weight 13, but the first signature is 1's */
    assert_int_equal(certificate_verify(&c, &epoch, &SIGNER_SECP256K1), E_SIGNATURE);
}

static void refuses_a_signer_who_is_not_in_the_set(void **state)
{
    struct certificate c = signed_by(0x1f, VOTE_NOTARIZE);
    (void)state;
    c.signers[0] |= 0x20;
    c.signature_count++;
    assert_int_equal(certificate_verify(&c, &epoch, &SIGNER_SECP256K1), E_LIMIT);
}

static void a_proposal_comes_back_from_its_encoding(void **state)
{
    struct proposal *p = calloc(2, sizeof(*p));
    struct proposal *q = p + 1;
    struct buffer bytes = {0};
    struct bytes block;
    (void)state;
    p->vote = signed_vote(1, VOTE_NOTARIZE);
    p->certificate_count = 2;
    p->certificates[0] = signed_by(0x1c, VOTE_NOTARIZE);
    p->certificates[1] = signed_by(0x1d, VOTE_NULLIFY);
    proposal_encode(&bytes, p, bytes_of_text("block"));
    assert_int_equal(proposal_decode(q, &block, buffer_bytes(&bytes)), OK);
    assert_true(vote_same(&p->vote, &q->vote));
    assert_true(bytes_equal(block, bytes_of_text("block")));
    assert_int_equal(q->certificate_count, 2);
    assert_int_equal(q->certificates[1].kind, VOTE_NULLIFY);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_not_equal(proposal_decode(q, &block, bytes_of(bytes.data, size)), OK);
    bytes.data[VOTE_SIZE] = PROPOSAL_CERTIFICATES_MAX + 1;
    assert_int_equal(proposal_decode(q, &block, buffer_bytes(&bytes)), E_LIMIT);
    buffer_finish(&bytes);
    free(p);
}

static void a_proposal_must_carry_a_notarize_vote(void **state)
{
    struct proposal *p = calloc(1, sizeof(*p));
    struct buffer bytes = {0};
    struct bytes block;
    (void)state;
    p->vote = signed_vote(1, VOTE_FINALIZE);
    proposal_encode(&bytes, p, bytes_of(NULL, 0));
    assert_int_equal(proposal_decode(p, &block, buffer_bytes(&bytes)), E_MALFORMED);
    buffer_finish(&bytes);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_from_a_quorum_of_weight_on),
        cmocka_unit_test(comes_back_from_its_encoding_for_every_kind),
        cmocka_unit_test(gives_back_the_votes_it_is_made_of),
        cmocka_unit_test(refuses_what_the_signers_did_not_sign),
        cmocka_unit_test(refuses_a_signature_under_another_signers_name),
        cmocka_unit_test(refuses_a_signer_who_is_not_in_the_set),
        cmocka_unit_test(a_proposal_comes_back_from_its_encoding),
        cmocka_unit_test(a_proposal_must_carry_a_notarize_vote),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_epoch, NULL);
}
