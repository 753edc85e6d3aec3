#include "compute/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static const char *const TYPE_WORDS[] = {"none", "f32", "f64"};

static const char *const ARG_WORDS[] = {
#define X(name, word, bytes) word,
    PLAN_ARG_KINDS(X)
#undef X
};

const char *plan_arg_word(enum plan_arg_kind kind)
{
    assert(kind < PLAN_ARG_KIND_COUNT);
    return ARG_WORDS[kind];
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool plan_name_ok(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size >= JOB_NAME_SIZE) return false;
    if (name[0] == '.' || name[0] == '-') return false;
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '.') return false;
    }
    return true;
}

bool plan_kernel_ok(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size >= JOB_NAME_SIZE || !is_letter(name[0])) return false;
    for (size_t i = 1; i < size; i++) {
        if (!is_letter(name[i]) && !is_digit(name[i])) return false;
    }
    return true;
}

uint64_t plan_output_bytes(const struct plan *plan)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        if (plan->buffers[i].output) total += plan->buffers[i].size_bytes;
    }
    return total;
}

static void print_buffer(FILE *out, const struct plan_buffer *b)
{
    fprintf(out, "buffer %s %" PRIu64 " %s %s %s %" PRIu64 "\n", b->name, b->size_bytes,
            TYPE_WORDS[b->type], b->output ? "out" : "in", b->file[0] ? b->file : "-",
            b->file_bytes);
}

static void print_launch(FILE *out, const struct plan_launch *l)
{
    fprintf(out, "launch %s %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32,
            l->kernel, l->grid[0], l->grid[1], l->grid[2], l->block[0], l->block[1], l->block[2]);
    fprintf(out, " %" PRIu32 " %" PRIu32 "\n", l->shared_bytes, l->arg_count);
    for (uint32_t i = 0; i < l->arg_count; i++) {
        fprintf(out, "arg %s %016" PRIx64 "\n", ARG_WORDS[l->args[i].kind], l->args[i].bits);
    }
}

enum status plan_print(FILE *out, const struct plan *plan)
{
    fprintf(out, "leasehold-plan 1\nsource %s\n", plan->source);
    fprintf(out, "limits %" PRIu32 " %" PRIu64 "\n", plan->seconds, plan->memory_bytes);
    if (plan->trace) fprintf(out, "trace\n");
    if (plan->checkpoint_seconds != 0) {
        fprintf(out, "checkpoint %" PRIu32 "\n", plan->checkpoint_seconds);
    }
    for (uint32_t i = 0; i < plan->buffer_count; i++)
        print_buffer(out, &plan->buffers[i]);
    for (uint32_t i = 0; i < plan->group_count; i++) {
        const struct plan_group *g = &plan->groups[i];
        fprintf(out, "group %" PRIu32 " %" PRIu32 "\n", g->repeat, g->count);
        for (uint32_t j = 0; j < g->count; j++)
            print_launch(out, &plan->launches[g->first + j]);
    }
    fprintf(out, "end\n");
    return ferror(out) ? E_IO : OK;
}

/* Reading: words are taken one by one; the first problem is kept and ends everything. */
struct reader {
    const char *at;
    const char *end;
    unsigned line;
    char *error; /* "" while all is well */
};

static void fail(struct reader *r, const char *what)
{
    if (r->error[0] == '\0') snprintf(r->error, PLAN_ERROR_SIZE, "plan line %u: %s", r->line, what);
    r->at = r->end;
}

static bool failed(const struct reader *r)
{
    return r->error[0] != '\0';
}

/* A word and the one character after it, which must be `stop`. */
static void take_word(struct reader *r, char *out, size_t out_size, char stop)
{
    size_t size = 0;
    out[0] = '\0';
    while (r->at < r->end && *r->at != ' ' && *r->at != '\n' && *r->at != '\0') {
        if (size + 1 >= out_size) {
            fail(r, "a word is too long");
            return;
        }
        out[size++] = *r->at++;
    }
    out[size] = '\0';
    if (r->at >= r->end || *r->at != stop || size == 0) {
        out[0] = '\0';
        fail(r, "a word is missing or the line goes on where it should not");
        return;
    }
    r->at++;
    if (stop == '\n') r->line++;
}

static uint64_t take_number(struct reader *r, uint64_t max, char stop)
{
    char word[24];
    uint64_t value = 0;
    take_word(r, word, sizeof word, stop);
    for (size_t i = 0; word[i] != '\0'; i++) {
        uint64_t digit = (uint64_t)(word[i] - '0');
        if (!is_digit(word[i]) || (i > 0 && word[0] == '0') || value > (max - digit) / 10) {
            fail(r, "a number is malformed or too large");
            return 0;
        }
        value = value * 10 + digit;
    }
    if (value > max) fail(r, "a number is too large");
    return failed(r) ? 0 : value;
}

static uint64_t take_hex(struct reader *r, char stop)
{
    char word[24];
    uint64_t value = 0;
    take_word(r, word, sizeof word, stop);
    if (!failed(r) && strlen(word) != 16) fail(r, "an argument has not 16 digits");
    for (size_t i = 0; !failed(r) && word[i] != '\0'; i++) {
        char c = word[i];
        if (!is_digit(c) && (c < 'a' || c > 'f')) fail(r, "an argument has a wrong digit");
        value = value << 4 | (uint64_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return failed(r) ? 0 : value;
}

static unsigned take_choice(struct reader *r, const char *const *words, unsigned count, char stop)
{
    char word[JOB_NAME_SIZE];
    take_word(r, word, sizeof word, stop);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) return i;
    }
    fail(r, "an unknown word");
    return 0;
}

static void take_literal(struct reader *r, const char *literal, char stop)
{
    (void)take_choice(r, &literal, 1, stop);
}

static void take_name(struct reader *r, char out[JOB_NAME_SIZE], char stop)
{
    take_word(r, out, JOB_NAME_SIZE, stop);
    if (!failed(r) && !plan_name_ok(out)) fail(r, "a name is malformed");
}

static bool next_is(const struct reader *r, const char *word)
{
    size_t size = strlen(word);
    return !failed(r) && (size_t)(r->end - r->at) > size && memcmp(r->at, word, size) == 0;
}

static void take_buffer(struct reader *r, struct plan *plan)
{
    static const char *const DIRECTIONS[] = {"in", "out"};
    if (plan->buffer_count >= JOB_BUFFERS_MAX) {
        fail(r, "too many buffers");
        return;
    }
    struct plan_buffer *b = &plan->buffers[plan->buffer_count++];
    take_literal(r, "buffer", ' ');
    take_name(r, b->name, ' ');
    b->size_bytes = take_number(r, JOB_BUFFER_BYTES_MAX, ' ');
    b->type = (enum plan_type)take_choice(r, TYPE_WORDS, 3, ' ');
    b->output = take_choice(r, DIRECTIONS, 2, ' ') == 1;
    if (next_is(r, "- ")) {
        take_literal(r, "-", ' ');
    } else {
        take_name(r, b->file, ' ');
    }
    b->file_bytes = take_number(r, b->size_bytes, '\n');
    if (!failed(r) && b->size_bytes == 0) fail(r, "a buffer is empty");
    if (!failed(r) && b->file[0] == '\0' && b->file_bytes != 0) fail(r, "a file is missing");
}

static void take_arg(struct reader *r, struct plan *plan, struct plan_arg *arg)
{
    take_literal(r, "arg", ' ');
    arg->kind = (enum plan_arg_kind)take_choice(r, ARG_WORDS, PLAN_ARG_KIND_COUNT, ' ');
    arg->bits = take_hex(r, '\n');
    if (!failed(r) && arg->kind == PLAN_ARG_BUFFER && arg->bits >= plan->buffer_count) {
        fail(r, "an argument names no buffer");
    }
}

static void take_launch(struct reader *r, struct plan *plan)
{
    if (plan->launch_count >= JOB_LAUNCHES_MAX) {
        fail(r, "too many launches");
        return;
    }
    struct plan_launch *l = &plan->launches[plan->launch_count++];
    take_literal(r, "launch", ' ');
    take_word(r, l->kernel, JOB_NAME_SIZE, ' ');
    if (!failed(r) && !plan_kernel_ok(l->kernel)) fail(r, "a kernel's name is malformed");
    for (int i = 0; i < 3; i++)
        l->grid[i] = (uint32_t)take_number(r, JOB_GRID_MAX, ' ');
    for (int i = 0; i < 3; i++)
        l->block[i] = (uint32_t)take_number(r, JOB_BLOCK_THREADS_MAX, ' ');
    l->shared_bytes = (uint32_t)take_number(r, JOB_SHARED_BYTES_MAX, ' ');
    l->arg_count = (uint32_t)take_number(r, JOB_ARGS_MAX, '\n');
    uint64_t threads = (uint64_t)l->block[0] * l->block[1] * l->block[2];
    if (!failed(r) && (threads == 0 || threads > JOB_BLOCK_THREADS_MAX || l->grid[0] == 0 ||
                       l->grid[1] == 0 || l->grid[2] == 0)) {
        fail(r, "a launch is empty or its block too large");
    }
    for (uint32_t i = 0; i < l->arg_count && !failed(r); i++)
        take_arg(r, plan, &l->args[i]);
}

static void take_group(struct reader *r, struct plan *plan)
{
    if (plan->group_count >= JOB_GROUPS_MAX) {
        fail(r, "too many groups");
        return;
    }
    struct plan_group *g = &plan->groups[plan->group_count++];
    take_literal(r, "group", ' ');
    g->repeat = (uint32_t)take_number(r, JOB_REPEAT_MAX, ' ');
    g->count = (uint32_t)take_number(r, JOB_LAUNCHES_MAX, '\n');
    g->first = plan->launch_count;
    if (!failed(r) && (g->repeat == 0 || g->count == 0)) fail(r, "an empty group");
    for (uint32_t i = 0; i < g->count && !failed(r); i++)
        take_launch(r, plan);
}

static void take_checkpoint(struct reader *r, struct plan *plan)
{
    take_literal(r, "checkpoint", ' ');
    plan->checkpoint_seconds = (uint32_t)take_number(r, JOB_SECONDS_MAX, '\n');
    if (!failed(r) && plan->checkpoint_seconds == 0) fail(r, "checkpoints want a second");
}

enum status plan_parse(struct plan *out, char error[PLAN_ERROR_SIZE], const char *text, size_t size)
{
    struct reader r = {text, text + size, 1, error};
    memset(out, 0, sizeof *out);
    error[0] = '\0';
    take_literal(&r, "leasehold-plan", ' ');
    take_literal(&r, "1", '\n');
    take_literal(&r, "source", ' ');
    take_name(&r, out->source, '\n');
    take_literal(&r, "limits", ' ');
    out->seconds = (uint32_t)take_number(&r, JOB_SECONDS_MAX, ' ');
    out->memory_bytes = take_number(&r, (uint64_t)JOB_MEMORY_MIB_MAX << 20, '\n');
    out->trace = next_is(&r, "trace\n");
    if (out->trace) take_literal(&r, "trace", '\n');
    if (next_is(&r, "checkpoint ")) take_checkpoint(&r, out);
    while (next_is(&r, "buffer "))
        take_buffer(&r, out);
    while (next_is(&r, "group "))
        take_group(&r, out);
    take_literal(&r, "end", '\n');
    if (!failed(&r) && r.at != r.end) fail(&r, "something follows the end");
    return failed(&r) ? E_MALFORMED : OK;
}
