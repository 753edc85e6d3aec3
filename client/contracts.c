#include "client/contracts.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/units.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_RANGE_BLOCKS 5000u

/* From contract_abi.S: the ABI JSON of each contract. */
#define X(id, name, low)                                                                           \
    extern const char contract_abi_##id[];                                                         \
    extern const char contract_abi_##id##_end[];
CONTRACTS(X)
#undef X

static const char *const names[CONTRACT_COUNT] = {
#define X(id, name, low) [CONTRACT_##id] = (name),
    CONTRACTS(X)
#undef X
};

static const uint16_t lows[CONTRACT_COUNT] = {
#define X(id, name, low) [CONTRACT_##id] = (low),
    CONTRACTS(X)
#undef X
};

static struct abi *abis[CONTRACT_COUNT];
static pthread_once_t abis_once = PTHREAD_ONCE_INIT;

static void parse_one(enum contract_id id, const char *start, const char *end)
{
    char error[JSON_ERROR_SIZE];
    if (abi_parse(&abis[id], error, bytes_of(start, (size_t)(end - start))) != OK)
        fatal("reading the embedded ABI of %s: %s", names[id], error);
}

static void parse_all(void)
{
#define X(id, name, low) parse_one(CONTRACT_##id, contract_abi_##id, contract_abi_##id##_end);
    CONTRACTS(X)
#undef X
}

const char *contract_name(enum contract_id id)
{
    assert(id < CONTRACT_COUNT);
    return names[id];
}

struct address contract_address(enum contract_id id)
{
    assert(id < CONTRACT_COUNT);
    struct address a = {0};
    a.b[18] = (uint8_t)(lows[id] >> 8);
    a.b[19] = (uint8_t)(lows[id] & 0xff);
    return a;
}

const struct abi *contract_abi(enum contract_id id)
{
    assert(id < CONTRACT_COUNT);
    pthread_once(&abis_once, parse_all);
    return abis[id];
}

bool contract_at(enum contract_id *out, const struct address *a)
{
    for (int i = 0; i < CONTRACT_COUNT; i++) {
        struct address candidate = contract_address((enum contract_id)i);
        if (!address_equal(&candidate, a)) continue;
        *out = (enum contract_id)i;
        return true;
    }
    return false;
}

/* Digits after `word` in a message, as an amount. */
static bool amount_after(char out[AMOUNT_TEXT_SIZE], const char *message, const char *word)
{
    const char *at = strstr(message, word);
    struct u256 wei;
    if (at == NULL) return false;
    at += strlen(word);
    if (u256_from_decimal(&wei, bytes_of(at, strspn(at, "0123456789"))) != OK) return false;
    amount_to_text(out, wei);
    return true;
}

/* Nodes word it "insufficient funds for gas * price + value: address 0x... have N want M". */
static void explain_funds(struct rpc *r)
{
    char have[AMOUNT_TEXT_SIZE];
    char want[AMOUNT_TEXT_SIZE];
    const char *message = rpc_error(r)->message;
    if (strstr(message, "insufficient funds") == NULL) return;
    if (amount_after(have, message, " have ") && amount_after(want, message, " want "))
        rpc_set_problem(r, "insufficient funds: the account has %s and this takes %s or more", have,
                        want);
}

void contract_explain(struct rpc *r)
{
    const struct rpc_error *e = rpc_error(r);
    if (e->data_size < 4) {
        explain_funds(r);
        return;
    }
    for (int i = 0; i < CONTRACT_COUNT; i++) {
        json_t *decoded = NULL;
        char line[ABI_PROBLEM_SIZE];
        struct bytes data = bytes_of(e->data, e->data_size);
        if (abi_decode_error(&decoded, contract_abi((enum contract_id)i), data) != OK) continue;
        abi_describe(line, decoded);
        rpc_set_problem(r, "refused by the contract: %s", line);
        rpc_set_revert_name(r, abi_get_text(decoded, "name"));
        json_decref(decoded);
        return;
    }
    struct buffer hex = {0};
    hex_append(&hex, bytes_of(e->data, e->data_size < 36 ? e->data_size : 36));
    rpc_set_problem(r, "refused by the contract with an error that this program does not know: %s",
                    buffer_text(&hex));
    buffer_finish(&hex);
}

static enum status encode(struct rpc *r, struct buffer *out, enum contract_id id,
                          const char *function, json_t *args)
{
    char error[JSON_ERROR_SIZE] = "";
    json_t *list = args != NULL ? args : json_array();
    enum status status = abi_encode_call(out, error, contract_abi(id), function, list);
    if (status != OK) rpc_set_problem(r, "%s.%s: %s", names[id], function, error);
    json_decref(list);
    return status;
}

static enum status decode_answer(struct rpc *r, json_t **out, enum contract_id id,
                                 const char *function, const json_t *answer)
{
    struct buffer raw = {0};
    const char *text = json_string_value(answer);
    enum status status = text == NULL ? E_MALFORMED : hex_decode(&raw, bytes_of_text(text));
    if (status == OK)
        status = abi_decode_return(out, contract_abi(id), function, buffer_bytes(&raw));
    if (status != OK) {
        rpc_set_problem(r, "%s answered %s.%s with %s", rpc_url(r), names[id], function,
                        raw.size == 0 ? "nothing: is this a Leasehold chain?"
                                      : "something else than its ABI says");
        status = E_MALFORMED;
    }
    buffer_finish(&raw);
    return status;
}

enum status contract_call(struct rpc *r, json_t **out, enum contract_id id, const char *function,
                          json_t *args)
{
    struct buffer data = {0};
    enum status status = encode(r, &data, id, function, args);
    if (status == OK) {
        struct address to = contract_address(id);
        json_t *answer = NULL;
        status = rpc_call(r, &answer, "eth_call",
                          json_pack("[{s:o,s:o},s]", "to", abi_address(&to), "data",
                                    abi_bytes(buffer_bytes(&data)), "latest"));
        if (status == E_DENIED) contract_explain(r);
        if (status == OK) status = decode_answer(r, out, id, function, answer);
        json_decref(answer);
    }
    buffer_finish(&data);
    return status;
}

enum status contract_send(struct sender *s, struct tx_receipt *out, enum contract_id id,
                          const char *function, json_t *args, struct u256 value)
{
    struct buffer data = {0};
    *out = (struct tx_receipt){0};
    enum status status = encode(s->rpc, &data, id, function, args);
    if (status == OK) {
        struct tx_request q = {
            .to = contract_address(id), .value = value, .data = buffer_bytes(&data)};
        status = sender_send(s, out, &q);
    }
    buffer_finish(&data);
    return status;
}

static json_t *quantity(uint64_t n)
{
    char text[67];
    u256_to_quantity(text, u256_from_u64(n));
    return json_string(text);
}

static json_int_t quantity_value(const json_t *object, const char *key)
{
    struct u256 n;
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || u256_from_quantity(&n, bytes_of_text(text)) != OK) return 0;
    uint64_t small = u256_to_u64_saturating(n);
    return small > INT64_MAX ? INT64_MAX : (json_int_t)small;
}

/* A log as the node gives it, decoded; NULL when it is none of ours. */
static json_t *event_of_log(const json_t *log)
{
    struct address at = abi_get_address(log, "address");
    enum contract_id id;
    if (!contract_at(&id, &at)) return NULL;
    struct hash topics[4];
    const json_t *list = json_object_get(log, "topics");
    size_t count = json_array_size(list);
    if (count > 4) return NULL;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL || hash_from_text(&topics[i], bytes_of_text(text)) != OK) return NULL;
    }
    struct buffer data = {0};
    json_t *event = NULL;
    enum status status = hex_decode(&data, bytes_of_text(abi_get_text(log, "data")));
    if (status == OK)
        status = abi_decode_event(&event, contract_abi(id), topics, count, buffer_bytes(&data));
    buffer_finish(&data);
    if (status != OK) return NULL;
    json_object_set_new(event, "contract", json_string(names[id]));
    json_object_set_new(event, "blockNumber", json_integer(quantity_value(log, "blockNumber")));
    json_object_set_new(event, "logIndex", json_integer(quantity_value(log, "logIndex")));
    json_object_set(event, "transactionHash", json_object_get(log, "transactionHash"));
    return event;
}

static void append_events(json_t *out, const json_t *logs)
{
    for (size_t i = 0; i < json_array_size(logs); i++) {
        json_t *event = event_of_log(json_array_get(logs, i));
        if (event != NULL) json_array_append_new(out, event);
    }
}

static json_t *log_filter(enum contract_id id, const struct hash *topic0, const struct hash *topic1)
{
    struct address at = contract_address(id);
    json_t *topics = json_array();
    json_array_append_new(topics, topic0 != NULL ? abi_hash(topic0) : json_null());
    if (topic1 != NULL) json_array_append_new(topics, abi_hash(topic1));
    json_t *filter = json_pack("{s:o,s:o}", "address", abi_address(&at), "topics", topics);
    if (filter == NULL) fatal("writing a log filter");
    return filter;
}

static enum status events_in_ranges(struct rpc *r, json_t *out, const json_t *filter, uint64_t from,
                                    uint64_t to)
{
    while (from <= to) {
        uint64_t end = to - from >= EVENT_RANGE_BLOCKS ? from + EVENT_RANGE_BLOCKS - 1 : to;
        json_t *range = json_copy((json_t *)(uintptr_t)filter);
        json_object_set_new(range, "fromBlock", quantity(from));
        json_object_set_new(range, "toBlock", quantity(end));
        json_t *logs = NULL;
        enum status status = rpc_call(r, &logs, "eth_getLogs", json_pack("[o]", range));
        if (status != OK) return status;
        append_events(out, logs);
        json_decref(logs);
        if (end == UINT64_MAX) break;
        from = end + 1;
    }
    return OK;
}

enum status contract_events(struct rpc *r, json_t **out, enum contract_id id,
                            const struct event_query *q)
{
    struct hash topic0;
    if (q->event != NULL && abi_event_topic(&topic0, contract_abi(id), q->event) != OK) {
        rpc_set_problem(r, "%s has no event %s", names[id], q->event);
        return E_NOT_FOUND;
    }
    json_t *filter = log_filter(id, q->event != NULL ? &topic0 : NULL, q->topic1);
    json_t *events = json_array();
    enum status status = events_in_ranges(r, events, filter, q->from_block, q->to_block);
    json_decref(filter);
    if (status != OK) {
        json_decref(events);
        return status;
    }
    *out = events;
    return OK;
}

json_t *contract_receipt_events(const struct tx_receipt *receipt)
{
    json_t *events = json_array();
    append_events(events, receipt->logs);
    return events;
}

const json_t *contract_event_args(const json_t *events, const char *name)
{
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        if (strcmp(abi_get_text(event, "name"), name) == 0) return abi_get(event, "args");
    }
    return NULL;
}
