#include "chain/receipt.h"

#include "base/rlp.h"
#include "chain/trie.h"

#include <assert.h>
#include <string.h>

void receipt_set_bloom(struct receipt *r)
{
    memset(&r->bloom, 0, sizeof r->bloom);
    for (size_t i = 0; i < r->log_count; i++)
        bloom_add_log(&r->bloom, &r->logs[i]);
}

/* --- encoding --- */

static void put_log(struct buffer *out, const struct log_entry *entry)
{
    assert(entry->topic_count <= LOG_TOPICS_MAX);
    size_t list = rlp_list_open(out);
    rlp_put_address(out, &entry->address);
    size_t topics = rlp_list_open(out);
    for (size_t i = 0; i < entry->topic_count; i++)
        rlp_put_hash(out, &entry->topics[i]);
    rlp_list_close(out, topics);
    rlp_put_bytes(out, entry->data);
    rlp_list_close(out, list);
}

void receipt_encode(struct buffer *out, const struct receipt *r)
{
    if (r->type != TX_LEGACY) buffer_append_byte(out, (uint8_t)r->type);
    size_t list = rlp_list_open(out);
    rlp_put_u64(out, r->succeeded ? 1 : 0);
    rlp_put_u64(out, r->cumulative_gas_used);
    rlp_put_bytes(out, bytes_of(r->bloom.b, sizeof r->bloom.b));
    size_t logs = rlp_list_open(out);
    for (size_t i = 0; i < r->log_count; i++)
        put_log(out, &r->logs[i]);
    rlp_list_close(out, logs);
    rlp_list_close(out, list);
}

/* --- decoding --- */

static void read_log(struct rlp_reader *r, struct log_entry *out)
{
    struct rlp_reader entry = rlp_list(r);
    out->address = rlp_address(&entry);
    struct rlp_reader topics = rlp_list(&entry);
    for (; !rlp_at_end(&topics) && out->topic_count < LOG_TOPICS_MAX; out->topic_count++)
        out->topics[out->topic_count] = rlp_hash(&topics);
    out->data = rlp_bytes(&entry);
    if (rlp_end(&topics) != OK || rlp_end(&entry) != OK) rlp_fail(r);
}

static void read_logs(struct rlp_reader *r, struct receipt *out, struct arena *arena)
{
    struct rlp_reader list = rlp_list(r);
    struct rlp_reader counting = list;
    size_t count = 0;
    for (; !rlp_at_end(&counting); count++)
        (void)rlp_item(&counting);
    /* A log takes 23 bytes at least, so the input bounds what is allocated here. */
    if (counting.failed || count > list.rest.size / 23) {
        rlp_fail(r);
        return;
    }
    struct log_entry *logs = arena_alloc(arena, count * sizeof *logs);
    for (size_t i = 0; i < count; i++)
        read_log(&list, &logs[i]);
    out->logs = logs;
    out->log_count = count;
    if (rlp_end(&list) != OK) rlp_fail(r);
}

static enum status read_fields(struct receipt *out, struct arena *arena, struct bytes input)
{
    struct rlp_reader outer = rlp_reader_over(input);
    struct rlp_reader r = rlp_list(&outer);
    struct bloom stored = {{0}};
    uint64_t succeeded = rlp_u64(&r);
    out->succeeded = succeeded == 1;
    out->cumulative_gas_used = rlp_u64(&r);
    rlp_exact(&r, stored.b, sizeof stored.b);
    read_logs(&r, out, arena);
    if (rlp_end(&r) != OK || rlp_end(&outer) != OK || succeeded > 1) return E_MALFORMED;
    receipt_set_bloom(out);
    return memcmp(&stored, &out->bloom, sizeof stored) == 0 ? OK : E_MALFORMED;
}

enum status receipt_decode(struct receipt *out, struct arena *arena, struct bytes input)
{
    if (input.size > RECEIPT_SIZE_MAX) return E_LIMIT;
    if (input.size == 0) return E_MALFORMED;
    struct receipt r = {.type = TX_LEGACY};
    uint8_t first = input.data[0];
    if (tx_is_wire_type(first)) {
        r.type = (enum tx_type)first;
        input = bytes_slice(input, 1, input.size - 1);
    }
    enum status status = read_fields(&r, arena, input);
    if (status != OK) return status;
    *out = r;
    return OK;
}

/* --- root --- */

struct hash receipts_root(const struct receipt *receipts, size_t count)
{
    struct arena arena = {0};
    struct buffer one = {0};
    struct bytes *encoded = arena_alloc(&arena, count * sizeof *encoded);
    for (size_t i = 0; i < count; i++) {
        buffer_clear(&one);
        receipt_encode(&one, &receipts[i]);
        encoded[i] = arena_copy(&arena, buffer_bytes(&one));
    }
    struct hash root = trie_root_of_list(encoded, count);
    buffer_finish(&one);
    arena_finish(&arena);
    return root;
}
