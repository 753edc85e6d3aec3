/* The stored forms of receipts and logs: see build.h. */
#include "base/keccak.h"
#include "base/rlp.h"
#include "chain/build.h"

void receipts_encode(struct buffer *out, const struct receipt *receipts, size_t count)
{
    struct buffer one = {0};
    size_t list = rlp_list_open(out);
    for (size_t i = 0; i < count; i++) {
        buffer_clear(&one);
        receipt_encode(&one, &receipts[i]);
        rlp_put_bytes(out, buffer_bytes(&one));
    }
    rlp_list_close(out, list);
    buffer_finish(&one);
}

/* How many items a list has; a broken list counts as one more, so that reading it then fails. */
static size_t count_items(struct rlp_reader list)
{
    size_t count = 0;
    for (; !rlp_at_end(&list); count++)
        (void)rlp_item(&list);
    return count;
}

enum status receipts_decode(struct receipt **out, size_t *out_count, struct arena *arena,
                            struct bytes input)
{
    struct rlp_reader whole = rlp_reader_over(input);
    struct rlp_reader list = rlp_list(&whole);
    size_t count = count_items(list);
    if (count > BLOCK_TXS_MAX) return E_LIMIT;
    struct receipt *receipts = arena_alloc(arena, (count + 1) * sizeof *receipts);
    for (size_t i = 0; i < count; i++) {
        enum status status = receipt_decode(&receipts[i], arena, rlp_bytes(&list));
        if (status != OK) return status;
    }
    if (rlp_end(&list) != OK || rlp_end(&whole) != OK) return E_MALFORMED;
    *out = receipts;
    *out_count = count;
    return OK;
}

static void encode_log(struct buffer *out, const struct log_entry *log)
{
    size_t list = rlp_list_open(out);
    rlp_put_address(out, &log->address);
    size_t topics = rlp_list_open(out);
    for (size_t i = 0; i < log->topic_count; i++)
        rlp_put_hash(out, &log->topics[i]);
    rlp_list_close(out, topics);
    rlp_put_bytes(out, log->data);
    rlp_list_close(out, list);
}

void logs_encode(struct buffer *out, const struct log_entry *logs, size_t count)
{
    size_t list = rlp_list_open(out);
    for (size_t i = 0; i < count; i++)
        encode_log(out, &logs[i]);
    rlp_list_close(out, list);
}

static bool decode_log(struct log_entry *out, struct rlp_reader *list)
{
    struct rlp_reader item = rlp_list(list);
    out->address = rlp_address(&item);
    struct rlp_reader topics = rlp_list(&item);
    while (!rlp_at_end(&topics)) {
        if (out->topic_count == LOG_TOPICS_MAX) return false;
        out->topics[out->topic_count++] = rlp_hash(&topics);
    }
    out->data = rlp_bytes(&item);
    return rlp_end(&topics) == OK && rlp_end(&item) == OK;
}

enum status logs_decode(struct log_entry **out, size_t *out_count, struct arena *arena,
                        struct bytes input)
{
    struct rlp_reader whole = rlp_reader_over(input);
    struct rlp_reader list = rlp_list(&whole);
    size_t count = count_items(list);
    if (input.size > RECEIPT_SIZE_MAX) return E_LIMIT;
    struct log_entry *logs = arena_alloc(arena, (count + 1) * sizeof *logs);
    for (size_t i = 0; i < count; i++) {
        if (!decode_log(&logs[i], &list)) return E_MALFORMED;
    }
    if (rlp_end(&list) != OK || rlp_end(&whole) != OK) return E_MALFORMED;
    *out = logs;
    *out_count = count;
    return OK;
}

struct hash system_logs_hash(const struct hash *block_hash)
{
    struct keccak k;
    keccak_init(&k);
    keccak_update(&k, bytes_of_text("system"));
    keccak_update(&k, hash_bytes(block_hash));
    return keccak_finish(&k);
}

struct bloom executed_bloom(const struct executed *e)
{
    struct bloom all = e->block.header.logs_bloom;
    for (size_t i = 0; i < e->system_log_count; i++)
        bloom_add_log(&all, &e->system_logs[i]);
    return all;
}
