#include "node/rpc_methods.h"

#include "base/fatal.h"
#include "node/rpc_filters.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX      256         /* in one filter */
#define TOPIC_CHOICES_MAX  256         /* for one position */
#define LOG_DATA_BYTES_MAX (16u << 20) /* of all logs in one answer */
#define PENDING_MAX        4096

struct log_filter {
    struct address addresses[ADDRESSES_MAX];
    size_t address_count; /* 0: any */
    struct hash topics[LOG_TOPICS_MAX][TOPIC_CHOICES_MAX];
    size_t topic_counts[LOG_TOPICS_MAX]; /* 0: any */
    size_t topic_positions;
};

struct log_range {
    uint64_t first;
    uint64_t last;
};

struct search {
    struct session *session;
    struct rpc_reply *reply;
    const struct log_filter *filter;
    json_t *found;
    size_t data_bytes;
};

/* ---- reading a filter ---- */

static void read_addresses(struct rpc_reply *reply, struct log_filter *out, const json_t *value)
{
    if (value == NULL || json_is_null(value)) return;
    if (!json_is_array(value)) {
        out->addresses[out->address_count++] = read_address(reply, value, "address");
        return;
    }
    size_t count = json_array_size(value);
    if (count > ADDRESSES_MAX) {
        rpc_error(reply, RPC_INVALID_PARAMS, "too many addresses, want at most %d", ADDRESSES_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++)
        out->addresses[i] = read_address(reply, json_array_get(value, i), "address");
    out->address_count = count;
}

static void read_topic(struct rpc_reply *reply, struct log_filter *out, size_t position,
                       const json_t *value)
{
    if (json_is_null(value)) return;
    if (!json_is_array(value)) {
        out->topics[position][0] = read_hash(reply, value, "topic");
        out->topic_counts[position] = 1;
        return;
    }
    size_t count = json_array_size(value);
    if (count > TOPIC_CHOICES_MAX) {
        rpc_error(reply, RPC_INVALID_PARAMS, "too many topics, want at most %d", TOPIC_CHOICES_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *choice = json_array_get(value, i);
        if (json_is_null(choice)) { /* one of them is "any" */
            out->topic_counts[position] = 0;
            return;
        }
        out->topics[position][i] = read_hash(reply, choice, "topic");
        out->topic_counts[position] = i + 1;
    }
}

static void read_topics(struct rpc_reply *reply, struct log_filter *out, const json_t *value)
{
    if (value == NULL || json_is_null(value)) return;
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count > LOG_TOPICS_MAX) {
        rpc_error(reply, RPC_INVALID_PARAMS, "want an array of at most %d topics", LOG_TOPICS_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++)
        read_topic(reply, out, i, json_array_get(value, i));
    out->topic_positions = count;
}

static struct log_filter *read_filter(struct rpc_reply *reply, const json_t *object)
{
    struct log_filter *f = must_alloc(sizeof *f);
    if (!json_is_object(object)) {
        rpc_error(reply, RPC_INVALID_PARAMS, "want a filter object");
        return f;
    }
    read_addresses(reply, f, json_object_get(object, "address"));
    read_topics(reply, f, json_object_get(object, "topics"));
    return f;
}

static uint64_t read_bound(struct session *s, struct rpc_reply *reply, const json_t *value)
{
    uint64_t number = 0;
    if (json_is_null(value)) value = NULL;
    struct block_tag tag = read_tag(reply, value);
    if (rpc_failed(reply)) return 0;
    if (!session_find(s, &number, &tag) && tag.kind == TAG_HASH)
        rpc_error(reply, RPC_REFUSED, "unknown block");
    return number;
}

static struct log_range read_range(struct session *s, struct rpc_reply *reply, const json_t *object)
{
    const json_t *hash = json_object_get(object, "blockHash");
    const json_t *from = json_object_get(object, "fromBlock");
    const json_t *to = json_object_get(object, "toBlock");
    struct log_range range = {0};
    if (hash != NULL && (from != NULL || to != NULL))
        rpc_error(reply, RPC_INVALID_PARAMS,
                  "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other");
    if (hash != NULL) {
        struct block_tag tag = {TAG_HASH, 0, read_hash(reply, hash, "blockHash")};
        if (!session_find(s, &range.first, &tag)) rpc_error(reply, RPC_REFUSED, "unknown block");
        range.last = range.first;
        return range;
    }
    range.first = read_bound(s, reply, from);
    range.last = read_bound(s, reply, to);
    return range;
}

static bool check_range(struct session *s, struct rpc_reply *reply, struct log_range range)
{
    uint64_t most = session_shared(s)->options->rpc_log_range;
    if (rpc_failed(reply)) return false;
    if (range.first > range.last)
        rpc_error(reply, RPC_INVALID_PARAMS, "invalid block range params");
    else if (range.last - range.first >= most)
        rpc_error(reply, RPC_LIMIT_EXCEEDED, "query exceeds max block range %llu",
                  (unsigned long long)most);
    return !rpc_failed(reply);
}

/* ---- matching ---- */

static bool holds_hash(const struct hash *list, size_t count, const struct hash *want)
{
    for (size_t i = 0; i < count; i++)
        if (hash_equal(&list[i], want)) return true;
    return false;
}

static bool matches(const struct log_filter *f, const struct log_entry *entry)
{
    bool address = f->address_count == 0;
    for (size_t i = 0; i < f->address_count && !address; i++)
        address = address_equal(&f->addresses[i], &entry->address);
    if (!address || entry->topic_count < f->topic_positions) return false;
    for (size_t i = 0; i < f->topic_positions; i++) {
        size_t count = f->topic_counts[i];
        if (count > 0 && !holds_hash(f->topics[i], count, &entry->topics[i])) return false;
    }
    return true;
}

/* False: surely no log of the block matches. */
static bool bloom_admits(const struct log_filter *f, const struct bloom *bloom)
{
    bool address = f->address_count == 0;
    for (size_t i = 0; i < f->address_count && !address; i++)
        address = bloom_may_hold(bloom, address_bytes(&f->addresses[i]));
    if (!address) return false;
    for (size_t i = 0; i < f->topic_positions; i++) {
        bool topic = f->topic_counts[i] == 0;
        for (size_t c = 0; c < f->topic_counts[i] && !topic; c++)
            topic = bloom_may_hold(bloom, hash_bytes(&f->topics[i][c]));
        if (!topic) return false;
    }
    return true;
}

static void collect(struct search *q, const struct log_entry *logs, size_t count,
                    struct log_place *place)
{
    uint64_t most = session_shared(q->session)->options->rpc_log_count;
    for (size_t i = 0; i < count; i++, place->log_index++) {
        if (!matches(q->filter, &logs[i])) continue;
        q->data_bytes += logs[i].data.size;
        if (json_array_size(q->found) >= most || q->data_bytes > LOG_DATA_BYTES_MAX) {
            rpc_error(q->reply, RPC_LIMIT_EXCEEDED, "query returned more than %llu results",
                      (unsigned long long)most);
            return;
        }
        json_array_append_new(q->found, json_of_log(&logs[i], place));
    }
}

static void search_block(struct search *q, uint64_t number)
{
    struct stored_block b;
    size_t count = 0;
    session_forget(q->session);
    session_block(q->session, &b, number);
    const struct receipt *receipts = session_receipts(q->session, &b);
    struct log_place place = {.block = &b.ref};
    for (size_t i = 0; i < b.block.tx_count && !rpc_failed(q->reply); i++) {
        place.tx_index = i;
        if (receipts[i].log_count > 0) place.tx_hash = tx_hash_of_wire(b.block.txs[i]);
        collect(q, receipts[i].logs, receipts[i].log_count, &place);
    }
    const struct log_entry *logs = session_system_logs(q->session, &count, number);
    place.tx_index = b.block.tx_count;
    place.tx_hash = system_logs_hash(&b.ref.hash);
    if (!rpc_failed(q->reply)) collect(q, logs, count, &place);
}

static void search_range(struct search *q, struct log_range range)
{
    const struct store_snapshot *view = session_snapshot(q->session);
    uint64_t head = session_head(q->session)->number;
    if (range.last > head) range.last = head; /* what is not there yet has no logs */
    for (uint64_t n = range.first; n <= range.last && !rpc_failed(q->reply); n++) {
        struct bloom bloom;
        if (*session_stop(q->session) != 0) rpc_error(q->reply, RPC_TIMEOUT, "request timed out");
        if (store_bloom(view, n, bloom.b) && !bloom_admits(q->filter, &bloom)) continue;
        search_block(q, n);
    }
}

static void answer_logs(struct session *s, struct rpc_reply *reply, const json_t *object,
                        struct log_range range)
{
    struct log_filter *filter = read_filter(reply, object);
    struct search q = {s, reply, filter, json_array(), 0};
    if (check_range(s, reply, range)) search_range(&q, range);
    if (rpc_failed(reply))
        json_decref(q.found);
    else
        rpc_result(reply, q.found);
    free(filter);
}

void rpc_get_logs(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct log_range range = read_range(context, reply, params[0]);
    answer_logs(context, reply, params[0], range);
}

/* ---- filters that are kept ---- */

void rpc_new_filter(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    if (!session_begin(s, reply)) return;
    free(read_filter(reply, params[0])); /* for its errors, and the blocks' */
    (void)read_range(s, reply, params[0]);
    if (rpc_failed(reply)) return;
    char *text = json_dumps(params[0], JSON_COMPACT);
    if (text == NULL || strlen(text) > FILTER_BYTES_MAX)
        rpc_error(reply, RPC_LIMIT_EXCEEDED, "filter is larger than %d bytes", FILTER_BYTES_MAX);
    else
        rpc_result(reply, json_quantity(filters_add(session_shared(s)->filters, FILTER_LOGS,
                                                    session_head(s)->number, text)));
    free(text);
}

void rpc_new_block_filter(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    (void)params;
    if (!session_begin(s, reply)) return;
    rpc_result(reply, json_quantity(filters_add(session_shared(s)->filters, FILTER_BLOCKS,
                                                session_head(s)->number, NULL)));
}

void rpc_new_pending_filter(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct buffer none = {0};
    (void)params;
    if (!session_begin(s, reply)) return;
    uint64_t last = 0, at = 0;
    do { /* to the newest: what waits already is not told */
        at = last;
        last = pool_hashes_after(session_shared(s)->pool, &none, at, PENDING_MAX);
    } while (last != at);
    buffer_finish(&none);
    rpc_result(reply,
               json_quantity(filters_add(session_shared(s)->filters, FILTER_PENDING, last, NULL)));
}

static json_t *hashes_json(struct bytes hashes)
{
    json_t *list = json_array();
    for (size_t at = 0; at + sizeof(struct hash) <= hashes.size; at += sizeof(struct hash)) {
        struct hash h;
        memcpy(h.b, hashes.data + at, sizeof h.b);
        json_array_append_new(list, json_hash(&h));
    }
    return list;
}

static void pending_changes(struct session *s, struct rpc_reply *reply, const struct filter *f)
{
    struct buffer hashes = {0};
    uint64_t last = pool_hashes_after(session_shared(s)->pool, &hashes, f->position, PENDING_MAX);
    filters_move(session_shared(s)->filters, f->id, last);
    rpc_result(reply, hashes_json(buffer_bytes(&hashes)));
    buffer_finish(&hashes);
}

/* The blocks since the last question; at most as many as eth_getLogs may span. */
static struct log_range new_blocks(struct session *s, const struct filter *f)
{
    uint64_t most = session_shared(s)->options->rpc_log_range;
    struct log_range range = {f->position + 1, session_head(s)->number};
    if (range.last >= range.first && range.last - range.first >= most)
        range.last = range.first + most - 1;
    return range;
}

static void block_changes(struct session *s, struct rpc_reply *reply, const struct filter *f)
{
    struct log_range range = new_blocks(s, f);
    json_t *list = json_array();
    for (uint64_t n = range.first; n <= range.last; n++) {
        struct hash h;
        if (!store_hash_of_number(session_snapshot(s), n, &h)) break;
        json_array_append_new(list, json_hash(&h));
    }
    if (range.last >= range.first) filters_move(session_shared(s)->filters, f->id, range.last);
    rpc_result(reply, list);
}

static void log_changes(struct session *s, struct rpc_reply *reply, const struct filter *f)
{
    struct log_range range = new_blocks(s, f);
    json_t *criteria = json_loads(f->criteria, 0, NULL);
    const json_t *from = json_object_get(criteria, "fromBlock");
    if (json_is_string(from)) { /* a filter for the future starts there */
        struct block_tag tag = read_tag(reply, from);
        if (tag.kind == TAG_NUMBER && tag.number > range.first) range.first = tag.number;
    }
    if (range.first > range.last && !rpc_failed(reply)) {
        rpc_result(reply, json_array());
    } else {
        answer_logs(s, reply, criteria, range);
        if (!rpc_failed(reply)) filters_move(session_shared(s)->filters, f->id, range.last);
    }
    json_decref(criteria);
}

static bool get_filter(struct session *s, struct rpc_reply *reply, struct filter *out,
                       const json_t *id_param)
{
    if (!session_begin(s, reply)) return false;
    uint64_t id = read_quantity(reply, id_param, "filter id");
    if (rpc_failed(reply)) return false;
    if (filters_find(session_shared(s)->filters, out, id)) return true;
    rpc_error(reply, RPC_REFUSED, "filter not found");
    return false;
}

void rpc_filter_changes(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct filter f;
    if (!get_filter(context, reply, &f, params[0])) return;
    switch (f.kind) {
    case FILTER_LOGS: log_changes(context, reply, &f); break;
    case FILTER_BLOCKS: block_changes(context, reply, &f); break;
    case FILTER_PENDING: pending_changes(context, reply, &f); break;
    }
    free(f.criteria);
}

void rpc_filter_logs(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct filter f;
    if (!get_filter(context, reply, &f, params[0])) return;
    if (f.kind == FILTER_LOGS) {
        json_t *criteria = json_loads(f.criteria, 0, NULL);
        struct log_range range = read_range(context, reply, criteria);
        answer_logs(context, reply, criteria, range);
        json_decref(criteria);
    } else {
        rpc_error(reply, RPC_REFUSED, "filter not found");
    }
    free(f.criteria);
}

void rpc_uninstall_filter(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    uint64_t id = read_quantity(reply, params[0], "filter id");
    if (rpc_failed(reply)) return;
    rpc_result(reply, json_boolean(filters_remove(session_shared(s)->filters, id)));
}
