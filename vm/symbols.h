/* vm/symbols.h - where the words of the EVM's stack are while a superblock is translated.
 *
 * Positions count from the topmost item at its header, which is 0: what was under it is
 * negative, what it pushes is positive. At entry each position's word is in its own slot. DUP,
 * SWAP, POP and PUSH change only this table; symbols_flush emits the copies that bring every word
 * home again. Operations take constant time, a flush as many steps as positions were touched. */
#ifndef LEASEHOLD_VM_SYMBOLS_H
#define LEASEHOLD_VM_SYMBOLS_H

#include "vm/register_code.h"

#include <stdbool.h>

#define POSITION_MIN (-1008)
#define SLOT_COUNT   (-POSITION_MIN + STACK_HEADROOM)

/* A word: known now, or in a slot then. */
struct value {
    bool is_constant;
    int16_t slot;
    struct u256 word;
};

struct symbols {
    int top;    /* position of the topmost item */
    int lowest; /* positions from here on up are in the table; below, each is in its own slot */
    int temp_count;
    uint16_t readers[SLOT_COUNT]; /* how many positions' words are in slot POSITION_MIN + i */
    struct value items[-POSITION_MIN + TEMP_FIRST];
    /* for symbols_flush_aside */
    uint16_t saved_readers[SLOT_COUNT];
    struct value saved_items[-POSITION_MIN + TEMP_FIRST];
};

/* No slot: for code_list.kept. */
#define KEPT_NONE (-INT16_MAX)

/* Where the emitted code goes: a growing list, and the constants that it names by index. */
struct code_list {
    struct insn *insns;
    size_t count, capacity;
    size_t block_first; /* the superblock's first instruction: none before it may be changed */
    size_t flush_first; /* the first that symbols_flush has emitted */
    int kept[2];        /* slots that the end reads: their makers stay, and nobody else gets them */
    struct u256 *constants;
    size_t constant_count, constant_capacity;
};

/* Appends an instruction; the pointer is good until the next. Slots, not bytes. */
struct insn *emit(struct code_list *list, enum register_op op, int dst, int a, int b);
size_t emit_constant(struct code_list *list, const struct u256 *word); /* its index */
void emit_word(struct code_list *list, int to, const struct u256 *word);
void code_list_finish(struct code_list *list);

/* Whether the instruction reads or writes the slot, as far as its fields tell; if not, true. */
bool insn_touches(const struct insn *insn, int slot);

void symbols_init(struct symbols *s);
void symbols_reset(struct symbols *s);
struct value symbols_at(struct symbols *s, int depth); /* depth 0: the topmost */
void symbols_push(struct symbols *s, const struct value *v);
void symbols_swap(struct symbols *s, int depth);
struct value symbols_pop(struct symbols *s);
/* Pushes a new word and returns the slot that it is to be written to: its home if nothing else is
 * there, or the slot of `x` or `y` (operands just popped, may be NULL) if that became free. */
int symbols_push_new(struct symbols *s, const struct value *x, const struct value *y);
int symbols_temp(struct symbols *s, int count);          /* the first of so many slots in a row */
bool symbols_is_free(const struct symbols *s, int slot); /* no word of the stack is in it */

/* Brings the topmost `count` words into slots in a row, as on the stack, where the lowest may be
 * overwritten; pops them and returns the slot of the topmost. */
int symbols_pop_row(struct symbols *s, struct code_list *list, int count);
/* Every word into its own slot. */
void symbols_flush(struct symbols *s, struct code_list *list);
/* The same for a way that leaves here: what is emitted goes there, and the table stays. */
void symbols_flush_aside(struct symbols *s, struct code_list *aside);

#endif
