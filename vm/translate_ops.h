/* vm/translate_ops.h - the translator's state, and what each operation becomes. Internal to the
 * translator. */
#ifndef LEASEHOLD_VM_TRANSLATE_OPS_H
#define LEASEHOLD_VM_TRANSLATE_OPS_H

#include "vm/opcodes.h"
#include "vm/program.h"
#include "vm/symbols.h"

/* Constants that the block has loaded into temporaries and may use again. */
#define LOADED_MAX 8
struct loaded {
    struct u256 word;
    int slot;
};

enum block_end {
    BLOCK_OPEN,
    BLOCK_FALLS,   /* into the next block, with the stack as it is */
    BLOCK_RESUMES, /* the next block is entered with sp set: behind a JUMPI, a call, a create */
    BLOCK_ENDS,    /* what follows is reached by jumps only */
};

struct translator {
    const struct program *program;
    size_t offset; /* of the operation in the bytecode */
    struct code_list list;
    struct symbols symbols;
    uint32_t *targets;
    /* of the current block */
    size_t headers; /* index of the first; every other instruction is one */
    size_t header_count;
    size_t run; /* JUMPDESTs that it begins with */
    uint32_t gas;
    int need;   /* items that must be on the stack at its entry */
    int growth; /* by how many items it can exceed the entry's height */
    size_t operation_count;
    size_t loaded_count;
    struct loaded loaded[LOADED_MAX];
    enum block_end end;
};

/* Emits what `opcode`, at t->offset, becomes; sets t->end if it ends the block. */
void translate_opcode(struct translator *t, uint8_t opcode);

/* translate_jumps.c */
void translate_jump(struct translator *t);
void translate_jumpi(struct translator *t);
/* The slot of a word that an instruction can only read from a slot. */
int slot_of(struct translator *t, const struct value *v);
/* What is true when this comparison is false, and the jump that does both at once; or 0. */
enum register_op comparison_inverse(enum register_op op);
enum register_op comparison_branch(enum register_op op);

#endif
