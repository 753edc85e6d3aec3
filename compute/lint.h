/* lint.h - words in a job's source that its authors should not rely on: a look without a compiler.
 *
 * Finds names that the deterministic profile has not (with what to write in their place) and what
 * makes one source mean different things to different compilers, which no compiler would tell. It
 * reads words and not the language: `job check` shows what it finds beside what compilers say. Any
 * thread. */
#ifndef LEASEHOLD_COMPUTE_LINT_H
#define LEASEHOLD_COMPUTE_LINT_H

#include "base/bytes.h"

#include <stdbool.h>

#define LINT_FINDINGS_MAX 64
#define LINT_WORD_SIZE    48

struct lint_finding {
    const char *file; /* as it was passed */
    unsigned line;
    char word[LINT_WORD_SIZE];
    const char *hint;
    bool fatal; /* no deterministic job can have it */
};

struct lint {
    size_t count; /* kept */
    size_t total;
    size_t fatal;
    struct lint_finding findings[LINT_FINDINGS_MAX];
};

/* Adds what is found in one file. `file` must outlive *l. */
void lint_text(struct lint *l, const char *file, struct bytes text);

#endif
