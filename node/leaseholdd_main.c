/* leaseholdd - the node. */
#include "base/hex.h"
#include "base/log.h"
#include "node/node.h"
#include "node/options.h"
#include "node/validator_key.h"

#include <malloc.h>
#include <stdio.h>

#define EXIT_REFUSED 1
#define EXIT_USAGE   64

static int print_validator(const char *path)
{
    struct key key;
    char error[VALIDATOR_ERROR_SIZE], address[43], end[67];
    if (validator_key_load(&key, error, path) != OK) {
        fprintf(stderr, "leaseholdd: %s\n", error);
        return EXIT_REFUSED;
    }
    struct hash_chain *chain = hash_chain_create(&key);
    struct address own = key_address(&key);
    struct hash last = hash_chain_end(chain);
    address_to_text(address, &own);
    hash_to_text(end, &last);
    printf("{\"consensusAddress\":\"%s\",\"hashChainEnd\":\"%s\"}\n", address, end);
    hash_chain_destroy(chain);
    key_finish(&key);
    return 0;
}

static int run(const struct config *config)
{
    char error[NODE_ERROR_SIZE] = "";
    struct node *node = NULL;
    enum log_level level;
    if (log_level_from_text(&level, config->log_level) != OK) {
        fprintf(stderr, "leaseholdd: log-level: want debug, info, warn or error, got \"%s\"\n",
                config->log_level);
        return EXIT_USAGE;
    }
    log_set_level(level);
    if (node_open(&node, error, config) != OK) {
        fprintf(stderr, "leaseholdd: %s\n", error);
        return EXIT_REFUSED;
    }
    node_run(node);
    node_close(node);
    return 0;
}

int main(int argc, char **argv)
{
    struct config config = {0};
    char error[OPTIONS_ERROR_SIZE];
    int code = 0;
    /* Few arenas: the threads' garbage would otherwise stay in an arena each. */
    mallopt(M_ARENA_MAX, 2);
    if (options_read(&NODE_PROGRAM, &config, error, argc, argv, NULL) != OK) {
        fprintf(stderr, "leaseholdd: %s\n", error);
        return EXIT_USAGE;
    }
    if (config.print_man)
        options_print_man(&NODE_PROGRAM, stdout);
    else if (config.print_validator[0] != 0)
        code = print_validator(config.print_validator);
    else
        code = run(&config);
    options_finish(&NODE_PROGRAM, &config);
    return code;
}
