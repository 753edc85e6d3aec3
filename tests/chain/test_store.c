/* The store: what is committed is there after a reopen, whole and nothing else. */
#include "chain/store/keys.h"
#include "chain/store/store.h"
#include "tests/chain/world.h"

#include <leveldb/c.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static const uint64_t MAP_KEY[2] = {1, 2};
static const uint8_t POOL_SEED[16] = {1};

struct place {
    char dir[64];
    char db[80];
};

static struct place make_place(void)
{
    struct place p;
    snprintf(p.dir, sizeof p.dir, "/tmp/leasehold-store-XXXXXX");
    assert_non_null(mkdtemp(p.dir));
    snprintf(p.db, sizeof p.db, "%s/db", p.dir);
    return p;
}

static void remove_place(const struct place *p)
{
    char *error = NULL;
    leveldb_options_t *options = leveldb_options_create();
    leveldb_destroy_db(options, p->db, &error);
    leveldb_free(error);
    leveldb_options_destroy(options);
    rmdir(p->db);
    assert_int_equal(rmdir(p->dir), 0);
}

static struct store *open_store(const struct place *p)
{
    struct store *s = NULL;
    char error[STORE_ERROR_SIZE];
    enum status status = store_open(&s, error, p->db, MAP_KEY);
    if (status != OK) print_error("%s\n", error);
    assert_int_equal(status, OK);
    return s;
}

static void commit_tip(struct store *s, struct world *w, struct bytes certificate)
{
    struct store_write *out = store_write_create();
    store_write_executed(out, w->tip, certificate);
    store_commit(s, out);
    layer_settle(w->tip->layer);
    store_write_destroy(out);
}

static void add_transfer(struct world *w, struct mempool *pool, uint64_t nonce)
{
    struct buffer wire = {0};
    struct hash hash;
    struct tx t = {.to = w->addresses[1], .value = u256_from_u64(1000)};
    struct mempool_world view = world_view(w);
    world_tx(w, &wire, 0, nonce, &t);
    assert_int_equal(mempool_add(pool, &hash, buffer_bytes(&wire), &view, 0), TX_FINE);
    layer_release(view.context);
    buffer_finish(&wire);
}

static void an_empty_store_has_no_head(void **state)
{
    (void)state;
    struct place p = make_place();
    struct store *s = open_store(&p);
    struct store_head head;
    assert_false(store_head(s, &head));
    assert_memory_equal(store_base(s)->root.b, EMPTY_TRIE_ROOT.b, 32);
    store_close(s);
    remove_place(&p);
}

static void refuses_a_second_opener(void **state)
{
    (void)state;
    struct place p = make_place();
    struct store *s = open_store(&p), *second = NULL;
    char error[STORE_ERROR_SIZE] = "";
    assert_int_equal(store_open(&second, error, p.db, MAP_KEY), E_EXISTS);
    assert_null(second);
    assert_non_null(strstr(error, "another process"));
    store_close(s);
    remove_place(&p);
}

static void refuses_another_schema(void **state)
{
    (void)state;
    struct place p = make_place();
    store_close(open_store(&p));
    char *problem = NULL;
    uint8_t version[8] = {0, 0, 0, 0, 0, 0, 0, 99};
    leveldb_options_t *options = leveldb_options_create();
    leveldb_writeoptions_t *write = leveldb_writeoptions_create();
    leveldb_t *db = leveldb_open(options, p.db, &problem);
    assert_non_null(db);
    leveldb_put(db, write, "v", 1, (const char *)version, 8, &problem);
    leveldb_close(db);
    leveldb_options_destroy(options);
    leveldb_writeoptions_destroy(write);
    struct store *s = NULL;
    char error[STORE_ERROR_SIZE] = "";
    assert_int_equal(store_open(&s, error, p.db, MAP_KEY), E_UNSUPPORTED);
    assert_non_null(strstr(error, "schema 99"));
    remove_place(&p);
}

/* Blocks on the store and the same blocks in memory must agree, through a reopen. */
static void a_chain_goes_on_after_each_reopen(void **state)
{
    (void)state;
    struct place p = make_place();
    struct store *s = open_store(&p);
    struct world *memory = world_create(2, NULL);
    struct world *w = world_create(2, store_base(s));
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    struct mempool *other = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    commit_tip(s, w, (struct bytes){0});
    for (uint64_t n = 1; n <= 10; n++) {
        if (n % 2 == 1) {
            add_transfer(w, pool, n / 2);
            add_transfer(memory, other, n / 2);
        }
        world_step(w, pool, 0);
        world_step(memory, other, 0);
        assert_memory_equal(w->tip->hash.b, memory->tip->hash.b, 32);
        commit_tip(s, w, bytes_of_text("certificate"));
        if (n % 3 != 0) continue;
        layer_release(w->tip->layer); /* as after a restart: nothing but the disk */
        w->tip->layer = NULL;
        store_close(s);
        s = open_store(&p);
        struct store_head head;
        assert_true(store_head(s, &head));
        assert_int_equal(head.number, n);
        assert_memory_equal(head.hash.b, w->tip->hash.b, 32);
        w->base = store_base(s);
        struct epoch_record *record = must_alloc(sizeof *record);
        struct buffer bytes = {0};
        struct store_snapshot *v = store_snapshot_create(s);
        assert_true(store_epoch_record(v, &bytes));
        assert_int_equal(epoch_record_decode(record, buffer_bytes(&bytes)), OK);
        *w->tip->record = *record;
        store_snapshot_destroy(v);
        buffer_finish(&bytes);
        free(record);
    }
    mempool_destroy(pool);
    mempool_destroy(other);
    world_destroy(w);
    world_destroy(memory);
    store_close(s);
    remove_place(&p);
}

static void several_layers_go_into_one_batch(void **state)
{
    (void)state;
    struct place p = make_place();
    struct store *s = open_store(&p);
    struct world *w = world_create(1, store_base(s));
    struct executed *all[6];
    struct store_write *out = store_write_create();
    all[0] = executed_retain(w->tip);
    for (size_t n = 1; n < 6; n++) {
        world_step(w, NULL, 0);
        all[n] = executed_retain(w->tip);
    }
    for (size_t n = 0; n < 6; n++)
        store_write_executed(out, all[n], (struct bytes){0});
    store_commit(s, out);
    for (size_t n = 0; n < 6; n++)
        layer_settle(all[n]->layer);
    struct store_head head;
    assert_true(store_head(s, &head));
    assert_int_equal(head.number, 5);
    assert_memory_equal(head.state_root.b, w->tip->block.header.state_root.b, 32);
    world_step(w, NULL, 0); /* the state below is now the disk's */
    for (size_t n = 0; n < 6; n++)
        executed_release(all[n]);
    store_write_destroy(out);
    world_destroy(w);
    store_close(s);
    remove_place(&p);
}

static void everything_about_a_block_is_found_again(void **state)
{
    (void)state;
    struct place p = make_place();
    struct store *s = open_store(&p);
    struct world *w = world_create(1, store_base(s));
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    commit_tip(s, w, (struct bytes){0});
    add_transfer(w, pool, 0);
    add_transfer(w, pool, 1);
    world_step(w, pool, 0);
    commit_tip(s, w, (struct bytes){0});
    store_put_certificate(s, 1, bytes_of_text("late"));

    struct store_snapshot *v = store_snapshot_create(s);
    struct buffer b = {0};
    struct arena arena = {0};
    struct block block;
    assert_true(store_block_by_number(v, 1, &b));
    assert_int_equal(block_decode(&block, &arena, buffer_bytes(&b)), OK);
    struct hash found = block_hash(&block);
    assert_memory_equal(found.b, w->tip->hash.b, 32);
    struct header header;
    buffer_clear(&b);
    assert_true(store_header(v, 1, &b));
    assert_int_equal(header_decode(&header, buffer_bytes(&b)), OK);
    assert_int_equal(header.number, 1);
    assert_false(store_header(v, 2, &b));
    uint64_t number = 0;
    assert_true(store_number_of_hash(v, &w->tip->hash, &number));
    assert_int_equal(number, 1);
    assert_true(store_hash_of_number(v, 1, &found));
    assert_memory_equal(found.b, w->tip->hash.b, 32);
    struct tx_location at;
    assert_true(store_transaction(v, &w->tip->tx_hashes[1], &at));
    assert_int_equal(at.number, 1);
    assert_int_equal(at.index, 1);
    assert_false(store_transaction(v, &found, &at));
    buffer_clear(&b);
    assert_true(store_receipts(v, 1, &b));
    struct receipt *receipts;
    size_t count;
    assert_int_equal(receipts_decode(&receipts, &count, &arena, buffer_bytes(&b)), OK);
    assert_int_equal(count, 2);
    assert_int_equal(receipts[1].cumulative_gas_used, 42000);
    buffer_clear(&b);
    assert_true(store_certificate(v, 1, &b));
    assert_string_equal(buffer_text(&b), "late");
    buffer_clear(&b);
    assert_true(store_set(v, 0, &b));
    assert_false(store_set(v, 1, &b));
    uint8_t bloom[256];
    assert_true(store_bloom(v, 0, bloom));
    assert_true(store_system_logs(v, 0, &b));
    assert_false(store_block_by_number(v, 2, &b));
    store_snapshot_destroy(v);
    buffer_finish(&b);
    arena_finish(&arena);
    mempool_destroy(pool);
    world_destroy(w);
    store_close(s);
    remove_place(&p);
}

static void a_snapshot_does_not_move(void **state)
{
    (void)state;
    struct place p = make_place();
    struct store *s = open_store(&p);
    struct world *w = world_create(1, store_base(s));
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    commit_tip(s, w, (struct bytes){0});
    struct store_snapshot *v = store_snapshot_create(s);
    add_transfer(w, pool, 0);
    world_step(w, pool, 0);
    commit_tip(s, w, (struct bytes){0});
    struct store_head head;
    assert_true(store_snapshot_head(v, &head));
    assert_int_equal(head.number, 0);
    struct layer *old = layer_create(store_snapshot_base(v), NULL);
    struct layer *new = layer_create(store_base(s), NULL);
    assert_int_equal(layer_account(old, &w->addresses[0]).nonce, 0);
    assert_int_equal(layer_account(new, &w->addresses[0]).nonce, 1);
    struct address staking = system_address(SYSTEM_Staking);
    assert_true(layer_code(old, &staking).size > 0);
    assert_false(u256_is_zero(layer_account(old, &staking).balance));
    layer_release(old);
    layer_release(new);
    store_snapshot_destroy(v);
    mempool_destroy(pool);
    world_destroy(w);
    store_close(s);
    remove_place(&p);
}

/* The flat values and the trie on disk must tell the same. */
static void flat_accounts_agree_with_the_trie(void **state)
{
    (void)state;
    struct place p = make_place();
    struct store *s = open_store(&p);
    struct world *w = world_create(2, store_base(s));
    commit_tip(s, w, (struct bytes){0});
    const struct state_base *base = store_base(s);
    struct arena arena = {0};
    struct trie_store nodes = {base->context, base->node, NULL};
    struct trie t = {.store = &nodes, .arena = &arena, .root = base->root};
    for (size_t c = 0; c < SYSTEM_CONTRACT_COUNT; c++) {
        struct address a = system_address((enum system_contract)c);
        struct hash key = keccak256(address_bytes(&a));
        struct bytes value;
        struct account flat, in_trie;
        assert_true(base->account(base->context, &key, &flat));
        assert_true(trie_get(&t, &value, hash_bytes(&key)));
        assert_int_equal(account_decode(&in_trie, value), OK);
        assert_true(account_equal(&flat, &in_trie));
        struct trie_proof proof;
        assert_true(trie_prove(&t, &proof, hash_bytes(&key)));
        struct hash root = keccak256(proof.nodes[0]);
        assert_memory_equal(root.b, base->root.b, 32);
    }
    arena_finish(&arena);
    world_destroy(w);
    store_close(s);
    remove_place(&p);
}

/* ---- readers beside the writer ---- */

struct reading {
    struct store *store;
    struct address address;
    atomic_bool stop;
    atomic_bool wrong;
};

/* In every snapshot the sender's nonce is the head's number: block n holds its n-th transfer. */
static void *read_on(void *argument)
{
    struct reading *r = argument;
    while (!atomic_load(&r->stop)) {
        struct store_snapshot *v = store_snapshot_create(r->store);
        struct layer *l = layer_create(store_snapshot_base(v), NULL);
        struct store_head head;
        if (!store_snapshot_head(v, &head) || layer_account(l, &r->address).nonce != head.number) {
            atomic_store(&r->wrong, true);
        }
        layer_release(l);
        store_snapshot_destroy(v);
    }
    return NULL;
}

static void readers_see_whole_blocks_while_the_writer_goes_on(void **state)
{
    (void)state;
    struct place p = make_place();
    struct store *s = open_store(&p);
    struct world *w = world_create(1, store_base(s));
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    struct reading r = {.store = s, .address = w->addresses[0]};
    pthread_t threads[2];
    commit_tip(s, w, (struct bytes){0});
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &r), 0);
    }
    for (uint64_t n = 0; n < 20; n++) {
        add_transfer(w, pool, n);
        world_step(w, pool, 0);
        commit_tip(s, w, (struct bytes){0});
    }
    atomic_store(&r.stop, true);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(atomic_load(&r.wrong));
    mempool_destroy(pool);
    world_destroy(w);
    store_close(s);
    remove_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_store_has_no_head),
        cmocka_unit_test(refuses_a_second_opener),
        cmocka_unit_test(refuses_another_schema),
        cmocka_unit_test(a_chain_goes_on_after_each_reopen),
        cmocka_unit_test(several_layers_go_into_one_batch),
        cmocka_unit_test(everything_about_a_block_is_found_again),
        cmocka_unit_test(a_snapshot_does_not_move),
        cmocka_unit_test(flat_accounts_agree_with_the_trie),
        cmocka_unit_test(readers_see_whole_blocks_while_the_writer_goes_on),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
