#include "wallet/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert(OPTION_COUNT <= 64, "option sets are bits of 64");

const struct option_info OPTION_TABLE[OPTION_COUNT] = {
#define X(id, flag, argument, completes, help) {flag, argument, completes, help},
    WALLET_OPTIONS(X)
#undef X
};

bool option_on(const struct invocation *in, enum wallet_option id)
{
    return in->values[id] != NULL;
}

const struct command *command_find(const char *path)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(COMMANDS[i].path, path) == 0) return &COMMANDS[i];
    return NULL;
}

static enum wallet_option find_option(const char *flag, size_t size)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const char *known = OPTION_TABLE[i].flag;
        if (strlen(known) == size && strncmp(known, flag, size) == 0) return (enum wallet_option)i;
    }
    return OPTION_COUNT;
}

static enum status keep_value(struct invocation *in, char *error, enum wallet_option id,
                              const char *value)
{
    if (id == OPTION_PROVIDER) {
        if (in->provider_count == REPEATED_MAX) {
            snprintf(error, JSON_ERROR_SIZE, "--provider may be given %d times", REPEATED_MAX);
            return E_LIMIT;
        }
        in->providers[in->provider_count++] = value;
    } else if (in->values[id] != NULL && OPTION_TABLE[id].argument != NULL) {
        snprintf(error, JSON_ERROR_SIZE, "--%s is given twice", OPTION_TABLE[id].flag);
        return E_MALFORMED;
    }
    in->values[id] = value;
    return OK;
}

/* argv[*at] starts with "--"; moves *at past a value that stands apart. */
static enum status read_option(struct invocation *in, char *error, char **argv, int *at)
{
    const char *flag = argv[*at] + 2;
    const char *equals = strchr(flag, '=');
    size_t size = equals != NULL ? (size_t)(equals - flag) : strlen(flag);
    enum wallet_option id = find_option(flag, size);
    if (strcmp(flag, "print-man") == 0) {
        in->print_man = true;
        return OK;
    }
    if (id == OPTION_COUNT) {
        snprintf(error, JSON_ERROR_SIZE, "no option --%.*s; see: leasehold help",
                 (int)(size < 60 ? size : 60), flag);
        return E_MALFORMED;
    }
    const struct option_info *o = &OPTION_TABLE[id];
    if (o->argument == NULL) {
        if (equals == NULL) return keep_value(in, error, id, "");
        snprintf(error, JSON_ERROR_SIZE, "--%s takes no value", o->flag);
        return E_MALFORMED;
    }
    if (equals != NULL) return keep_value(in, error, id, equals + 1);
    if (argv[*at + 1] == NULL) {
        snprintf(error, JSON_ERROR_SIZE, "--%s needs a value: --%s %s", o->flag, o->flag,
                 o->argument);
        return E_MALFORMED;
    }
    return keep_value(in, error, id, argv[++*at]);
}

static enum status split(struct invocation *in, char *error, int argc, char **argv)
{
    bool options_end = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        enum status status = OK;
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && strcmp(word, "-h") == 0) {
            in->values[OPTION_HELP] = "";
        } else if (!options_end && strncmp(word, "--", 2) == 0) {
            status = read_option(in, error, argv, &i);
        } else if (in->word_count == WORDS_MAX) {
            snprintf(error, JSON_ERROR_SIZE, "too many words: %.80s", word);
            status = E_LIMIT;
        } else {
            in->words[in->word_count++] = word;
        }
        if (status != OK) return status;
    }
    return OK;
}

/* The longest command that the first words name; drops them from the words. */
static void take_command(struct invocation *in)
{
    char path[128] = "";
    for (size_t count = in->word_count < 2 ? in->word_count : 2; count > 0; count--) {
        snprintf(path, sizeof path, "%.50s%s%.50s", in->words[0], count == 2 ? " " : "",
                 count == 2 ? in->words[1] : "");
        in->command = command_find(path);
        if (in->command == NULL) continue;
        in->word_count -= count;
        memmove(in->words, in->words + count, in->word_count * sizeof *in->words);
        return;
    }
}

static enum status no_such_command(const struct invocation *in, char *error)
{
    size_t size = strlen(in->words[0]);
    char known[160] = "";
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *path = COMMANDS[i].path;
        if (strncmp(path, in->words[0], size) != 0 || path[size] != ' ') continue;
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used > 0 ? ", " : "", path + size + 1);
    }
    if (known[0] != '\0') {
        snprintf(error, JSON_ERROR_SIZE, "leasehold %.30s needs one of: %s", in->words[0], known);
    } else {
        snprintf(error, JSON_ERROR_SIZE, "no command %.60s; see: leasehold help", in->words[0]);
    }
    return E_MALFORMED;
}

static enum status check_fit(const struct invocation *in, char *error)
{
    const struct command *c = in->command;
    for (int i = 0; i < OPTION_COUNT; i++) {
        bool known = ((c->options | OPTIONS_GLOBAL) & (1ull << i)) != 0;
        if (in->values[i] == NULL || known) continue;
        snprintf(error, JSON_ERROR_SIZE, "leasehold %s takes no --%s", c->path,
                 OPTION_TABLE[i].flag);
        return E_MALFORMED;
    }
    if (option_on(in, OPTION_HELP)) return OK;
    if (in->word_count < c->words_min || in->word_count > c->words_max) {
        snprintf(error, JSON_ERROR_SIZE, "%s: leasehold %s %s",
                 in->word_count < c->words_min ? "something is missing" : "too many words", c->path,
                 c->arguments);
        return E_MALFORMED;
    }
    return OK;
}

enum status invocation_read(struct invocation *out, char error[JSON_ERROR_SIZE], int argc,
                            char **argv)
{
    struct invocation in = {0};
    enum status status = split(&in, error, argc, argv);
    if (status != OK) return status;
    take_command(&in);
    if (in.command != NULL) {
        status = check_fit(&in, error);
    } else if (in.word_count > 0 && !in.print_man && !option_on(&in, OPTION_HELP)) {
        status = no_such_command(&in, error);
    }
    if (status == OK) *out = in;
    return status;
}
