/* leasehold-worker: the provider's program. See worker_config.h for what it can be told. */
#include "base/hex.h"
#include "base/log.h"
#include "compute/judge_command.h"
#include "compute/worker.h"
#include "compute/worker_gpus.h"
#include "compute/worker_storage.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define EXIT_REFUSED 1
#define EXIT_USAGE   64

static struct worker *running;

static void on_signal(int number)
{
    if (number == SIGTERM)
        worker_drain(running);
    else
        worker_stop(running);
}

static int refuse(const char *error)
{
    fprintf(stderr, "leasehold-worker: %s\n", error);
    return EXIT_REFUSED;
}

static int command_init(const struct worker_config *config)
{
    char error[JSON_ERROR_SIZE] = "";
    struct hash key_hash;
    if (worker_init_directory(&key_hash, error, config->data_dir) != OK) return refuse(error);
    char text[67];
    hash_to_text(text, &key_hash);
    printf("{\"tlsKeyHash\": \"%s\"}\n", text);
    return 0;
}

static int command_gpus(const struct worker_config *config)
{
    const char *runner = config->runner[0] != '\0' ? config->runner : NULL;
    return worker_gpus_print(runner, config->json) ? 0 : EXIT_REFUSED;
}

static int command_run(const struct worker_config *config)
{
    char error[JSON_ERROR_SIZE] = "";
    if (worker_create(&running, error, config) != OK) return refuse(error);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    enum status status = worker_run(running, error);
    worker_destroy(running);
    return status == OK ? 0 : refuse(error);
}

static int command_storage(const struct worker_config *config)
{
    char error[JSON_ERROR_SIZE];
    if (worker_storage_print(stdout, config) == OK) return 0;
    snprintf(error, sizeof error, "\"%.150s\" is no worker's --data-dir", config->data_dir);
    return refuse(error);
}

static int dispatch(const struct worker_config *config, const char *word)
{
    enum log_level level;
    if (log_level_from_text(&level, config->log_level) != OK)
        return refuse("--log-level must be debug, info, warn or error");
    log_set_level(level);
    if (config->print_man) {
        options_print_man(&WORKER_PROGRAM, stdout);
        return 0;
    }
    if (!word || strcmp(word, "run") == 0) return command_run(config);
    if (strcmp(word, "init") == 0) return command_init(config);
    if (strcmp(word, "storage") == 0) return command_storage(config);
    if (strcmp(word, "gpus") == 0) return command_gpus(config);
    fprintf(stderr,
            "leasehold-worker: no command \"%s\"; there are run, init, gpus, storage, judge\n",
            word);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct worker_config config = {0};
    char error[OPTIONS_ERROR_SIZE] = "";
    const char *word = NULL;
    if (argc > 1 && strcmp(argv[1], "judge") == 0) return judge_command(argc, argv);
    if (options_read(&WORKER_PROGRAM, &config, error, argc, argv, &word) != OK) {
        fprintf(stderr, "leasehold-worker: %s\n", error);
        return EXIT_USAGE;
    }
    int code = dispatch(&config, word);
    options_finish(&WORKER_PROGRAM, &config);
    return code;
}
