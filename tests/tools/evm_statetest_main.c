/* evm-statetest [--fork NAME] [--trace] PATH... - runs official state tests in their published
 * JSON.
 *
 * A path is a file or a folder that is walked for *.json. Each subtest builds the pre-state in a
 * layer, runs its transaction through chain/execute and compares the state root and the hash of
 * the logs, at the fork named or at each that is known (Cancun, Prague). Each failure is one line:
 * file, test, fork, data/gas/value indexes, what was expected and what came. The last line is
 * "N passed, N failed"; exit status 1 if any failed. --trace prints EIP-3155 lines on stderr. */
#include "base/keccak.h"
#include "base/rlp.h"
#include "chain/execute.h"
#include "tests/tools/statetest_fork.h"
#include "tests/tools/statetest_transaction.h"
#include "vm/trace.h"

#include <fts.h>
#include <stdio.h>

#define FILE_BYTES_MAX ((size_t)256 << 20)

struct totals {
    size_t passed;
    size_t failed;
};

struct runner {
    struct evm *evms[FORK_COUNT]; /* NULL: that fork is not asked for */
    struct arena arena;           /* of one subtest */
    struct totals totals;
    const char *path;
    const char *name;
    size_t fork; /* the running subtest's */
};

/* ---- the world before ---- */

static void put_account(struct runner *r, struct layer *l, const char *key, json_t *account)
{
    struct address a = must_address(key);
    struct bytes code = must_bytes(&r->arena, json_object_get(account, "code"));
    const char *slot;
    json_t *value;
    layer_set_balance(l, &a, must_number(json_object_get(account, "balance"), "balance"));
    layer_set_nonce(l, &a, must_u64(json_object_get(account, "nonce"), "nonce"));
    if (code.size > 0) layer_set_code(l, &a, code);
    json_object_foreach(json_object_get(account, "storage"), slot, value)
    {
        json_t *slot_text = json_string(slot);
        layer_set_storage(l, &a, must_number(slot_text, "slot"), must_number(value, "value"));
        json_decref(slot_text);
    }
}

static struct layer *pre_state(struct runner *r, const struct state_base *base, json_t *pre)
{
    struct layer *l = layer_create(base, NULL);
    const char *key;
    json_t *account;
    layer_begin(l);
    json_object_foreach(pre, key, account) put_account(r, l, key, account);
    layer_end(l);
    (void)layer_seal(l);
    return l;
}

/* The tests' convention: the hash of block n is keccak256 of n in decimal. */
static bool test_block_hash(void *context, uint64_t number, struct hash *out)
{
    char text[24];
    (void)context;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    *out = keccak256(bytes_of_text(text));
    return true;
}

static struct header header_of(const json_t *env)
{
    struct header h = {.number = must_u64(json_object_get(env, "currentNumber"), "number")};
    h.timestamp_s = must_u64(json_object_get(env, "currentTimestamp"), "timestamp");
    h.gas_limit = must_u64(json_object_get(env, "currentGasLimit"), "gas limit");
    h.base_fee = must_number(json_object_get(env, "currentBaseFee"), "base fee");
    h.coinbase = must_address(json_string_value(json_object_get(env, "currentCoinbase")));
    struct u256 random = must_number(json_object_get(env, "currentRandom"), "random");
    u256_to_be(h.mix_hash.b, random);
    return h;
}

/* ---- one subtest ---- */

static struct hash logs_hash(const struct tx_outcome *out)
{
    struct buffer rlp = {.size = 0};
    size_t list = rlp_list_open(&rlp);
    for (size_t i = 0; i < out->log_count; i++) {
        const struct log_entry *log = &out->logs[i];
        size_t one = rlp_list_open(&rlp);
        rlp_put_address(&rlp, &log->address);
        size_t topics = rlp_list_open(&rlp);
        for (size_t j = 0; j < log->topic_count; j++)
            rlp_put_hash(&rlp, &log->topics[j]);
        rlp_list_close(&rlp, topics);
        rlp_put_bytes(&rlp, log->data);
        rlp_list_close(&rlp, one);
    }
    rlp_list_close(&rlp, list);
    struct hash h = keccak256(buffer_bytes(&rlp));
    buffer_finish(&rlp);
    return h;
}

static enum tx_reason run_in_layer(struct runner *r, struct layer *l, struct tx_outcome *out,
                                   json_t *test, const json_t *post)
{
    const json_t *env = json_object_get(test, "env");
    const json_t *transaction = json_object_get(test, "transaction");
    struct chain_config config = {.chain_id = 1};
    struct header header = header_of(env);
    struct ancestry ancestry = {NULL, test_block_hash};
    struct execution x;
    struct tx t;
    struct address sender;
    if (!read_transaction(&r->arena, &t, transaction, post)) return TX_MALFORMED;
    sender = must_address(json_string_value(json_object_get(transaction, "sender")));
    if (!agrees_with_wire(&r->arena, &t, &sender, post)) return TX_MALFORMED;
    execution_init(&x, r->evms[r->fork], l, &config, &header);
    execution_set_ancestry(&x, &ancestry);
    uint64_t excess = must_u64(json_object_get(env, "currentExcessBlobGas"), "excess blob gas");
    x.host.context.blob_base_fee = blob_base_fee(&FORKS[r->fork], excess);
    return execute_transaction(&x, out, &t, &sender);
}

/* Begins a failure's line. */
static void fail(struct runner *r, const json_t *post)
{
    const json_t *i = json_object_get(post, "indexes");
    printf("FAIL %s %s %s d%lld g%lld v%lld: ", r->path, r->name,
           evm_revision_name(FORKS[r->fork].revision),
           (long long)json_integer_value(json_object_get(i, "data")),
           (long long)json_integer_value(json_object_get(i, "gas")),
           (long long)json_integer_value(json_object_get(i, "value")));
    r->totals.failed++;
}

static void report(struct runner *r, const json_t *post, const char *what, const struct hash *got)
{
    char text[67];
    hash_to_text(text, got);
    fail(r, post);
    printf("%s, expected %s, got %s\n", what, json_string_value(json_object_get(post, what)), text);
}

static void judge(struct runner *r, const json_t *post, enum tx_reason reason,
                  const struct hash *root, const struct hash *logs)
{
    struct hash want_root = must_hash(json_object_get(post, "hash"));
    struct hash want_logs = must_hash(json_object_get(post, "logs"));
    bool refuse = json_object_get(post, "expectException") != NULL;
    if (refuse != (reason != TX_FINE)) {
        fail(r, post);
        printf("the transaction: %s, expected %s\n", tx_reason_text(reason),
               refuse ? json_string_value(json_object_get(post, "expectException")) : "ok");
    } else if (!hash_equal(root, &want_root)) {
        report(r, post, "hash", root);
    } else if (reason == TX_FINE && !hash_equal(logs, &want_logs)) {
        report(r, post, "logs", logs);
    } else {
        r->totals.passed++;
    }
}

static void run_subtest(struct runner *r, json_t *test, const json_t *post)
{
    struct state_base base = state_base_empty();
    struct layer *before = pre_state(r, &base, json_object_get(test, "pre"));
    struct layer *after = layer_create(&base, before);
    struct tx_outcome out = {.log_count = 0};
    enum tx_reason reason = run_in_layer(r, after, &out, test, post);
    struct hash logs = logs_hash(&out);
    struct hash root = layer_seal(after);
    judge(r, post, reason, &root, &logs);
    layer_release(after);
    layer_release(before);
    arena_reset(&r->arena);
}

/* ---- files and folders ---- */

static void run_test(struct runner *r, json_t *test)
{
    for (r->fork = 0; r->fork < FORK_COUNT; r->fork++) {
        if (r->evms[r->fork] == NULL) continue;
        const char *fork = evm_revision_name(FORKS[r->fork].revision);
        const json_t *posts = json_object_get(json_object_get(test, "post"), fork);
        for (size_t i = 0; i < json_array_size(posts); i++)
            run_subtest(r, test, json_array_get(posts, i));
    }
}

static void run_file(struct runner *r, const char *path)
{
    char error[JSON_ERROR_SIZE];
    json_t *tests;
    json_t *test;
    const char *name;
    if (json_load_path(&tests, error, path, FILE_BYTES_MAX) != OK) {
        printf("FAIL %s: %s\n", path, error);
        r->totals.failed++;
        return;
    }
    r->path = path;
    json_object_foreach(tests, name, test)
    {
        r->name = name;
        run_test(r, test);
    }
    json_decref(tests);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_json(const FTSENT *entry)
{
    size_t size = entry->fts_namelen;
    return entry->fts_info == FTS_F && size > 5 && strcmp(entry->fts_name + size - 5, ".json") == 0;
}

static void run_paths(struct runner *r, char **paths)
{
    FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (walk == NULL) fatal("walking the folders given");
    for (FTSENT *entry = fts_read(walk); entry != NULL; entry = fts_read(walk)) {
        if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR) {
            printf("FAIL %s: cannot be read\n", entry->fts_path);
            r->totals.failed++;
        }
        if (is_json(entry)) run_file(r, entry->fts_path);
    }
    fts_close(walk);
}

static void print_step(void *context, const struct evm_step *s)
{
    struct buffer line = {.size = 0};
    (void)context;
    step_to_json(&line, s);
    fprintf(stderr, "%s\n", buffer_text(&line));
    buffer_finish(&line);
}

struct options {
    const char *fork; /* NULL: all */
    bool trace;
};

/* The index of the first path; 0 if the options make no sense. */
static int read_options(struct options *o, int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            o->trace = true;
        else if (strcmp(argv[i], "--fork") == 0 && i + 1 < argc)
            o->fork = argv[++i];
        else
            return 0;
    }
    return i < argc ? i : 0;
}

/* How many forks will run. */
static size_t create_evms(struct runner *r, const struct options *o)
{
    size_t count = 0;
    for (size_t i = 0; i < FORK_COUNT; i++) {
        enum evm_revision revision = FORKS[i].revision;
        if (o->fork != NULL && strcmp(o->fork, evm_revision_name(revision)) != 0) continue;
        r->evms[i] = evm_create(revision);
        if (o->trace) evm_set_trace(r->evms[i], print_step, NULL);
        count++;
    }
    return count;
}

int main(int argc, char **argv)
{
    struct runner r = {.path = NULL};
    struct options options = {.trace = false};
    int first = read_options(&options, argc, argv);
    if (first == 0 || create_evms(&r, &options) == 0) {
        fprintf(stderr, "usage: evm-statetest [--fork Cancun|Prague] [--trace] PATH...\n");
        return 2;
    }
    run_paths(&r, argv + first);
    for (size_t i = 0; i < FORK_COUNT; i++)
        evm_destroy(r.evms[i]);
    arena_finish(&r.arena);
    printf("%zu passed, %zu failed\n", r.totals.passed, r.totals.failed);
    return r.totals.failed == 0 ? 0 : 1;
}
