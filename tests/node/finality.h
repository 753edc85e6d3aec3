/* finality.h - for tests: a chain of several short epochs whose sets differ, with transfers in its
 * blocks and certificates of finality that its validators signed. */
#ifndef LEASEHOLD_TESTS_NODE_FINALITY_H
#define LEASEHOLD_TESTS_NODE_FINALITY_H

#include "base/keccak.h"
#include "chain/consensus/certificate.h"
#include "node/pool.h"
#include "tests/node/network.h"

#include <assert.h>
#include <sys/eventfd.h>

#define FINALITY_VALIDATORS 4
#define FINALITY_LINKS      8192
#define FINALITY_CHAIN_ID   7117
#define FINALITY_SENDERS    100 /* of transfers */

struct finality {
    char dir[64];
    struct genesis *genesis;
    struct key rich;
    uint64_t nonce; /* of the rich account */
    struct key senders[FINALITY_SENDERS];
    uint64_t transfers; /* sent; each sender in turn */
    struct key voters[FINALITY_VALIDATORS];
    struct address operators[FINALITY_VALIDATORS];
    struct hash *links[FINALITY_VALIDATORS]; /* the last is the end */
    size_t opened[FINALITY_VALIDATORS];
    /* What has been built. */
    struct store *store;
    struct ledger *ledger;
    struct pool *pool;
    int wake_fd;
};

static inline void finality_print_validator(struct finality *f, struct buffer *out, size_t i)
{
    char operator_text[43], voter_text[43], end_text[67];
    f->voters[i] = network_key((uint8_t)(20 + i));
    f->operators[i] = (struct address){{0xaa, (uint8_t)(i + 1)}};
    f->links[i] = must_alloc(FINALITY_LINKS * sizeof(struct hash));
    f->links[i][0] = (struct hash){{(uint8_t)(i + 1)}};
    for (size_t n = 1; n < FINALITY_LINKS; n++)
        f->links[i][n] = keccak256(hash_bytes(&f->links[i][n - 1]));
    f->opened[i] = FINALITY_LINKS - 1;
    struct address voter = key_address(&f->voters[i]);
    address_to_text(operator_text, &f->operators[i]);
    address_to_text(voter_text, &voter);
    hash_to_text(end_text, &f->links[i][FINALITY_LINKS - 1]);
    buffer_print(out,
                 "%s{\"operator\":\"%s\",\"consensusAddress\":\"%s\",\"hashChainEnd\":\"%s\","
                 "\"stakeWei\":\"%u000000000000000000000\",\"commissionBps\":500}",
                 i == 0 ? "" : ",", operator_text, voter_text, end_text, (unsigned)(4 + i));
}

static inline void finality_print_sender(struct finality *f, struct buffer *out, size_t i)
{
    char text[43];
    f->senders[i] = network_key((uint8_t)(120 + i));
    struct address sender = key_address(&f->senders[i]);
    address_to_text(text, &sender);
    buffer_print(out, ",\"%s\":{\"balance\":\"1000000000000000000000\"}", text);
}

static inline void finality_genesis(struct finality *f, uint64_t epoch_blocks)
{
    struct buffer text = {0};
    char rich_text[43], error[JSON_ERROR_SIZE];
    f->rich = network_key(9);
    struct address rich = key_address(&f->rich);
    address_to_text(rich_text, &rich);
    buffer_print(&text,
                 "{\"name\":\"test\",\"devnet\":true,\"chainId\":%d,\"timestamp\":1750000000,"
                 "\"gasLimit\":30000000,\"baseFee\":\"1000000000\",\"consensus\":{"
                 "\"blockIntervalMs\":500,\"idleIntervalMs\":1000,\"deltaMs\":200,"
                 "\"epochBlocks\":%llu},\"parameters\":{},\"validators\":[",
                 FINALITY_CHAIN_ID, (unsigned long long)epoch_blocks);
    for (size_t i = 0; i < FINALITY_VALIDATORS; i++)
        finality_print_validator(f, &text, i);
    buffer_print(&text, "],\"alloc\":{\"%s\":{\"balance\":\"1000000000000000000000000000\"}",
                 rich_text);
    for (size_t i = 0; i < FINALITY_SENDERS; i++)
        finality_print_sender(f, &text, i);
    buffer_print(&text, "},\"contracts\":{}}");
    if (genesis_parse(&f->genesis, error, buffer_bytes(&text)) != OK) fatal("genesis: %s", error);
    buffer_finish(&text);
}

static inline const char *finality_path(const struct finality *f, const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", f->dir, name);
    return path;
}

static inline struct store *finality_store(const struct finality *f, const char *name)
{
    static const uint64_t map_key[2] = {1, 2};
    struct store *store;
    char error[STORE_ERROR_SIZE];
    if (store_open(&store, error, finality_path(f, name), map_key) != OK) fatal("%s", error);
    return store;
}

static inline struct ledger *finality_ledger(const struct finality *f, struct store *store)
{
    struct ledger *ledger;
    char error[LEDGER_ERROR_SIZE];
    if (ledger_open(&ledger, error, store, f->genesis) != OK) fatal("%s", error);
    return ledger;
}

/* The chain that is built, in the store "source". */
static inline void finality_open(struct finality *f)
{
    char error[POOL_ERROR_SIZE];
    f->store = finality_store(f, "source");
    f->ledger = finality_ledger(f, f->store);
    f->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct pool_setup setup = {f->store, &f->genesis->config, &ledger_head(f->ledger)->header,
                               finality_path(f, "source.journal"), f->wake_fd};
    if (pool_open(&f->pool, error, &setup) != OK) fatal("%s", error);
}

static inline void finality_close(struct finality *f)
{
    pool_close(f->pool);
    ledger_close(f->ledger);
    store_close(f->store);
    close(f->wake_fd);
}

static inline void finality_make_in(struct finality *f, const char *where, uint64_t epoch_blocks)
{
    memset(f, 0, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "%s/leasehold-sync-XXXXXX", where);
    if (mkdtemp(f->dir) == NULL) fatal("making a directory");
    finality_genesis(f, epoch_blocks);
    finality_open(f);
}

/* Nothing in the tests is about disks, and hundreds of synced batches take their time on one. */
static inline void finality_make(struct finality *f, uint64_t epoch_blocks)
{
    finality_make_in(f, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", epoch_blocks);
}

static inline void finality_remove(struct finality *f)
{
    char command[128];
    finality_close(f);
    genesis_destroy(f->genesis);
    for (size_t i = 0; i < FINALITY_VALIDATORS; i++)
        free(f->links[i]);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    if (system(command) != 0) fatal("removing %s", f->dir);
}

/* A copy of a closed store, or of one that nobody writes. */
static inline void finality_copy(const struct finality *f, const char *from, const char *to)
{
    char command[400];
    snprintf(command, sizeof command, "rm -rf %s && cp -r %s %s", finality_path(f, to),
             finality_path(f, from), finality_path(f, to));
    if (system(command) != 0) fatal("copying %s", from);
}

/* ---- transactions ---- */

static inline void finality_submit(struct finality *f, struct tx *t, const struct key *sender,
                                   uint64_t nonce)
{
    struct buffer wire = {0};
    struct hash hash;
    t->type = TX_DYNAMIC_FEE;
    t->has_chain_id = true;
    t->chain_id = FINALITY_CHAIN_ID;
    t->nonce = nonce;
    t->max_fee_per_gas = u256_from_u64(20000000000);
    t->max_priority_fee_per_gas = u256_from_u64(1000000000);
    tx_sign(t, sender);
    tx_encode(&wire, t);
    enum tx_reason reason = pool_submit(f->pool, &hash, buffer_bytes(&wire));
    if (reason != TX_FINE) fatal("submitting: %s", tx_reason_text(reason));
    buffer_finish(&wire);
}

static inline void finality_transfer(struct finality *f)
{
    struct tx t = {.gas_limit = 21000, .value = u256_from_u64(1)};
    uint64_t n = f->transfers++;
    t.to.b[19] = (uint8_t)(1 + n % 200);
    t.to.b[0] = 0xbb;
    finality_submit(f, &t, &f->senders[n % FINALITY_SENDERS], n / FINALITY_SENDERS);
}

/* Staking.delegate: so many thousand coins more for a validator, from the next epoch on. */
static inline void finality_delegate(struct finality *f, size_t validator, uint64_t thousands)
{
    uint8_t data[36] = {0};
    struct hash selector = keccak256(bytes_of_text("delegate(address)"));
    struct u256 wei = u256_mul(u256_from_u64(1000000000000ull), u256_from_u64(1000000000ull));
    memcpy(data, selector.b, 4);
    memcpy(data + 16, f->operators[validator].b, 20);
    struct tx t = {.gas_limit = 1000000, .to = system_address(SYSTEM_Staking)};
    t.value = u256_mul(wei, u256_from_u64(thousands));
    t.data = bytes_of(data, sizeof data);
    finality_submit(f, &t, &f->rich, f->nonce++);
}

/* ---- blocks ---- */

static inline size_t finality_index(const struct finality *f,
                                    const struct address *operator_address)
{
    for (size_t i = 0; i < FINALITY_VALIDATORS; i++)
        if (address_equal(&f->operators[i], operator_address)) return i;
    fatal("a stranger in the set");
}

static inline struct hash finality_reveal(struct finality *f, const struct epoch_record *r,
                                          uint64_t view)
{
    uint32_t leader = epoch_record_leader(r, view);
    size_t i = finality_index(f, &r->epoch.validators[leader].operator_address);
    while (!hash_equal(&f->links[i][f->opened[i]], &r->duties[leader].revealed)) {
        if (f->opened[i] == 0) fatal("the hash chain is used up");
        f->opened[i]--;
    }
    return f->links[i][f->opened[i] - 1];
}

/* A block on `parent`, not final. */
static inline struct hash finality_build(struct finality *f, const struct hash *parent)
{
    struct hash block;
    const struct epoch_record *record = ledger_record(f->ledger, parent);
    uint64_t view = record->last_view + 1;
    struct ledger_build build = {.parent = *parent,
                                 .plan = {.timestamp_s = 1750000000 + view,
                                          .view = view,
                                          .parent_view = record->last_view,
                                          .reveal = finality_reveal(f, record, view)}};
    build.mempool = pool_lock(f->pool);
    if (ledger_build(f->ledger, &block, &build, 1) != OK) fatal("building");
    pool_unlock(f->pool);
    buffer_finish(&build.dropped);
    return block;
}

/* F of a block by as many of its epoch's validators as make a quorum, the heaviest first. */
static inline void finality_certificate(const struct finality *f, struct buffer *out,
                                        const struct epoch *epoch, uint64_t view,
                                        const struct hash *block)
{
    struct certificate *c = must_alloc(sizeof *c);
    struct vote v = {.epoch = epoch->number, .view = view, .kind = VOTE_FINALIZE, .block = *block};
    struct hash digest = vote_digest(epoch->chain_id, &v);
    uint64_t weight = 0;
    certificate_start(c, &v);
    for (uint32_t i = 0; i < epoch->validator_count && weight < epoch_quorum(epoch); i++) {
        size_t who = finality_index(f, &epoch->validators[i].operator_address);
        v.signer = (uint16_t)i;
        v.signature = key_sign(&f->voters[who], &digest);
        certificate_add(c, &v);
        weight += epoch->validators[i].weight;
    }
    certificate_encode(out, c);
    free(c);
}

/* Makes chain[0..count) final; the last with F, of a later view at an epoch's end. */
static inline void finality_commit(struct finality *f, const struct hash *chain, size_t count)
{
    struct buffer certificate = {0};
    struct epoch epoch = ledger_head(f->ledger)->record->epoch;
    const struct epoch_record *after = ledger_record(f->ledger, &chain[count - 1]);
    bool ends = after->epoch.number > epoch.number;
    uint64_t view = ends ? 1000000 : after->last_view;
    finality_certificate(f, &certificate, &epoch, view, &chain[count - 1]);
    struct ledger_commit commit = {
        .chain = chain, .count = count, .certificate = buffer_bytes(&certificate)};
    pool_lock(f->pool);
    ledger_commit(f->ledger, &commit);
    pool_on_final(f->pool, &ledger_head(f->ledger)->header, buffer_bytes(&commit.spenders));
    pool_unlock(f->pool);
    buffer_finish(&commit.spenders);
    buffer_finish(&certificate);
}

/* Adds `count` final blocks with `transfers` each; sometimes two or three by one certificate. Each
 * epoch somebody else's stake grows, so that the next set has other weights in another order. */
static inline void finality_extend(struct finality *f, size_t count, size_t transfers)
{
    struct hash chain[3];
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ledger_head *head = ledger_head(f->ledger);
        uint64_t number = head->header.number + open + 1;
        uint64_t epoch = head->record->epoch.number;
        for (size_t n = 0; n < transfers; n++)
            finality_transfer(f);
        if (number == head->record->epoch.start_number + 1)
            finality_delegate(f, epoch % FINALITY_VALIDATORS, 5 + 5 * epoch);
        chain[open] = finality_build(f, open == 0 ? &head->hash : &chain[open - 1]);
        open++;
        bool ends = number == head->record->epoch.last_number;
        if (open < 3 && number % 4 > 1 && !ends && i + 1 < count) continue;
        finality_commit(f, chain, open);
        open = 0;
    }
}

/* `count` empty blocks, a certificate for each 64: quick. */
static inline void finality_extend_quickly(struct finality *f, size_t count)
{
    struct hash chain[64];
    while (count > 0) {
        const struct ledger_head *head = ledger_head(f->ledger);
        uint64_t left = head->record->epoch.last_number - head->header.number;
        size_t open = count < 64 ? count : 64;
        if (open > left) open = (size_t)left;
        for (size_t i = 0; i < open; i++)
            chain[i] = finality_build(f, i == 0 ? &head->hash : &chain[i - 1]);
        finality_commit(f, chain, open);
        count -= open;
    }
}

#endif
