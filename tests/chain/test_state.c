/* Layers: reading through parents, undoing, sealing to roots that depend on nothing but the state.
 */
#include "base/keccak.h"
#include "chain/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct address addr(uint8_t n)
{
    struct address a = {{0}};
    a.b[0] = 0xaa;
    a.b[19] = n;
    return a;
}

static struct u256 num(uint64_t n)
{
    return u256_from_u64(n);
}

static void set_balance(struct layer *l, uint8_t n, uint64_t wei)
{
    struct address a = addr(n);
    layer_set_balance(l, &a, num(wei));
}

static uint64_t balance(struct layer *l, uint8_t n)
{
    struct address a = addr(n);
    return u256_to_u64(layer_account(l, &a).balance);
}

static void set_slot(struct layer *l, uint8_t n, uint64_t slot, uint64_t value)
{
    struct address a = addr(n);
    layer_set_storage(l, &a, num(slot), num(value));
}

static uint64_t slot(struct layer *l, uint8_t n, uint64_t s)
{
    struct address a = addr(n);
    return u256_to_u64(layer_storage(l, &a, num(s)));
}

/* As the VM does it: one look-up, then the change. */
static enum access store(struct host *h, uint8_t n, uint64_t s, uint64_t value)
{
    struct address a = addr(n);
    struct u256 key = num(s), word = num(value);
    struct host_slot *seen = HOST_OF_LAYER.touch_slot(h, &a, &key);
    enum access was = seen->was;
    HOST_OF_LAYER.store(h, seen, &word);
    return was;
}

static struct host_slot touch(struct host *h, uint8_t n, uint64_t s)
{
    struct address a = addr(n);
    struct u256 key = num(s);
    return *HOST_OF_LAYER.touch_slot(h, &a, &key);
}

static uint64_t transient(struct host *h, uint8_t n, uint64_t s)
{
    struct address a = addr(n);
    struct u256 key = num(s);
    return u256_to_u64(*HOST_OF_LAYER.transient(h, &a, &key));
}

static void set_transient(struct host *h, uint8_t n, uint64_t s, uint64_t value)
{
    struct address a = addr(n);
    struct u256 key = num(s), word = num(value);
    HOST_OF_LAYER.set_transient(h, &a, &key, &word);
}

static void an_empty_layer_has_the_empty_root(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *l = layer_create(&base, NULL);
    assert_int_equal(balance(l, 1), 0);
    set_balance(l, 1, 0); /* an empty account is none */
    struct hash root = layer_seal(l);
    assert_memory_equal(root.b, EMPTY_TRIE_ROOT.b, 32);
    layer_release(l);
}

/* One account alone: the root is the hash of a leaf, put together here by hand. */
static void one_account_gives_the_root_of_its_leaf(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *l = layer_create(&base, NULL);
    struct address a = addr(1);
    set_balance(l, 1, 5);
    struct hash root = layer_seal(l);
    struct hash key = keccak256(address_bytes(&a));
    /* list of 106: a path of 33 bytes (even length, leaf), and a string of 70, which is the
     * list of 68: nonce 0, balance 5, storage root, code hash */
    struct buffer whole = {0};
    buffer_append(&whole, bytes_of("\xf8\x6a\xa1\x20", 4));
    buffer_append(&whole, hash_bytes(&key));
    buffer_append(&whole, bytes_of("\xb8\x46\xf8\x44\x80\x05\xa0", 7));
    buffer_append(&whole, hash_bytes(&ACCOUNT_EMPTY.storage_root));
    buffer_append(&whole, bytes_of("\xa0", 1));
    buffer_append(&whole, hash_bytes(&ACCOUNT_EMPTY.code_hash));
    assert_int_equal(whole.size, 2 + 0x6a);
    struct hash expected = keccak256(buffer_bytes(&whole));
    assert_memory_equal(root.b, expected.b, 32);
    buffer_finish(&whole);
    layer_release(l);
}

static void reads_go_through_parents(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *first = layer_create(&base, NULL);
    struct address a = addr(2);
    set_balance(first, 1, 10);
    set_balance(first, 2, 20);
    set_slot(first, 2, 7, 70);
    layer_set_code(first, &a, bytes_of_text("code"));
    layer_seal(first);
    struct layer *second = layer_create(&base, first);
    set_balance(second, 1, 11);
    layer_seal(second);
    struct layer *third = layer_create(&base, second);
    layer_release(first); /* held by second */
    layer_release(second);
    assert_int_equal(balance(third, 1), 11);
    assert_int_equal(balance(third, 2), 20);
    assert_int_equal(slot(third, 2, 7), 70);
    assert_int_equal(slot(third, 2, 8), 0);
    assert_true(bytes_equal(layer_code(third, &a), bytes_of_text("code")));
    layer_release(third);
}

static void brothers_do_not_see_each_other(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *parent = layer_create(&base, NULL);
    set_balance(parent, 1, 1);
    layer_seal(parent);
    struct layer *a = layer_create(&base, parent), *b = layer_create(&base, parent);
    set_balance(a, 1, 2);
    set_slot(a, 3, 1, 1);
    set_balance(a, 3, 1);
    assert_int_equal(balance(b, 1), 1);
    assert_int_equal(slot(b, 3, 1), 0);
    struct hash root_a = layer_seal(a), root_b = layer_seal(b), root = layer_root(parent);
    assert_memory_not_equal(root_a.b, root_b.b, 32);
    assert_memory_equal(root_b.b, root.b, 32);
    layer_release(a);
    layer_release(b);
    layer_release(parent);
}

static void revert_undoes_everything(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *l = layer_create(&base, NULL);
    struct host h = {.layer = l};
    struct address a = addr(1), b = addr(2);
    set_balance(l, 1, 100);
    layer_begin(l);
    (void)store(&h, 1, 2, 11);
    size_t before = HOST_OF_LAYER.snapshot(&h);
    struct log_entry log = {.address = a, .data = bytes_of_text("x")};
    HOST_OF_LAYER.transfer(&h, &a, &b, num(60));
    HOST_OF_LAYER.set_nonce(&h, &a, 9);
    HOST_OF_LAYER.set_code(&h, &a, bytes_of_text("code"));
    (void)store(&h, 1, 2, 12);
    set_transient(&h, 1, 1, 13);
    HOST_OF_LAYER.mark_created(&h, &b);
    HOST_OF_LAYER.self_destruct(&h, &b, &a);
    HOST_OF_LAYER.log(&h, &log);
    assert_int_equal(HOST_OF_LAYER.touch_account(&h, &b)->was, ACCESS_COLD);
    assert_int_equal(HOST_OF_LAYER.touch_account(&h, &b)->was, ACCESS_WARM);
    assert_int_equal(touch(&h, 1, 1).was, ACCESS_COLD);
    HOST_OF_LAYER.revert(&h, before);
    assert_int_equal(balance(l, 1), 100);
    assert_int_equal(balance(l, 2), 0);
    assert_int_equal(layer_account(l, &a).nonce, 0);
    assert_int_equal(layer_code(l, &a).size, 0);
    assert_int_equal(slot(l, 1, 2), 11);
    assert_int_equal(transient(&h, 1, 1), 0);
    assert_int_equal(HOST_OF_LAYER.touch_account(&h, &b)->was, ACCESS_COLD);
    assert_int_equal(touch(&h, 1, 1).was, ACCESS_COLD);
    HOST_OF_LAYER.transfer(&h, &a, &b, num(1));
    layer_end(l);
    size_t count;
    (void)layer_logs(l, &count);
    assert_int_equal(count, 0);
    assert_int_equal(balance(l, 2), 1); /* its destruction was undone */
    layer_release(l);
}

static void a_new_transaction_forgets_marks(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *l = layer_create(&base, NULL);
    struct host h = {.layer = l};
    struct address a = addr(1);
    layer_begin(l);
    layer_warm_account(l, &a);
    layer_warm_slot(l, &a, num(1));
    set_transient(&h, 1, 1, 5);
    (void)store(&h, 1, 1, 5);
    assert_int_equal(HOST_OF_LAYER.touch_account(&h, &a)->was, ACCESS_WARM);
    assert_int_equal(touch(&h, 1, 1).was, ACCESS_WARM);
    assert_int_equal(u256_to_u64(touch(&h, 1, 1).original), 0);
    layer_end(l);
    layer_begin(l);
    assert_int_equal(HOST_OF_LAYER.touch_account(&h, &a)->was, ACCESS_COLD);
    assert_int_equal(touch(&h, 1, 1).was, ACCESS_COLD);
    assert_int_equal(transient(&h, 1, 1), 0);
    (void)store(&h, 1, 1, 6);
    (void)store(&h, 1, 1, 7);
    assert_int_equal(u256_to_u64(touch(&h, 1, 1).original), 5);
    layer_end(l);
    layer_release(l);
}

static void a_slot_keeps_its_original_and_loses_its_warmth_through_nested_reverts(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *l = layer_create(&base, NULL);
    struct host h = {.layer = l};
    set_slot(l, 1, 1, 5);
    layer_begin(l);
    size_t outer = HOST_OF_LAYER.snapshot(&h);
    assert_int_equal(store(&h, 1, 1, 6), ACCESS_COLD);
    size_t inner = HOST_OF_LAYER.snapshot(&h);
    assert_int_equal(store(&h, 1, 1, 7), ACCESS_WARM);
    assert_int_equal(store(&h, 1, 1, 8), ACCESS_WARM);
    assert_int_equal(store(&h, 1, 2, 9), ACCESS_COLD);
    HOST_OF_LAYER.revert(&h, inner);
    assert_int_equal(slot(l, 1, 1), 6);
    assert_int_equal(u256_to_u64(touch(&h, 1, 1).original), 5);
    assert_int_equal(touch(&h, 1, 1).was, ACCESS_WARM);
    assert_int_equal(store(&h, 1, 2, 3), ACCESS_COLD); /* its warmth went with the frame */
    HOST_OF_LAYER.revert(&h, outer);
    assert_int_equal(slot(l, 1, 1), 5);
    assert_int_equal(slot(l, 1, 2), 0);
    assert_int_equal(store(&h, 1, 1, 6), ACCESS_COLD);
    assert_int_equal(u256_to_u64(touch(&h, 1, 1).original), 5);
    HOST_OF_LAYER.revert(&h, outer); /* a second time, after changes since */
    assert_int_equal(slot(l, 1, 1), 5);
    layer_end(l);
    layer_release(l);
}

static void destroyed_goes_only_if_created_in_the_same_transaction(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *l = layer_create(&base, NULL);
    struct host h = {.layer = l};
    struct address young = addr(1), old = addr(2), heir = addr(3);
    set_balance(l, 1, 10);
    set_balance(l, 2, 20);
    layer_set_nonce(l, &old, 1);
    layer_begin(l);
    HOST_OF_LAYER.mark_created(&h, &young);
    HOST_OF_LAYER.set_nonce(&h, &young, 1);
    HOST_OF_LAYER.set_code(&h, &young, bytes_of_text("code"));
    (void)store(&h, 1, 1, 1);
    assert_true(HOST_OF_LAYER.has_storage(&h, &young));
    HOST_OF_LAYER.self_destruct(&h, &young, &heir);
    HOST_OF_LAYER.self_destruct(&h, &old, &heir);
    assert_int_equal(layer_code(l, &young).size, 4); /* until the end */
    layer_end(l);
    assert_int_equal(balance(l, 3), 30);
    assert_int_equal(layer_account(l, &young).nonce, 0);
    assert_int_equal(layer_code(l, &young).size, 0);
    assert_int_equal(slot(l, 1, 1), 0);
    assert_int_equal(layer_account(l, &old).nonce, 1);
    struct layer *same = layer_create(&base, NULL);
    set_balance(same, 3, 30);
    layer_set_nonce(same, &old, 1);
    struct hash a = layer_seal(l), b = layer_seal(same);
    assert_memory_equal(a.b, b.b, 32);
    layer_release(l);
    layer_release(same);
}

static void destroying_into_itself_burns_only_when_young(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *l = layer_create(&base, NULL);
    struct host h = {.layer = l};
    struct address young = addr(1), old = addr(2);
    set_balance(l, 1, 10);
    set_balance(l, 2, 20);
    layer_begin(l);
    HOST_OF_LAYER.mark_created(&h, &young);
    HOST_OF_LAYER.self_destruct(&h, &young, &young);
    HOST_OF_LAYER.self_destruct(&h, &old, &old);
    layer_end(l);
    assert_int_equal(balance(l, 1), 0);
    assert_int_equal(balance(l, 2), 20);
    layer_release(l);
}

/* Many changes over three layers against the end state in one, under other map keys. */
static void roots_depend_on_the_state_alone(void **state)
{
    (void)state;
    struct state_base base = state_base_empty(), other = state_base_empty();
    other.map_key[0] = 0x123456789;
    struct layer *parent = NULL;
    for (uint64_t block = 0; block < 3; block++) {
        struct layer *l = layer_create(&base, parent);
        for (uint8_t n = 0; n < 200; n++) {
            set_balance(l, n, 1 + (n % 3 <= block ? n : 0));
            for (uint64_t s = 0; s < n % 5; s++)
                set_slot(l, n, s, block == 2 ? 0 : s + block);
            if (n % 7 == 0) set_slot(l, n, 99, block + 1);
        }
        layer_seal(l);
        layer_release(parent);
        parent = l;
    }
    struct layer *once = layer_create(&other, NULL);
    for (uint8_t n = 200; n-- > 0;) {
        if (n % 7 == 0) set_slot(once, n, 99, 3);
        set_balance(once, n, 1 + n);
    }
    struct hash expected = layer_seal(once), found = layer_root(parent);
    assert_memory_equal(found.b, expected.b, 32);
    layer_release(once);
    layer_release(parent);
}

static void taking_everything_back_gives_the_empty_root(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct layer *first = layer_create(&base, NULL);
    for (uint8_t n = 0; n < 50; n++)
        set_balance(first, n, 7);
    layer_seal(first);
    struct layer *second = layer_create(&base, first);
    for (uint8_t n = 0; n < 50; n++)
        set_balance(second, n, 0);
    struct hash root = layer_seal(second);
    assert_memory_equal(root.b, EMPTY_TRIE_ROOT.b, 32);
    struct trie_place top = {.nibble_count = 0};
    struct buffer node = {0};
    assert_true(layer_node(first, &top, &node));
    assert_false(layer_node(second, &top, &node));
    buffer_finish(&node);
    layer_release(first);
    layer_release(second);
}

static void an_account_survives_its_encoding_and_no_prefix_does(void **state)
{
    (void)state;
    struct account a = ACCOUNT_EMPTY, back;
    struct buffer wire = {0};
    a.nonce = 300;
    a.balance = num(1000000);
    account_encode(&wire, &a);
    assert_int_equal(account_decode(&back, buffer_bytes(&wire)), OK);
    assert_true(account_equal(&a, &back));
    for (size_t size = 0; size < wire.size; size++) {
        assert_int_equal(account_decode(&back, bytes_of(wire.data, size)), E_MALFORMED);
    }
    buffer_append_byte(&wire, 0);
    assert_int_equal(account_decode(&back, buffer_bytes(&wire)), E_MALFORMED);
    buffer_finish(&wire);
}

static bool some_hash(void *context, uint64_t number, struct hash *out)
{
    (void)context;
    *out = (struct hash){{(uint8_t)number, 1}};
    return true;
}

static void block_hashes_reach_256_back(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct host h = {.layer = layer_create(&base, NULL), .block_hash = some_hash};
    h.context.number = 300;
    struct hash near = HOST_OF_LAYER.block_hash(&h, 299), far = HOST_OF_LAYER.block_hash(&h, 44);
    assert_int_equal(near.b[0], 299 - 256);
    assert_int_equal(far.b[0], 44);
    struct hash beyond = HOST_OF_LAYER.block_hash(&h, 43), own = HOST_OF_LAYER.block_hash(&h, 300);
    assert_true(hash_is_zero(&beyond));
    assert_true(hash_is_zero(&own));
    layer_release(h.layer);
}

/* A delegation (EIP-7702) is code that changes and goes. */
static void code_changes_over_layers_and_goes(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct address a = {{7}};
    static const char *const codes[] = {"first", "second", "", "third"};
    struct layer *l = layer_create(&base, NULL);
    layer_set_nonce(l, &a, 1);
    struct hash without = {{0}};
    for (size_t i = 0; i < 4; i++) {
        struct bytes code = bytes_of(codes[i], strlen(codes[i]));
        layer_begin(l);
        layer_set_code(l, &a, code);
        size_t before = layer_snapshot(l);
        layer_set_code(l, &a, bytes_of("undone", 6));
        layer_set_code(l, &a, bytes_of(NULL, 0));
        layer_revert(l, before);
        layer_end(l);
        assert_true(bytes_equal(layer_code(l, &a), code));
        struct hash root = layer_seal(l);
        if (code.size == 0) without = root;
        struct layer *between = layer_create(&base, l);
        layer_seal(between); /* it never asked for the code */
        struct layer *next = layer_create(&base, between);
        assert_true(bytes_equal(layer_code(next, &a), code));
        layer_release(between);
        layer_release(l);
        l = next;
    }
    layer_release(l);
    /* Without code again it is as if there had never been any. */
    l = layer_create(&base, NULL);
    layer_set_nonce(l, &a, 1);
    struct hash plain = layer_seal(l);
    assert_memory_equal(plain.b, without.b, 32);
    layer_release(l);
}

static void tells_whose_nonce_rose_or_balance_fell(void **state)
{
    (void)state;
    struct state_base base = state_base_empty();
    struct address raised = {{1}}, poorer = {{2}}, richer = {{3}}, untouched = {{4}};
    struct layer *first = layer_create(&base, NULL);
    layer_set_balance(first, &poorer, u256_from_u64(9));
    layer_set_balance(first, &richer, u256_from_u64(9));
    layer_set_balance(first, &untouched, u256_from_u64(9));
    layer_seal(first);
    struct layer *l = layer_create(&base, first);
    struct buffer out = {0};
    layer_set_nonce(l, &raised, 1);
    layer_sub_balance(l, &poorer, u256_from_u64(1));
    layer_add_balance(l, &richer, u256_from_u64(1));
    layer_seal(l);
    layer_spenders(l, &out);
    assert_int_equal(out.size, 2 * sizeof(struct address));
    bool raised_first = memcmp(out.data, raised.b, 20) == 0;
    assert_memory_equal(out.data + (raised_first ? 20 : 0), poorer.b, 20);
    assert_memory_equal(out.data + (raised_first ? 0 : 20), raised.b, 20);
    buffer_finish(&out);
    layer_release(l);
    layer_release(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_layer_has_the_empty_root),
        cmocka_unit_test(one_account_gives_the_root_of_its_leaf),
        cmocka_unit_test(reads_go_through_parents),
        cmocka_unit_test(brothers_do_not_see_each_other),
        cmocka_unit_test(revert_undoes_everything),
        cmocka_unit_test(a_new_transaction_forgets_marks),
        cmocka_unit_test(a_slot_keeps_its_original_and_loses_its_warmth_through_nested_reverts),
        cmocka_unit_test(destroyed_goes_only_if_created_in_the_same_transaction),
        cmocka_unit_test(destroying_into_itself_burns_only_when_young),
        cmocka_unit_test(roots_depend_on_the_state_alone),
        cmocka_unit_test(taking_everything_back_gives_the_empty_root),
        cmocka_unit_test(an_account_survives_its_encoding_and_no_prefix_does),
        cmocka_unit_test(block_hashes_reach_256_back),
        cmocka_unit_test(code_changes_over_layers_and_goes),
        cmocka_unit_test(tells_whose_nonce_rose_or_balance_fell),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
