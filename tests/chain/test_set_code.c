/* Type 4 transactions (EIP-7702): the format, what an authorization does, what calls then do. */
#include "chain/authorize.h"
#include "tests/chain/execute_fixture.h"
#include "tests/chain/vectors.h"
#include "vm/delegation.h"

#define CHAIN 7 /* of the fixture */

static const struct address NOBODY;

static struct key key_number(uint8_t n)
{
    struct key k = {{0}};
    k.secret[31] = n;
    return k;
}

static struct address owner_address(void)
{
    struct key k = key_number(0x77);
    return key_address(&k);
}

/* Signed by the owner. */
static struct authorization authorization_to(const struct address *delegate, uint64_t nonce)
{
    struct authorization a = {.chain_id = num(CHAIN), .delegate = *delegate, .nonce = nonce};
    struct key k = key_number(0x77);
    authorization_sign(&a, &k);
    return a;
}

static struct tx set_code_tx(uint8_t to, const struct authorization *a)
{
    struct tx t = tx_to(to, 0);
    t.type = TX_SET_CODE;
    t.authorizations = a;
    t.authorization_count = 1;
    return t;
}

static bool is_delegated_to(struct fixture *f, const struct address *a,
                            const struct address *wanted)
{
    struct address found;
    return delegation_decode(&found, layer_code(f->layer, a)) && address_equal(&found, wanted);
}

/* ---- the format ---- */

static void reads_every_field_of_a_set_code_transaction(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer wire = {0};
    struct tx t;
    struct address signer;
    char text[43];
    struct bytes raw = unhex(&wire, TX_VECTORS[TX_VECTOR_SET_CODE].wire);
    assert_int_equal(tx_decode(&t, &arena, raw), OK);
    assert_int_equal(t.type, TX_SET_CODE);
    assert_int_equal(u256_to_u64(t.max_fee_per_gas), 3000000000u);
    assert_int_equal(u256_to_u64(t.max_priority_fee_per_gas), 1000000000u);
    assert_int_equal(t.authorization_count, 2);
    const struct authorization *a = t.authorizations;
    assert_int_equal(u256_to_u64(a[0].chain_id), 7117);
    assert_int_equal(a[0].nonce, 3);
    assert_int_equal(a[0].delegate.b[0], 0x11);
    assert_int_equal(authorization_authority(&signer, &a[0], 7117), OK);
    address_to_text(text, &signer);
    assert_string_equal(text, "0xb595B18c88b1f651cA387489067f855b5C8E6720");
    assert_true(u256_is_zero(a[1].chain_id));
    assert_true(address_equal(&a[1].delegate, &NOBODY));
    assert_int_equal(authorization_authority(&signer, &a[1], 7117), OK);
    address_to_text(text, &signer);
    assert_string_equal(text, VECTOR_SENDER);
    assert_int_equal(tx_intrinsic_gas(&t), 21000 + 4 * 16 + 2400 + 1900 + 2 * 25000);
    buffer_finish(&wire);
    arena_finish(&arena);
}

static enum status decode_with(const struct authorization *list, size_t count, uint64_t *parity)
{
    struct arena arena = {0};
    struct buffer wire = {0};
    struct key k = key_number(1);
    struct tx t = set_code_tx(OTHER, list), read;
    t.authorization_count = count;
    tx_sign(&t, &k);
    tx_encode(&wire, &t);
    enum status status = tx_decode(&read, &arena, buffer_bytes(&wire));
    if (status == OK && count > 0) *parity = read.authorizations[0].signature.b[64];
    buffer_finish(&wire);
    arena_finish(&arena);
    return status;
}

static void takes_a_parity_of_a_byte_and_a_bounded_number_of_authorizations(void **state)
{
    (void)state;
    size_t most = TX_AUTHORIZATIONS_MAX + 1;
    struct authorization *list = must_alloc(most * sizeof *list);
    uint64_t parity = 0;
    list[0].signature.b[64] = 255;
    assert_int_equal(decode_with(list, 1, &parity), OK);
    assert_int_equal(parity, 255);
    assert_int_equal(decode_with(list, 0, &parity), OK);
    assert_int_equal(decode_with(list, most - 1, &parity), OK);
    assert_int_equal(decode_with(list, most, &parity), E_LIMIT);
    free(list);
}

/* The vector with some of its digits replaced by as many others. */
static enum status decode_changed(const char *from, const char *to)
{
    struct arena arena = {0};
    struct buffer wire = {0};
    struct tx t;
    const char *text = TX_VECTORS[TX_VECTOR_SET_CODE].wire;
    const char *at = strstr(text, from);
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to)); /* so that all lengths stay right */
    struct buffer changed = {0};
    buffer_append(&changed, bytes_of(text, (size_t)(at - text)));
    buffer_append(&changed, bytes_of_text(to));
    buffer_append(&changed, bytes_of_text(at + strlen(from)));
    enum status status = tx_decode(&t, &arena, unhex(&wire, buffer_text(&changed)));
    buffer_finish(&changed);
    buffer_finish(&wire);
    arena_finish(&arena);
    return status;
}

static void refuses_authorizations_that_are_not_canonical(void **state)
{
    (void)state;
    assert_int_equal(decode_changed("80a01f0f", "81ff9f0f"), OK); /* a parity of one byte */
    assert_int_equal(decode_changed("80a01f0f", "8201009e"), E_MALFORMED);     /* of two */
    assert_int_equal(decode_changed("0380a01f0f", "0381a01f0f"), E_MALFORMED); /* parity */
    assert_int_equal(decode_changed("0380a01f0f", "0080a01f0f"), E_MALFORMED); /* nonce */
    assert_int_equal(decode_changed("80a01f0f", "80a0000f"), E_MALFORMED);     /* r */
    assert_int_equal(decode_changed("821bcd941111", "82001b941111"), E_MALFORMED);
    assert_int_equal(decode_changed("821bcd941111", "821bcd931111"), E_MALFORMED);
    assert_int_equal(decode_changed("f85c821bcd94", "f85b821bcd94"), E_MALFORMED);
}

static void an_authorization_for_elsewhere_or_badly_signed_has_no_signer(void **state)
{
    (void)state;
    struct address to = addr(OTHER), signer, owner = owner_address();
    const struct authorization good = authorization_to(&to, 5);
    struct authorization a = good;
    assert_int_equal(authorization_authority(&signer, &a, CHAIN), OK);
    assert_true(address_equal(&signer, &owner));
    assert_int_equal(authorization_authority(&signer, &a, CHAIN + 1), E_RANGE);
    a.signature.b[64] = 2;
    assert_int_equal(authorization_authority(&signer, &a, CHAIN), E_SIGNATURE);
    a = good;
    memset(a.signature.b, 0, 32);
    assert_int_equal(authorization_authority(&signer, &a, CHAIN), E_SIGNATURE);
    a = good;
    a.signature.b[32] = 0x80; /* s above n/2 */
    assert_int_equal(authorization_authority(&signer, &a, CHAIN), E_SIGNATURE);
    a = authorization_to(&to, UINT64_MAX);
    assert_int_equal(authorization_authority(&signer, &a, CHAIN), E_RANGE);
    a = good;
    a.nonce++; /* another digest: somebody else's */
    assert_true(authorization_authority(&signer, &a, CHAIN) != OK ||
                !address_equal(&signer, &owner));
}

static void creates_and_empty_lists_are_refused_and_all_before_prague(void **state)
{
    (void)state;
    struct address to = addr(OTHER);
    struct authorization a = authorization_to(&to, 0);
    struct tx t = set_code_tx(OTHER, &a);
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, CHAIN, 30000000), TX_FINE);
    assert_int_equal(tx_check_static(&t, EVM_CANCUN, CHAIN, 30000000), TX_TYPE_UNSUPPORTED);
    t.gas_limit = 45999;
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, CHAIN, 30000000), TX_INTRINSIC_GAS);
    t.gas_limit = 46000;
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, CHAIN, 30000000), TX_FINE);
    t.is_create = true;
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, CHAIN, 30000000), TX_SET_CODE_CREATE);
    t.is_create = false;
    t.authorization_count = 0;
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, CHAIN, 30000000), TX_SET_CODE_EMPTY);
}

/* ---- execution ---- */

static void the_owners_account_runs_the_delegates_code(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct address contract = addr(CONTRACT), owner = owner_address();
    struct authorization a = authorization_to(&contract, 0);
    struct tx t = set_code_tx(0, &a);
    place_code(f, CODE("\x60\x2a\x60\x00\x55\x00")); /* SSTORE(0, 42) */
    t.to = owner;
    struct tx_outcome o = run(f, &t);
    assert_int_equal(o.result, EVM_SUCCESS);
    assert_int_equal(o.gas_used, 21000 + 25000 + 6 + 22100); /* a new account: no refund */
    assert_true(is_delegated_to(f, &owner, &contract));
    assert_int_equal(layer_account(f->layer, &owner).nonce, 1);
    assert_int_equal(u256_to_u64(layer_storage(f->layer, &owner, num(0))), 42);
    assert_true(u256_is_zero(layer_storage(f->layer, &contract, num(0))));
    fixture_destroy(f);
}

static void the_delegate_is_warm_when_the_transaction_calls_the_owner(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct address contract = addr(CONTRACT);
    struct authorization a = authorization_to(&contract, 0);
    struct buffer code = {0};
    buffer_append_byte(&code, 0x73); /* BALANCE of the delegate itself */
    buffer_append(&code, address_bytes(&contract));
    buffer_append(&code, CODE("\x31\x00"));
    place_code(f, buffer_bytes(&code));
    struct tx t = set_code_tx(0, &a);
    t.to = owner_address();
    assert_int_equal(run(f, &t).gas_used, 21000 + 25000 + 3 + 100);
    buffer_finish(&code);
    fixture_destroy(f);
}

static void an_account_that_was_there_gets_half_back_as_far_as_a_fifth(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct address contract = addr(CONTRACT), owner = owner_address();
    struct authorization a = authorization_to(&contract, 0);
    struct tx t = set_code_tx(OTHER, &a);
    layer_set_balance(f->layer, &owner, num(1));
    assert_int_equal(run(f, &t).gas_used, 46000 - 46000 / 5);
    place_code(f, CODE("\x60\x01\x60\x00\x55\x00")); /* uses enough for the whole refund */
    a = authorization_to(&contract, 1);
    t.to = contract;
    t.nonce = 1;
    assert_int_equal(run(f, &t).gas_used, 46000 + 6 + 22100 - 12500);
    fixture_destroy(f);
}

static void an_authorization_stays_though_the_call_reverts_or_runs_out(void **state)
{
    (void)state;
    static const char *const endings[] = {"\x5f\x5f\xfd", "\x5f\x5f\xfe"};
    for (size_t i = 0; i < 2; i++) {
        struct fixture *f = fixture_create();
        struct address contract = addr(CONTRACT), owner = owner_address();
        struct authorization a = authorization_to(&contract, 0);
        struct tx t = set_code_tx(CONTRACT, &a);
        place_code(f, bytes_of(endings[i], 3));
        layer_set_balance(f->layer, &owner, num(1));
        struct tx_outcome o = run(f, &t);
        uint64_t used = i == 0 ? 46000 + 4 : t.gas_limit;
        uint64_t refund = used / 5 < 12500 ? used / 5 : 12500;
        assert_int_not_equal(o.result, EVM_SUCCESS);
        assert_int_equal(o.gas_used, used - refund);
        assert_true(is_delegated_to(f, &owner, &contract));
        assert_int_equal(layer_account(f->layer, &owner).nonce, 1);
        fixture_destroy(f);
    }
}

struct left_out {
    const char *why;
    struct authorization (*make)(struct fixture *f);
    uint64_t balance_gas; /* 100 if the authority became warm all the same */
};

static struct authorization of_wrong_nonce(struct fixture *f)
{
    struct address to = addr(OTHER);
    (void)f;
    return authorization_to(&to, 1);
}

static struct authorization of_other_chain(struct fixture *f)
{
    struct address to = addr(OTHER);
    struct authorization a = {.chain_id = num(CHAIN + 1), .delegate = to};
    struct key k = key_number(0x77);
    (void)f;
    authorization_sign(&a, &k);
    return a;
}

static struct authorization of_a_contract(struct fixture *f)
{
    struct address to = addr(OTHER), owner = owner_address();
    layer_set_code(f->layer, &owner, CODE("\x00"));
    return authorization_to(&to, 0);
}

static struct authorization of_bad_parity(struct fixture *f)
{
    struct authorization a = of_wrong_nonce(f);
    a.signature.b[64] = 27;
    return a;
}

static void an_authorization_that_does_not_hold_is_left_out(void **state)
{
    (void)state;
    static const struct left_out rows[] = {
        {"wrong nonce", of_wrong_nonce, 100},
        {"other chain", of_other_chain, 2600},
        {"a contract's", of_a_contract, 100},
        {"bad parity", of_bad_parity, 2600},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = fixture_create();
        struct address owner = owner_address();
        struct authorization a = rows[i].make(f);
        struct tx t = set_code_tx(CONTRACT, &a);
        struct buffer code = {0};
        buffer_append_byte(&code, 0x73); /* BALANCE of the owner */
        buffer_append(&code, address_bytes(&owner));
        buffer_append(&code, CODE("\x31\x00"));
        place_code(f, buffer_bytes(&code));
        struct tx_outcome o = run(f, &t);
        if (o.gas_used != 46000 + 3 + rows[i].balance_gas)
            fail_msg("%s: %llu gas", rows[i].why, (unsigned long long)o.gas_used);
        assert_false(layer_is_delegated(f->layer, &owner));
        assert_int_equal(layer_account(f->layer, &owner).nonce, 0);
        buffer_finish(&code);
        fixture_destroy(f);
    }
}

static void the_zero_address_takes_the_delegation_away(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct address contract = addr(CONTRACT), owner = owner_address();
    struct authorization list[3] = {authorization_to(&contract, 0), authorization_to(&NOBODY, 1),
                                    authorization_to(&contract, 1)}; /* the last is used already */
    struct tx t = set_code_tx(OTHER, list);
    t.authorization_count = 3;
    t.gas_limit = 200000;
    (void)run(f, &t);
    struct account a = layer_account(f->layer, &owner);
    assert_int_equal(a.nonce, 2);
    assert_false(account_has_code(&a));
    assert_int_equal(layer_code(f->layer, &owner).size, 0);
    fixture_destroy(f);
}

static void a_sender_can_authorize_with_the_nonce_after_its_transaction(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct address contract = addr(CONTRACT), owner = owner_address();
    struct authorization a = authorization_to(&contract, 1);
    struct tx t = set_code_tx(OTHER, &a);
    struct tx_outcome o;
    layer_set_balance(f->layer, &owner, num(1000000 * 10 * GWEI));
    assert_int_equal(execute_transaction(&f->x, &o, &t, &owner), TX_FINE);
    assert_true(is_delegated_to(f, &owner, &contract));
    assert_int_equal(layer_account(f->layer, &owner).nonce, 2);
    /* And it goes on sending, though it has code: that is no contract's (EIP-3607). */
    struct tx plain = tx_to(OTHER, 1);
    plain.nonce = 2;
    assert_int_equal(execute_transaction(&f->x, &o, &plain, &owner), TX_FINE);
    assert_int_equal(layer_account(f->layer, &owner).nonce, 3);
    fixture_destroy(f);
}

static void a_delegation_to_a_delegation_is_not_followed(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct address contract = addr(CONTRACT), second = addr(OTHER);
    struct delegation d = delegation_to(&contract);
    struct authorization a = authorization_to(&second, 0);
    struct tx t = set_code_tx(0, &a);
    place_code(f, CODE("\x00"));
    layer_set_code(f->layer, &second, bytes_of(d.code, sizeof d.code));
    t.to = owner_address();
    struct tx_outcome o = run(f, &t);
    assert_int_equal(o.result, EVM_BAD_OPCODE); /* 0xef itself was run */
    fixture_destroy(f);
}

static void a_call_with_authorizations_leaves_no_trace(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct address contract = addr(CONTRACT), owner = owner_address();
    struct authorization a = authorization_to(&contract, 0);
    struct call_request r = {.from = addr(SENDER), .to = owner, .gas_limit = 1000000};
    struct tx_outcome o;
    uint64_t gas;
    place_code(f, CODE("\x60\x2a\x60\x00\x52\x60\x20\x60\x00\xf3")); /* returns 42 */
    r.authorizations = &a;
    r.authorization_count = 1;
    assert_int_equal(execute_call(&f->x, &o, &r, NULL), TX_FINE);
    assert_int_equal(o.output.size, 32);
    assert_int_equal(o.output.data[31], 42);
    assert_false(layer_is_delegated(f->layer, &owner));
    assert_int_equal(layer_account(f->layer, &owner).nonce, 0);
    assert_int_equal(execute_estimate(&f->x, &gas, &o, &r, NULL), TX_FINE);
    assert_int_equal(gas, 46000 + 18);
    r.is_create = true;
    assert_int_equal(execute_call(&f->x, &o, &r, NULL), TX_SET_CODE_CREATE);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_field_of_a_set_code_transaction),
        cmocka_unit_test(takes_a_parity_of_a_byte_and_a_bounded_number_of_authorizations),
        cmocka_unit_test(refuses_authorizations_that_are_not_canonical),
        cmocka_unit_test(an_authorization_for_elsewhere_or_badly_signed_has_no_signer),
        cmocka_unit_test(creates_and_empty_lists_are_refused_and_all_before_prague),
        cmocka_unit_test(the_owners_account_runs_the_delegates_code),
        cmocka_unit_test(the_delegate_is_warm_when_the_transaction_calls_the_owner),
        cmocka_unit_test(an_account_that_was_there_gets_half_back_as_far_as_a_fifth),
        cmocka_unit_test(an_authorization_stays_though_the_call_reverts_or_runs_out),
        cmocka_unit_test(an_authorization_that_does_not_hold_is_left_out),
        cmocka_unit_test(the_zero_address_takes_the_delegation_away),
        cmocka_unit_test(a_sender_can_authorize_with_the_nonce_after_its_transaction),
        cmocka_unit_test(a_delegation_to_a_delegation_is_not_followed),
        cmocka_unit_test(a_call_with_authorizations_leaves_no_trace),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
