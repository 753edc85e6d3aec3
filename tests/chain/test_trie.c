#include "chain/trie.h"

#include "chain/trie_node.h"
#include "tests/chain/vectors.h"
#include "tests/official.h"

#include "base/fatal.h"
#include "base/keccak.h"
#include "base/rlp.h"

/* --- a store in memory: places in order of arrival --- */

struct record {
    struct trie_place place;
    struct buffer node;
};

struct memory {
    struct record *records;
    size_t count;
    size_t capacity;
    /* What one update did. */
    struct trie_place *touched;
    size_t touched_count;
};

static struct record *memory_find(struct memory *m, const struct trie_place *place)
{
    for (size_t i = 0; i < m->count; i++)
        if (memcmp(&m->records[i].place, place, sizeof *place) == 0) return &m->records[i];
    return NULL;
}

static bool memory_get(void *context, const struct trie_place *place, struct buffer *out)
{
    struct record *r = memory_find(context, place);
    if (!r) return false;
    buffer_append(out, buffer_bytes(&r->node));
    return true;
}

static void memory_forget(struct memory *m, struct record *r)
{
    buffer_finish(&r->node);
    *r = m->records[--m->count];
}

static struct record *memory_new(struct memory *m, const struct trie_place *place)
{
    if (m->count == m->capacity) {
        m->capacity = m->capacity ? 2 * m->capacity : 64;
        m->records = must_realloc(m->records, m->capacity * sizeof *m->records);
    }
    struct record *r = &m->records[m->count++];
    *r = (struct record){.place = *place};
    return r;
}

static void memory_put(void *context, const struct trie_place *place, struct bytes node)
{
    struct memory *m = context;
    struct record *r = memory_find(m, place);
    for (size_t i = 0; i < m->touched_count; i++)
        assert_memory_not_equal(&m->touched[i], place, sizeof *place); /* never twice */
    m->touched = must_realloc(m->touched, (m->touched_count + 1) * sizeof *m->touched);
    m->touched[m->touched_count++] = *place;
    if (node.size == 0) {
        assert_non_null(r); /* deletes only what is there */
        memory_forget(m, r);
        return;
    }
    if (!r) r = memory_new(m, place);
    buffer_clear(&r->node);
    buffer_append(&r->node, node);
}

static void memory_finish(struct memory *m)
{
    while (m->count > 0)
        memory_forget(m, &m->records[0]);
    free(m->records);
    free(m->touched);
    *m = (struct memory){0};
}

struct fixture {
    struct memory memory;
    struct trie_store store;
    struct arena arena;
    struct trie trie;
};

static void setup(struct fixture *f)
{
    *f = (struct fixture){0};
    f->store = (struct trie_store){.context = &f->memory, .get = memory_get, .put = memory_put};
    f->trie = (struct trie){.store = &f->store, .arena = &f->arena, .root = EMPTY_TRIE_ROOT};
}

static void teardown(struct fixture *f)
{
    memory_finish(&f->memory);
    arena_finish(&f->arena);
}

static void update(struct fixture *f, const struct trie_item *items, size_t count)
{
    f->memory.touched_count = 0;
    trie_update(&f->trie, items, count);
}

static void put_text(struct fixture *f, const char *key, const char *value)
{
    struct trie_item item = {bytes_of_text(key), bytes_of_text(value)};
    update(f, &item, 1);
}

/* --- known roots --- */

static void knows_the_empty_root(void **state)
{
    (void)state;
    struct hash of_empty_string = keccak256(bytes_of("\x80", 1));
    assert_true(hash_equal(&EMPTY_TRIE_ROOT, &of_empty_string));
    assert_hash(&EMPTY_TRIE_ROOT,
                "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    struct hash root = trie_root_of_list(NULL, 0);
    assert_true(hash_equal(&root, &EMPTY_TRIE_ROOT));
}

/* ethereum/tests, trietest "emptyValues". */
static void makes_the_root_of_dogs_and_horses(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    put_text(&f, "do", "verb");
    put_text(&f, "horse", "stallion");
    put_text(&f, "doge", "coin");
    put_text(&f, "dog", "puppy");
    assert_hash(&f.trie.root, "0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84");
    struct bytes value;
    assert_true(trie_get(&f.trie, &value, bytes_of_text("doge")));
    assert_true(bytes_equal(value, bytes_of_text("coin")));
    assert_true(trie_get(&f.trie, &value, bytes_of_text("do")));
    assert_true(bytes_equal(value, bytes_of_text("verb")));
    assert_false(trie_get(&f.trie, &value, bytes_of_text("d")));
    assert_false(trie_get(&f.trie, &value, bytes_of_text("dogs")));
    put_text(&f, "ether", "wookiedoo");
    put_text(&f, "ether", "");
    assert_hash(&f.trie.root, "0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84");
    teardown(&f);
}

static void makes_the_list_roots_of_another_library(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct bytes *values = arena_alloc(&arena, 300 * sizeof *values);
    for (size_t i = 0; i < 300; i++) {
        uint8_t *bytes = arena_alloc(&arena, 70);
        memset(bytes, (int)(i % 255) + 1, 70);
        values[i] = bytes_of(bytes, 1 + i % 70);
    }
    struct hash root = trie_root_of_list(values, 128);
    assert_hash(&root, VECTOR_LIST_128);
    root = trie_root_of_list(values, 129);
    assert_hash(&root, VECTOR_LIST_129);
    root = trie_root_of_list(values, 300);
    assert_hash(&root, VECTOR_LIST_300);
    arena_finish(&arena);
}

/* --- ethereum/tests, TrieTests --- */

static bool official_is_hashed;

static struct bytes official_bytes(struct arena *arena, const json_t *text)
{
    const char *s = json_is_string(text) ? json_string_value(text) : "";
    struct buffer decoded = {0};
    if (strncmp(s, "0x", 2) != 0) return arena_copy(arena, bytes_of_text(s));
    assert_int_equal(hex_decode(&decoded, bytes_of_text(s)), OK);
    struct bytes copy = arena_copy(arena, buffer_bytes(&decoded));
    buffer_finish(&decoded);
    return copy;
}

static void official_put(struct fixture *f, const json_t *key_text, const json_t *value_text)
{
    struct arena lasting = {0};
    struct bytes key = official_bytes(&lasting, key_text);
    struct hash hashed = keccak256(key);
    if (official_is_hashed) key = hash_bytes(&hashed);
    struct trie_item item = {key, official_bytes(&lasting, value_text)};
    update(f, &item, 1);
    arena_finish(&lasting);
}

/* From one end of the pairs to the other, one by one. */
static void check_order(const char *name, const json_t *pairs, const char *wanted, bool backwards)
{
    struct fixture f;
    char root[67];
    size_t count = json_array_size(pairs);
    setup(&f);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(pairs, backwards ? count - 1 - i : i);
        official_put(&f, json_array_get(pair, 0), json_array_get(pair, 1));
    }
    hash_to_text(root, &f.trie.root);
    if (strcmp(root, wanted) != 0) fail_msg("%s: root %s, wanted %s", name, root, wanted);
    teardown(&f);
}

/* A list of pairs has its order; an object's order must not matter. */
static void check_official(const char *name, const json_t *test)
{
    json_t *in = json_object_get(test, "in"), *pairs = json_array(), *value;
    const char *key;
    if (json_is_array(in)) {
        check_order(name, in, official_text(test, "root"), false);
    } else {
        json_object_foreach(in, key, value)
            json_array_append_new(pairs, json_pack("[sO]", key, value));
        check_order(name, pairs, official_text(test, "root"), false);
        check_order(name, pairs, official_text(test, "root"), true);
    }
    json_decref(pairs);
}

static void agrees_with_the_official_trie_tests(void **state)
{
    (void)state;
    /* Not trietestnextprev.json: it asks for keys before and after a key, and nothing here does. */
    static const struct {
        const char *file;
        bool hashed;
    } files[] = {
        {"TrieTests/trietest.json", false},
        {"TrieTests/trieanyorder.json", false},
        {"TrieTests/trietest_secureTrie.json", true},
        {"TrieTests/trieanyorder_secureTrie.json", true},
        {"TrieTests/hex_encoded_securetrie_test.json", true},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        official_is_hashed = files[i].hashed;
        count += official_each(files[i].file, check_official);
    }
    assert_true(count >= 25);
}

static void check_path(const char *name, const json_t *test)
{
    struct arena arena = {0};
    struct buffer rlp = {0}, want = {0}, text = {0};
    const json_t *path = json_object_get(test, "seq");
    bool is_leaf = json_is_true(json_object_get(test, "term"));
    uint8_t nibbles[TRIE_PATH_MAX];
    size_t count = json_array_size(path);
    assert_true(count <= TRIE_PATH_MAX);
    for (size_t i = 0; i < count; i++)
        nibbles[i] = (uint8_t)json_integer_value(json_array_get(path, i));
    trie_node_encode(
        &rlp, trie_node_create(&arena, is_leaf ? NODE_LEAF : NODE_EXTENSION, nibbles, count));
    struct rlp_reader r = rlp_reader_over(buffer_bytes(&rlp)), node = rlp_list(&r);
    buffer_print(&text, "0x%s", official_text(test, "out"));
    assert_int_equal(hex_decode(&want, buffer_bytes(&text)), OK);
    if (!bytes_equal(rlp_bytes(&node), buffer_bytes(&want))) fail_msg("%s: another path", name);
    buffer_finish(&rlp);
    buffer_finish(&want);
    buffer_finish(&text);
    arena_finish(&arena);
}

static void agrees_with_the_official_path_encodings(void **state)
{
    (void)state;
    assert_true(official_each("BasicTests/hexencodetest.json", check_path) >= 12);
}

/* --- properties --- */

static uint64_t seed;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

#define KEYS_MAX 400

/* The whole truth: what should be in the trie. */
struct truth {
    struct hash keys[KEYS_MAX]; /* ascending */
    uint8_t values[KEYS_MAX][40];
    size_t sizes[KEYS_MAX]; /* 0: absent */
    size_t count;
};

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash));
}

/* Keys share long prefixes, so that extensions and small embedded nodes occur. */
static void make_keys(struct truth *t, size_t count)
{
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < count; i++) {
        struct hash key = {0};
        size_t tail = 1 + next_random() % 31;
        for (size_t k = tail; k < 32; k++)
            key.b[k] = (uint8_t)(next_random() & 0x11);
        if (next_random() % 2) key.b[0] = (uint8_t)next_random();
        key.b[31] = (uint8_t)next_random();
        t->keys[i] = key;
    }
    qsort(t->keys, count, sizeof t->keys[0], compare_hashes);
    for (size_t i = 0; i < count; i++)
        if (t->count == 0 || !hash_equal(&t->keys[i], &t->keys[t->count - 1]))
            t->keys[t->count++] = t->keys[i];
}

static size_t random_batch(struct truth *t, struct trie_item *items, unsigned one_in)
{
    size_t count = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (next_random() % one_in) continue;
        uint64_t kind = next_random() % 4;
        t->sizes[i] = kind == 0 ? 0 : kind == 1 ? 1 : 1 + next_random() % 40;
        for (size_t k = 0; k < t->sizes[i]; k++)
            t->values[i][k] = (uint8_t)next_random();
        items[count++] =
            (struct trie_item){hash_bytes(&t->keys[i]), bytes_of(t->values[i], t->sizes[i])};
    }
    return count;
}

static void assert_same_store(struct memory *a, struct memory *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        struct record *other = memory_find(b, &a->records[i].place);
        assert_non_null(other);
        assert_true(bytes_equal(buffer_bytes(&a->records[i].node), buffer_bytes(&other->node)));
    }
}

/* From scratch, one key at a time in another order, must give the same root and the same store. */
static void assert_equals_rebuild(struct fixture *f, const struct truth *t)
{
    struct fixture fresh;
    setup(&fresh);
    fresh.trie.owner = f->trie.owner;
    for (size_t n = 0; n < t->count; n++) {
        size_t i = t->count - 1 - n;
        if (t->sizes[i] == 0) continue;
        struct trie_item item = {hash_bytes(&t->keys[i]), bytes_of(t->values[i], t->sizes[i])};
        update(&fresh, &item, 1);
    }
    assert_true(hash_equal(&f->trie.root, &fresh.trie.root));
    assert_same_store(&f->memory, &fresh.memory);
    teardown(&fresh);
}

static void assert_reads_back(struct fixture *f, const struct truth *t)
{
    for (size_t i = 0; i < t->count; i++) {
        struct bytes value;
        bool found = trie_get(&f->trie, &value, hash_bytes(&t->keys[i]));
        assert_int_equal(found, t->sizes[i] > 0);
        if (found) assert_true(bytes_equal(value, bytes_of(t->values[i], t->sizes[i])));
    }
}

static void play(uint64_t run, size_t key_count, unsigned one_in)
{
    static struct truth truth;
    static struct trie_item items[KEYS_MAX];
    struct fixture f;
    seed = 0x9e3779b97f4a7c15 * (run + 1);
    setup(&f);
    f.trie.owner.b[0] = (uint8_t)run;
    make_keys(&truth, key_count);
    for (size_t batch = 0; batch < 12; batch++) {
        size_t count = random_batch(&truth, items, one_in);
        update(&f, items, count);
        assert_equals_rebuild(&f, &truth);
        assert_reads_back(&f, &truth);
        arena_reset(&f.arena);
    }
    memset(truth.sizes, 0, sizeof truth.sizes);
    for (size_t i = 0; i < truth.count; i++)
        items[i] = (struct trie_item){hash_bytes(&truth.keys[i]), {0}};
    update(&f, items, truth.count);
    assert_true(hash_equal(&f.trie.root, &EMPTY_TRIE_ROOT));
    assert_int_equal(f.memory.count, 0); /* nothing is left behind */
    teardown(&f);
}

static void equals_a_rebuild_after_random_batches(void **state)
{
    (void)state;
    for (uint64_t run = 0; run < 24; run++)
        play(run, 5 + run * 3, 2);
    play(100, 250, 3);
    for (uint64_t run = 200; run < 260; run++)
        play(run, 1 + run % 9, 2);
}

static void writes_nothing_when_nothing_changes(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    put_text(&f, "doge", "coin");
    put_text(&f, "horse", "stallion");
    struct hash before = f.trie.root;
    put_text(&f, "doge", "coin");
    assert_int_equal(f.memory.touched_count, 0);
    put_text(&f, "cat", "");
    assert_int_equal(f.memory.touched_count, 0);
    put_text(&f, "dogecoin", "");
    assert_int_equal(f.memory.touched_count, 0);
    assert_true(hash_equal(&before, &f.trie.root));
    teardown(&f);
}

static void keeps_tries_of_one_store_apart(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    put_text(&f, "key", "of the accounts");
    struct trie other = f.trie;
    struct trie_item item = {bytes_of_text("key"), bytes_of_text("of a storage")};
    other.owner.b[31] = 1;
    other.root = EMPTY_TRIE_ROOT;
    f.memory.touched_count = 0;
    trie_update(&other, &item, 1);
    struct bytes value;
    assert_true(trie_get(&f.trie, &value, bytes_of_text("key")));
    assert_true(bytes_equal(value, bytes_of_text("of the accounts")));
    assert_true(trie_get(&other, &value, bytes_of_text("key")));
    assert_true(bytes_equal(value, bytes_of_text("of a storage")));
    teardown(&f);
}

/* --- proofs --- */

/* Whether the parent's RLP holds the child's hash. */
static bool holds(struct bytes parent, struct bytes child)
{
    struct hash h = keccak256(child);
    for (size_t at = 0; at + sizeof h <= parent.size; at++)
        if (memcmp(parent.data + at, h.b, sizeof h) == 0) return true;
    return false;
}

static void assert_chain(const struct trie_proof *proof, const struct hash *root)
{
    assert_true(proof->count > 0);
    struct hash first = keccak256(proof->nodes[0]);
    assert_true(hash_equal(&first, root));
    for (size_t i = 1; i < proof->count; i++)
        assert_true(holds(proof->nodes[i - 1], proof->nodes[i]));
}

static void proves_presence_and_absence_by_hashes_from_the_root(void **state)
{
    (void)state;
    static struct truth truth;
    static struct trie_item items[KEYS_MAX];
    struct fixture f;
    seed = 77;
    setup(&f);
    make_keys(&truth, 120);
    update(&f, items, random_batch(&truth, items, 1));
    size_t deepest = 0;
    for (size_t i = 0; i < truth.count; i++) {
        struct trie_proof proof;
        bool found = trie_prove(&f.trie, &proof, hash_bytes(&truth.keys[i]));
        assert_int_equal(found, truth.sizes[i] > 0);
        assert_chain(&proof, &f.trie.root);
        if (proof.count > deepest) deepest = proof.count;
    }
    assert_true(deepest > 3);
    struct trie empty = f.trie;
    struct trie_proof none;
    empty.root = EMPTY_TRIE_ROOT;
    assert_false(trie_prove(&empty, &none, hash_bytes(&truth.keys[0])));
    assert_int_equal(none.count, 0);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_empty_root),
        cmocka_unit_test(makes_the_root_of_dogs_and_horses),
        cmocka_unit_test(makes_the_list_roots_of_another_library),
        cmocka_unit_test(agrees_with_the_official_trie_tests),
        cmocka_unit_test(agrees_with_the_official_path_encodings),
        cmocka_unit_test(equals_a_rebuild_after_random_batches),
        cmocka_unit_test(writes_nothing_when_nothing_changes),
        cmocka_unit_test(keeps_tries_of_one_store_apart),
        cmocka_unit_test(proves_presence_and_absence_by_hashes_from_the_root),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
