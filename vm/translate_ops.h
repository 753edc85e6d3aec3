/* vm/translate_ops.h - the translator's state, and what each operation becomes. Internal to the
 * translator. */
#ifndef LEASEHOLD_VM_TRANSLATE_OPS_H
#define LEASEHOLD_VM_TRANSLATE_OPS_H

#include "vm/opcodes.h"
#include "vm/program.h"
#include "vm/symbols.h"

/* Constants that the superblock has loaded into temporaries and may use again. */
#define LOADED_MAX 8
struct loaded {
    struct u256 word;
    int slot;
};

#define WORK_OF_OPERATION 2

/* How many known jumps a superblock goes along. */
#define FOLLOWED_MAX 64

struct translator {
    const struct program *program;
    struct code_list list;
    struct code_list exits; /* of the branches: they stand behind the superblock */
    struct symbols symbols;
    size_t start;  /* offset in the bytecode where the superblock begins */
    size_t offset; /* of the next operation */
    uint32_t gas;
    int need;   /* items that must be on the stack at its header */
    int growth; /* by how many items it can exceed the header's height */
    size_t operation_count;
    size_t work; /* operations and words of the stack looked at, in units of some 10 ns */
    size_t loaded_count;
    struct loaded loaded[LOADED_MAX];
    size_t followed_count;
    size_t followed[FOLLOWED_MAX]; /* targets of those jumps */
    bool is_ended;
};

/* Emits what `opcode`, which stands at `offset`, becomes; t->offset is behind it. */
void translate_opcode(struct translator *t, uint8_t opcode, size_t offset);

/* translate_jumps.c */
void translate_jump(struct translator *t);
void translate_jumpi(struct translator *t);
/* Puts the stack in order and ends the superblock with going to the one at `offset`. */
void end_with_exit(struct translator *t, size_t offset);
/* What is true when this comparison is false; or 0. */
enum register_op comparison_inverse(enum register_op op);

/* translate_ops.c: the slot of a word that an instruction can only read from a slot. */
int slot_of(struct translator *t, const struct value *v);

#endif
