#include "compute/runner/ptx_rewrite.h"

#include "compute/runner/ptx_read.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DYNAMIC      UINT64_MAX /* size of an array whose size the launch says */
#define BITS_OF      64
#define SET_WORDS(n) (((n) + BITS_OF - 1) / BITS_OF)

struct shared {
    struct ptx_word name;
    uint64_t bytes;
    uint64_t align;
    size_t function; /* that it is declared in, or PTX_FUNCTIONS_MAX for all */
};

struct function {
    struct ptx_word name;
    bool is_entry;
    uint64_t uses[SET_WORDS(PTX_SHARED_MAX)];
    uint64_t calls[SET_WORDS(PTX_FUNCTIONS_MAX)];
};

struct module {
    struct shared shared[PTX_SHARED_MAX];
    size_t shared_count;
    struct function functions[PTX_FUNCTIONS_MAX];
    size_t function_count;
    size_t current; /* the function whose body is read; PTX_FUNCTIONS_MAX outside */
    bool overflow;
};

static void set_bit(uint64_t *set, size_t index)
{
    set[index / BITS_OF] |= 1ull << (index % BITS_OF);
}

static bool has_bit(const uint64_t *set, size_t index)
{
    return (set[index / BITS_OF] >> (index % BITS_OF) & 1) != 0;
}

/* ---- what there is --------------------------------------------------------------------------- */

static uint64_t number(struct ptx_word word)
{
    uint64_t value = 0;
    for (size_t i = 0; i < word.size; i++) {
        if (word.at[i] < '0' || word.at[i] > '9' || value > UINT32_MAX) return 0;
        value = value * 10 + (uint64_t)(word.at[i] - '0');
    }
    return value;
}

static uint64_t bytes_of_type(struct ptx_word word)
{
    uint64_t bits = word.size > 2 ? number((struct ptx_word){word.at + 2, word.size - 2}) : 0;
    return bits / 8;
}

/* ".align 4 .b8 name[128]", ".align 16 .b8 name[]", ".u32 name" */
static struct shared read_shared(const struct ptx_statement *s, size_t function)
{
    struct shared out = {.name = s->name, .function = function};
    struct ptx_word rest = s->operands;
    for (struct ptx_word w = ptx_take(&rest); w.size > 0; w = ptx_take(&rest)) {
        if (ptx_same(w, s->name) && w.at == s->name.at) break;
        if (ptx_is(w, ".align")) {
            out.align = number(ptx_take(&rest));
        } else if (w.at[0] == '.') {
            out.bytes = bytes_of_type(w);
        }
    }
    if (out.align == 0) out.align = out.bytes;
    while (rest.size > 0 && rest.at[0] == '[') { /* rest starts right behind the name, or a bound */
        struct ptx_word bound = ptx_take(&rest);
        out.bytes = bound.size == 0 ? DYNAMIC : out.bytes * number(bound);
        if (rest.size > 0) rest = (struct ptx_word){rest.at + 1, rest.size - 1};
        if (out.bytes == DYNAMIC) break;
    }
    return out;
}

static size_t find_function(struct module *m, struct ptx_word name)
{
    for (size_t i = 0; i < m->function_count; i++) {
        if (ptx_same(m->functions[i].name, name)) return i;
    }
    if (m->function_count == PTX_FUNCTIONS_MAX) {
        m->overflow = true;
        return 0;
    }
    m->functions[m->function_count] = (struct function){.name = name};
    return m->function_count++;
}

static void add_shared(struct module *m, const struct ptx_statement *s)
{
    if (m->shared_count == PTX_SHARED_MAX) {
        m->overflow = true;
        return;
    }
    m->shared[m->shared_count++] = read_shared(s, m->current);
}

/* A name of shared memory may be a local one of another function. */
static void note_uses(struct module *m, struct ptx_word rest)
{
    struct function *f = &m->functions[m->current];
    for (struct ptx_word w = ptx_take(&rest); w.size > 0; w = ptx_take(&rest)) {
        for (size_t i = 0; i < m->shared_count; i++) {
            const struct shared *v = &m->shared[i];
            bool visible = v->function == PTX_FUNCTIONS_MAX || v->function == m->current;
            if (visible && ptx_same(v->name, w)) set_bit(f->uses, i);
        }
    }
}

static bool is_call(struct ptx_word opcode)
{
    return ptx_is(opcode, "call") || ptx_is(opcode, "call.uni");
}

/* "(result), name, (arguments)": every word that is a function's name. */
static void note_calls(struct module *m, struct ptx_word rest)
{
    for (struct ptx_word w = ptx_take(&rest); w.size > 0; w = ptx_take(&rest)) {
        for (size_t i = 0; i < m->function_count; i++) {
            if (ptx_same(m->functions[i].name, w)) set_bit(m->functions[m->current].calls, i);
        }
    }
}

static bool declares_only(const struct ptx_statement *s)
{
    return s->whole.size > 0 && s->whole.at[s->whole.size - 1] == ';';
}

static void survey_statement(struct module *m, const struct ptx_reader *r,
                             const struct ptx_statement *s)
{
    bool inside = m->current < PTX_FUNCTIONS_MAX;
    if (s->kind == PTX_FUNCTION) {
        size_t index = find_function(m, s->name);
        m->functions[index].is_entry = ptx_is(s->head, ".entry");
        m->current = declares_only(s) ? PTX_FUNCTIONS_MAX : index;
    } else if (s->kind == PTX_CLOSE && r->depth == 0) {
        m->current = PTX_FUNCTIONS_MAX;
    } else if (s->kind == PTX_VARIABLE && ptx_is(s->head, ".shared")) {
        add_shared(m, s);
    } else if (s->kind == PTX_INSTRUCTION && inside) {
        note_uses(m, s->operands);
        if (is_call(s->head)) note_calls(m, s->operands);
    }
}

static bool join(uint64_t *to, const uint64_t *from, size_t words)
{
    uint64_t more = 0;
    for (size_t i = 0; i < words; i++) {
        more |= from[i] & ~to[i];
        to[i] |= from[i];
    }
    return more != 0;
}

/* What a function calls uses shared memory, and calls others, for it. */
static void follow_calls(struct module *m)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t pair = 0; pair < m->function_count * m->function_count; pair++) {
            struct function *f = &m->functions[pair / m->function_count];
            const struct function *callee = &m->functions[pair % m->function_count];
            if (!has_bit(f->calls, pair % m->function_count)) continue;
            changed = join(f->uses, callee->uses, SET_WORDS(PTX_SHARED_MAX)) || changed;
            changed = join(f->calls, callee->calls, SET_WORDS(PTX_FUNCTIONS_MAX)) || changed;
        }
    }
}

static bool is_recursive(const struct module *m)
{
    for (size_t i = 0; i < m->function_count; i++) {
        if (has_bit(m->functions[i].calls, i)) return true;
    }
    return false;
}

static enum status survey(struct module *m, const char *text, size_t size)
{
    struct ptx_reader reader = ptx_read(text, size);
    struct ptx_statement s;
    m->current = PTX_FUNCTIONS_MAX;
    do {
        ptx_next(&reader, &s);
        survey_statement(m, &reader, &s);
    } while (s.kind != PTX_END && s.kind != PTX_BROKEN);
    assert(s.kind == PTX_END); /* the scan has read it before */
    if (m->overflow) return E_LIMIT;
    follow_calls(m);
    return is_recursive(m) ? E_UNSUPPORTED : OK;
}

/* ---- zeros ----------------------------------------------------------------------------------- */

struct writer {
    FILE *out;
    struct module *module;
    const struct ptx_kernels *kernels;
    size_t named;     /* kernels found so far */
    unsigned label;   /* to tell labels apart */
    bool wants_zeros; /* a kernel's first instruction is still to come */
};

static void put(struct writer *w, struct ptx_word word)
{
    fwrite(word.at, 1, word.size, w->out);
}

/* %lhz0 is the thread's number in its block, %lhz1 how many there are. */
static void write_thread_number(FILE *out)
{
    fputs("{\n\t.reg .b32 %lhz<8>;\n\t.reg .b64 %lhd<3>;\n\t.reg .pred %lhq;\n"
          "\tmov.u32 %lhz2, %tid.x;\n\tmov.u32 %lhz3, %tid.y;\n\tmov.u32 %lhz4, %tid.z;\n"
          "\tmov.u32 %lhz5, %ntid.x;\n\tmov.u32 %lhz6, %ntid.y;\n\tmov.u32 %lhz7, %ntid.z;\n"
          "\tmad.lo.u32 %lhz0, %lhz4, %lhz6, %lhz3;\n"
          "\tmad.lo.u32 %lhz0, %lhz0, %lhz5, %lhz2;\n"
          "\tmul.lo.u32 %lhz1, %lhz5, %lhz6;\n\tmul.lo.u32 %lhz1, %lhz1, %lhz7;\n",
          out);
}

/* Thread t sets items t, t + count, ... to zero. */
static void write_zeros(struct writer *w, const struct shared *v)
{
    bool words = v->bytes == DYNAMIC || (v->align % 4 == 0 && v->bytes % 4 == 0);
    unsigned item = words ? 4 : 1, label = w->label++;
    fprintf(w->out, "\tmov.u64 %%lhd0, %.*s;\n", (int)v->name.size, v->name.at);
    if (v->bytes == DYNAMIC) {
        fprintf(w->out, "\tmov.u32 %%lhz3, %%dynamic_smem_size;\n");
    } else {
        fprintf(w->out, "\tmov.u32 %%lhz3, %u;\n", (unsigned)v->bytes);
    }
    fprintf(w->out,
            "\tmul.lo.u32 %%lhz2, %%lhz0, %u;\n\tmul.lo.u32 %%lhz4, %%lhz1, %u;\n"
            "LH_ZERO_%u:\n\tsetp.ge.u32 %%lhq, %%lhz2, %%lhz3;\n\t@%%lhq bra LH_ZEROED_%u;\n"
            "\tcvt.u64.u32 %%lhd1, %%lhz2;\n\tadd.s64 %%lhd1, %%lhd0, %%lhd1;\n"
            "\tmov.u32 %%lhz5, 0;\n\tst.shared.%s [%%lhd1], %%lhz5;\n"
            "\tadd.u32 %%lhz2, %%lhz2, %%lhz4;\n\tbra LH_ZERO_%u;\nLH_ZEROED_%u:\n",
            item, item, label, label, words ? "u32" : "u8", label, label);
}

static bool uses_shared(const struct function *f)
{
    uint64_t any = 0;
    for (size_t i = 0; i < SET_WORDS(PTX_SHARED_MAX); i++)
        any |= f->uses[i];
    return any != 0;
}

static void write_prologue(struct writer *w, const struct function *f)
{
    w->wants_zeros = false;
    if (!uses_shared(f)) return;
    write_thread_number(w->out);
    for (size_t i = 0; i < w->module->shared_count; i++) {
        if (has_bit(f->uses, i)) write_zeros(w, &w->module->shared[i]);
    }
    fputs("\tbar.sync 0;\n}\n", w->out);
}

/* ---- divisions ------------------------------------------------------------------------------- */

static bool starts_with(struct ptx_word word, const char *text)
{
    size_t size = strlen(text);
    return word.size >= size && memcmp(word.at, text, size) == 0;
}

static bool is_integer_division(struct ptx_word opcode)
{
    if (!starts_with(opcode, "div.") && !starts_with(opcode, "rem.")) return false;
    return opcode.at[4] == 's' || opcode.at[4] == 'u';
}

/* What may need its sign: "-1" is taken as "1", with the mark before it. */
static struct ptx_word with_sign(struct ptx_word word)
{
    return word.at[-1] == '-' ? (struct ptx_word){word.at - 1, word.size + 1} : word;
}

static bool is_harmless(struct ptx_word divisor)
{
    bool literal = divisor.at[0] >= '1' && divisor.at[0] <= '9';
    return literal; /* a number that begins with another digit than 0 */
}

static const char *lowest_of(struct ptx_word type)
{
    if (ptx_is(type, "s16")) return "-32768";
    if (ptx_is(type, "s32")) return "-2147483648";
    return "-9223372036854775808";
}

/* %lhq0 becomes true where the division must not be made. */
static void write_division_test(struct writer *w, const struct ptx_statement *s)
{
    struct ptx_word type = {s->head.at + 4, s->head.size - 4}, rest = s->operands;
    (void)ptx_take(&rest);
    struct ptx_word a = ptx_take(&rest), b = ptx_take(&rest);
    if (b.size == 0) return; /* the driver will not take it */
    a = with_sign(a), b = with_sign(b);
    if (is_harmless(b)) return;
    int t = (int)type.size;
    fprintf(w->out, "{\n\t.reg .pred %%lhq<3>;\n\tsetp.eq.%.*s %%lhq0, %.*s, 0;\n", t, type.at,
            (int)b.size, b.at);
    if (type.at[0] == 's') {
        fprintf(w->out,
                "\tsetp.eq.%.*s %%lhq1, %.*s, -1;\n\tsetp.eq.%.*s %%lhq2, %.*s, %s;\n"
                "\tand.pred %%lhq1, %%lhq1, %%lhq2;\n\tor.pred %%lhq0, %%lhq0, %%lhq1;\n",
                t, type.at, (int)b.size, b.at, t, type.at, (int)a.size, a.at, lowest_of(type));
    }
    if (s->guard.size > 0) {
        bool negated = s->guard.at[0] == '!';
        struct ptx_word p = {s->guard.at + negated, s->guard.size - negated};
        fprintf(w->out, "\t%s.pred %%lhq1, %.*s;\n\tand.pred %%lhq0, %%lhq0, %%lhq1;\n",
                negated ? "not" : "mov", (int)p.size, p.at);
    }
    fputs("\t@%lhq0 call lh_divided_by_zero;\n}\n\t", w->out);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool has_word(struct ptx_word text, const char *word)
{
    for (struct ptx_word w = ptx_take(&text); w.size > 0; w = ptx_take(&text)) {
        if (ptx_is(w, word)) return true;
    }
    return false;
}

static void write_function(struct writer *w, const struct ptx_statement *s)
{
    size_t before = (size_t)(s->name.at - s->whole.at);
    const char *behind = s->name.at + s->name.size;
    put(w, (struct ptx_word){s->whole.at, before});
    size_t i = 0;
    while (i < w->kernels->count && !ptx_is(s->name, w->kernels->names[i]))
        i++;
    bool is_kernel = i < w->kernels->count && ptx_is(s->head, ".entry");
    if (is_kernel) {
        fprintf(w->out, "lh_kernel_%zu", i);
        w->named++;
    } else {
        put(w, s->name);
    }
    put(w, (struct ptx_word){behind, s->whole.size - (size_t)(behind - s->whole.at)});
    if (is_kernel && !has_word(s->operands, ".maxntid") && !has_word(s->operands, ".reqntid")) {
        fprintf(w->out, "\n.maxntid %u, 1, 1\n", w->kernels->threads_max[i]);
    }
    struct module *m = w->module;
    m->current = declares_only(s) ? PTX_FUNCTIONS_MAX : find_function(m, s->name);
    w->wants_zeros = m->current < PTX_FUNCTIONS_MAX && m->functions[m->current].is_entry;
}

static void write_statement(struct writer *w, const struct ptx_statement *s)
{
    bool code = s->kind == PTX_INSTRUCTION || s->kind == PTX_LABEL;
    if (s->kind == PTX_FUNCTION) {
        write_function(w, s);
        return;
    }
    if (code && w->wants_zeros) {
        write_prologue(w, &w->module->functions[w->module->current]);
    }
    if (s->kind == PTX_INSTRUCTION && is_integer_division(s->head)) write_division_test(w, s);
    put(w, s->whole);
}

static void write_all(struct writer *w, const char *text, size_t size)
{
    struct ptx_reader reader = ptx_read(text, size);
    struct ptx_statement s;
    const char *done = text;
    for (ptx_next(&reader, &s); s.kind != PTX_END; ptx_next(&reader, &s)) {
        assert(s.kind != PTX_BROKEN);
        put(w, (struct ptx_word){done, (size_t)(s.whole.at - done)}); /* space and comments */
        write_statement(w, &s);
        done = s.whole.at + s.whole.size;
    }
    put(w, (struct ptx_word){done, size - (size_t)(done - text)});
}

enum status ptx_rewrite(char **out, const char *text, size_t size,
                        const struct ptx_kernels *kernels)
{
    char *made = NULL;
    size_t made_size = 0;
    struct module *m = calloc(1, sizeof *m);
    FILE *stream = open_memstream(&made, &made_size);
    struct writer w = {.out = stream, .module = m, .kernels = kernels};
    enum status status = m == NULL || stream == NULL ? E_IO : survey(m, text, size);
    if (status == OK) write_all(&w, text, size);
    if (status == OK && w.named != kernels->count) status = E_NOT_FOUND;
    if (stream != NULL && fclose(stream) != 0) status = E_IO;
    free(m);
    if (status != OK) {
        free(made);
        return status;
    }
    *out = made;
    return OK;
}
