#include "node/evm_run.h"

#include "base/file.h"
#include "base/hex.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define DATA_BYTES_MAX ((size_t)16 << 20)

static const struct option_row ROWS[] = {
#define X(...) OPTION_ROW(struct evm_run_config, __VA_ARGS__)
    EVM_RUN_OPTIONS(X)
#undef X
};

const struct option_program EVM_RUN_PROGRAM = {
    .name = "evm-run",
    .summary = "run EVM code",
    .synopsis = ".B evm\\-run\n[\\fIOPTION\\fR...] [\\fICODE\\fR]",
    .description =
        "Runs EVM code on a world of its own that is gone afterwards, and prints the result, gas "
        "used, refund, output and logs. CODE is hex digits with or without 0x, @FILE (hex text or "
        "binary), or - for stdin.",
    .epilogue = "Examples:\n"
                "  evm-run 6001600201\n"
                "  evm-run --trace --input 0xa9059cbb @token.hex\n"
                "  evm-run --create @token.init.hex\n"
                "  evm-run --to 0x0000000000000000000000000000000000000002 --input 616263\n\n"
                "The exit status is 0 if the code succeeded, 1 if it reverted or failed, 64 for a "
                "wrong command line or input.",
    .man_tail =
        ".SH EXIT STATUS\n0 if the code succeeded; 1 if it reverted or failed; 64 for a wrong "
        "command line or input.\n"
        ".SH EXAMPLE\n.nf\nevm\\-run \\-\\-trace 6001600201\n.fi\n",
    .words_doc = "[CODE]",
    .rows = ROWS,
    .count = sizeof ROWS / sizeof *ROWS,
};

static enum status refuse(char *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum status refuse(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, EVM_RUN_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return E_MALFORMED;
}

/* ---- code and calldata ---- */

static bool is_hex_text(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool is_x = i == 1 && (text.data[i] | 0x20) == 'x';
        if (!isxdigit(text.data[i]) && !isspace(text.data[i]) && !is_x) return false;
    }
    return true;
}

/* `what` names the option for errors: "CODE". Space between the digits is fine. */
static enum status read_hex(struct buffer *out, char *error, const char *what, struct bytes text)
{
    struct buffer digits = {0};
    enum status status = OK;
    bool has_prefix = text.size >= 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x';
    buffer_append(&digits, bytes_of_text("0x"));
    for (size_t i = has_prefix ? 2 : 0; i < text.size && status == OK; i++) {
        uint8_t c = text.data[i];
        if (isxdigit(c))
            buffer_append_byte(&digits, c);
        else if (!isspace(c))
            status = refuse(error, "%s: byte %zu is no hex digit (a file is given as @FILE)", what,
                            i + 1);
    }
    if (status == OK && digits.size % 2 != 0)
        status = refuse(error, "%s: an odd number of hex digits (%zu)", what, digits.size - 2);
    if (status == OK) status = hex_decode(out, buffer_bytes(&digits));
    buffer_finish(&digits);
    return status;
}

static enum status read_stdin(struct buffer *out, char *error, const char *what)
{
    size_t got = 1;
    while (got > 0 && out->size <= DATA_BYTES_MAX) {
        buffer_reserve(out, 65536);
        got = fread(out->data + out->size, 1, 65536, stdin);
        out->size += got;
    }
    if (ferror(stdin)) return refuse(error, "%s: cannot read stdin: %s", what, strerror(errno));
    if (out->size > DATA_BYTES_MAX)
        return refuse(error, "%s: stdin has more than %zu bytes", what, DATA_BYTES_MAX);
    return OK;
}

static enum status read_source(struct buffer *out, char *error, const char *what,
                               const char *source)
{
    struct buffer raw = {0};
    enum status status = OK;
    if (source[0] != '@' && strcmp(source, "-") != 0)
        return read_hex(out, error, what, bytes_of_text(source));
    if (source[0] == '-')
        status = read_stdin(&raw, error, what);
    else if ((status = file_read(&raw, source + 1, DATA_BYTES_MAX)) != OK)
        status = refuse(error, "%s: cannot read %.300s: %s", what, source + 1, status_text(status));
    if (status == OK && is_hex_text(buffer_bytes(&raw)))
        status = read_hex(out, error, what, buffer_bytes(&raw));
    else if (status == OK)
        buffer_append(out, buffer_bytes(&raw));
    buffer_finish(&raw);
    return status;
}

/* ---- the rest of the command line ---- */

static enum status read_fork(struct evm_run_request *out, char *error, const char *name)
{
    static const struct {
        const char *name;
        enum evm_revision revision;
    } forks[] = {{"Cancun", EVM_CANCUN}, {"Prague", EVM_PRAGUE}};
    for (size_t i = 0; i < sizeof forks / sizeof *forks; i++) {
        if (strcasecmp(name, forks[i].name) != 0) continue;
        out->revision = forks[i].revision;
        out->fork = forks[i].name;
        return OK;
    }
    return refuse(error, "fork: want Cancun or Prague, got \"%.100s\"", name);
}

static enum status read_tier(struct evm_run_request *out, char *error, const char *name)
{
    if (evm_tier_of(&out->tier, name)) return OK;
    return refuse(error, "tier: want auto, plain or fast, got \"%.100s\"", name);
}

static enum status read_address(struct address *out, char *error, const char *flag,
                                const char *text)
{
    if (address_from_text(out, bytes_of_text(text)) == OK) return OK;
    return refuse(error,
                  "%s: want 0x and 40 hex digits (mixed case with the right checksum), "
                  "got \"%.100s\"",
                  flag, text);
}

static enum status read_value(struct u256 *out, char *error, const char *text)
{
    struct bytes t = bytes_of_text(text);
    enum status status =
        text[0] == '0' && text[1] != 0 ? u256_from_quantity(out, t) : u256_from_decimal(out, t);
    if (status == OK) return OK;
    return refuse(error, "value: want wei, decimal or 0x and up to 64 hex digits, got \"%.100s\"",
                  text);
}

static enum status check_sense(const struct evm_run_request *r, char *error,
                               const struct evm_run_config *config, const char *code)
{
    bool to_precompile = evm_is_precompile(r->revision, &r->message.recipient);
    if (code == NULL && (config->create || !to_precompile))
        return refuse(error, "no CODE, and --to names no precompile of %s (see --help)", r->fork);
    if (code != NULL && !config->create && to_precompile)
        return refuse(error, "--to names a precompile, which needs no CODE");
    if (config->create && (config->input[0] != 0 || config->is_static))
        return refuse(error, "--create goes with neither --input nor --static: append arguments "
                             "to the init code");
    if (code != NULL && strcmp(code, "-") == 0 && strcmp(config->input, "-") == 0)
        return refuse(error, "CODE and --input cannot both be stdin");
    if (config->is_static && !u256_is_zero(r->message.value))
        return refuse(error, "--static goes with no --value");
    return OK;
}

static enum status read_words(struct evm_run_request *r, char *error,
                              const struct evm_run_config *config, const char *code)
{
    struct evm_message *m = &r->message;
    enum status status = read_fork(r, error, config->fork);
    if (status == OK) status = read_tier(r, error, config->tier);
    if (status == OK) status = read_address(&m->sender, error, "sender", config->sender);
    if (status == OK) status = read_address(&m->recipient, error, "to", config->to);
    if (status == OK) status = read_value(&m->value, error, config->value);
    if (status == OK) status = check_sense(r, error, config, code);
    return status;
}

enum status evm_run_read(struct evm_run_request *out, char error[EVM_RUN_ERROR_SIZE],
                         const struct evm_run_config *config, const char *code)
{
    *out = (struct evm_run_request){.message.gas = (int64_t)config->gas};
    enum status status = read_words(out, error, config, code);
    if (status == OK && code != NULL)
        status = read_source(config->create ? &out->data : &out->code, error, "CODE", code);
    if (status == OK && !config->create)
        status = read_source(&out->data, error, "input", config->input);
    if (status != OK) {
        evm_run_finish(out);
        return status;
    }
    assert(config->gas <= INT64_MAX);
    out->message.kind = config->create ? EVM_CREATE : EVM_CALL;
    out->message.is_static = config->is_static != 0;
    out->message.input = buffer_bytes(&out->data);
    return OK;
}

void evm_run_finish(struct evm_run_request *r)
{
    buffer_finish(&r->code);
    buffer_finish(&r->data);
}
