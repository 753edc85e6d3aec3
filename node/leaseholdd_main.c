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

/* What a genesis file, or Staking.join, needs of a key. */
static void print_facts(const struct key *key, const struct config *config,
                        const struct address *operator_address)
{
    char address[43], operator_text[43], end[67];
    struct hash_chain *chain = hash_chain_create(key);
    struct address own = key_address(key);
    struct hash last = hash_chain_end(chain);
    struct buffer proof = {0};
    address_to_text(address, &own);
    hash_to_text(end, &last);
    printf("{\"consensusAddress\":\"%s\",\"hashChainEnd\":\"%s\"", address, end);
    if (operator_address != NULL) {
        struct signature s = validator_proof(key, config->chain_id, operator_address);
        address_to_text(operator_text, operator_address);
        hex_append(&proof, bytes_of(s.b, sizeof s.b));
        printf(",\"operator\":\"%s\",\"chainId\":%llu,\"proof\":\"%s\"", operator_text,
               (unsigned long long)config->chain_id, buffer_text(&proof));
    }
    printf("}\n");
    buffer_finish(&proof);
    hash_chain_destroy(chain);
}

static int print_validator(const struct config *config)
{
    struct key key;
    struct address operator_address;
    bool proves = config->operator_address[0] != 0;
    char error[VALIDATOR_ERROR_SIZE];
    if (proves != (config->chain_id != 0)) {
        fprintf(stderr, "leaseholdd: a proof needs both --operator and --chain-id\n");
        return EXIT_USAGE;
    }
    if (proves &&
        address_from_text(&operator_address, bytes_of_text(config->operator_address)) != OK) {
        fprintf(stderr, "leaseholdd: --operator: %.60s is no address\n", config->operator_address);
        return EXIT_USAGE;
    }
    if (validator_key_load(&key, error, config->print_validator) != OK) {
        fprintf(stderr, "leaseholdd: %s\n", error);
        return EXIT_REFUSED;
    }
    print_facts(&key, config, proves ? &operator_address : NULL);
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
        code = print_validator(&config);
    else
        code = run(&config);
    options_finish(&NODE_PROGRAM, &config);
    return code;
}
