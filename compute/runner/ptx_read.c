#include "compute/runner/ptx_read.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct ptx_reader ptx_read(const char *text, size_t size)
{
    assert(text != NULL || size == 0);
    return (struct ptx_reader){.at = text, .end = text + size, .line = 1};
}

bool ptx_is(struct ptx_word word, const char *text)
{
    return word.size == strlen(text) && memcmp(word.at, text, word.size) == 0;
}

bool ptx_same(struct ptx_word a, struct ptx_word b)
{
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '%' || c == '.' || c == ':';
}

/* All that may stand between the words of a statement. */
static bool is_mark(char c)
{
    return c != '\0' && strchr(" \t\r\n,;[](){}<>+-!|=@", c) != NULL;
}

struct ptx_word ptx_take(struct ptx_word *rest)
{
    size_t i = 0;
    if (rest->size == 0) return *rest;
    while (i < rest->size && !is_name(rest->at[i]))
        i++;
    size_t start = i;
    while (i < rest->size && is_name(rest->at[i]))
        i++;
    struct ptx_word word = {rest->at + start, i - start};
    *rest = (struct ptx_word){rest->at + i, rest->size - i};
    return word;
}

static void broken(struct ptx_reader *r, const char *problem)
{
    if (r->problem[0] == '\0') snprintf(r->problem, sizeof r->problem, "%s", problem);
    r->at = r->end;
}

static char peek(const struct ptx_reader *r, size_t ahead)
{
    return (size_t)(r->end - r->at) > ahead ? r->at[ahead] : '\0';
}

static void step(struct ptx_reader *r)
{
    assert(r->at < r->end);
    if (*r->at == '\n') r->line++;
    r->at++;
}

static void skip_block_comment(struct ptx_reader *r)
{
    while (r->at < r->end && !(peek(r, 0) == '*' && peek(r, 1) == '/'))
        step(r);
    if (r->at == r->end) {
        broken(r, "a comment has no end");
        return;
    }
    r->at += 2;
}

static void skip_line(struct ptx_reader *r)
{
    while (r->at < r->end && *r->at != '\n')
        step(r);
}

static void skip_space(struct ptx_reader *r)
{
    while (r->at < r->end) {
        char c = *r->at;
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            step(r);
        } else if (c == '/' && peek(r, 1) == '/') {
            skip_line(r);
        } else if (c == '/' && peek(r, 1) == '*') {
            r->at += 2;
            skip_block_comment(r);
        } else {
            return;
        }
    }
}

/* Letters, digits, $ _ % and the dots of modifiers; two colons belong to the modifiers, one makes a
 * label. */
static struct ptx_word take_name(struct ptx_reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && is_name(*r->at)) {
        bool one_colon = *r->at == ':' && peek(r, 1) != ':' && (r->at == start || r->at[-1] != ':');
        if (one_colon) break;
        r->at++;
    }
    return (struct ptx_word){start, (size_t)(r->at - start)};
}

static void take_string(struct ptx_reader *r)
{
    step(r);
    while (r->at < r->end && *r->at != '"' && *r->at != '\n')
        step(r);
    if (peek(r, 0) != '"') {
        broken(r, "a string has no end");
        return;
    }
    step(r);
}

/* Everything up to `stop`, which is left; comments inside are skipped, strings taken whole. */
static struct ptx_word take_until(struct ptx_reader *r, const char *stop)
{
    const char *start = r->at;
    while (r->at < r->end && strchr(stop, *r->at) == NULL) {
        if (*r->at == '"') {
            take_string(r);
        } else if (*r->at == '/') {
            const char *before = r->at;
            skip_space(r);
            if (r->at == before) broken(r, "a slash that begins no comment");
        } else if (is_name(*r->at) || is_mark(*r->at)) {
            step(r);
        } else {
            broken(r, "a character that PTX does not have");
        }
    }
    if (r->at >= r->end) broken(r, "the text ends within a statement");
    return (struct ptx_word){start, (size_t)(r->at - start)};
}

static bool is_one_of(struct ptx_word word, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (ptx_is(word, *list)) return true;
    }
    return false;
}

static const char *const LINKAGE[] = {".visible", ".weak", ".extern", ".common", NULL};
static const char *const FUNCTIONS[] = {".entry", ".func", NULL};
static const char *const SPACES[] = {".global", ".const", ".shared", ".local",
                                     ".param",  ".reg",   NULL};
static const char *const WHOLE_LINES[] = {
    ".version", ".target",   ".address_size", ".maxntid",           ".reqntid", ".minnctapersm",
    ".maxnreg", ".noreturn", ".maxnctapersm", ".blocksareclusters", NULL};

/* The name is the first word behind the types that is no type: types begin with a dot, numbers
 * (of .align) with a digit. */
static struct ptx_word name_in(struct ptx_word declaration)
{
    struct ptx_word rest = declaration;
    for (;;) {
        struct ptx_word word = ptx_take(&rest);
        if (word.size == 0) return word;
        if (word.at[0] != '.' && !(word.at[0] >= '0' && word.at[0] <= '9')) return word;
    }
}

static void read_variable(struct ptx_reader *r, struct ptx_statement *s)
{
    s->kind = PTX_VARIABLE;
    s->operands = take_until(r, ";");
    s->name = name_in(s->operands);
    if (r->at < r->end) step(r);
    if (s->name.size == 0) broken(r, "a variable has no name");
}

/* ".func (.param .b32 result) name (...)" has a list in front of its name, which is skipped. */
static void read_function(struct ptx_reader *r, struct ptx_statement *s)
{
    s->kind = PTX_FUNCTION;
    skip_space(r);
    if (peek(r, 0) == '(') {
        (void)take_until(r, ")");
        if (r->at < r->end) step(r);
    }
    skip_space(r);
    s->name = take_name(r);
    s->operands = take_until(r, "{;");
    if (r->at < r->end && *r->at == ';') step(r);
    if (s->name.size == 0) broken(r, "a function has no name");
}

/* Debugging data: nothing of it is ever run. */
static void read_section(struct ptx_reader *r, struct ptx_statement *s)
{
    s->kind = PTX_DIRECTIVE;
    s->operands = take_until(r, "{");
    if (r->at < r->end) (void)take_until(r, "}");
    if (r->at < r->end) step(r);
}

static bool is_line_word(struct ptx_word word)
{
    bool digits = true;
    for (size_t i = 0; i < word.size; i++)
        digits = digits && ((word.at[i] >= '0' && word.at[i] <= '9') || word.at[i] == '.');
    return digits || word.at[0] == '$' || ptx_is(word, "function_name") ||
           ptx_is(word, "inlined_at") ||
           (word.size > 3 && word.size < 9 && memcmp(word.at, "sm_", 3) == 0);
}

/* Directives that end with their line. No instruction may hide behind one: those end with ';'. */
static void read_line(struct ptx_reader *r, struct ptx_statement *s, enum ptx_kind kind)
{
    s->kind = kind;
    s->operands.at = r->at;
    skip_line(r);
    s->operands.size = (size_t)(r->at - s->operands.at);
    struct ptx_word rest = s->operands;
    bool good = memchr(rest.at, ';', rest.size) == NULL &&
                memchr(rest.at, '{', rest.size) == NULL && memchr(rest.at, '}', rest.size) == NULL;
    for (struct ptx_word w = ptx_take(&rest); good && w.size > 0 && kind != PTX_FILE;
         w = ptx_take(&rest))
        good = is_line_word(w);
    if (!good) broken(r, "a directive's line goes on where it should end");
}

static void read_directive(struct ptx_reader *r, struct ptx_statement *s)
{
    s->head = take_name(r);
    while (is_one_of(s->head, LINKAGE)) {
        s->is_extern = s->is_extern || ptx_is(s->head, ".extern");
        skip_space(r);
        s->head = take_name(r);
    }
    if (is_one_of(s->head, FUNCTIONS)) {
        read_function(r, s);
    } else if (is_one_of(s->head, SPACES)) {
        read_variable(r, s);
    } else if (ptx_is(s->head, ".section")) {
        read_section(r, s);
    } else if (ptx_is(s->head, ".loc")) {
        read_line(r, s, PTX_LOCATION);
    } else if (ptx_is(s->head, ".file")) {
        read_line(r, s, PTX_FILE);
    } else if (is_one_of(s->head, WHOLE_LINES)) {
        read_line(r, s, PTX_DIRECTIVE);
    } else if (ptx_is(s->head, ".pragma")) {
        s->kind = PTX_DIRECTIVE;
        s->operands = take_until(r, ";");
        if (r->at < r->end) step(r);
    } else {
        broken(r, "a directive that the profile does not have");
    }
}

static void read_guard(struct ptx_reader *r, struct ptx_statement *s)
{
    step(r);
    s->guard.at = r->at;
    if (peek(r, 0) == '!') step(r);
    (void)take_name(r);
    s->guard.size = (size_t)(r->at - s->guard.at);
    skip_space(r);
    if (s->guard.size < 2) broken(r, "a guard without a predicate");
}

static void read_instruction(struct ptx_reader *r, struct ptx_statement *s)
{
    if (peek(r, 0) == '@') read_guard(r, s);
    s->kind = PTX_INSTRUCTION;
    s->head = take_name(r);
    if (s->head.size == 0) {
        broken(r, "neither a directive nor an instruction");
        return;
    }
    if (s->guard.size == 0 && peek(r, 0) == ':') {
        step(r);
        s->kind = PTX_LABEL;
        s->name = s->head;
        return;
    }
    s->operands = take_until(r, ";");
    if (r->at < r->end) step(r);
}

static void read_brace(struct ptx_reader *r, struct ptx_statement *s)
{
    s->kind = *r->at == '{' ? PTX_OPEN : PTX_CLOSE;
    step(r);
    if (s->kind == PTX_OPEN) r->depth++;
    if (s->kind == PTX_CLOSE && r->depth-- == 0) {
        r->depth = 0;
        broken(r, "a brace too many");
    }
}

void ptx_next(struct ptx_reader *r, struct ptx_statement *out)
{
    struct ptx_statement s = {.kind = PTX_END};
    skip_space(r);
    s.whole.at = r->at;
    s.line = r->line;
    if (r->at == r->end && r->depth != 0) broken(r, "a brace is not closed");
    if (r->at < r->end) {
        char c = *r->at;
        if (c == '{' || c == '}') {
            read_brace(r, &s);
        } else if (c == '.') {
            read_directive(r, &s);
        } else {
            read_instruction(r, &s);
        }
    }
    s.whole.size = (size_t)(r->at - s.whole.at);
    if (r->problem[0] != '\0') s.kind = PTX_BROKEN;
    *out = s;
}
