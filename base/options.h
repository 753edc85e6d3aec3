/* options.h - one table makes a program's flags, config keys, defaults, help and man page.
 *
 * The program writes its table as an X-macro, makes its config struct and its rows of it
 * (OPTION_FIELD, OPTION_ROW), and calls options_read once. A flag beats the config file, which
 * beats the default. The config file has `key = value` lines with the flags' long names as keys;
 * '#' starts a comment; the option that names the file is called "config". Not for threads. */
#ifndef LEASEHOLD_BASE_OPTIONS_H
#define LEASEHOLD_BASE_OPTIONS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_ERROR_SIZE 512
#define OPTIONS_ROWS_MAX   64

enum option_kind {
    OPTION_TEXT,    /* const char *, owned by the config until options_finish */
    OPTION_NUMBER,  /* uint64_t from min to max */
    OPTION_SWITCH,  /* uint64_t, 0 or 1 */
    OPTION_COMMAND, /* like TEXT or SWITCH, but an act: no config key */
};

struct option_row {
    const char *flag; /* "gas" is --gas; one letter, "t", is -t */
    enum option_kind kind;
    const char *argument; /* NULL: none */
    const char *preset;   /* the default */
    uint64_t min;
    uint64_t max;
    const char *help;
    size_t offset; /* in the program's config struct */
};

/* Table columns: field, flag, kind, argument, default, smallest, largest, help */
#define OPTION_TYPE_TEXT                                                  const char *
#define OPTION_TYPE_NUMBER                                                uint64_t
#define OPTION_TYPE_SWITCH                                                uint64_t
#define OPTION_FIELD(field, flag, kind, argument, preset, min, max, help) OPTION_TYPE_##kind field;
#define OPTION_ROW(config_struct, field, flag, kind, argument, preset, min, max, help)             \
    {flag, OPTION_##kind, argument, preset, min, max, help, offsetof(config_struct, field)},

struct option_program {
    const char *name;        /* "leaseholdd" */
    const char *summary;     /* after the name in the man page: "the Leasehold node" */
    const char *synopsis;    /* roff */
    const char *description; /* one paragraph */
    const char *epilogue;    /* below the options in --help; may be NULL */
    const char *man_tail;    /* roff sections after OPTIONS */
    const char *words_doc;   /* "[COMMAND]"; NULL: words are refused */
    const struct option_row *rows;
    size_t count;
};

/* Reads the command line and the config file into the zeroed `config`. Words that are no flags go
 * into *word (one at most; NULL when there is none). On failure `error` says what to change and
 * the config holds nothing. --help and --version print and exit the process, as argp does. */
MUST_CHECK enum status options_read(const struct option_program *program, void *config,
                                    char error[OPTIONS_ERROR_SIZE], int argc, char **argv,
                                    const char **word);
/* The same for programs that take many words, at least `min`: they go to items, which holds as
 * many as argv, in order. They are argv's own. */
struct option_words {
    const char **items;
    size_t min;
    size_t count;
};
MUST_CHECK enum status options_read_words(const struct option_program *program, void *config,
                                          char error[OPTIONS_ERROR_SIZE], int argc, char **argv,
                                          struct option_words *words);
void options_finish(const struct option_program *program, void *config);
void options_print_man(const struct option_program *program, FILE *out);

#endif
