/* vm/translate.h - bytecode to register code (register_code.h), one superblock at a time.
 *
 * A superblock begins wherever hot code was come to: program.h says when. A pure function of the
 * code and the offset, whatever was translated before. */
#ifndef LEASEHOLD_VM_TRANSLATE_H
#define LEASEHOLD_VM_TRANSLATE_H

#include "vm/program.h"
#include "vm/register_code.h"

/* The tables for a program, without any superblock yet. What it holds is counted in *total_bytes,
 * which must outlive it. */
struct register_code *register_code_create(const struct program *p, size_t *total_bytes);
void register_code_destroy(struct register_code *r);

/* What a translation needs and the next one can use again. */
struct translator;
struct translator *translator_create(void);
void translator_destroy(struct translator *t);

/* A superblock ends when it has cost so much work, so that what follows is paid for first. */
#define TRANSLATE_WORK_MAX 4096

/* Adds the superblock at `offset` (at most the code's size) to p->fast. Returns the work that it
 * was, in units of some 10 ns, little above TRANSLATE_WORK_MAX at most; 0 if p->fast is full. */
size_t translate(struct translator *t, struct program *p, size_t offset);

#endif
