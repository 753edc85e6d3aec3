#include "chain/store/store.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/rlp.h"
#include "chain/store/keys.h"

#include <assert.h>
#include <leveldb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_BYTES        (16u << 20)
#define WRITE_BUFFER_BYTES (8u << 20)
#define BLOOM_BITS_PER_KEY 10
#define HEAD_SIZE          (8 + 32 + 32)

/* The system's LevelDB, and what of C++ it calls, is not built with the thread sanitizer, which so
 * cannot see its atomics. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define UNDER_TSAN
#endif
#ifdef UNDER_TSAN
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libleveldb.so\n"
           "called_from_lib:libsnappy.so\n"
           "called_from_lib:libstdc++.so\n";
}
#endif

/* Reads through either the live database or one frozen view of it. */
struct reader {
    leveldb_t *db;
    leveldb_readoptions_t *options;
    const leveldb_snapshot_t *snapshot; /* NULL: live */
};

struct store {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
    leveldb_writeoptions_t *synced;
    struct reader reader;
    struct state_base base;
    bool has_head;
    struct store_head head;
};

struct store_snapshot {
    struct reader reader;
    struct state_base base;
    bool has_head;
    struct store_head head;
};

struct store_write {
    leveldb_writebatch_t *batch;
    struct store_head head;
    bool has_head;
};

/* ---- reading ---- */

static void die(const char *doing, const char *error)
{
    fatal("%s the database: %s", doing, error);
}

/* Appends. */
static bool read_key(const struct reader *r, const struct store_key *k, struct buffer *out)
{
    char *error = NULL;
    size_t size = 0;
    char *value = leveldb_get(r->db, r->options, (const char *)k->b, k->size, &size, &error);
    if (error != NULL) die("reading", error);
    if (value == NULL) return false;
    buffer_append(out, bytes_of(value, size));
    leveldb_free(value);
    return true;
}

/* Exactly `size` bytes; another size means corruption. */
static bool read_exact(const struct reader *r, const struct store_key *k, uint8_t *out, size_t size)
{
    struct buffer value = {0};
    bool found = read_key(r, k, &value);
    if (found && value.size != size) die("reading", "a value has the wrong size");
    if (found) memcpy(out, value.data, size);
    buffer_finish(&value);
    return found;
}

static bool base_account(void *context, const struct hash *account_key, struct account *out)
{
    struct store_key k = key_of_hash(KEY_ACCOUNT, account_key);
    struct buffer value = {0};
    bool found = read_key(context, &k, &value);
    if (found && account_decode(out, buffer_bytes(&value)) != OK) {
        die("reading", "an account does not decode");
    }
    buffer_finish(&value);
    return found;
}

static bool base_slot(void *context, const struct hash *account_key, const struct hash *slot_key,
                      struct u256 *out)
{
    struct store_key k = key_of_slot(account_key, slot_key);
    struct buffer value = {0};
    bool found = read_key(context, &k, &value);
    if (found && (value.size == 0 || value.size > 32)) die("reading", "a slot has the wrong size");
    if (found) *out = u256_from_be(buffer_bytes(&value));
    buffer_finish(&value);
    return found;
}

static bool base_code(void *context, const struct hash *code_hash, struct buffer *out)
{
    struct store_key k = key_of_hash(KEY_CODE, code_hash);
    return read_key(context, &k, out);
}

static bool base_node(void *context, const struct trie_place *place, struct buffer *out)
{
    struct store_key k = key_of_node(place);
    return read_key(context, &k, out);
}

static void init_base(struct state_base *base, struct reader *reader, const uint64_t map_key[2])
{
    *base = state_base_empty();
    base->context = reader;
    base->account = base_account;
    base->slot = base_slot;
    base->code = base_code;
    base->node = base_node;
    base->map_key[0] = map_key[0];
    base->map_key[1] = map_key[1];
}

static bool read_head(const struct reader *r, struct store_head *out)
{
    struct store_key k = key_plain(KEY_HEAD);
    uint8_t value[HEAD_SIZE];
    if (!read_exact(r, &k, value, sizeof value)) return false;
    out->number = load_be64(value);
    memcpy(out->hash.b, value + 8, 32);
    memcpy(out->state_root.b, value + 40, 32);
    return true;
}

/* ---- open and close ---- */

static enum status open_database(struct store *s, char error[STORE_ERROR_SIZE], const char *path)
{
    char *problem = NULL;
    s->db = leveldb_open(s->options, path, &problem);
    if (s->db != NULL) return OK;
    bool locked = strstr(problem, "lock") != NULL;
    enum status status = locked ? E_EXISTS : E_IO;
    snprintf(error, STORE_ERROR_SIZE, "%s: %s%.160s", path,
             locked ? "another process uses this database; stop it first: " : "", problem);
    leveldb_free(problem);
    return status;
}

static void put_now(struct store *s, const struct store_key *k, struct bytes value)
{
    char *error = NULL;
    leveldb_put(s->db, s->synced, (const char *)k->b, k->size, (const char *)value.data, value.size,
                &error);
    if (error != NULL) die("writing", error);
}

static enum status check_version(struct store *s, char error[STORE_ERROR_SIZE], const char *path)
{
    struct store_key k = key_plain(KEY_VERSION);
    uint8_t version[8];
    if (!read_exact(&s->reader, &k, version, sizeof version)) {
        store_be64(version, STORE_SCHEMA);
        put_now(s, &k, bytes_of(version, sizeof version));
        return OK;
    }
    if (load_be64(version) == STORE_SCHEMA) return OK;
    snprintf(error, STORE_ERROR_SIZE,
             "%s: written in schema %llu, this program reads %d; use the program that wrote it, or "
             "an empty directory",
             path, (unsigned long long)load_be64(version), STORE_SCHEMA);
    return E_UNSUPPORTED;
}

static void set_options(struct store *s)
{
    s->options = leveldb_options_create();
    s->cache = leveldb_cache_create_lru(CACHE_BYTES);
    s->filter = leveldb_filterpolicy_create_bloom(BLOOM_BITS_PER_KEY);
    s->synced = leveldb_writeoptions_create();
    s->reader.options = leveldb_readoptions_create();
    leveldb_options_set_create_if_missing(s->options, 1);
    leveldb_options_set_paranoid_checks(s->options, 1);
    leveldb_options_set_cache(s->options, s->cache);
    leveldb_options_set_filter_policy(s->options, s->filter);
    leveldb_options_set_write_buffer_size(s->options, WRITE_BUFFER_BYTES);
    leveldb_writeoptions_set_sync(s->synced, 1);
    leveldb_readoptions_set_verify_checksums(s->reader.options, 1);
}

enum status store_open(struct store **out, char error[STORE_ERROR_SIZE], const char *path,
                       const uint64_t map_key[2])
{
    error[0] = 0;
    enum status status = directory_make(path, 0700);
    if (status != OK) {
        snprintf(error, STORE_ERROR_SIZE, "%.200s: cannot make the directory", path);
        return status;
    }
    struct store *s = must_alloc(sizeof *s);
    set_options(s);
    status = open_database(s, error, path);
    if (status != OK) goto fail;
    s->reader.db = s->db;
    status = check_version(s, error, path);
    if (status != OK) goto fail;
    init_base(&s->base, &s->reader, map_key);
    s->has_head = read_head(&s->reader, &s->head);
    if (s->has_head) s->base.root = s->head.state_root;
    *out = s;
    return OK;
fail:
    store_close(s);
    return status;
}

void store_close(struct store *s)
{
    if (s == NULL) return;
    if (s->db != NULL) leveldb_close(s->db);
    leveldb_readoptions_destroy(s->reader.options);
    leveldb_writeoptions_destroy(s->synced);
    leveldb_options_destroy(s->options);
    leveldb_filterpolicy_destroy(s->filter);
    leveldb_cache_destroy(s->cache);
    free(s);
}

bool store_head(const struct store *s, struct store_head *out)
{
    if (s->has_head) *out = s->head;
    return s->has_head;
}

const struct state_base *store_base(const struct store *s)
{
    return &s->base;
}

/* ---- writing ---- */

struct store_write *store_write_create(void)
{
    struct store_write *w = must_alloc(sizeof *w);
    w->batch = leveldb_writebatch_create();
    return w;
}

void store_write_destroy(struct store_write *w)
{
    if (w == NULL) return;
    leveldb_writebatch_destroy(w->batch);
    free(w);
}

static void put(struct store_write *w, struct store_key k, struct bytes value)
{
    leveldb_writebatch_put(w->batch, (const char *)k.b, k.size, (const char *)value.data,
                           value.size);
}

static void drop(struct store_write *w, struct store_key k)
{
    leveldb_writebatch_delete(w->batch, (const char *)k.b, k.size);
}

static void write_transactions(struct store_write *w, const struct store_block *b)
{
    uint8_t value[12];
    store_be64(value, b->number);
    for (size_t i = 0; i < b->transaction_count; i++) {
        store_be32(value + 8, (uint32_t)i);
        put(w, key_of_hash(KEY_TRANSACTION, &b->transactions[i]), bytes_of(value, sizeof value));
    }
}

static void write_head(struct store_write *w, const struct store_block *b)
{
    uint8_t value[HEAD_SIZE];
    store_be64(value, b->number);
    memcpy(value + 8, b->hash.b, 32);
    memcpy(value + 40, b->state_root.b, 32);
    put(w, key_plain(KEY_HEAD), bytes_of(value, sizeof value));
    w->has_head = true;
    w->head = (struct store_head){b->number, b->hash, b->state_root};
}

static struct bytes header_of(struct bytes block)
{
    struct rlp_reader whole = rlp_reader_over(block);
    struct rlp_reader list = rlp_list(&whole);
    return rlp_item(&list);
}

void store_write_block(struct store_write *w, const struct store_block *b)
{
    uint8_t number[8];
    assert(!w->has_head || b->number == w->head.number + 1);
    assert(b->bloom.size == 256);
    store_be64(number, b->number);
    put(w, key_of_number(KEY_BLOCK, b->number), b->block);
    put(w, key_of_number(KEY_HEADER, b->number), header_of(b->block));
    put(w, key_of_number(KEY_HASH_OF_NUMBER, b->number), hash_bytes(&b->hash));
    put(w, key_of_hash(KEY_NUMBER_OF_HASH, &b->hash), bytes_of(number, sizeof number));
    put(w, key_of_number(KEY_RECEIPTS, b->number), b->receipts);
    put(w, key_of_number(KEY_SYSTEM_LOGS, b->number), b->system_logs);
    put(w, key_of_number(KEY_BLOOM, b->number), b->bloom);
    if (b->certificate.size > 0) {
        put(w, key_of_number(KEY_CERTIFICATE, b->number), b->certificate);
    }
    put(w, key_plain(KEY_EPOCH_RECORD), b->epoch_record);
    write_transactions(w, b);
    write_head(w, b);
}

static void sink_account(void *context, const struct hash *account_key, const struct account *a)
{
    if (a == NULL) {
        drop(context, key_of_hash(KEY_ACCOUNT, account_key));
        return;
    }
    struct buffer value = {0};
    account_encode(&value, a);
    put(context, key_of_hash(KEY_ACCOUNT, account_key), buffer_bytes(&value));
    buffer_finish(&value);
}

static void sink_slot(void *context, const struct hash *account_key, const struct hash *slot_key,
                      struct u256 value)
{
    uint8_t be[32];
    size_t size = u256_to_be_short(be, value);
    if (size == 0) {
        drop(context, key_of_slot(account_key, slot_key));
    } else {
        put(context, key_of_slot(account_key, slot_key), bytes_of(be, size));
    }
}

static void sink_code(void *context, const struct hash *code_hash, struct bytes code)
{
    put(context, key_of_hash(KEY_CODE, code_hash), code);
}

static void sink_node(void *context, const struct trie_place *place, struct bytes node)
{
    if (node.size == 0) {
        drop(context, key_of_node(place));
    } else {
        put(context, key_of_node(place), node);
    }
}

void store_write_layer(struct store_write *w, const struct layer *l)
{
    struct state_sink sink = {w, sink_account, sink_slot, sink_code, sink_node};
    layer_write(l, &sink);
}

void store_write_set(struct store_write *w, uint64_t epoch, struct bytes set)
{
    put(w, key_of_number(KEY_SET, epoch), set);
}

void store_commit(struct store *s, struct store_write *w)
{
    char *error = NULL;
    assert(w->has_head);
    assert(s->has_head ? w->head.number > s->head.number : true);
    leveldb_write(s->db, s->synced, w->batch, &error);
    if (error != NULL) die("writing", error);
    s->head = w->head;
    s->has_head = true;
    s->base.root = w->head.state_root;
    leveldb_writebatch_clear(w->batch);
    w->has_head = false;
}

void store_put_certificate(struct store *s, uint64_t number, struct bytes certificate)
{
    struct store_key k = key_of_number(KEY_CERTIFICATE, number);
    assert(certificate.size > 0);
    put_now(s, &k, certificate);
}

/* ---- frozen views ---- */

struct store_snapshot *store_snapshot_create(struct store *s)
{
    struct store_snapshot *v = must_alloc(sizeof *v);
    v->reader.db = s->db;
    v->reader.snapshot = leveldb_create_snapshot(s->db);
    v->reader.options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(v->reader.options, 1);
    leveldb_readoptions_set_snapshot(v->reader.options, v->reader.snapshot);
    init_base(&v->base, &v->reader, s->base.map_key);
    v->has_head = read_head(&v->reader, &v->head);
    if (v->has_head) v->base.root = v->head.state_root;
    return v;
}

void store_snapshot_destroy(struct store_snapshot *v)
{
    if (v == NULL) return;
    leveldb_readoptions_destroy(v->reader.options);
    leveldb_release_snapshot(v->reader.db, v->reader.snapshot);
    free(v);
}

const struct state_base *store_snapshot_base(const struct store_snapshot *v)
{
    return &v->base;
}

bool store_snapshot_head(const struct store_snapshot *v, struct store_head *out)
{
    if (v->has_head) *out = v->head;
    return v->has_head;
}

static bool read_number_key(const struct store_snapshot *v, enum key_prefix prefix, uint64_t number,
                            struct buffer *out)
{
    struct store_key k = key_of_number(prefix, number);
    return read_key(&v->reader, &k, out);
}

bool store_block_by_number(const struct store_snapshot *v, uint64_t number, struct buffer *out)
{
    return read_number_key(v, KEY_BLOCK, number, out);
}

bool store_header(const struct store_snapshot *v, uint64_t number, struct buffer *out)
{
    struct buffer block = {0};
    if (read_number_key(v, KEY_HEADER, number, out)) return true;
    bool found = store_block_by_number(v, number, &block); /* stored before headers were */
    if (found) buffer_append(out, header_of(buffer_bytes(&block)));
    buffer_finish(&block);
    return found;
}

bool store_receipts(const struct store_snapshot *v, uint64_t number, struct buffer *out)
{
    return read_number_key(v, KEY_RECEIPTS, number, out);
}

bool store_system_logs(const struct store_snapshot *v, uint64_t number, struct buffer *out)
{
    return read_number_key(v, KEY_SYSTEM_LOGS, number, out);
}

bool store_certificate(const struct store_snapshot *v, uint64_t number, struct buffer *out)
{
    return read_number_key(v, KEY_CERTIFICATE, number, out);
}

bool store_set(const struct store_snapshot *v, uint64_t epoch, struct buffer *out)
{
    return read_number_key(v, KEY_SET, epoch, out);
}

bool store_epoch_record(const struct store_snapshot *v, struct buffer *out)
{
    struct store_key k = key_plain(KEY_EPOCH_RECORD);
    return read_key(&v->reader, &k, out);
}

bool store_bloom(const struct store_snapshot *v, uint64_t number, uint8_t out[256])
{
    struct store_key k = key_of_number(KEY_BLOOM, number);
    return read_exact(&v->reader, &k, out, 256);
}

bool store_hash_of_number(const struct store_snapshot *v, uint64_t number, struct hash *out)
{
    struct store_key k = key_of_number(KEY_HASH_OF_NUMBER, number);
    return read_exact(&v->reader, &k, out->b, sizeof out->b);
}

bool store_number_of_hash(const struct store_snapshot *v, const struct hash *h, uint64_t *out)
{
    struct store_key k = key_of_hash(KEY_NUMBER_OF_HASH, h);
    uint8_t number[8];
    if (!read_exact(&v->reader, &k, number, sizeof number)) return false;
    *out = load_be64(number);
    return true;
}

bool store_transaction(const struct store_snapshot *v, const struct hash *h,
                       struct tx_location *out)
{
    struct store_key k = key_of_hash(KEY_TRANSACTION, h);
    uint8_t value[12];
    if (!read_exact(&v->reader, &k, value, sizeof value)) return false;
    out->number = load_be64(value);
    out->index = load_be32(value + 8);
    return true;
}
