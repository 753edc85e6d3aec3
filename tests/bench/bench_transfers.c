/* bench_transfers - block execution of plain transfers, signature recovery included, on one core.
 *
 * 100,000 accounts on disk; blocks full of transfers (1,428 at 30 million gas) between distinct
 * senders and random accounts; each block is verified as a node verifies a stranger's block, then
 * committed. Prints transfers a second for verification, and what the parts take, in processor time
 * of the one thread (so waiting for the disk in a commit is not in it). */
#include "chain/store/store.h"
#include "tests/chain/world.h"

#include <time.h>
#include <unistd.h>

#define ACCOUNTS 100000
#define SENDERS  1428
#define BLOCKS   20

static const uint64_t MAP_KEY[2] = {1, 2};

struct bench {
    struct world *w;
    struct store *store;
    struct key keys[SENDERS];
    struct address senders[SENDERS];
    struct address *accounts; /* ACCOUNTS */
    uint64_t transfers;
    double verify_s;
    double recover_s;
    double commit_s;
};

static double used_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_address(const void *a, const void *b)
{
    const struct genesis_account *x = a, *y = b;
    return memcmp(x->address.b, y->address.b, 20);
}

static void make_accounts(struct bench *b, struct genesis *g)
{
    free(g->accounts);
    g->account_count = ACCOUNTS;
    g->accounts = must_alloc(ACCOUNTS * sizeof *g->accounts);
    b->accounts = must_alloc(ACCOUNTS * sizeof *b->accounts);
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        uint8_t be[4];
        store_be32(be, i);
        struct hash h = keccak256(bytes_of(be, sizeof be));
        if (i < SENDERS) {
            memcpy(b->keys[i].secret, h.b, 32);
            b->senders[i] = key_address(&b->keys[i]);
            b->accounts[i] = b->senders[i];
        } else {
            memcpy(b->accounts[i].b, h.b, 20);
        }
        g->accounts[i].address = b->accounts[i];
        g->accounts[i].balance_wei = u256_mul(u256_from_u64(1000000000), u256_from_u64(1000000000));
    }
    qsort(g->accounts, ACCOUNTS, sizeof *g->accounts, by_address);
}

static void commit(struct bench *b)
{
    struct store_write *out = store_write_create();
    store_write_executed(out, b->w->tip, (struct bytes){0});
    store_commit(b->store, out);
    layer_settle(b->w->tip->layer);
    store_write_destroy(out);
}

static void start(struct bench *b, const char *path)
{
    char error[STORE_ERROR_SIZE];
    struct buffer text = {0};
    b->w = must_alloc(sizeof *b->w);
    if (store_open(&b->store, error, path, MAP_KEY) != OK) fatal("opening: %s", error);
    b->w->base = store_base(b->store);
    b->w->evm = evm_create(CHAIN_REVISION);
    world_genesis_text(b->w, &text, 1);
    if (genesis_parse(&b->w->genesis, error, buffer_bytes(&text)) != OK)
        fatal("parsing: %s", error);
    make_accounts(b, b->w->genesis);
    if (genesis_execute(&b->w->tip, error, b->w->genesis, b->w->base) != OK) {
        fatal("starting: %s", error);
    }
    b->w->hashes[0] = b->w->tip->hash;
    buffer_finish(&text);
    commit(b);
}

static void fill_pool(struct bench *b, struct mempool *pool, uint64_t nonce, uint64_t *random)
{
    struct mempool_world view = world_view(b->w);
    struct buffer wire = {0};
    for (size_t i = 0; i < SENDERS; i++) {
        struct hash hash;
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        struct tx t = {.type = TX_DYNAMIC_FEE,
                       .has_chain_id = true,
                       .chain_id = WORLD_CHAIN_ID,
                       .nonce = nonce,
                       .gas_limit = 21000,
                       .max_fee_per_gas = u256_from_u64(10000000000),
                       .max_priority_fee_per_gas = u256_from_u64(2000000000),
                       .to = b->accounts[(*random >> 33) % ACCOUNTS],
                       .value = u256_from_u64(1)};
        tx_sign(&t, &b->keys[i]);
        buffer_clear(&wire);
        tx_encode(&wire, &t);
        enum tx_reason reason = mempool_add(pool, &hash, buffer_bytes(&wire), &view, 0);
        if (reason != TX_FINE) fatal("adding a transfer: %s", tx_reason_text(reason));
    }
    layer_release(view.context);
    buffer_finish(&wire);
}

static void time_recovery(struct bench *b, const struct block *block)
{
    struct arena arena = {0};
    double start_s = used_s();
    for (size_t i = 0; i < block->tx_count; i++) {
        struct tx t;
        struct address sender;
        if (tx_decode(&t, &arena, block->txs[i]) != OK || tx_sender(&sender, &t) != OK) {
            fatal("recovering a sender: it must work");
        }
    }
    b->recover_s += used_s() - start_s;
    arena_finish(&arena);
}

static void one_block(struct bench *b, struct mempool *pool)
{
    char error[BLOCK_ERROR_SIZE];
    struct block_parent parent = world_parent(b->w);
    struct block_plan plan = world_plan(b->w, 0);
    struct mempool_world view = world_view(b->w);
    struct mempool_pick *pick = mempool_pick_create(pool, &view);
    struct chain_config *config = &b->w->genesis->config;
    struct executed *built = block_build(config, b->w->evm, &parent, &plan, pick, NULL);
    struct executed *verified;
    mempool_pick_destroy(pick);
    double start_s = used_s();
    if (block_verify(&verified, error, config, b->w->evm, &parent, &built->block) != OK) {
        fatal("verifying: %s", error);
    }
    b->verify_s += used_s() - start_s;
    b->transfers += verified->block.tx_count;
    time_recovery(b, &built->block);
    layer_release(view.context);
    executed_release(built);
    world_advance(b->w, verified);
    start_s = used_s();
    commit(b);
    b->commit_s += used_s() - start_s;
    view = world_view(b->w);
    mempool_on_block(pool, &view, NULL, 0);
    layer_release(view.context);
}

static void report(const struct bench *b)
{
    double n = (double)b->transfers;
    printf("transfers_per_s\t%.0f\n", n / b->verify_s);
    printf("us_per_transfer\t%.1f\n", b->verify_s / n * 1e6);
    printf("us_of_it_recovering\t%.1f\n", b->recover_s / n * 1e6);
    printf("commit_ms_per_block\t%.1f\n", b->commit_s / BLOCKS * 1e3);
    printf("transfers\t%llu\n", (unsigned long long)b->transfers);
}

int main(void)
{
    static const uint8_t seed[16] = {1};
    static struct bench b;
    char path[] = "/tmp/leasehold-bench-XXXXXX";
    char command[64];
    uint64_t random = 1;
    if (mkdtemp(path) == NULL) fatal("making a directory under /tmp");
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, seed);
    start(&b, path);
    for (uint64_t n = 0; n < BLOCKS; n++) {
        fill_pool(&b, pool, n, &random);
        one_block(&b, pool);
    }
    report(&b);
    mempool_destroy(pool);
    world_destroy(b.w);
    store_close(b.store);
    free(b.accounts);
    snprintf(command, sizeof command, "rm -r %s", path);
    return system(command) == 0 ? 0 : 1;
}
