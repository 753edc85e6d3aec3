#include "compute/judge_command.h"

#include "base/log.h"
#include "compute/judge.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define EXIT_REFUSED 1
#define EXIT_USAGE   64

static struct judge *running;

static void on_signal(int number)
{
    (void)number;
    judge_stop(running);
}

static int refuse(const char *error)
{
    fprintf(stderr, "leasehold-worker judge: %s\n", error);
    return EXIT_REFUSED;
}

static int judge_until_stopped(const struct judge_config *config)
{
    char error[JSON_ERROR_SIZE] = "";
    enum log_level level;
    if (log_level_from_text(&level, config->log_level) != OK)
        return refuse("--log-level must be debug, info, warn or error");
    log_set_level(level);
    if (judge_create(&running, error, config) != OK) return refuse(error);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    enum status status = judge_run(running, error);
    judge_destroy(running);
    return status == OK ? 0 : refuse(error);
}

int judge_command(int argc, char **argv)
{
    struct judge_config config = {0};
    char error[OPTIONS_ERROR_SIZE] = "";
    const char *word = NULL;
    int code = 0;
    if (options_read(&JUDGE_PROGRAM, &config, error, argc, argv, &word) != OK) {
        fprintf(stderr, "leasehold-worker judge: %s\n", error);
        return EXIT_USAGE;
    }
    if (config.print_man)
        options_print_man(&JUDGE_PROGRAM, stdout);
    else
        code = judge_until_stopped(&config);
    options_finish(&JUDGE_PROGRAM, &config);
    return code;
}
