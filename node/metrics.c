/* The text of /metrics (Prometheus exposition format 0.0.4): the table of counters, and what is
 * asked for at each scrape. */
#include "node/rpc_session.h"

#include "base/file.h"
#include "base/keccak.h"
#include "chain/system.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIABILITIES_GAS 1000000
#define STATM_BYTES_MAX 4096

static void head(struct buffer *out, const char *name, const char *kind, const char *help)
{
    buffer_print(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void print_counters(struct buffer *out, const struct counters *c)
{
#define X(field, kind, divisor, name, help)                                                        \
    head(out, name, #kind, help);                                                                  \
    if ((divisor) == 1)                                                                            \
        buffer_print(out, "%s %" PRIu64 "\n", name, (uint64_t)c->field);                           \
    else                                                                                           \
        buffer_print(out, "%s %.6f\n", name, (double)c->field / (divisor));
    COUNTERS(X)
#undef X
}

static void print_number(struct buffer *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, "gauge", help);
    buffer_print(out, "%s %" PRIu64 "\n", name, value);
}

/* The second number of /proc/self/statm: resident pages. */
static uint64_t resident_bytes(void)
{
    struct buffer text = {0};
    uint64_t pages = 0;
    if (file_read(&text, "/proc/self/statm", STATM_BYTES_MAX) == OK) {
        const char *second = strchr(buffer_text(&text), ' ');
        if (second != NULL) pages = strtoull(second, NULL, 10);
    }
    buffer_finish(&text);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* liabilities() of a system contract: what it owes to others, in wei. */
static bool liabilities(struct session *s, struct u256 *out, enum system_contract contract)
{
    struct hash selector = keccak256(bytes_of_text("liabilities()"));
    struct tx_outcome outcome = {0};
    struct call_request call = {.to = system_address(contract),
                                .data = bytes_of(selector.b, 4),
                                .gas_limit = LIABILITIES_GAS};
    if (execute_call(session_execution(s), &outcome, &call, session_stop(s)) != TX_FINE)
        return false;
    if (outcome.result != EVM_SUCCESS || outcome.output.size != 32) return false;
    *out = u256_from_be(outcome.output);
    return true;
}

/* Below 0 money is missing; above, somebody sent some to a contract that did not ask for it. */
static void print_contracts(struct session *s, struct buffer *out)
{
    static const char name[] = "leasehold_contract_surplus_wei";
    head(out, name, "gauge",
         "A system contract's balance minus what it owes; below 0 is an alarm.");
    for (int i = 0; i < SYSTEM_CONTRACT_COUNT; i++) {
        enum system_contract contract = (enum system_contract)i;
        struct address address = system_address(contract);
        struct u256 balance = layer_account(session_layer(s), &address).balance;
        struct u256 owed;
        char digits[79];
        if (!liabilities(s, &owed, contract)) continue;
        bool missing = u256_compare(balance, owed) < 0;
        struct u256 gap = missing ? u256_sub(owed, balance) : u256_sub(balance, owed);
        u256_to_decimal(digits, gap);
        buffer_print(out, "%s{contract=\"%s\"} %s%s\n", name, system_name(contract),
                     missing ? "-" : "", digits);
    }
}

void metrics_print(struct session *s, struct buffer *out)
{
    struct rpc_reply unused = {0};
    const struct rpc_shared *shared = session_shared(s);
    print_counters(out, shared->counters);
    print_number(out, "leasehold_mempool_transactions", "Transactions that wait for a block.",
                 pool_count(shared->pool));
    print_number(out, "leasehold_mempool_bytes", "Their size.", pool_size_bytes(shared->pool));
    print_number(out, "process_resident_memory_bytes", "Resident memory.", resident_bytes());
    if (!session_begin(s, &unused)) return;
    print_number(out, "leasehold_block_timestamp_seconds", "Time of the last final block.",
                 session_head(s)->timestamp_s);
    print_contracts(s, out);
}
