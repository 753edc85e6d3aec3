/* ptx_read.h - cuts PTX text into statements, for those who judge it (ptx_scan) or add to it
 * (ptx_rewrite).
 *
 * Follows the grammar of NVIDIA's "PTX ISA" as far as NVRTC uses it; whatever else there may be
 * ends the reading with a message, and so no text is passed on that was not understood. Statements
 * and words point into the text, which must outlive them. libc only, allocates nothing. Any thread.
 * */
#ifndef LEASEHOLD_RUNNER_PTX_READ_H
#define LEASEHOLD_RUNNER_PTX_READ_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define PTX_PROBLEM_MAX 96

struct ptx_word { /* a piece of the text, not ended by a zero */
    const char *at;
    size_t size;
};

enum ptx_kind {
    PTX_END,
    PTX_OPEN,        /* { of a function's body or a block */
    PTX_CLOSE,       /* } */
    PTX_LABEL,       /* name: */
    PTX_INSTRUCTION, /* head is the opcode with all its modifiers */
    PTX_FUNCTION,    /* head is .entry or .func; name; the rest up to its { or ; is in operands */
    PTX_VARIABLE,    /* head is the state space; name; operands is the whole declaration */
    PTX_LOCATION,    /* .loc: operands is what follows */
    PTX_FILE,        /* .file */
    PTX_DIRECTIVE,   /* any other: head is its name */
    PTX_BROKEN       /* not understood: reader.problem says what */
};

struct ptx_statement {
    enum ptx_kind kind;
    struct ptx_word whole; /* from its first byte to behind its last */
    struct ptx_word guard; /* "%p1" of "@%p1", "!%p1" of "@!%p1", or empty */
    struct ptx_word head;
    struct ptx_word name;
    struct ptx_word operands;
    bool is_extern;
    unsigned line; /* of the PTX, from 1 */
};

struct ptx_reader {
    const char *at;
    const char *end;
    unsigned line;
    unsigned depth; /* of braces around the next statement */
    char problem[PTX_PROBLEM_MAX];
};

struct ptx_reader ptx_read(const char *text, size_t size);
/* The next statement; PTX_END at the end, PTX_BROKEN again and again after a problem. */
void ptx_next(struct ptx_reader *r, struct ptx_statement *out);

bool ptx_is(struct ptx_word word, const char *text);
bool ptx_same(struct ptx_word a, struct ptx_word b);
/* Takes the next word of names, numbers and registers off `rest`, leaving out all else; an empty
 * word when there is none. */
struct ptx_word ptx_take(struct ptx_word *rest);

#endif
