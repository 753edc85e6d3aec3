#include "compute/runner/ptx_scan.h"

#include "compute/runner/ptx_read.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char *const ALLOWED[] = {
#define X(row) row,
    PTX_ALLOWED(X)
#undef X
        NULL};

static const char *const REGISTERS[] = {
#define X(name) name,
    PTX_REGISTERS(X)
#undef X
        NULL};

/* Registers that code may name itself: NVRTC's prefixes before a number. */
static const char *const PLAIN_REGISTERS[] = {"%p",  "%rs", "%r",  "%rd", "%f",
                                              "%fd", "%rq", "%rb", "%h",  NULL};

/* Why the commonest of what is not allowed is not: a word that one of the segments is or, with a
 * star, starts with. The first that fits is told. */
#define PTX_REFUSALS(X)                                                                            \
    X("approx", "an approximation: cards of another kind give other bits")                         \
    X("full", "an approximation: cards of another kind give other bits")                           \
    X("ftz", "flushes denormal numbers to zero")                                                   \
    X("ex2", "an approximation: cards of another kind give other bits")                            \
    X("lg2", "an approximation: cards of another kind give other bits")                            \
    X("sin", "an approximation: cards of another kind give other bits")                            \
    X("cos", "an approximation: cards of another kind give other bits")                            \
    X("tanh", "an approximation: cards of another kind give other bits")                           \
    X("rsqrt", "an approximation: cards of another kind give other bits")                          \
    X("tex", "textures filter with few bits, and in each card's own way")                          \
    X("tld4", "textures filter with few bits, and in each card's own way")                         \
    X("txq", "textures are not in the profile")                                                    \
    X("su*", "surfaces are not in the profile")                                                    \
    X("mma", "tensor cores add up in an order of their own")                                       \
    X("wmma", "tensor cores add up in an order of their own")                                      \
    X("wgmma", "tensor cores add up in an order of their own")                                     \
    X("tcgen05", "tensor cores add up in an order of their own")                                   \
    X("ldmatrix", "tensor cores are not in the profile")                                           \
    X("stmatrix", "tensor cores are not in the profile")                                           \
    X("cp", "copies that run beside the program are not in the profile")                           \
    X("mbarrier", "barriers in memory are not in the profile")                                     \
    X("nanosleep", "waiting depends on time")                                                      \
    X("activemask", "which lanes run together differs from run to run")                            \
    X("f16", "half precision is not in the profile")                                               \
    X("f16x2", "half precision is not in the profile")                                             \
    X("bf16", "half precision is not in the profile")                                              \
    X("bf16x2", "half precision is not in the profile")

static const char *const CONTRACTS =
    "has no rounding of its own: the driver may contract it with another";
static const char *const FLOAT_ATOMIC =
    "an atomic on floats: the order of the threads would change the result";
static const char *const UNKNOWN = "not in the deterministic profile's list";
static const char *const BAD_REGISTER = "a register whose value depends on time, place or the card";
static const char *const BAD_WORD = "an operand that the profile does not know";

const char *ptx_allowed_row(size_t index)
{
    return index < sizeof ALLOWED / sizeof *ALLOWED ? ALLOWED[index] : NULL;
}

const char *ptx_register_row(size_t index)
{
    return index < sizeof REGISTERS / sizeof *REGISTERS ? REGISTERS[index] : NULL;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The segment of `text` that starts at *at, and *at behind its dot; "" at the end. */
static struct ptx_word segment(struct ptx_word text, size_t *at)
{
    size_t start = *at;
    while (*at < text.size && text.at[*at] != '.')
        (*at)++;
    struct ptx_word out = {text.at + start, *at - start};
    if (*at < text.size) (*at)++;
    return out;
}

static bool is_choice(struct ptx_word choices, struct ptx_word word)
{
    size_t start = 0;
    for (size_t i = 0; i <= choices.size; i++) {
        if (i < choices.size && choices.at[i] != '|') continue;
        if (ptx_same((struct ptx_word){choices.at + start, i - start}, word)) return true;
        start = i + 1;
    }
    return false;
}

/* Segment by segment; one that may be missing is taken when it fits, which is enough as no row has
 * two neighbours with a choice in common. */
static bool row_matches(const char *row, struct ptx_word opcode)
{
    struct ptx_word text = {row, strlen(row)};
    size_t row_at = 0, opcode_at = 0;
    struct ptx_word have = segment(opcode, &opcode_at);
    while (row_at < text.size) {
        struct ptx_word want = segment(text, &row_at);
        bool optional = want.size > 0 && want.at[want.size - 1] == '?';
        if (optional) want.size--;
        if (have.size > 0 && is_choice(want, have)) {
            have = segment(opcode, &opcode_at);
        } else if (!optional) {
            return false;
        }
    }
    bool dot_at_end = opcode.size > 0 && opcode.at[opcode.size - 1] == '.';
    return have.size == 0 && opcode_at >= opcode.size && !dot_at_end;
}

static bool is_allowed(struct ptx_word opcode)
{
    for (size_t i = 0; ALLOWED[i] != NULL; i++) {
        if (row_matches(ALLOWED[i], opcode)) return true;
    }
    return false;
}

static bool fits(const char *pattern, struct ptx_word word)
{
    size_t size = strlen(pattern);
    if (pattern[size - 1] != '*') return ptx_is(word, pattern);
    return word.size >= size - 1 && memcmp(word.at, pattern, size - 1) == 0;
}

static bool has_segment(struct ptx_word opcode, const char *pattern)
{
    for (size_t at = 0; at < opcode.size;) {
        if (fits(pattern, segment(opcode, &at))) return true;
    }
    return false;
}

static const char *why_refused(struct ptx_word opcode)
{
#define X(pattern, why)                                                                            \
    if (has_segment(opcode, pattern)) return why;
    PTX_REFUSALS(X)
#undef X
    bool is_float = has_segment(opcode, "f32") || has_segment(opcode, "f64");
    if (is_float && (has_segment(opcode, "atom") || has_segment(opcode, "red"))) {
        return FLOAT_ATOMIC;
    }
    bool contracts = has_segment(opcode, "add") || has_segment(opcode, "sub") ||
                     has_segment(opcode, "mul") || has_segment(opcode, "mad");
    return is_float && contracts ? CONTRACTS : UNKNOWN;
}

/* ---- where in the source --------------------------------------------------------------------- */

struct place {
    unsigned file;
    unsigned line;
};

struct scan {
    struct ptx_report *report;
    const char *prelude;
    struct place at; /* of the job: the last that was told, or that called what was told */
    struct ptx_word files[PTX_FILES_MAX];
    bool has_target;
};

static unsigned number(struct ptx_word word)
{
    unsigned value = 0;
    for (size_t i = 0; i < word.size; i++) {
        if (word.at[i] < '0' || word.at[i] > '9' || value > 99999999) return 0;
        value = value * 10 + (unsigned)(word.at[i] - '0');
    }
    return value;
}

/* Neither the prelude nor the header that NVRTC brings along. */
static bool is_of_the_job(const struct scan *s, struct place p)
{
    if (p.file >= PTX_FILES_MAX || s->files[p.file].size == 0) return false;
    struct ptx_word name = s->files[p.file];
    return !ptx_is(name, s->prelude) && !(name.size > 5 && memcmp(name.at, "__nv_", 5) == 0);
}

static struct place take_place(struct ptx_word *rest)
{
    struct place p;
    p.file = number(ptx_take(rest));
    p.line = number(ptx_take(rest));
    return p;
}

/* ".loc 1 65 3, function_name L, inlined_at 2 20 3". Of calls within calls the outer are told
 * first. */
static void on_location(struct scan *s, struct ptx_word rest)
{
    struct place told = take_place(&rest), caller = {0, 0};
    for (struct ptx_word w = ptx_take(&rest); w.size > 0; w = ptx_take(&rest)) {
        if (ptx_is(w, "inlined_at")) caller = take_place(&rest);
    }
    if (is_of_the_job(s, caller)) s->at = caller;
    if (is_of_the_job(s, told)) s->at = told;
}

/* The last part of the path between the quotes. */
static void on_file(struct scan *s, struct ptx_word rest)
{
    struct ptx_word all = rest;
    unsigned index = number(ptx_take(&rest));
    const char *open = memchr(all.at, '"', all.size);
    if (index >= PTX_FILES_MAX || open == NULL) return;
    size_t left = all.size - (size_t)(open + 1 - all.at);
    const char *close = memchr(open + 1, '"', left);
    if (close == NULL) return;
    const char *start = open + 1;
    for (const char *c = start; c < close; c++) {
        if (*c == '/') start = c + 1;
    }
    s->files[index] = (struct ptx_word){start, (size_t)(close - start)};
}

static void copy_text(char out[PTX_TEXT_SIZE], struct ptx_word text)
{
    int size = text.size < PTX_TEXT_SIZE ? (int)text.size : PTX_TEXT_SIZE - 1;
    snprintf(out, PTX_TEXT_SIZE, "%.*s", size, text.at);
}

static void find(struct scan *s, const struct ptx_statement *statement, struct ptx_word what,
                 const char *why)
{
    struct ptx_report *r = s->report;
    r->total++;
    if (r->count >= PTX_FINDINGS_MAX) return;
    struct ptx_finding *f = &r->findings[r->count++];
    *f = (struct ptx_finding){.why = why, .ptx_line = statement->line, .line = s->at.line};
    copy_text(f->what, what);
    if (is_of_the_job(s, s->at)) copy_text(f->file, s->files[s->at.file]);
}

/* ---- statements ------------------------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_plain_register(struct ptx_word word)
{
    size_t letters = word.size;
    while (letters > 0 && is_digit(word.at[letters - 1]))
        letters--;
    if (ptx_is(word, "%SP") || ptx_is(word, "%SPL")) return true;
    for (size_t i = 0; letters < word.size && PLAIN_REGISTERS[i] != NULL; i++) {
        if (ptx_is((struct ptx_word){word.at, letters}, PLAIN_REGISTERS[i])) return true;
    }
    return false;
}

static bool is_card_register(struct ptx_word word)
{
    for (size_t i = 0; REGISTERS[i] != NULL; i++) {
        if (ptx_is(word, REGISTERS[i])) return true;
    }
    return false;
}

/* A variable, label or number: with a dot it would be an opcode or a card's register. */
static bool is_plain_word(struct ptx_word word)
{
    bool dots = memchr(word.at, '.', word.size) != NULL || memchr(word.at, ':', word.size) != NULL;
    return word.at[0] != '%' && !dots;
}

/* "[%rd1+4]", "{%f1, %f2}", "%r3|%p1": only the words matter. */
static void check_words(struct scan *s, const struct ptx_statement *statement, struct ptx_word rest)
{
    for (struct ptx_word w = ptx_take(&rest); w.size > 0; w = ptx_take(&rest)) {
        if (is_plain_word(w) || is_plain_register(w) || is_card_register(w)) continue;
        bool vector_part = w.size > 2 && w.at[w.size - 2] == '.' &&
                           is_plain_register((struct ptx_word){w.at, w.size - 2});
        if (vector_part) continue;
        find(s, statement, w, w.at[0] == '%' ? BAD_REGISTER : BAD_WORD);
    }
}

/* A call through a register would need the prototype that the reader refuses; a call by name is to
 * a function of this module, as no function may be outside. */
static void on_instruction(struct scan *s, const struct ptx_statement *statement)
{
    if (!is_allowed(statement->head)) {
        find(s, statement, statement->head, why_refused(statement->head));
        return;
    }
    check_words(s, statement, statement->guard);
    check_words(s, statement, statement->operands);
}

static bool contains(struct ptx_word text, const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= text.size; i++) {
        if (memcmp(text.at + i, word, size) == 0) return true;
    }
    return false;
}

static void on_function(struct scan *s, const struct ptx_statement *statement)
{
    if (statement->is_extern) {
        find(s, statement, statement->name, "a function from outside the job");
    }
}

static void on_variable(struct scan *s, const struct ptx_statement *statement)
{
    static const char *const HANDLES[] = {"texref", "samplerref", "surfref"};
    for (size_t i = 0; i < 3; i++) {
        if (!contains(statement->operands, HANDLES[i])) continue;
        find(s, statement, statement->name, "textures and surfaces are not in the profile");
    }
    if (statement->is_extern && !ptx_is(statement->head, ".shared")) {
        find(s, statement, statement->name, "a variable from outside the job");
    }
}

static void on_statement(struct scan *s, const struct ptx_statement *statement)
{
    switch (statement->kind) {
    case PTX_LOCATION: on_location(s, statement->operands); break;
    case PTX_INSTRUCTION: on_instruction(s, statement); break;
    case PTX_FUNCTION: on_function(s, statement); break;
    case PTX_VARIABLE: on_variable(s, statement); break;
    case PTX_DIRECTIVE: s->has_target = s->has_target || ptx_is(statement->head, ".target"); break;
    case PTX_END:
    case PTX_OPEN:
    case PTX_CLOSE:
    case PTX_LABEL:
    case PTX_FILE:
    case PTX_BROKEN: break;
    }
}

static void find_text(struct scan *s, unsigned line, const char *what, const char *why)
{
    struct ptx_statement nowhere = {.line = line};
    find(s, &nowhere, (struct ptx_word){what, strlen(what)}, why);
}

/* The files' names stand at the end of the PTX. */
static void read_files(struct scan *s, const char *text, size_t size)
{
    struct ptx_reader reader = ptx_read(text, size);
    struct ptx_statement statement;
    do {
        ptx_next(&reader, &statement);
        if (statement.kind == PTX_FILE) on_file(s, statement.operands);
    } while (statement.kind != PTX_END && statement.kind != PTX_BROKEN);
}

enum status ptx_scan(struct ptx_report *out, const char *text, size_t size, const char *prelude)
{
    struct scan s = {.report = out, .prelude = prelude};
    struct ptx_statement statement = {.kind = PTX_BROKEN};
    struct ptx_reader reader = ptx_read(text, size);
    memset(out, 0, sizeof *out);
    if (size > PTX_BYTES_MAX) {
        find_text(&s, 0, "the whole text", "too long");
        return E_MALFORMED;
    }
    read_files(&s, text, size);
    do {
        ptx_next(&reader, &statement);
        on_statement(&s, &statement);
    } while (statement.kind != PTX_END && statement.kind != PTX_BROKEN);
    if (statement.kind == PTX_BROKEN) {
        find_text(&s, reader.line, reader.problem, "so the scan cannot go on");
    } else if (!s.has_target) {
        find_text(&s, reader.line, ".target", "is missing: this is no PTX");
    }
    assert(out->count <= out->total);
    return out->total == 0 ? OK : E_MALFORMED;
}
