/* options.h - the options of `leasehold` and the reading of its command line.
 *
 * One table makes flags, help, man page and completion. Options may stand anywhere after the
 * program's name; `--` ends them; --flag=VALUE and --flag VALUE mean the same. */
#ifndef LEASEHOLD_WALLET_OPTIONS_H
#define LEASEHOLD_WALLET_OPTIONS_H

#include "base/json.h"

#define WORDS_MAX    8
#define REPEATED_MAX 8

/* id, flag, argument (NULL: a switch), completes as, help */
#define WALLET_OPTIONS(X)                                                                          \
    X(RPC, "rpc", "URL[,URL...]", "", "Nodes to ask (LEASEHOLD_RPC; http://127.0.0.1:8545).")      \
    X(FROM, "from", "ACCOUNT", "account",                                                          \
      "Account that signs: a name or an address of the key store (LEASEHOLD_FROM; the only one).") \
    X(KEYSTORE, "keystore", "DIR", "folder",                                                       \
      "Folder of key files (LEASEHOLD_KEYSTORE; ~/.leasehold/keystore).")                          \
    X(PASSWORD_FILE, "password-file", "FILE", "file",                                              \
      "First line is the password (LEASEHOLD_PASSWORD, LEASEHOLD_PASSWORD_FILE; a prompt).")       \
    X(JSON, "json", NULL, "", "Print JSON for programs instead of text for people.")               \
    X(YES, "yes", NULL, "", "Do not ask before money is sent.")                                    \
    X(HELP, "help", NULL, "", "Show what the command does and takes.")                             \
    X(NAME, "name", "NAME", "", "A name for the account in this key store.")                       \
    X(LIGHT, "light", NULL, "", "Cheaper key derivation (scrypt n = 4096): devnets, machines.")    \
    X(SECRET, "secret", NULL, "", "Write the bare private key instead of a key file.")             \
    X(OUTPUT, "output", "PATH", "file", "Where to write.")                                         \
    X(DATA, "data", "0xHEX", "", "Call data to send along.")                                       \
    X(ENDPOINT, "endpoint", "HOST:PORT", "", "Where renters reach the worker's gateway.")          \
    X(TLS_KEY_HASH, "tls-key-hash", "0xHASH", "", "What leasehold-worker init printed.")           \
    X(REGION, "region", "TEXT", "", "Where the machine stands, such as eu-central.")               \
    X(WORKER_KEY, "worker-key", "ACCOUNT", "account",                                              \
      "Hot key that the worker signs with: an address, or a name in the key store.")               \
    X(STAKE, "stake", "AMOUNT", "", "Stake to lock, such as \"100 LSH\".")                         \
    X(VALIDATOR_FILE, "validator-file", "FILE", "file",                                            \
      "What leaseholdd --print-validator KEY --operator ADDRESS --chain-id ID printed.")           \
    X(COMMISSION, "commission", "PERCENT", "",                                                     \
      "Part of the rewards that the operator keeps, such as 5; fixed for good (0).")               \
    X(INDEX, "index", "NUMBER", "", "Which of the provider's GPU entries (0).")                    \
    X(MODEL, "model", "NAME", "", "GPU model, such as \"RTX 4090\"; cpu for the cpu executor.")    \
    X(VRAM, "vram", "MIB", "", "Memory of one GPU in MiB; in a search the least.")                 \
    X(SLOTS, "count", "NUMBER", "", "How many equal GPUs, one job each at a time (1).")            \
    X(CAPABILITY, "capability", "MAJOR.MINOR", "", "CUDA compute capability, such as 8.9.")        \
    X(RUNTIME, "runtime", "NAME[,NAME]", "runtime", "cuda-c, cuda-c-fast, exec (cuda-c).")         \
    X(PRICE, "price", "AMOUNT/s", "", "Price of one second, such as \"0.001 LSH/s\".")             \
    X(MIN_SECONDS, "min-seconds", "SECONDS", "", "Shortest time limit of jobs to take (1).")       \
    X(MAX_SECONDS, "max-seconds", "SECONDS", "", "Longest time limit of jobs to take (3600).")     \
    X(CLOSED, "closed", NULL, "", "Take no new jobs with this entry.")                             \
    X(MAX_PRICE, "max-price", "AMOUNT/s", "", "Most that one replica may cost a second.")          \
    X(SORT, "sort", "KEY", "sort", "price, vram, agreed, stake or latency (price).")               \
    X(MIN_AGREED, "min-agreed", "COUNT", "", "Results that a provider must have agreed with (0).") \
    X(REPLICAS, "replicas", "COUNT", "", "How many workers run it independently, 1 to 7 (3).")     \
    X(PROVIDER, "provider", "ACCOUNT", "account",                                                  \
      "Let this provider run it; repeat for more, in order of preference. None: drawn.")           \
    X(START_WINDOW, "start-window", "SECONDS", "",                                                 \
      "How long the order may wait for free workers before it is refunded (60).")                  \
    X(AUDIT, "audit", "PERCENT", "",                                                               \
      "Chance that a validator runs the agreed result again (0; never 0 with one replica).")       \
    X(LEAF, "leaf", "NUMBER", "", "Which 4 KiB of the content, from 0 (0).")                       \
    X(BUNDLE, "bundle", NULL, "", "Of the job's bundle, not of its result.")                       \
    X(DRY_RUN, "dry-run", NULL, "", "Check and price it; send nothing.")                           \
    X(LOCAL, "local", NULL, "", "Run it here, for free; workers would get the same root.")         \
    X(SPLIT, "split", "PARTS", "",                                                                 \
      "Into how many parts, each a job of its own (what \"split\" in job.json says).")             \
    X(DETACH, "detach", NULL, "", "Return as soon as possible and leave the rest running.")        \
    X(DIR, "dir", "DIR", "folder", "The network's folder (~/.leasehold/devnet).")                  \
    X(VALIDATORS, "validators", "COUNT", "", "Validators to start, 1 to 16 (1).")                  \
    X(WORKERS, "workers", "COUNT", "", "Workers to start, 0 to 16 (3).")                           \
    X(BLOCK_MS, "block-ms", "MS", "", "Time between blocks (500).")                                \
    X(EPOCH_BLOCKS, "epoch-blocks", "COUNT", "",                                                   \
      "Blocks after which the validator set may change (1200).")                                   \
    X(RPC_PORT, "rpc-port", "PORT", "",                                                            \
      "Port of the first node's JSON-RPC; the others' follow (0: free ones).")                     \
    X(PARAMETERS, "parameters", "FILE", "file",                                                    \
      "JSON with parameters of the contracts that shall differ, as contracts/parameters.json.")    \
    X(DELETE, "delete", NULL, "", "Remove the network's folder as well.")

enum wallet_option {
#define X(id, flag, argument, completes, help) OPTION_##id,
    WALLET_OPTIONS(X)
#undef X
        OPTION_COUNT
};
#define BIT(id) (1ull << OPTION_##id)
#define OPTIONS_GLOBAL                                                                             \
    (BIT(RPC) | BIT(FROM) | BIT(KEYSTORE) | BIT(PASSWORD_FILE) | BIT(JSON) | BIT(YES) | BIT(HELP))

struct option_info {
    const char *flag;
    const char *argument;
    const char *completes;
    const char *help;
};
extern const struct option_info OPTION_TABLE[OPTION_COUNT];

struct session;

struct command {
    const char *path;      /* "job run" */
    const char *arguments; /* "FOLDER" */
    size_t words_min;
    size_t words_max;
    uint64_t options; /* besides the global ones */
    int (*run)(struct session *s);
    const char *summary;
    const char *details; /* more than one line of help; may be "" */
};
extern const struct command COMMANDS[];
extern const size_t COMMAND_COUNT;

/* What was typed. Everything is borrowed from argv. */
struct invocation {
    const struct command *command; /* NULL: none was named */
    const char *words[WORDS_MAX];
    size_t word_count;
    const char *values[OPTION_COUNT]; /* NULL: not given; "" for a switch that is */
    const char *providers[REPEATED_MAX];
    size_t provider_count;
    bool print_man;
};

/* E_MALFORMED: `error` says what to type instead. */
MUST_CHECK enum status invocation_read(struct invocation *out, char error[JSON_ERROR_SIZE],
                                       int argc, char **argv);
bool option_on(const struct invocation *in, enum wallet_option id);
/* The command whose path is that text; NULL if there is none. */
const struct command *command_find(const char *path);

/* Generated from the two tables. */
void help_overview(struct buffer *out);
void help_command(struct buffer *out, const struct command *c);
void help_man(struct buffer *out);
void help_bash(struct buffer *out);
void help_zsh(struct buffer *out);

#endif
