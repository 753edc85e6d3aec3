/* leasehold: the command line of renters, providers and everybody. commands.c is the program. */
#include "wallet/handlers.h"
#include "wallet/output.h"
#include "wallet/session.h"

#include <stdio.h>
#include <string.h>

static int print_text(void (*make)(struct buffer *))
{
    struct buffer text = {0};
    make(&text);
    fwrite(text.data, 1, text.size, stdout);
    buffer_finish(&text);
    return CODE_DONE;
}

static int print_help(const struct command *c)
{
    struct buffer text = {0};
    help_command(&text, c);
    fwrite(text.data, 1, text.size, stdout);
    buffer_finish(&text);
    return CODE_DONE;
}

static int run(const struct invocation *in)
{
    struct session s;
    int code = session_init(&s, in);
    if (code == CODE_DONE) code = in->command->run(&s);
    session_finish(&s);
    return code;
}

/* For what cannot be read as a command line. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0) return true;
    return false;
}

int main(int argc, char **argv)
{
    struct invocation in = {0};
    char error[JSON_ERROR_SIZE] = "";
    if (invocation_read(&in, error, argc, argv) != OK)
        return fail(&(struct session){.json = wants_json(argc, argv)}, CODE_USAGE, "%s", error);
    if (in.print_man) return print_text(help_man);
    if (in.command == NULL && in.word_count > 0) {
        struct session family = {.in = &in};
        return show_help(&family);
    }
    if (in.command == NULL) {
        print_text(help_overview);
        return option_on(&in, OPTION_HELP) ? CODE_DONE : CODE_USAGE;
    }
    if (option_on(&in, OPTION_HELP)) return print_help(in.command);
    return run(&in);
}
