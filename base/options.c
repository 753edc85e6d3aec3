#include "base/options.h"

#include "base/bytes.h"
#include "base/fatal.h"
#include "base/file.h"
#include "base/version.h"

#include <argp.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_FILE_BYTES_MAX 65536
#define FIRST_KEY             1000 /* argp keys beyond any letter */
#define CONFIG_FLAG           "config"
#define DOC_SIZE              600

struct reading {
    const struct option_program *program;
    void *config;
    bool given[OPTIONS_ROWS_MAX];
    struct option_words *words;
    size_t words_max;
    char *error; /* OPTIONS_ERROR_SIZE, "" while all is well */
};

static enum status set_number(uint64_t *out, const struct option_row *row, const char *value,
                              char *error)
{
    errno = 0;
    unsigned long long number = strtoull(value, NULL, 10);
    bool digits = value[0] != 0 && strspn(value, "0123456789") == strlen(value);
    if (!digits || errno != 0 || number < row->min || number > row->max) {
        snprintf(error, OPTIONS_ERROR_SIZE, "%s: want a number from %llu to %llu, got \"%.100s\"",
                 row->flag, (unsigned long long)row->min, (unsigned long long)row->max, value);
        return E_RANGE;
    }
    *out = number;
    return OK;
}

static void *field_of(void *config, const struct option_row *row)
{
    return (char *)config + row->offset;
}

static enum status set_row(void *config, const struct option_row *row, const char *value,
                           char *error)
{
    switch (row->kind) {
    case OPTION_TEXT: {
        char **text = field_of(config, row);
        free(*text);
        *text = must_strdup(value);
        return OK;
    }
    case OPTION_NUMBER: return set_number(field_of(config, row), row, value, error);
    case OPTION_COMMAND:
    case OPTION_SWITCH: *(uint64_t *)field_of(config, row) = 1; return OK;
    }
    return E_MALFORMED;
}

static bool is_short(const struct option_row *row)
{
    return row->flag[1] == 0;
}

static int key_of(const struct option_program *program, size_t index)
{
    const struct option_row *row = &program->rows[index];
    return is_short(row) ? row->flag[0] : FIRST_KEY + (int)index;
}

static error_t on_flag(int key, char *argument, struct argp_state *state)
{
    struct reading *r = state->input;
    if (key == ARGP_KEY_ARG) {
        if (r->program->words_doc == NULL || r->words->count == r->words_max)
            argp_error(state, "unexpected argument \"%s\"", argument);
        r->words->items[r->words->count++] = argument;
        return 0;
    }
    size_t index = 0;
    while (index < r->program->count && key_of(r->program, index) != key)
        index++;
    if (index == r->program->count) return ARGP_ERR_UNKNOWN;
    if (r->error[0] != 0) return 0;
    const struct option_row *row = &r->program->rows[index];
    if (set_row(r->config, row, argument ? argument : "", r->error) == OK) r->given[index] = true;
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

static bool is_config_key(const struct option_row *row)
{
    return (row->kind == OPTION_TEXT || row->kind == OPTION_NUMBER) &&
           strcmp(row->flag, CONFIG_FLAG) != 0;
}

static enum status apply_line(struct reading *r, const char *path, int number, char *line)
{
    line[strcspn(line, "#")] = 0;
    char *key = trim(line);
    if (*key == 0) return OK;
    char *equals = strchr(key, '=');
    if (equals == NULL) {
        snprintf(r->error, OPTIONS_ERROR_SIZE, "%s:%d: want `name = value`, got \"%.100s\"", path,
                 number, key);
        return E_MALFORMED;
    }
    *equals = 0;
    char *value = trim(equals + 1);
    key = trim(key);
    for (size_t i = 0; i < r->program->count; i++) {
        const struct option_row *row = &r->program->rows[i];
        if (!is_config_key(row) || strcmp(row->flag, key) != 0) continue;
        return r->given[i] ? OK : set_row(r->config, row, value, r->error);
    }
    snprintf(r->error, OPTIONS_ERROR_SIZE, "%s:%d: no option is named \"%.100s\"", path, number,
             key);
    return E_NOT_FOUND;
}

static enum status apply_file(struct reading *r, const char *path)
{
    struct buffer text = {0};
    int number = 0;
    enum status status = file_read(&text, path, CONFIG_FILE_BYTES_MAX);
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

static void print_version(FILE *stream, struct argp_state *state)
{
    const struct reading *r = state->input;
    fprintf(stream, "%s %s\n", r->program->name, LEASEHOLD_VERSION);
}

static void fill_flags(struct argp_option *out, char (*docs)[DOC_SIZE],
                       const struct option_program *program)
{
    for (size_t i = 0; i < program->count; i++) {
        const struct option_row *row = &program->rows[i];
        bool preset = row->preset[0] != 0;
        snprintf(docs[i], DOC_SIZE, "%s%s%s%s", row->help, preset ? " Default: " : "", row->preset,
                 preset ? "." : "");
        out[i].name = is_short(row) ? NULL : row->flag;
        out[i].key = key_of(program, i);
        out[i].arg = row->argument;
        out[i].doc = docs[i];
    }
}

static enum status read_flags(struct reading *r, int argc, char **argv)
{
    const struct option_program *program = r->program;
    struct argp_option options[OPTIONS_ROWS_MAX + 1] = {{0}};
    char docs[OPTIONS_ROWS_MAX][DOC_SIZE];
    fill_flags(options, docs, program);
    struct buffer doc = {0};
    buffer_print(&doc, "%s", program->description);
    if (program->epilogue) buffer_print(&doc, "\v%s", program->epilogue);
    struct argp argp = {.options = options,
                        .parser = on_flag,
                        .args_doc = program->words_doc,
                        .doc = buffer_text(&doc)};
    argp_program_version_hook = print_version;
    error_t refused = argp_parse(&argp, argc, argv, 0, NULL, r);
    buffer_finish(&doc);
    if (refused) return E_MALFORMED;
    return r->error[0] != 0 ? E_RANGE : OK;
}

static const char *config_path(const struct option_program *program, void *config)
{
    for (size_t i = 0; i < program->count; i++) {
        if (strcmp(program->rows[i].flag, CONFIG_FLAG) != 0) continue;
        return *(const char **)field_of(config, &program->rows[i]);
    }
    return "";
}

static void set_presets(const struct option_program *program, void *config, char *error)
{
    for (size_t i = 0; i < program->count; i++) {
        const struct option_row *row = &program->rows[i];
        if (row->kind != OPTION_TEXT && row->kind != OPTION_NUMBER) continue;
        enum status preset = set_row(config, row, row->preset, error);
        assert(preset == OK);
    }
}

static enum status read_all(struct reading *r, int argc, char **argv)
{
    assert(r->program->count <= OPTIONS_ROWS_MAX);
    r->error[0] = 0;
    set_presets(r->program, r->config, r->error);
    enum status status = read_flags(r, argc, argv);
    const char *path = config_path(r->program, r->config);
    if (status == OK && path[0] != 0) status = apply_file(r, path);
    if (status != OK) options_finish(r->program, r->config);
    return status;
}

enum status options_read(const struct option_program *program, void *config,
                         char error[OPTIONS_ERROR_SIZE], int argc, char **argv, const char **word)
{
    const char *item = NULL;
    struct option_words words = {.items = &item};
    struct reading reading = {
        .program = program, .config = config, .words = &words, .words_max = 1, .error = error};
    enum status status = read_all(&reading, argc, argv);
    if (status == OK && word) *word = item;
    return status;
}

enum status options_read_words(const struct option_program *program, void *config,
                               char error[OPTIONS_ERROR_SIZE], int argc, char **argv,
                               struct option_words *words)
{
    struct reading reading = {.program = program,
                              .config = config,
                              .words = words,
                              .words_max = (size_t)argc,
                              .error = error};
    words->count = 0;
    enum status status = read_all(&reading, argc, argv);
    if (status != OK || words->count >= words->min) return status;
    snprintf(error, OPTIONS_ERROR_SIZE, "want %s (see --help)", program->words_doc);
    options_finish(program, config);
    return E_MALFORMED;
}

void options_finish(const struct option_program *program, void *config)
{
    for (size_t i = 0; i < program->count; i++) {
        if (program->rows[i].kind != OPTION_TEXT) continue;
        char **text = field_of(config, &program->rows[i]);
        free(*text);
        *text = NULL;
    }
}

/* roff takes '-' as a hyphen. */
static void print_roff(FILE *out, const char *text)
{
    for (; *text != 0; text++) {
        if (*text == '-' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
}

static void print_man_option(const struct option_row *row, FILE *out)
{
    fprintf(out, ".TP\n\\fB%s", is_short(row) ? "\\-" : "\\-\\-");
    print_roff(out, row->flag);
    fprintf(out, "\\fR");
    if (row->argument) fprintf(out, "%s\\fI%s\\fR", is_short(row) ? " " : "=", row->argument);
    fprintf(out, "\n");
    print_roff(out, row->help);
    if (row->preset[0] != 0) {
        fprintf(out, " Default: ");
        print_roff(out, row->preset);
        fprintf(out, ".");
    }
    fprintf(out, "\n");
}

void options_print_man(const struct option_program *program, FILE *out)
{
    fputs(".TH ", out);
    for (const char *c = program->name; *c; c++)
        fputc(toupper((unsigned char)*c), out);
    fprintf(out, " 1 \"\" \"%s %s\" \"Leasehold\"\n.SH NAME\n", program->name, LEASEHOLD_VERSION);
    print_roff(out, program->name);
    fputs(" \\- ", out);
    print_roff(out, program->summary);
    fprintf(out, "\n.SH SYNOPSIS\n%s\n.SH DESCRIPTION\n", program->synopsis);
    print_roff(out, program->description);
    fputs("\n.SH OPTIONS\n", out);
    for (size_t i = 0; i < program->count; i++)
        print_man_option(&program->rows[i], out);
    fputs(program->man_tail, out);
}
