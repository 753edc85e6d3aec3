/* evm-statetest [--fork NAME] [--trace] PATH... - runs official state tests in their published
 * JSON.
 *
 * A path is a file or a folder that is walked for *.json. Each subtest builds the pre-state in a
 * layer, runs its transaction through chain/execute and compares the state root and the hash of
 * the logs. Each failure is one line: file, test, data/gas/value indexes, what was expected and
 * what came. The last line is "N passed, N failed"; exit status 1 if any failed. --trace prints one
 * JSON line a step on stderr (EIP-3155 without gasCost and refund, which follow from the next
 * line).
 *
 * Rules that this chain has no use for but the tests check (the blob base fee) live here. */
#include "base/arena.h"
#include "base/fatal.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/keccak.h"
#include "base/rlp.h"
#include "chain/execute.h"
#include "vm/opcodes.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX        ((size_t)256 << 20)
#define BLOB_FEE_UPDATE       3338477 /* EIP-4844, Cancun */
#define TX_TYPE_SET_CODE_BYTE 4

struct totals {
    size_t passed;
    size_t failed;
};

struct runner {
    const char *fork;
    struct evm *evm;
    struct arena arena; /* of one subtest */
    struct totals totals;
    const char *path;
    const char *name;
};

/* ---- values of the JSON ---- */

/* 0x and up to 64 digits, leading zeros allowed. False for anything else. */
static bool number_of(struct u256 *out, const json_t *value)
{
    const char *text = json_string_value(value);
    *out = u256_from_u64(0);
    if (text == NULL || strncmp(text, "0x", 2) != 0) return false;
    text += 2;
    while (*text == '0')
        text++;
    if (strlen(text) > 64) return false;
    for (; *text != '\0'; text++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, *text | 0x20);
        if (digit == NULL) return false;
        *out = u256_or(u256_shl(*out, 4), u256_from_u64((uint64_t)(digit - digits)));
    }
    return true;
}

static struct u256 must_number(const json_t *value, const char *what)
{
    struct u256 out;
    if (!number_of(&out, value)) fatal("reading a state test: %s is no number", what);
    return out;
}

static uint64_t must_u64(const json_t *value, const char *what)
{
    struct u256 out = must_number(value, what);
    if (!u256_fits_u64(out)) fatal("reading a state test: %s is above 2^64", what);
    return u256_to_u64(out);
}

static struct bytes must_bytes(struct runner *r, const json_t *value)
{
    struct buffer raw = {.size = 0};
    const char *text = json_string_value(value);
    if (text == NULL || hex_decode(&raw, bytes_of_text(text)) != OK)
        fatal("reading a state test: no bytes in %s", r->path);
    struct bytes copy = bytes_of(NULL, 0);
    if (raw.size > 0) copy = arena_copy(&r->arena, buffer_bytes(&raw));
    buffer_finish(&raw);
    return copy;
}

static void must_exact(uint8_t *out, size_t size, const char *text)
{
    if (text == NULL || hex_decode_exact(out, size, bytes_of_text(text)) != OK)
        fatal("reading a state test: %s is not %zu bytes", text == NULL ? "(none)" : text, size);
}

static struct address must_address(const char *text)
{
    struct address a;
    must_exact(a.b, sizeof(a.b), text);
    return a;
}

static struct hash must_hash(const json_t *value)
{
    struct hash h;
    must_exact(h.b, sizeof(h.b), json_string_value(value));
    return h;
}

/* ---- the world before ---- */

static void put_account(struct runner *r, struct layer *l, const char *key, json_t *account)
{
    struct address a = must_address(key);
    struct bytes code = must_bytes(r, json_object_get(account, "code"));
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

/* EIP-4844's fake_exponential with the minimum fee 1. */
static struct u256 blob_base_fee(uint64_t excess_blob_gas)
{
    struct u256 divisor = u256_from_u64(BLOB_FEE_UPDATE);
    struct u256 term = divisor;
    struct u256 sum = u256_from_u64(0);
    for (uint64_t i = 1; !u256_is_zero(term); i++) {
        sum = u256_add(sum, term);
        term = u256_mul(term, u256_from_u64(excess_blob_gas));
        term = u256_div(term, u256_mul(divisor, u256_from_u64(i)));
    }
    return u256_div(sum, divisor);
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

/* ---- the transaction ---- */

static const json_t *indexed(const json_t *transaction, const char *field, const json_t *post,
                             const char *index)
{
    const json_t *indexes = json_object_get(post, "indexes");
    json_int_t i = json_integer_value(json_object_get(indexes, index));
    return json_array_get(json_object_get(transaction, field), (size_t)i);
}

static void read_access(struct runner *r, struct tx *t, const json_t *list)
{
    size_t count = json_array_size(list);
    struct access_entry *entries =
        count == 0 ? NULL : arena_alloc(&r->arena, count * sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list, i);
        const json_t *keys = json_object_get(entry, "storageKeys");
        size_t key_count = json_array_size(keys);
        struct hash *slots = arena_alloc(&r->arena, (key_count + 1) * sizeof(*slots));
        for (size_t j = 0; j < key_count; j++)
            slots[j] = must_hash(json_array_get(keys, j));
        entries[i].address = must_address(json_string_value(json_object_get(entry, "address")));
        entries[i].slots = slots;
        entries[i].slot_count = key_count;
    }
    t->access = entries;
    t->access_count = count;
}

static void read_blobs(struct runner *r, struct tx *t, const json_t *transaction)
{
    const json_t *list = json_object_get(transaction, "blobVersionedHashes");
    size_t count = json_array_size(list);
    struct hash *hashes = arena_alloc(&r->arena, (count + 1) * sizeof(*hashes));
    for (size_t i = 0; i < count; i++)
        hashes[i] = must_hash(json_array_get(list, i));
    t->max_fee_per_blob_gas =
        must_number(json_object_get(transaction, "maxFeePerBlobGas"), "blob fee");
    t->blob_hashes = hashes;
    t->blob_hash_count = count;
}

/* The transaction's type is the first byte of its wire form, unless that is an RLP list. */
static int type_byte(const json_t *post)
{
    const char *wire = json_string_value(json_object_get(post, "txbytes"));
    if (wire == NULL || strlen(wire) < 4) fatal("reading a state test: no txbytes");
    long first = strtol((char[]){wire[2], wire[3], '\0'}, NULL, 16);
    return first >= 0xc0 ? TX_LEGACY : (int)first;
}

static void read_fees(struct tx *t, const json_t *transaction)
{
    if (t->type == TX_LEGACY || t->type == TX_ACCESS_LIST) {
        t->max_fee_per_gas = must_number(json_object_get(transaction, "gasPrice"), "gas price");
        t->max_priority_fee_per_gas = t->max_fee_per_gas;
        return;
    }
    t->max_fee_per_gas = must_number(json_object_get(transaction, "maxFeePerGas"), "max fee");
    t->max_priority_fee_per_gas =
        must_number(json_object_get(transaction, "maxPriorityFeePerGas"), "max tip");
}

/* False if the JSON says what no transaction can: a value of more than 256 bits, a type of later
 * forks. */
static bool read_transaction(struct runner *r, struct tx *t, const json_t *transaction,
                             const json_t *post)
{
    int type = type_byte(post);
    const char *to = json_string_value(json_object_get(transaction, "to"));
    if (type >= TX_TYPE_SET_CODE_BYTE) return false;
    *t = (struct tx){.type = (enum tx_type)type, .has_chain_id = type != TX_LEGACY};
    t->chain_id = 1;
    t->is_create = to == NULL || to[0] == '\0';
    if (!t->is_create) t->to = must_address(to);
    if (!number_of(&t->value, indexed(transaction, "value", post, "value"))) return false;
    t->nonce = must_u64(json_object_get(transaction, "nonce"), "nonce");
    t->gas_limit = must_u64(indexed(transaction, "gasLimit", post, "gas"), "gas limit");
    t->data = must_bytes(r, indexed(transaction, "data", post, "data"));
    read_fees(t, transaction);
    read_access(r, t, indexed(transaction, "accessLists", post, "data"));
    if (t->type == TX_BLOB) read_blobs(r, t, transaction);
    return true;
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
    if (!read_transaction(r, &t, transaction, post)) return TX_TYPE_UNSUPPORTED;
    sender = must_address(json_string_value(json_object_get(transaction, "sender")));
    execution_init(&x, r->evm, l, &config, &header);
    execution_set_ancestry(&x, &ancestry);
    x.host.context.blob_base_fee =
        blob_base_fee(must_u64(json_object_get(env, "currentExcessBlobGas"), "excess blob gas"));
    return execute_transaction(&x, out, &t, &sender);
}

static void report(struct runner *r, const json_t *post, const char *what, const struct hash *got)
{
    char text[67];
    const json_t *i = json_object_get(post, "indexes");
    hash_to_text(text, got);
    printf("FAIL %s %s d%lld g%lld v%lld: %s, expected %s, got %s\n", r->path, r->name,
           (long long)json_integer_value(json_object_get(i, "data")),
           (long long)json_integer_value(json_object_get(i, "gas")),
           (long long)json_integer_value(json_object_get(i, "value")), what,
           json_string_value(json_object_get(post, what)), text);
    r->totals.failed++;
}

static void judge(struct runner *r, const json_t *post, enum tx_reason reason,
                  const struct hash *root, const struct hash *logs)
{
    struct hash want_root = must_hash(json_object_get(post, "hash"));
    struct hash want_logs = must_hash(json_object_get(post, "logs"));
    bool refuse = json_object_get(post, "expectException") != NULL;
    if (refuse != (reason != TX_FINE)) {
        printf("FAIL %s %s: the transaction: %s, expected %s\n", r->path, r->name,
               tx_reason_text(reason),
               refuse ? json_string_value(json_object_get(post, "expectException")) : "ok");
        r->totals.failed++;
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
        json_t *posts = json_object_get(json_object_get(test, "post"), r->fork);
        r->name = name;
        for (size_t i = 0; i < json_array_size(posts); i++)
            run_subtest(r, test, json_array_get(posts, i));
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
    char word[67];
    const char *name = opcode_name(s->opcode);
    (void)context;
    fprintf(stderr, "{\"pc\":%llu,\"op\":%u,\"gas\":\"0x%llx\",\"memSize\":%zu,\"stack\":[",
            (unsigned long long)s->pc, s->opcode, (unsigned long long)s->gas, s->memory_bytes);
    for (size_t i = 0; i < s->stack_count; i++) {
        u256_to_quantity(word, s->stack[i]);
        fprintf(stderr, "%s\"%s\"", i == 0 ? "" : ",", word);
    }
    fprintf(stderr, "],\"depth\":%zu,\"opName\":\"%s\"}\n", s->depth,
            name == NULL ? "UNDEFINED" : name);
}

/* The index of the first path; 0 if the options make no sense. */
static int read_options(struct runner *r, bool *trace, int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            *trace = true;
        else if (strcmp(argv[i], "--fork") == 0 && i + 1 < argc)
            r->fork = argv[++i];
        else
            return 0;
    }
    return i < argc && strcmp(r->fork, "Cancun") == 0 ? i : 0;
}

int main(int argc, char **argv)
{
    struct runner r = {.fork = "Cancun"};
    bool trace = false;
    int first = read_options(&r, &trace, argc, argv);
    if (first == 0) {
        fprintf(stderr, "usage: evm_statetest [--fork Cancun] [--trace] PATH...\n");
        return 2;
    }
    r.evm = evm_create(EVM_CANCUN);
    if (trace) evm_set_trace(r.evm, print_step, NULL);
    run_paths(&r, argv + first);
    evm_destroy(r.evm);
    arena_finish(&r.arena);
    printf("%zu passed, %zu failed\n", r.totals.passed, r.totals.failed);
    return r.totals.failed == 0 ? 0 : 1;
}
