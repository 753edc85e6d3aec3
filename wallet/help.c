#include "base/version.h"
#include "wallet/options.h"
#include "wallet/session.h"

#include <stdio.h>
#include <string.h>

void help_overview(struct buffer *out)
{
    buffer_print(out, "leasehold - rent GPUs, and rent them out, on a Leasehold chain\n\n"
                      "usage: leasehold COMMAND [ARGUMENT...] [--OPTION...]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct command *c = &COMMANDS[i];
        buffer_print(out, "  %-20s %s\n", c->path, c->summary);
    }
    buffer_print(out, "\nleasehold help COMMAND, or leasehold COMMAND --help, says more.\n");
}

static void append_option(struct buffer *out, int id)
{
    const struct option_info *o = &OPTION_TABLE[id];
    char flag[80];
    snprintf(flag, sizeof flag, "--%s%s%s", o->flag, o->argument != NULL ? " " : "",
             o->argument != NULL ? o->argument : "");
    if (strlen(flag) > 26) {
        buffer_print(out, "  %s\n  %-26s %s\n", flag, "", o->help);
    } else {
        buffer_print(out, "  %-26s %s\n", flag, o->help);
    }
}

static void append_options(struct buffer *out, uint64_t options)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if ((options & (1ull << i)) != 0) append_option(out, i);
}

void help_command(struct buffer *out, const struct command *c)
{
    buffer_print(out, "usage: leasehold %s%s%s%s\n\n%s\n", c->path,
                 c->arguments[0] != '\0' ? " " : "", c->arguments,
                 c->options != 0 ? " [--OPTION...]" : "", c->summary);
    if (c->details[0] != '\0') buffer_print(out, "\n%s\n", c->details);
    if (c->options != 0) buffer_print(out, "\noptions:\n");
    append_options(out, c->options);
    buffer_print(out, "\noptions of every command:\n");
    append_options(out, OPTIONS_GLOBAL);
}

/* Text for roff: backslashes doubled, hyphens as minus signs, no line that starts as a request. */
static void append_roff(struct buffer *out, const char *text)
{
    if (*text == '.' || *text == '\'') buffer_print(out, "\\&");
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '-') buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)*text);
        if (*text == '\n' && (text[1] == '.' || text[1] == '\'')) buffer_print(out, "\\&");
    }
}

static void append_man_option(struct buffer *out, int id)
{
    const struct option_info *o = &OPTION_TABLE[id];
    buffer_print(out, ".TP\n\\fB\\-\\-");
    append_roff(out, o->flag);
    buffer_print(out, "\\fR");
    if (o->argument != NULL) {
        buffer_print(out, " \\fI");
        append_roff(out, o->argument);
        buffer_print(out, "\\fR");
    }
    buffer_print(out, "\n");
    append_roff(out, o->help);
    buffer_print(out, "\n");
}

static void append_man_command(struct buffer *out, const struct command *c)
{
    buffer_print(out, ".SS leasehold ");
    append_roff(out, c->path);
    if (c->arguments[0] != '\0') buffer_print(out, " ");
    append_roff(out, c->arguments);
    buffer_print(out, "\n");
    append_roff(out, c->summary);
    buffer_print(out, "\n");
    if (c->details[0] != '\0') {
        buffer_print(out, ".PP\n.nf\n");
        append_roff(out, c->details);
        buffer_print(out, "\n.fi\n");
    }
    for (int i = 0; i < OPTION_COUNT; i++)
        if ((c->options & (1ull << i)) != 0) append_man_option(out, i);
}

void help_man(struct buffer *out)
{
    buffer_print(out,
                 ".TH LEASEHOLD 1 \"\" \"Leasehold %s\"\n.SH NAME\n"
                 "leasehold \\- rent GPUs, and rent them out, on a Leasehold chain\n"
                 ".SH SYNOPSIS\n.B leasehold\n\\fICOMMAND\\fR [\\fIARGUMENT\\fR...] "
                 "[\\fB\\-\\-OPTION\\fR...]\n"
                 ".SH DESCRIPTION\nAccounts, payments, GPU search, jobs and local networks. "
                 "Amounts are written as 1.5 LSH, 3 gwei or 7 wei; a bare number is LSH. "
                 "Passwords come from a file, the environment or a prompt, never from the "
                 "command line.\n.SH OPTIONS OF EVERY COMMAND\n",
                 LEASEHOLD_VERSION);
    for (int i = 0; i < OPTION_COUNT; i++)
        if ((OPTIONS_GLOBAL & (1ull << i)) != 0) append_man_option(out, i);
    buffer_print(out, ".SH COMMANDS\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        append_man_command(out, &COMMANDS[i]);
    buffer_print(out, ".SH EXIT STATUS\n");
#define X(number, name, text) buffer_print(out, ".TP\n%d\n%s\n", number, text);
    EXIT_CODES(X)
#undef X
    buffer_print(out,
                 ".SH ENVIRONMENT\n.TP\nLEASEHOLD_RPC, LEASEHOLD_FROM, LEASEHOLD_KEYSTORE\n"
                 "Defaults of the options of these names.\n"
                 ".TP\nLEASEHOLD_PASSWORD, LEASEHOLD_PASSWORD_FILE\nThe password, or the file "
                 "whose first line it is.\n"
                 ".TP\nLEASEHOLD_HOME\nInstead of ~/.leasehold.\n"
                 ".SH FILES\n.TP\n~/.leasehold/keystore\nKey files (Web3 Secret Storage, version "
                 "3).\n.TP\n~/.leasehold/jobs\nWhat job resume and job fetch need of each job.\n"
                 ".TP\n~/.leasehold/devnet\nThe local network of devnet up.\n"
                 ".SH SEE ALSO\nleaseholdd(1), leasehold\\-worker(1)\n");
}

/* ---- completion ---- */

static bool is_family(const char *path, size_t *size)
{
    const char *space = strchr(path, ' ');
    *size = space != NULL ? (size_t)(space - path) : strlen(path);
    return space != NULL;
}

static bool seen_before(size_t index, size_t size)
{
    for (size_t i = 0; i < index; i++) {
        size_t other = 0;
        is_family(COMMANDS[i].path, &other);
        if (other == size && strncmp(COMMANDS[i].path, COMMANDS[index].path, size) == 0)
            return true;
    }
    return false;
}

static void append_first_words(struct buffer *out)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t size = 0;
        is_family(COMMANDS[i].path, &size);
        if (!seen_before(i, size)) buffer_print(out, "%.*s ", (int)size, COMMANDS[i].path);
    }
}

static void append_second_words(struct buffer *out)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t size = 0;
        if (!is_family(COMMANDS[i].path, &size) || seen_before(i, size)) continue;
        buffer_print(out, "        %.*s) words='", (int)size, COMMANDS[i].path);
        for (size_t k = i; k < COMMAND_COUNT; k++) {
            const char *path = COMMANDS[k].path;
            if (strncmp(path, COMMANDS[i].path, size) == 0 && path[size] == ' ')
                buffer_print(out, "%s ", path + size + 1);
        }
        buffer_print(out, "' ;;\n");
    }
}

static void append_option_words(struct buffer *out)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        buffer_print(out, "        '%s') options='", COMMANDS[i].path);
        for (int k = 0; k < OPTION_COUNT; k++)
            if (((COMMANDS[i].options | OPTIONS_GLOBAL) & (1ull << k)) != 0)
                buffer_print(out, "--%s ", OPTION_TABLE[k].flag);
        buffer_print(out, "' ;;\n");
    }
}

#define ACCOUNT_NAMES                                                                              \
    "$(leasehold account list --json 2>/dev/null | sed -n "                                        \
    "'s/^ *\"name\": \"\\([^\"]*\\)\".*/\\1/p')"

static void append_value_words(struct buffer *out)
{
    for (int k = 0; k < OPTION_COUNT; k++) {
        const char *kind = OPTION_TABLE[k].completes;
        const char *how = NULL;
        if (strcmp(kind, "file") == 0) how = "COMPREPLY=($(compgen -f -- \"$current\"))";
        if (strcmp(kind, "folder") == 0) how = "COMPREPLY=($(compgen -d -- \"$current\"))";
        if (strcmp(kind, "sort") == 0)
            how = "COMPREPLY=($(compgen -W 'price vram agreed stake' -- \"$current\"))";
        if (strcmp(kind, "runtime") == 0)
            how = "COMPREPLY=($(compgen -W 'cuda-c cuda-c-fast exec' -- \"$current\"))";
        if (strcmp(kind, "account") == 0)
            how = "COMPREPLY=($(compgen -W \"" ACCOUNT_NAMES "\" -- \"$current\"))";
        if (OPTION_TABLE[k].argument == NULL) continue;
        buffer_print(out, "        --%s) %s; return ;;\n", OPTION_TABLE[k].flag,
                     how != NULL ? how : "COMPREPLY=()");
    }
}

/* What the words behind a command are, by the way its arguments are named in the table. */
static const char *word_completion(const char *arguments)
{
    if (strcmp(arguments, "FOLDER") == 0) return "compgen -d --";
    if (strcmp(arguments, "FILE") == 0) return "compgen -f --";
    if (strcmp(arguments, "NODE") == 0) return "compgen -W '1 2 3 4 leader' --";
    if (strcmp(arguments, "bash|zsh") == 0) return "compgen -W 'bash zsh' --";
    if (strcmp(arguments, "WORKER KIND") == 0) return "compgen -W 'none lie silent noreveal' --";
    if (strstr(arguments, "ACCOUNT") != NULL || strncmp(arguments, "TO ", 3) == 0 ||
        strncmp(arguments, "VALIDATOR ", 10) == 0 || strncmp(arguments, "FROM ", 5) == 0)
        return "compgen -W \"" ACCOUNT_NAMES "\" --";
    return NULL;
}

static void append_word_completions(struct buffer *out)
{
    buffer_print(out, "    help) COMPREPLY=($(compgen -W '");
    append_first_words(out);
    buffer_print(out, "' -- \"$current\")) ;;\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *how = word_completion(COMMANDS[i].arguments);
        if (how == NULL) continue;
        buffer_print(out, "    '%s') COMPREPLY=($(%s \"$current\")) ;;\n", COMMANDS[i].path, how);
    }
}

/* Options whose next word is their value. */
static void append_valued_options(struct buffer *out)
{
    const char *before = "";
    for (int k = 0; k < OPTION_COUNT; k++) {
        if (OPTION_TABLE[k].argument == NULL) continue;
        buffer_print(out, "%s--%s", before, OPTION_TABLE[k].flag);
        before = "|";
    }
}

void help_bash(struct buffer *out)
{
    buffer_print(out, "# bash completion of leasehold; made by: leasehold completion bash\n"
                      "_leasehold() {\n"
                      "    local current=\"${COMP_WORDS[COMP_CWORD]}\" "
                      "previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
                      "    local words='' options='' first='' second='' command word skip=''\n"
                      "    COMPREPLY=()\n"
                      "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                      "        if [ -n \"$skip\" ]; then skip=''; continue; fi\n"
                      "        case \"$word\" in\n        ");
    append_valued_options(out);
    buffer_print(out, ") skip=1; continue ;;\n"
                      "        -*) continue ;;\n"
                      "        esac\n"
                      "        if [ -z \"$first\" ]; then first=$word\n"
                      "        elif [ -z \"$second\" ]; then second=$word; fi\n"
                      "    done\n"
                      "    case \"$previous\" in\n");
    append_value_words(out);
    buffer_print(out, "    esac\n    case \"$first\" in\n        '') words='");
    append_first_words(out);
    buffer_print(out, "' ;;\n");
    append_second_words(out);
    buffer_print(out, "    esac\n"
                      "    command=$first\n"
                      "    if [ -n \"$first\" ] && [ -n \"$words\" ]; then "
                      "command=\"$first $second\"; fi\n"
                      "    case \"$command\" in\n");
    append_option_words(out);
    buffer_print(out, "    esac\n"
                      "    case \"$current\" in\n"
                      "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\")); return ;;\n"
                      "    esac\n"
                      "    if [ -n \"$words\" ] && [ -z \"$second\" ]; then\n"
                      "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                      "        return\n"
                      "    fi\n"
                      "    case \"$command\" in\n");
    append_word_completions(out);
    buffer_print(out, "    esac\n"
                      "}\n"
                      "complete -o filenames -F _leasehold leasehold\n");
}

static void append_zsh_text(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("[]:\\", *text) != NULL) buffer_append_byte(out, '\\');
        if (*text == '\'') {
            buffer_print(out, "'\\''");
        } else {
            buffer_append_byte(out, (uint8_t)*text);
        }
    }
}

static const char *zsh_action(const char *kind)
{
    if (strcmp(kind, "file") == 0) return "_files";
    if (strcmp(kind, "folder") == 0) return "_files -/";
    if (strcmp(kind, "sort") == 0) return "(price vram agreed stake)";
    if (strcmp(kind, "runtime") == 0) return "(cuda-c cuda-c-fast exec)";
    return " ";
}

static void append_zsh_options(struct buffer *out, uint64_t options)
{
    for (int k = 0; k < OPTION_COUNT; k++) {
        const struct option_info *o = &OPTION_TABLE[k];
        if ((options & (1ull << k)) == 0) continue;
        buffer_print(out, " '--%s%s[", o->flag, o->argument != NULL ? "=" : "");
        append_zsh_text(out, o->help);
        buffer_print(out, "]");
        if (o->argument != NULL) {
            buffer_print(out, ":");
            append_zsh_text(out, o->argument);
            buffer_print(out, ":%s", zsh_action(o->completes));
        }
        buffer_print(out, "'");
    }
}

static void append_zsh_families(struct buffer *out)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t size = 0;
        if (!is_family(COMMANDS[i].path, &size) || seen_before(i, size)) continue;
        buffer_print(out, "    %.*s) if (( CURRENT == 3 )); then _values 'command'", (int)size,
                     COMMANDS[i].path);
        for (size_t k = i; k < COMMAND_COUNT; k++) {
            const char *path = COMMANDS[k].path;
            if (strncmp(path, COMMANDS[i].path, size) != 0 || path[size] != ' ') continue;
            buffer_print(out, " '%s[", path + size + 1);
            append_zsh_text(out, COMMANDS[k].summary);
            buffer_print(out, "]'");
        }
        buffer_print(out, "; return; fi ;;\n");
    }
}

void help_zsh(struct buffer *out)
{
    buffer_print(out, "#compdef leasehold\n# made by: leasehold completion zsh\n"
                      "_leasehold() {\n"
                      "  if (( CURRENT == 2 )); then\n    compadd -- ");
    append_first_words(out);
    buffer_print(out, "\n    return\n  fi\n  case \"$words[2]\" in\n");
    append_zsh_families(out);
    buffer_print(out, "  esac\n  case \"$words[2] $words[3]\" in\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        bool family = strchr(COMMANDS[i].path, ' ') != NULL;
        buffer_print(out, "    '%s'%s) _arguments", COMMANDS[i].path, family ? "" : "\\ *");
        append_zsh_options(out, COMMANDS[i].options | OPTIONS_GLOBAL);
        buffer_print(out, " '*:file:_files' ;;\n");
    }
    buffer_print(out, "  esac\n}\n_leasehold \"$@\"\n");
}
