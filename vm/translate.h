/* vm/translate.h - bytecode to register code (register_code.h), one basic block at a time.
 *
 * A block begins at offset 0, at each JUMPDEST, behind each JUMPI, call and create, and where a
 * block would grow too long. Costs about what running each operation a few times costs, so it is
 * for code that runs hot: program.h says when. A pure function of the code. */
#ifndef LEASEHOLD_VM_TRANSLATE_H
#define LEASEHOLD_VM_TRANSLATE_H

#include "vm/program.h"
#include "vm/register_code.h"

/* The caller frees it, with free(). */
struct register_code *translate(const struct program *p);

#endif
