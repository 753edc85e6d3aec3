/* evm-statetest [--fork NAME] [--tier NAME] [--jobs N] [--trace] PATH... - runs official state
 * tests in their published JSON.
 *
 * A path is a file or a folder that is walked for *.json. Each subtest builds the pre-state in a
 * layer, runs its transaction through chain/execute and compares the state root and the hash of
 * the logs, at the fork named or at each that is known (Cancun, Prague), in the interpreter named
 * or first in the plain and then in the fast one: both must be right. Each failure is one line:
 * file, test, fork, interpreter, data/gas/value indexes, what was expected and what came. Subtests
 * of other forks, and files that hold no state tests, are passed over and counted. The last line
 * is "N passed, N failed"; exit status 1 if any failed. --trace prints EIP-3155 lines on stderr.
 * */
#include "base/file.h"
#include "base/keccak.h"
#include "base/options.h"
#include "base/rlp.h"
#include "chain/execute.h"
#include "tests/tools/statetest_files.h"
#include "tests/tools/statetest_transaction.h"
#include "tests/tools/workers.h"
#include "vm/trace.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  64

#define FILE_BYTES_MAX ((size_t)256 << 20)

/* Shared by all processes. */
struct totals {
    _Atomic size_t passed;
    _Atomic size_t failed;
    _Atomic size_t other_forks; /* subtests */
    _Atomic size_t other_files; /* without state tests */
};

struct runner {
    struct evm *evms[FORK_COUNT]; /* NULL: that fork is not asked for */
    struct arena arena;           /* of one subtest */
    struct totals *totals;
    struct test_files files;
    bool trace;
    bool tiers[EVM_TIER_COUNT]; /* in which the subtests run */
    enum evm_tier tier;         /* the one that runs now */
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
    printf("FAIL %s %s %s %s d%lld g%lld v%lld: ", r->path, r->name,
           evm_revision_name(FORKS[r->fork].revision), evm_tier_name(r->tier),
           (long long)json_integer_value(json_object_get(i, "data")),
           (long long)json_integer_value(json_object_get(i, "gas")),
           (long long)json_integer_value(json_object_get(i, "value")));
}

static void report(struct runner *r, const json_t *post, const char *what, const struct hash *got)
{
    char text[67];
    hash_to_text(text, got);
    fail(r, post);
    printf("%s, expected %s, got %s\n", what, json_string_value(json_object_get(post, what)), text);
}

static bool judge(struct runner *r, const json_t *post, enum tx_reason reason,
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
        return true;
    }
    return false;
}

static void print_summary(const struct runner *r, const struct tx_outcome *out,
                          enum tx_reason reason, const struct hash *root)
{
    struct buffer line = {.size = 0};
    struct trace_summary s = {.root = *root, .output = out->output};
    s.gas_used = (int64_t)out->gas_used;
    s.pass = reason == TX_FINE && out->result == EVM_SUCCESS;
    s.fork = evm_revision_name(FORKS[r->fork].revision);
    summary_to_json(&line, &s);
    fprintf(stderr, "%s\n", buffer_text(&line));
    buffer_finish(&line);
}

static bool run_in_tier(struct runner *r, json_t *test, const json_t *post)
{
    struct state_base base = state_base_empty();
    struct layer *before = pre_state(r, &base, json_object_get(test, "pre"));
    struct layer *after = layer_create(&base, before);
    struct tx_outcome out = {.log_count = 0};
    enum tx_reason reason = run_in_layer(r, after, &out, test, post);
    struct hash logs = logs_hash(&out);
    struct hash root = layer_seal(after);
    bool is_right = judge(r, post, reason, &root, &logs);
    if (r->trace) print_summary(r, &out, reason, &root);
    layer_release(after);
    layer_release(before);
    arena_reset(&r->arena);
    return is_right;
}

static void run_subtest(struct runner *r, json_t *test, const json_t *post)
{
    bool is_right = true;
    for (int i = 0; i < EVM_TIER_COUNT && is_right; i++) {
        if (!r->tiers[i]) continue;
        r->tier = (enum evm_tier)i;
        evm_set_tier(r->evms[r->fork], r->tier);
        is_right = run_in_tier(r, test, post);
    }
    if (is_right)
        r->totals->passed++;
    else
        r->totals->failed++;
}

/* ---- files ---- */

/* The fork's index; FORK_COUNT if it is not known. */
static size_t fork_of(const char *name)
{
    size_t i = 0;
    while (i < FORK_COUNT && strcmp(name, evm_revision_name(FORKS[i].revision)) != 0)
        i++;
    return i;
}

/* `file->fork` of the test's posts. Those of unknown forks are counted once. */
static void run_test(struct runner *r, json_t *test, const struct test_file *file)
{
    const char *name;
    json_t *posts;
    json_object_foreach(json_object_get(test, "post"), name, posts)
    {
        r->fork = fork_of(name);
        bool wanted = file->fork == ALL_FORKS || file->fork == r->fork;
        if (r->fork == FORK_COUNT && (file->fork == ALL_FORKS || file->fork == 0))
            r->totals->other_forks += json_array_size(posts);
        if (r->fork == FORK_COUNT || !wanted || r->evms[r->fork] == NULL) continue;
        for (size_t i = 0; i < json_array_size(posts); i++)
            run_subtest(r, test, json_array_get(posts, i));
    }
}

/* Other kinds of tests lack one of these, and so do lists of tests and fillers. */
static bool is_state_test(const json_t *test)
{
    return json_is_object(json_object_get(test, "env")) &&
           json_is_object(json_object_get(test, "pre")) &&
           json_is_object(json_object_get(test, "post")) &&
           json_is_object(json_object_get(test, "transaction"));
}

static void run_tests(struct runner *r, json_t *tests, const struct test_file *file)
{
    json_t *test;
    bool any = false;
    json_object_foreach(tests, r->name, test)
    {
        if (!is_state_test(test)) continue;
        run_test(r, test, file);
        any = true;
    }
    if (!any && (file->fork == ALL_FORKS || file->fork == 0)) r->totals->other_files++;
}

/* What is no JSON and has no "post" is not ours to judge: other tests' texts break JSON's rules. */
static void refuse_file(struct runner *r, const struct test_file *file, struct bytes text,
                        const char *error)
{
    if (memmem(text.data, text.size, "\"post\"", 6) == NULL) {
        r->totals->other_files++;
        return;
    }
    printf("FAIL %s: %s\n", file->path, error);
    r->totals->failed++;
}

static void run_file(void *context, size_t index)
{
    struct runner *r = context;
    const struct test_file *file = &r->files.items[index];
    struct buffer text = {.size = 0};
    char error[JSON_ERROR_SIZE];
    json_t *tests;
    enum status status = file_read(&text, file->path, FILE_BYTES_MAX);
    r->path = file->path;
    if (status != OK) {
        printf("FAIL %s: %s\n", file->path, status_text(status));
        r->totals->failed++;
    } else if (json_parse(&tests, error, buffer_bytes(&text)) != OK) {
        refuse_file(r, file, buffer_bytes(&text), error);
    } else {
        run_tests(r, tests, file);
        json_decref(tests);
    }
    buffer_finish(&text);
    fflush(stdout);
}

static void file_died(void *context, size_t index, int status)
{
    struct runner *r = context;
    const char *how = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it exited";
    printf("FAIL %s: the runner did not come to its end: %s\n", r->files.items[index].path, how);
    r->totals->failed++;
}

/* ---- the command line ---- */

#define STATETEST_OPTIONS(X)                                                                       \
    X(fork, "fork", TEXT, "NAME", "", 0, 0,                                                        \
      "Run this fork only: Cancun or Prague. Default: both.")                                      \
    X(tier, "tier", TEXT, "NAME", "both", 0, 0,                                                    \
      "The interpreter: auto, plain, fast, or both plain and fast.")                               \
    X(jobs, "jobs", NUMBER, "N", "0", 0, WORKERS_MAX,                                              \
      "Processes side by side; 0: as many as there are processors. One when tracing.")             \
    X(trace, "trace", SWITCH, NULL, "", 0, 0,                                                      \
      "Print each step on stderr, one JSON object a line (EIP-3155), and a summary line.")

struct statetest_config {
    STATETEST_OPTIONS(OPTION_FIELD)
};

static const struct option_row ROWS[] = {
#define X(...) OPTION_ROW(struct statetest_config, __VA_ARGS__)
    STATETEST_OPTIONS(X)
#undef X
};

static const struct option_program PROGRAM = {
    .name = "evm-statetest",
    .description = "Runs official state tests (the JSON as published; files, or folders that are "
                   "walked), prints each failure, and closes with \"N passed, N failed\". "
                   "Subtests of other forks, and files without state tests, are passed over.",
    .epilogue = "The exit status is 0 if none failed, 1 if any did, 64 for a wrong command line.",
    .words_doc = "PATH...",
    .rows = ROWS,
    .count = sizeof ROWS / sizeof *ROWS,
};

static void print_step(void *context, const struct evm_step *s)
{
    struct buffer line = {.size = 0};
    (void)context;
    step_to_json(&line, s);
    fprintf(stderr, "%s\n", buffer_text(&line));
    buffer_finish(&line);
}

static size_t process_count(const struct statetest_config *config)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (config->trace) return 1;
    if (config->jobs > 0) return config->jobs;
    return processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (size_t)processors;
}

/* False if there is none of that name. A trace is the plain one's. */
static bool choose_tiers(struct runner *r, const struct statetest_config *config)
{
    enum evm_tier tier = EVM_TIER_PLAIN;
    bool is_both = strcmp(config->tier, "both") == 0;
    if (!is_both && !evm_tier_of(&tier, config->tier)) return false;
    r->tiers[tier] = true;
    if (is_both && !config->trace) r->tiers[EVM_TIER_FAST] = true;
    return true;
}

static void open_runner(struct runner *r, const struct statetest_config *config)
{
    r->totals = workers_shared(sizeof(struct totals));
    r->trace = config->trace;
    for (size_t i = 0; i < FORK_COUNT; i++) {
        enum evm_revision revision = FORKS[i].revision;
        if (config->fork[0] != 0 && fork_of(config->fork) != i) continue;
        r->evms[i] = evm_create(revision);
        if (r->trace) evm_set_trace(r->evms[i], print_step, NULL);
    }
}

static void close_runner(struct runner *r)
{
    for (size_t i = 0; i < FORK_COUNT; i++)
        evm_destroy(r->evms[i]);
    arena_finish(&r->arena);
    test_files_finish(&r->files);
}

static int run(const struct statetest_config *config, const struct option_words *paths)
{
    struct runner r = {.trace = false};
    if (!choose_tiers(&r, config)) {
        fprintf(stderr, "evm-statetest: tier: want auto, plain, fast or both, got \"%s\"\n",
                config->tier);
        return EXIT_USAGE;
    }
    open_runner(&r, config);
    test_files_collect(&r.files, paths->items, paths->count);
    struct workers workers = {r.files.count, &r, run_file, file_died};
    workers_run(&workers, process_count(config));
    close_runner(&r);
    struct totals *t = r.totals;
    t->failed += r.files.unreadable;
    if (t->other_forks > 0) printf("skipped: %zu subtests of other forks\n", t->other_forks);
    if (t->other_files > 0) printf("skipped: %zu files without state tests\n", t->other_files);
    printf("%zu passed, %zu failed\n", t->passed, t->failed);
    return t->failed == 0 ? 0 : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct statetest_config config = {0};
    char error[OPTIONS_ERROR_SIZE];
    const char **paths = must_alloc((size_t)argc * sizeof(*paths));
    struct option_words words = {.items = paths, .min = 1};
    int code = EXIT_USAGE;
    if (options_read_words(&PROGRAM, &config, error, argc, argv, &words) != OK) {
        fprintf(stderr, "evm-statetest: %s\n", error);
    } else if (config.fork[0] != 0 && fork_of(config.fork) == FORK_COUNT) {
        fprintf(stderr, "evm-statetest: fork: want Cancun or Prague, got \"%s\"\n", config.fork);
    } else {
        code = run(&config, &words);
    }
    options_finish(&PROGRAM, &config);
    free(paths);
    return code;
}
