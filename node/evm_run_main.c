/* evm-run - runs EVM code and shows what it did. */
#include "base/hex.h"
#include "chain/state.h"
#include "node/evm_run.h"
#include "vm/trace.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  64

/* A million LSH: enough for whatever the code sends on, small enough to be read. */
static const struct u256 SENDER_WEI = {{UINT64_C(0x1bcecceda1000000), UINT64_C(0xd3c2), 0, 0}};

static void print_step(void *context, const struct evm_step *s)
{
    struct buffer *line = context;
    buffer_clear(line);
    step_to_json(line, s);
    buffer_append_byte(line, '\n');
    fwrite(line->data, 1, line->size, stderr);
}

static struct host host_of(struct layer *l, const struct evm_run_config *config,
                           const struct evm_run_request *r)
{
    struct host host = {.layer = l};
    host.context.chain_id = config->chain_id;
    host.context.number = config->number;
    host.context.timestamp_s = config->timestamp;
    host.context.gas_limit = config->gas;
    host.context.blob_base_fee = u256_from_u64(1);
    host.context.origin = r->message.sender;
    return host;
}

static struct layer *world_of(const struct state_base *base, const struct evm_run_request *r)
{
    struct layer *l = layer_create(base, NULL);
    const struct evm_message *m = &r->message;
    layer_begin(l);
    layer_set_balance(l, &m->sender,
                      u256_compare(m->value, SENDER_WEI) > 0 ? m->value : SENDER_WEI);
    if (r->code.size > 0) {
        layer_set_nonce(l, &m->recipient, 1);
        layer_set_code(l, &m->recipient, buffer_bytes(&r->code));
    }
    layer_end(l);
    return l;
}

/* What is warm as a transaction begins (EIP-2929, EIP-3651), and the sender's nonce. */
static void begin(struct layer *l, const struct evm_run_request *r)
{
    const struct address coinbase = {{0}};
    layer_begin(l);
    layer_set_nonce(l, &r->message.sender, 1);
    layer_warm_account(l, &coinbase);
    layer_warm_account(l, &r->message.sender);
    if (r->message.kind == EVM_CALL) layer_warm_account(l, &r->message.recipient);
    for (size_t i = 0; i < evm_precompile_count(r->revision); i++) {
        struct address a;
        evm_precompile_address(r->revision, i, &a);
        layer_warm_account(l, &a);
    }
}

static void print_hex(const char *name, struct bytes value)
{
    struct buffer text = {0};
    hex_append(&text, value);
    printf("%-11s %s\n", name, buffer_text(&text));
    buffer_finish(&text);
}

static void print_log(const struct log_entry *log)
{
    struct buffer line = {0};
    char text[67];
    address_to_text(text, &log->address);
    buffer_print(&line, "address=%s topics=", text);
    for (size_t i = 0; i < log->topic_count; i++) {
        hash_to_text(text, &log->topics[i]);
        buffer_print(&line, "%s%s", i == 0 ? "" : ",", text);
    }
    buffer_print(&line, " data=");
    hex_append(&line, log->data);
    printf("%-11s %s\n", "log", buffer_text(&line));
    buffer_finish(&line);
}

static void print_outcome(const struct evm_run_request *r, const struct evm_outcome *o,
                          const struct layer *l)
{
    size_t log_count;
    const struct log_entry *logs = layer_logs(l, &log_count);
    printf("%-11s %s\n", "result", evm_result_text(o->result));
    printf("%-11s %lld\n", "gas used", (long long)(r->message.gas - o->gas_left));
    printf("%-11s %lld\n", "gas refund", (long long)o->gas_refund);
    if (o->result == EVM_SUCCESS && r->message.kind == EVM_CREATE) {
        char text[43];
        address_to_text(text, &o->created);
        printf("%-11s %s\n", "created", text);
    }
    print_hex("output", o->output);
    for (size_t i = 0; i < log_count; i++)
        print_log(&logs[i]);
}

static void print_summary(struct buffer *line, const struct evm_run_request *r,
                          const struct evm_outcome *o, const struct hash *root)
{
    struct trace_summary s = {.root = *root, .output = o->output, .fork = r->fork};
    s.gas_used = r->message.gas - o->gas_left;
    s.pass = o->result == EVM_SUCCESS;
    buffer_clear(line);
    summary_to_json(line, &s);
    fprintf(stderr, "%s\n", buffer_text(line));
}

static bool run(const struct evm_run_config *config, const struct evm_run_request *r)
{
    struct state_base base = state_base_empty();
    struct layer *l = world_of(&base, r);
    struct host host = host_of(l, config, r);
    struct evm *evm = evm_create(r->revision);
    struct evm_outcome o;
    struct buffer line = {0};
    evm_set_tier(evm, r->tier);
    if (config->trace) evm_set_trace(evm, print_step, &line);
    begin(l, r);
    evm_execute(evm, &o, &HOST_OF_LAYER, &host, &r->message);
    layer_end(l);
    struct hash root = layer_seal(l);
    if (config->trace) print_summary(&line, r, &o, &root);
    print_outcome(r, &o, l);
    buffer_finish(&line);
    evm_destroy(evm);
    layer_release(l);
    return o.result == EVM_SUCCESS;
}

static int read_and_run(const struct evm_run_config *config, const char *code)
{
    struct evm_run_request request;
    char error[EVM_RUN_ERROR_SIZE];
    if (evm_run_read(&request, error, config, code) != OK) {
        fprintf(stderr, "evm-run: %s\n", error);
        return EXIT_USAGE;
    }
    bool good = run(config, &request);
    evm_run_finish(&request);
    return good ? 0 : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct evm_run_config config = {0};
    char error[OPTIONS_ERROR_SIZE];
    const char *code = NULL;
    int status = 0;
    if (options_read(&EVM_RUN_PROGRAM, &config, error, argc, argv, &code) != OK) {
        fprintf(stderr, "evm-run: %s\n", error);
        return EXIT_USAGE;
    }
    static char lines[1 << 16];
    if (config.trace) (void)setvbuf(stderr, lines, _IOFBF, sizeof(lines));
    if (config.print_man)
        options_print_man(&EVM_RUN_PROGRAM, stdout);
    else
        status = read_and_run(&config, code);
    options_finish(&EVM_RUN_PROGRAM, &config);
    return status;
}
