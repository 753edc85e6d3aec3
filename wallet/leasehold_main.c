/* leasehold: the command line of renters, providers and everybody. commands.c is the program. */
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

int main(int argc, char **argv)
{
    struct invocation in = {0};
    char error[JSON_ERROR_SIZE] = "";
    if (invocation_read(&in, error, argc, argv) != OK) {
        fprintf(stderr, "leasehold: %s\n", error);
        return CODE_USAGE;
    }
    if (in.print_man) return print_text(help_man);
    if (in.command == NULL) {
        print_text(help_overview);
        return option_on(&in, OPTION_HELP) ? CODE_DONE : CODE_USAGE;
    }
    if (option_on(&in, OPTION_HELP)) return print_help(in.command);
    return run(&in);
}
