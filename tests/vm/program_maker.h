/* tests/vm/program_maker.h - makes mostly valid EVM programs that look like compilers' and reach
 * what an interpreter can get wrong.
 *
 * A program is a list of statements: runs of stack operations, memory and storage, branches whose
 * arms leave the stack equally high by different ways, counted loops (counter on the stack or in
 * memory), subroutines that return to an address on the stack and are called at several heights,
 * jumps to addresses kept in memory, calls to the other contracts and to precompiles, creates. Its
 * end makes the stack visible: the topmost items are stored and returned. With `breaks` some
 * programs also hold what must fail. Each program draws its own weights for the statements, so
 * that some are all arithmetic and others all calls. */
#ifndef LEASEHOLD_TESTS_VM_PROGRAM_MAKER_H
#define LEASEHOLD_TESTS_VM_PROGRAM_MAKER_H

#include "tests/vm/program_calls.h"

struct maker_statement {
    uint8_t weight;
    void (*make)(struct maker *m);
};

static const struct maker_statement maker_statements[] = {
    {20, make_straight}, {6, make_store},      {4, make_permutation},  {5, make_if},
    {5, make_if_else},   {4, make_read},       {4, make_set},          {2, make_log},
    {3, make_if_behind}, {3, make_switch},     {2, make_fall_into},    {2, make_pointer_jump},
    {4, make_loop},      {3, make_stack_loop}, {1, make_growing_loop}, {5, make_function_call},
    {4, make_call},      {2, make_create},     {2, make_early_end},    {2, make_broken},
    {1, make_deep},      {1, make_long},       {3, make_copy},         {3, make_buried_jump},
    {3, make_probe},     {2, make_two_jumps},
};

#define MAKER_STATEMENT_COUNT (sizeof(maker_statements) / sizeof(maker_statements[0]))

static inline void make_statement(struct maker *m)
{
    uint32_t total = 0;
    for (size_t i = 0; i < MAKER_STATEMENT_COUNT; i++)
        total += m->weight[i];
    uint32_t at = choose(m->c, total);
    size_t which = 0;
    while (at >= m->weight[which])
        at -= m->weight[which++];
    maker_statements[which].make(m);
}

static inline void make_block(struct maker *m, uint32_t statements)
{
    if (m->nesting >= MAKER_NESTING_MAX) statements = 0;
    m->nesting++;
    for (uint32_t i = 0; i < statements && m->budget > 0; i++) {
        if (m->height > STACK_ITEMS_MAX - 150) level_stack(m, m->base);
        make_statement(m);
        assert(m->height >= m->base && m->height <= STACK_ITEMS_MAX);
    }
    if (statements == 0 && m->budget > 0) make_straight(m);
    m->nesting--;
}

/* A kind of statement in four is left out, and some are doubled: programs differ in character. */
static inline void choose_weights(struct maker *m)
{
    for (size_t i = 0; i < MAKER_STATEMENT_COUNT; i++) {
        uint32_t turn = choose(m->c, 8);
        uint32_t weight = maker_statements[i].weight;
        if (turn >= 6) weight = i == 0 ? 2 : 0;
        m->weight[i] = (uint8_t)(turn == 5 ? 3 * weight : weight);
    }
}

static inline void choose_functions(struct maker *m)
{
    m->function_count = (int)choose(m->c, MAKER_FUNCTIONS_MAX + 1);
    for (int i = 0; i < m->function_count; i++) {
        m->functions[i].label = text_new_label(m->t);
        m->functions[i].arg_count = (int)choose(m->c, 4);
        m->functions[i].return_count = (int)choose(m->c, 4);
    }
}

/* Stores the topmost items and returns them: wrong ones then show. */
static inline void make_visible_end(struct maker *m)
{
    uint64_t at = 0;
    for (int i = 0; i < 16 && m->height > 0; i++, at += 32) {
        emit_u64(m, at);
        emit(m, OP_MSTORE);
    }
    emit_u64(m, at + choose(m->c, 2) * (uint64_t)0x200);
    emit(m, OP_PUSH0);
    emit(m, OP_RETURN);
}

/* Init code ends by leaving code: a small program, a piece of memory, or none. */
static inline void make_deploying_end(struct maker *m)
{
    uint16_t code = text_new_label(m->t);
    static const char small[] = "\x5f\x35\x60\x07\x02\x5f\x52\x30\x60\x20\x52\x60\x40\x5f\xf3";
    struct bytes left = bytes_of(small, sizeof(small) - 1);
    if (choose_rarely(m->c, 4)) {
        emit_end(m);
        return;
    }
    if (choose_rarely(m->c, 4)) left = bytes_of("\x33\xff", 2); /* CALLER SELFDESTRUCT */
    emit_u64(m, left.size);
    emit_label(m, code);
    emit(m, OP_PUSH0);
    emit(m, OP_CODECOPY);
    emit_u64(m, left.size);
    emit(m, OP_PUSH0);
    emit(m, OP_RETURN);
    text_mark(m->t, code);
    text_bytes(m->t, left);
}

static inline void make_main_end(struct maker *m)
{
    if (m->level > 0)
        make_deploying_end(m);
    else if (choose_rarely(m->c, m->is_callee ? 2 : 6))
        emit_end(m);
    else
        make_visible_end(m);
}

static inline void make_rest(struct maker *m)
{
    for (int i = 0; i < m->function_count; i++)
        make_function_body(m, i);
    if (m->has_data) {
        text_byte(m->t, OP_INVALID);
        text_mark(m->t, m->data_label);
        text_bytes(m->t, buffer_bytes(&m->data));
    } else if (m->breaks && choose_rarely(m->c, 8))
        text_byte(m->t, (uint8_t)(OP_PUSH1 + choose(m->c, 32))); /* a PUSH without its data */
}

struct maker_settings {
    int budget;
    bool without_kzg;
    bool breaks;
    bool is_callee; /* mostly called: it fails more often */
};

static inline void make_program(struct program_text *out, struct choices *c, int level,
                                const struct maker_settings *settings);

static inline void make_data(struct maker *m, const struct maker_settings *settings)
{
    struct program_text init = {.count = 0};
    struct maker_settings smaller = *settings;
    smaller.budget = 60;
    make_program(&init, m->c, m->level + 1, &smaller);
    text_assemble(&m->data, &init);
    text_finish(&init);
    m->has_data = true;
    m->data_label = text_new_label(m->t);
}

/* Appends a program to an empty text. */
static inline void make_program(struct program_text *out, struct choices *c, int level,
                                const struct maker_settings *settings)
{
    static struct maker makers[2]; /* large, and init code is made while its creator is */
    struct maker *m = &makers[level];
    assert(level < 2 && out->count == 0);
    *m = (struct maker){.c = c, .t = out, .budget = settings->budget, .function_now = -1};
    m->make_block = make_block;
    m->level = level;
    m->without_kzg = settings->without_kzg;
    m->breaks = settings->breaks;
    m->is_callee = settings->is_callee;
    if (level == 0 && choose_rarely(c, 3)) make_data(m, settings);
    choose_weights(m);
    if (level == 0) choose_functions(m);
    int locals = (int)choose(c, 8);
    want_items(m, locals);
    while (m->budget > 0 && !choices_are_out(c) && !choose_rarely(c, 30)) {
        make_statement(m);
        if (m->height > STACK_ITEMS_MAX - 150) level_stack(m, m->base);
    }
    make_main_end(m);
    m->budget = settings->budget / 4;
    make_rest(m);
    buffer_finish(&m->data);
}

#endif
