/* evm-bench [-t SECONDS] [--tier NAME] FILE... - runs EVM programs, checks gas and output, and
 * times them.
 *
 * A file holds `key value` lines: name, gas (limit of the frame, no intrinsic gas), to, from,
 * value, number, timestamp, input, acct ADDRESS BALANCE NONCE CODE, slot ADDRESS KEY VALUE, and
 * what is expected: gas_used, output. One tab-separated line a file: name, result (0 = success),
 * gas used, 1 if gas and output are as expected, median us, minimum us, runs, Mgas/s (at the
 * median). Exits 1 if a program was not as expected. */
#include "base/file.h"
#include "base/hex.h"
#include "base/options.h"
#include "tests/vm/memory_host.h"
#include "vm/evm.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#define FILE_BYTES_MAX ((size_t)16 << 20)
#define RUNS_MAX       10000

#define EXIT_UNEXPECTED 1
#define EXIT_USAGE      64

struct program_file {
    char name[128];
    struct host host;
    struct evm_message message;
    struct buffer input;
    struct buffer output; /* expected */
    int64_t gas_used;     /* expected */
};

struct measure {
    enum evm_result result;
    int64_t gas_used;
    bool as_expected;
    size_t run_count;
    double us[RUNS_MAX];
};

/* The next word of the line, empty at its end. */
static struct bytes next_word(struct bytes *line)
{
    size_t start = 0;
    while (start < line->size && line->data[start] == ' ')
        start++;
    size_t end = start;
    while (end < line->size && line->data[end] != ' ')
        end++;
    struct bytes word = bytes_slice(*line, start, end - start);
    *line = bytes_slice(*line, end, line->size - end);
    return word;
}

static bool word_is(struct bytes word, const char *text)
{
    return bytes_equal(word, bytes_of_text(text));
}

/* Decimal, or 0x and up to 64 digits, leading zeros allowed. */
static bool read_number(struct u256 *out, struct bytes *line)
{
    struct bytes word = next_word(line);
    if (word.size < 3 || word.data[1] != 'x') return u256_from_decimal(out, word) == OK;
    *out = u256_from_u64(0);
    if (word.size > 66) return false;
    for (size_t i = 2; i < word.size; i++) {
        int c = tolower(word.data[i]);
        if (!isxdigit(c)) return false;
        unsigned digit = (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        *out = u256_or(u256_shl(*out, 4), u256_from_u64(digit));
    }
    return true;
}

static bool read_u64(uint64_t *out, struct bytes *line)
{
    struct u256 number;
    if (!read_number(&number, line) || !u256_fits_u64(number)) return false;
    *out = u256_to_u64(number);
    return true;
}

static bool read_i64(int64_t *out, struct bytes *line)
{
    uint64_t number;
    if (!read_u64(&number, line) || number > INT64_MAX) return false;
    *out = (int64_t)number;
    return true;
}

static bool read_address(struct address *out, struct bytes *line)
{
    return hex_decode_exact(out->b, sizeof(out->b), next_word(line)) == OK;
}

static bool read_account(struct program_file *p, struct bytes *line)
{
    struct address a;
    struct u256 balance;
    uint64_t nonce;
    struct buffer code = {.size = 0};
    bool good = read_address(&a, line) && read_number(&balance, line) && read_u64(&nonce, line) &&
                hex_decode(&code, next_word(line)) == OK;
    if (good) {
        memory_account_get(&p->host, &a)->seen.balance = balance;
        memory_account_get(&p->host, &a)->seen.nonce = nonce;
        memory_host_put_code(&p->host, &a, buffer_bytes(&code));
    }
    buffer_finish(&code);
    return good;
}

static bool read_slot(struct program_file *p, struct bytes *line)
{
    struct address a;
    struct u256 key;
    struct u256 value;
    if (!read_address(&a, line) || !read_number(&key, line) || !read_number(&value, line))
        return false;
    memory_host_put_slot(&p->host, &a, key, value);
    return true;
}

static bool read_line(struct program_file *p, struct bytes line)
{
    struct bytes key = next_word(&line);
    if (key.size == 0 || key.data[0] == '#') return true;
    if (word_is(key, "name")) {
        struct bytes name = next_word(&line);
        snprintf(p->name, sizeof(p->name), "%.*s", (int)name.size, (const char *)name.data);
        return true;
    }
    if (word_is(key, "gas")) return read_i64(&p->message.gas, &line);
    if (word_is(key, "to")) return read_address(&p->message.recipient, &line);
    if (word_is(key, "from")) return read_address(&p->message.sender, &line);
    if (word_is(key, "value")) return read_number(&p->message.value, &line);
    if (word_is(key, "number")) return read_u64(&p->host.context.number, &line);
    if (word_is(key, "timestamp")) return read_u64(&p->host.context.timestamp_s, &line);
    if (word_is(key, "input")) return hex_decode(&p->input, next_word(&line)) == OK;
    if (word_is(key, "acct")) return read_account(p, &line);
    if (word_is(key, "slot")) return read_slot(p, &line);
    if (word_is(key, "gas_used")) return read_i64(&p->gas_used, &line);
    if (word_is(key, "output")) return hex_decode(&p->output, next_word(&line)) == OK;
    return false;
}

static bool read_program(struct program_file *p, const char *path)
{
    struct buffer text = {.size = 0};
    enum status status = file_read(&text, path, FILE_BYTES_MAX);
    if (status != OK) {
        fprintf(stderr, "evm-bench: %s: %s\n", path, status_text(status));
        buffer_finish(&text);
        return false;
    }
    struct bytes rest = buffer_bytes(&text);
    bool good = true;
    for (size_t number = 1; rest.size > 0 && good; number++) {
        const uint8_t *newline = memchr(rest.data, '\n', rest.size);
        size_t size = newline == NULL ? rest.size : (size_t)(newline - rest.data);
        good = read_line(p, bytes_slice(rest, 0, size));
        if (!good) fprintf(stderr, "evm-bench: %s:%zu: cannot be read\n", path, number);
        if (newline != NULL) size++;
        rest = bytes_slice(rest, size, rest.size - size);
    }
    buffer_finish(&text);
    p->message.input = buffer_bytes(&p->input);
    return good;
}

static void finish_program(struct program_file *p)
{
    memory_host_finish(&p->host);
    buffer_finish(&p->input);
    buffer_finish(&p->output);
}

static double now_us(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) fatal("reading the monotonic clock");
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* As at the start of a transaction: sender, recipient and precompiles are warm. */
static void warm(struct program_file *p)
{
    memory_touch_account(&p->host, &p->message.sender);
    memory_touch_account(&p->host, &p->message.recipient);
    for (size_t i = 0; i < evm_precompile_count(EVM_CANCUN); i++) {
        struct address a;
        evm_precompile_address(EVM_CANCUN, i, &a);
        memory_touch_account(&p->host, &a);
    }
}

static void measure_program(struct measure *m, struct program_file *p, struct evm *evm,
                            double seconds)
{
    struct evm_outcome out;
    double spent_us = 0;
    p->host.context.gas_limit = (uint64_t)p->message.gas;
    p->host.context.chain_id = 1;
    p->host.context.origin = p->message.sender;
    m->run_count = 0;
    do {
        memory_host_rewind(&p->host);
        warm(p);
        double start = now_us();
        evm_execute(evm, &out, &memory_host_table, &p->host, &p->message);
        m->us[m->run_count] = now_us() - start;
        spent_us += m->us[m->run_count++];
    } while (spent_us < seconds * 1e6 && m->run_count < RUNS_MAX);
    m->result = out.result;
    m->gas_used = p->message.gas - out.gas_left;
    m->as_expected = out.result == EVM_SUCCESS && m->gas_used == p->gas_used &&
                     bytes_equal(out.output, buffer_bytes(&p->output));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool bench_file(const char *path, double seconds, enum evm_tier tier)
{
    static struct measure m;
    struct program_file p = {.gas_used = -1};
    bool good = read_program(&p, path);
    if (good) {
        struct evm *evm = evm_create(EVM_CANCUN);
        evm_set_tier(evm, tier);
        measure_program(&m, &p, evm, seconds);
        evm_destroy(evm);
        qsort(m.us, m.run_count, sizeof(m.us[0]), by_value);
        double median = m.us[m.run_count / 2];
        printf("%s\t%d\t%lld\t%d\t%.2f\t%.2f\t%zu\t%.1f\n", p.name, (int)m.result,
               (long long)m.gas_used, m.as_expected, median, m.us[0], m.run_count,
               (double)m.gas_used / median);
        fflush(stdout);
        good = m.as_expected;
    }
    finish_program(&p);
    return good;
}

/* ---- the command line ---- */

#define BENCH_OPTIONS(X)                                                                           \
    X(seconds, "t", TEXT, "SECONDS", "1", 0, 0, "Time each program for so long; 0 is one run.")    \
    X(tier, "tier", TEXT, "NAME", "auto", 0, 0, "The interpreter: auto, plain or fast.")

struct bench_config {
    BENCH_OPTIONS(OPTION_FIELD)
};

static const struct option_row ROWS[] = {
#define X(...) OPTION_ROW(struct bench_config, __VA_ARGS__)
    BENCH_OPTIONS(X)
#undef X
};

static const struct option_program PROGRAM = {
    .name = "evm-bench",
    .description = "Runs EVM programs, checks their gas and output, and times them. One "
                   "tab-separated line a file: name, result (0 = success), gas used, 1 if gas and "
                   "output are as expected, median us, minimum us, runs, Mgas/s.",
    .epilogue = "The exit status is 0 if every program was as expected, 1 if not, 64 for a wrong "
                "command line.",
    .words_doc = "FILE...",
    .rows = ROWS,
    .count = sizeof ROWS / sizeof *ROWS,
};

static bool read_seconds(double *out, const char *text)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0 && *out <= 3600;
}

static int bench(const struct bench_config *config, const struct option_words *files)
{
    double seconds;
    enum evm_tier tier;
    bool good = true;
    if (!read_seconds(&seconds, config->seconds)) {
        fprintf(stderr, "evm-bench: t: want seconds from 0 to 3600, got \"%s\"\n", config->seconds);
        return EXIT_USAGE;
    }
    if (!evm_tier_of(&tier, config->tier)) {
        fprintf(stderr, "evm-bench: tier: want auto, plain or fast, got \"%s\"\n", config->tier);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < files->count; i++)
        good &= bench_file(files->items[i], seconds, tier);
    return good ? 0 : EXIT_UNEXPECTED;
}

int main(int argc, char **argv)
{
    struct bench_config config = {0};
    char error[OPTIONS_ERROR_SIZE];
    const char **files = must_alloc((size_t)argc * sizeof(*files));
    struct option_words words = {.items = files, .min = 1};
    int code = EXIT_USAGE;
    if (options_read_words(&PROGRAM, &config, error, argc, argv, &words) != OK)
        fprintf(stderr, "evm-bench: %s\n", error);
    else
        code = bench(&config, &words);
    options_finish(&PROGRAM, &config);
    free(files);
    return code;
}
