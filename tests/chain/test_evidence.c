#include "chain/consensus/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static struct vote vote_for(enum vote_kind kind, uint8_t block)
{
    struct vote v = {.epoch = 1, .view = 8, .kind = kind, .signer = 3, .block = {{block}}};
    if (kind == VOTE_NOTARIZE) v.parent_view = 7;
    return v;
}

static void tells_every_pair_of_votes_apart(void **state)
{
    const struct {
        enum vote_kind a;
        uint8_t block_a;
        enum vote_kind b;
        uint8_t block_b;
        enum evidence_kind expected;
    } cases[] = {
        {VOTE_NOTARIZE, 1, VOTE_NOTARIZE, 1, EVIDENCE_NONE},
        {VOTE_NOTARIZE, 1, VOTE_NOTARIZE, 2, EVIDENCE_E1},
        {VOTE_FINALIZE, 1, VOTE_FINALIZE, 1, EVIDENCE_NONE},
        {VOTE_FINALIZE, 1, VOTE_FINALIZE, 2, EVIDENCE_E2},
        {VOTE_FINALIZE, 1, VOTE_NULLIFY, 0, EVIDENCE_E3},
        {VOTE_NOTARIZE, 1, VOTE_NULLIFY, 0, EVIDENCE_NONE},
        {VOTE_NOTARIZE, 1, VOTE_FINALIZE, 1, EVIDENCE_NONE},
        {VOTE_NOTARIZE, 1, VOTE_FINALIZE, 2, EVIDENCE_E4},
        {VOTE_NULLIFY, 0, VOTE_NULLIFY, 0, EVIDENCE_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vote a = vote_for(cases[i].a, cases[i].block_a);
        struct vote b = vote_for(cases[i].b, cases[i].block_b);
        assert_int_equal(evidence_between(&a, &b), cases[i].expected);
        assert_int_equal(evidence_between(&b, &a), cases[i].expected);
    }
}

static void convicts_only_within_one_view_of_one_epoch_of_one_signer(void **state)
{
    struct vote a = vote_for(VOTE_NOTARIZE, 1);
    struct vote b[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        b[i] = vote_for(VOTE_NOTARIZE, 2);
    b[0].view++;
    b[1].epoch++;
    b[2].signer++;
    for (int i = 0; i < 3; i++)
        assert_int_equal(evidence_between(&a, &b[i]), EVIDENCE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_every_pair_of_votes_apart),
        cmocka_unit_test(convicts_only_within_one_view_of_one_epoch_of_one_signer),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
