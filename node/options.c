#include "node/options.h"

#include "base/bytes.h"
#include "base/fatal.h"
#include "base/file.h"
#include "node/version.h"

#include <argp.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_FILE_BYTES_MAX 65536

enum option_kind { TEXT, NUMBER, SWITCH };

struct option_row {
    const char      *flag;
    enum option_kind kind;
    const char      *argument;
    const char      *preset;
    uint64_t         min;
    uint64_t         max;
    const char      *help;
    size_t           offset; /* in struct config */
};

static const struct option_row ROWS[] = {
#define X(field, flag, kind, argument, preset, min, max, help)                                     \
    {flag, kind, argument, preset, min, max, help, offsetof(struct config, field)},
    OPTIONS(X)
#undef X
};
#define ROW_COUNT (sizeof ROWS / sizeof *ROWS)
#define FIRST_KEY 1000 /* argp keys beyond any letter */

const char *argp_program_version     = "leaseholdd " NODE_VERSION;
const char *argp_program_bug_address = NULL;

static const char DESCRIPTION[] =
    "The Leasehold node: consensus, contracts, state and JSON-RPC."
    "\vExample, a chain of one validator:\n"
    "  leaseholdd --data-dir node --genesis genesis.json --validator-key key\n\n"
    "Signals: SIGTERM and SIGINT stop cleanly. The exit status is 0 after a clean stop, 1 when the "
    "start was refused (the reason is on stderr), 64 for a wrong command line.";

struct reading {
    struct config *config;
    bool           given[ROW_COUNT];
    char          *error; /* OPTIONS_ERROR_SIZE, "" while all is well */
};

static enum status set_number(uint64_t *out, const struct option_row *row, const char *value,
                              char *error)
{
    char *end = NULL;
    errno     = 0;
    unsigned long long number = strtoull(value, &end, 10);
    bool digits = value[0] != 0 && strspn(value, "0123456789") == strlen(value);
    if (!digits || errno != 0 || number < row->min || number > row->max) {
        snprintf(error, OPTIONS_ERROR_SIZE, "%s: want a number from %llu to %llu, got \"%.100s\"",
                 row->flag, (unsigned long long)row->min, (unsigned long long)row->max, value);
        return E_RANGE;
    }
    *out = number;
    return OK;
}

static enum status set_row(struct config *config, const struct option_row *row, const char *value,
                           char *error)
{
    void *field = (char *)config + row->offset;
    switch (row->kind) {
    case TEXT: {
        char **text = field;
        free(*text);
        *text = must_strdup(value);
        return OK;
    }
    case NUMBER: return set_number(field, row, value, error);
    case SWITCH: *(uint64_t *)field = 1; return OK;
    }
    return E_MALFORMED;
}

static error_t on_flag(int key, char *argument, struct argp_state *state)
{
    struct reading *r = state->input;
    if (key == ARGP_KEY_ARG) {
        argp_error(state, "unexpected argument \"%s\"", argument);
        return EINVAL;
    }
    if (key < FIRST_KEY || key >= FIRST_KEY + (int)ROW_COUNT) return ARGP_ERR_UNKNOWN;
    size_t index = (size_t)(key - FIRST_KEY);
    if (r->error[0] != 0) return 0;
    if (set_row(r->config, &ROWS[index], argument ? argument : "", r->error) == OK)
        r->given[index] = true;
    return 0;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = 0;
    return text;
}

static enum status apply_line(struct reading *r, const char *path, int number, char *line)
{
    line[strcspn(line, "#")] = 0;
    char *key                = trim(line);
    if (*key == 0) return OK;
    char *equals = strchr(key, '=');
    if (equals == NULL) {
        snprintf(r->error, OPTIONS_ERROR_SIZE, "%s:%d: want `name = value`, got \"%.100s\"", path,
                 number, key);
        return E_MALFORMED;
    }
    *equals     = 0;
    char *value = trim(equals + 1);
    key         = trim(key);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        bool allowed = ROWS[i].kind != SWITCH && strcmp(ROWS[i].flag, "config") != 0 &&
                       strcmp(ROWS[i].flag, "print-validator") != 0;
        if (!allowed || strcmp(ROWS[i].flag, key) != 0) continue;
        return r->given[i] ? OK : set_row(r->config, &ROWS[i], value, r->error);
    }
    snprintf(r->error, OPTIONS_ERROR_SIZE, "%s:%d: no option is named \"%.100s\"", path, number,
             key);
    return E_NOT_FOUND;
}

static enum status apply_file(struct reading *r, const char *path)
{
    struct buffer text   = {0};
    int           number = 0;
    enum status   status = file_read(&text, path, CONFIG_FILE_BYTES_MAX);
    if (status != OK)
        snprintf(r->error, OPTIONS_ERROR_SIZE, "cannot read the config file %.200s: %s", path,
                 status_text(status));
    char *copy = must_strdup(buffer_text(&text));
    char *rest = copy;
    for (char *line = strsep(&rest, "\n"); line != NULL && status == OK; line = strsep(&rest, "\n"))
        status = apply_line(r, path, ++number, line);
    free(copy);
    buffer_finish(&text);
    return status;
}

static enum status read_flags(struct reading *r, int argc, char **argv)
{
    struct argp_option options[ROW_COUNT + 1] = {{0}};
    for (size_t i = 0; i < ROW_COUNT; i++) {
        options[i].name = ROWS[i].flag;
        options[i].key  = FIRST_KEY + (int)i;
        options[i].arg  = ROWS[i].argument;
        options[i].doc  = ROWS[i].help;
    }
    struct argp argp = {.options = options, .parser = on_flag, .doc = DESCRIPTION};
    if (argp_parse(&argp, argc, argv, 0, NULL, r) != 0) return E_MALFORMED;
    return r->error[0] != 0 ? E_RANGE : OK;
}

enum status options_read(struct config *out, char error[OPTIONS_ERROR_SIZE], int argc, char **argv)
{
    struct config  config  = {0};
    struct reading reading = {.config = &config, .error = error};
    error[0]               = 0;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (ROWS[i].kind == SWITCH) continue;
        enum status preset = set_row(&config, &ROWS[i], ROWS[i].preset, error);
        assert(preset == OK);
    }
    enum status status = read_flags(&reading, argc, argv);
    if (status == OK && config.config[0] != 0) status = apply_file(&reading, config.config);
    if (status == OK)
        *out = config;
    else
        options_finish(&config);
    return status;
}

void options_finish(struct config *c)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (ROWS[i].kind != TEXT) continue;
        char **text = (char **)(void *)((char *)c + ROWS[i].offset);
        free(*text);
        *text = NULL;
    }
}

/* roff takes '-' as a hyphen and a leading '.' as a request. */
static void print_roff(FILE *out, const char *text)
{
    for (; *text != 0; text++) {
        if (*text == '-' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
}

static void print_man_options(FILE *out)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        fprintf(out, ".TP\n\\fB\\-\\-");
        print_roff(out, ROWS[i].flag);
        fprintf(out, "\\fR");
        if (ROWS[i].argument) fprintf(out, "=\\fI%s\\fR", ROWS[i].argument);
        fprintf(out, "\n");
        print_roff(out, ROWS[i].help);
        if (ROWS[i].preset[0] != 0) {
            fprintf(out, " Default: ");
            print_roff(out, ROWS[i].preset);
            fprintf(out, ".");
        }
        fprintf(out, "\n");
    }
}

void options_print_man(FILE *out)
{
    fprintf(out, ".TH LEASEHOLDD 1 \"\" \"leaseholdd " NODE_VERSION "\" \"Leasehold\"\n"
                 ".SH NAME\nleaseholdd \\- the Leasehold node\n"
                 ".SH SYNOPSIS\n.B leaseholdd\n\\fB\\-\\-data\\-dir\\fR=\\fIDIR\\fR "
                 "[\\fIOPTION\\fR...]\n"
                 ".SH DESCRIPTION\nRuns consensus, contracts and state of a Leasehold network and "
                 "serves Ethereum's JSON\\-RPC over HTTP, and metrics in Prometheus text under "
                 "/metrics.\n"
                 ".SH OPTIONS\n");
    print_man_options(out);
    fprintf(out, ".SH FILES\n.TP\nDIR/genesis.json\nThe network this directory belongs to.\n"
                 ".TP\nDIR/store\nFinal blocks and state.\n"
                 ".TP\nDIR/votes.log\nWhat this validator signed; never copy it to a second node "
                 "and never delete it.\n"
                 ".TP\nDIR/pool.journal\nTransactions that wait for a block.\n"
                 ".TP\nDIR/rpc.port\nThe port that JSON\\-RPC listens on.\n"
                 ".SH EXIT STATUS\n0 after a clean stop by SIGTERM or SIGINT; 1 when the start was "
                 "refused; 64 for a wrong command line.\n"
                 ".SH EXAMPLE\n.nf\nleaseholdd \\-\\-data\\-dir node \\-\\-genesis genesis.json "
                 "\\-\\-validator\\-key key\n.fi\n");
}
