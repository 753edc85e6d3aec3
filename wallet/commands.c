/* commands.c - the table of subcommands. It is the program: everything else hangs on it. */
#include "base/version.h"
#include "wallet/handlers.h"
#include "wallet/output.h"

#include <stdio.h>
#include <string.h>

#define GPU_NEEDS (BIT(MODEL) | BIT(VRAM) | BIT(CAPABILITY))

const struct command COMMANDS[] = {
    {"account new", "", 0, 0, BIT(NAME) | BIT(LIGHT), account_new,
     "Make an account: a new key in an encrypted key file.", ""},
    {"account import", "FILE", 1, 1, BIT(NAME) | BIT(LIGHT), account_import,
     "Take an account from a key file (Web3 Secret Storage V3) or a file that holds a private key.",
     "The password given opens the file, if it is a key file, and locks the new one. FILE may be "
     "-\n"
     "for standard input."},
    {"account export", "ACCOUNT", 1, 1, BIT(OUTPUT) | BIT(SECRET), account_export,
     "Write an account's key file, for geth, ethers, cast and others.",
     "With --secret the bare private key instead; whoever reads it owns the account."},
    {"account list", "", 0, 0, 0, account_list, "List the accounts of the key store.", ""},
    {"balance", "[ACCOUNT...]", 0, WORDS_MAX - 1, 0, show_balance,
     "Show what accounts have: balance, credit in contracts, stake.", ""},
    {"send", "TO AMOUNT", 2, 2, BIT(DATA), send_money, "Send money to an account.",
     "AMOUNT: 1.5 LSH, 3 gwei, 7 wei."},
    {"provider register", "", 0, 0,
     BIT(ENDPOINT) | BIT(TLS_KEY_HASH) | BIT(REGION) | BIT(WORKER_KEY) | BIT(STAKE),
     provider_register, "Register as a provider, with a stake that answers for its work.",
     "Run `leasehold-worker init` first: it prints the --tls-key-hash."},
    {"provider set-gpu", "", 0, 0,
     BIT(INDEX) | BIT(MODEL) | BIT(VRAM) | BIT(SLOTS) | BIT(CAPABILITY) | BIT(RUNTIME),
     provider_set_gpu, "Say what a GPU entry is.",
     "A machine without a GPU offers its processor: --model cpu --vram 0 --capability 0."},
    {"provider offer", "", 0, 0,
     BIT(INDEX) | BIT(PRICE) | BIT(MIN_SECONDS) | BIT(MAX_SECONDS) | BIT(CLOSED), provider_offer,
     "Set the price of a GPU entry and open or close it.", ""},
    {"provider stake", "AMOUNT", 1, 1, 0, provider_stake, "Add to the stake.", ""},
    {"provider status", "[ACCOUNT]", 0, 1, 0, provider_status,
     "Show a provider: stake, GPUs, offers, running jobs, record.", ""},
    {"provider queue", "[ACCOUNT]", 0, 1, 0, provider_queue,
     "List the orders that wait for workers, and which of them this provider could take.", ""},
    {"provider unregister", "", 0, 0, 0, provider_unregister,
     "Take no more work; the stake is free after the unbonding time.",
     "Then: leasehold provider withdraw."},
    {"provider withdraw", "", 0, 0, 0, provider_withdraw,
     "Take out what was earned, and the stake once unbonding is over.", ""},
    {"stake join", "", 0, 0, BIT(VALIDATOR_FILE) | BIT(STAKE) | BIT(COMMISSION), stake_join,
     "Become a validator, with a stake that answers for its votes.",
     "The key stays on the validator's machine. There:\n"
     "  leaseholdd --print-validator KEY --operator ADDRESS --chain-id ID > validator.json\n"
     "Here, from the account ADDRESS:\n"
     "  leasehold stake join --validator-file validator.json --stake 1000 --commission 5"},
    {"stake change-key", "", 0, 0, BIT(VALIDATOR_FILE), stake_change_key,
     "Give a validator a new key and hash chain from the next epoch on.",
     "Start a node with the new key before, and stop the old one after: so a validator moves to\n"
     "another machine without any risk. A key's hash chain lasts 2097152 blocks."},
    {"stake delegate", "VALIDATOR AMOUNT", 2, 2, 0, stake_delegate,
     "Add stake to a validator, and share its rewards and its punishments.",
     "An operator adds to its own stake in the same way."},
    {"stake undelegate", "VALIDATOR AMOUNT|all", 2, 2, 0, stake_undelegate,
     "Take stake back; it can be withdrawn after the unbonding time.", ""},
    {"stake redelegate", "FROM TO AMOUNT|all", 3, 3, 0, stake_redelegate,
     "Move stake to another validator, where it arrives after the unbonding time.", ""},
    {"stake withdraw", "[ID]", 0, 1, 0, stake_withdraw,
     "Take out what has finished unbonding, or only the unbonding with that ID.", ""},
    {"stake unjail", "", 0, 0, 0, stake_unjail,
     "Make a jailed or inactive validator a candidate again.", ""},
    {"stake status", "[ACCOUNT]", 0, 1, 0, stake_status,
     "Show an account's delegations, what is on its way back, and its validator.", ""},
    {"validators", "", 0, 0, 0, list_validators,
     "List validators and candidates: stake, commission, work, expected yield.", ""},
    {"gpu list", "", 0, 0,
     GPU_NEEDS | BIT(RUNTIME) | BIT(REGION) | BIT(MAX_PRICE) | BIT(MIN_AGREED) | BIT(SORT),
     gpu_list, "Search the open offers.", ""},
    {"job run", "FOLDER", 1, 1,
     GPU_NEEDS | BIT(REPLICAS) | BIT(AUDIT) | BIT(MAX_PRICE) | BIT(PROVIDER) | BIT(START_WINDOW) |
         BIT(OUTPUT) | BIT(DRY_RUN) | BIT(DETACH) | BIT(LOCAL) | BIT(SPLIT),
     job_run, "Rent workers, run the job in FOLDER on them, pay, and bring the result here.",
     "FOLDER holds job.json and the files that it names. The whole price is locked first; what "
     "was\n"
     "not used comes back. Interrupted? Continue with `leasehold job resume ID`.\n"
     "A job.json that says \"split\" is done in parts, on many workers at once, and joined here;\n"
     "there the same command goes on."},
    {"job check", "FOLDER", 1, 1, 0, job_check,
     "Say whether the job in FOLDER has the same result everywhere, and if not, why not.",
     "Compiles it as workers do, and where NVIDIA's compiler is installed also for their cards,\n"
     "whose code is then compared with a list of what is deterministic. Runs nothing."},
    {"job resume", "ID", 1, 1, BIT(OUTPUT), job_resume,
     "Take up a job again that was started here: upload, wait, download.", ""},
    {"job list", "[ACCOUNT]", 0, 1, 0, job_list, "List an account's jobs.", ""},
    {"job show", "ID", 1, 1, 0, job_show, "Show a job and each of its replicas.", ""},
    {"job fetch", "ID", 1, 1, BIT(OUTPUT), job_fetch, "Download a finished job's result.", ""},
    {"job cancel", "ID", 1, 1, 0, job_cancel, "Take back an order that waits for workers.", ""},
    {"job challenge", "ID", 1, 1, 0, job_challenge,
     "Doubt an agreed result: validators run it again, for a bond.",
     "While the workers' stake is at risk (see challengeBy in `job show --json`). If the result "
     "was\n"
     "wrong you get back what you paid, the bond, and a part of the liars' stake; if it was "
     "right,\n"
     "the bond goes to the judges and to the workers that you doubted."},
    {"job appeal", "ID", 1, 1, 0, job_appeal,
     "Ask a larger committee about a verdict, once, for a larger bond.", ""},
    {"job accept", "ID", 1, 1, 0, job_accept,
     "Pay for a result that nobody can check but you (exec, cuda-c-fast).",
     "Without a word from you it is paid when the time for objections is over."},
    {"job object", "ID", 1, 1, 0, job_object,
     "Do not pay for such a result; a part of the price is burned.", ""},
    {"job demand", "ID WORKER", 2, 2, BIT(LEAF) | BIT(BUNDLE), job_demand,
     "Make a worker show 4 KiB of a result on the chain, or lose its stake.",
     "`job run` and `job fetch` do it by themselves when no worker gives the result out. WORKER "
     "is\n"
     "its number in `job show`."},
    {"devnet up", "", 0, 0,
     BIT(DIR) | BIT(VALIDATORS) | BIT(WORKERS) | BIT(BLOCK_MS) | BIT(EPOCH_BLOCKS) | BIT(RPC_PORT) |
         BIT(PARAMETERS) | BIT(DETACH),
     devnet_up, "Start a local network: validators, judges, workers, accounts with money.",
     "Runs until Ctrl-C, or with --detach until `leasehold devnet down`. Then:\n"
     "  eval \"$(leasehold devnet env)\"; leasehold job run examples/render\n"
     "A network that was stopped goes on with the same chain."},
    {"devnet down", "", 0, 0, BIT(DIR) | BIT(DELETE), devnet_down,
     "Stop a local network and every process of it.", ""},
    {"devnet status", "", 0, 0, BIT(DIR), devnet_status,
     "Show a local network: nodes, their heights, workers, ports, accounts.", ""},
    {"devnet env", "", 0, 0, BIT(DIR), devnet_env,
     "Print shell lines that point leasehold at a local network, as its renter.", ""},
    {"devnet kill", "NODE", 1, 1, BIT(DIR), devnet_kill,
     "Kill a node of a local network (SIGKILL), as if its power had gone.",
     "NODE: its number, or leader for the one whose turn it is. More than two thirds of the\n"
     "validators must be left for the chain to go on."},
    {"devnet restart", "NODE", 1, 1, BIT(DIR), devnet_restart,
     "Start a node of a local network again and wait until it has caught up.", ""},
    {"devnet partition", "NODE", 1, 1, BIT(DIR), devnet_partition,
     "Cut a node of a local network off from all others; its process goes on.",
     "Until `devnet heal`, or until it is started again."},
    {"devnet heal", "NODE", 1, 1, BIT(DIR), devnet_heal,
     "Let a node that was cut off reach the others again.", ""},
    {"devnet fault", "WHO KIND", 2, 2, BIT(DIR), devnet_fault,
     "Start a worker or a judge of a local network anew with a fault.",
     "WHO: a worker's number, or judge-N. KIND: none, lie (a wrong result of its own), silent\n"
     "(never seals), noreveal (seals and never reveals); workers also collude (the wrong result\n"
     "that all colluders agree on) and withhold (serves no result and answers no demand)."},
    {"completion", "bash|zsh", 1, 1, 0, show_completion, "Print the completion script for a shell.",
     ""},
    {"version", "", 0, 0, 0, show_version, "Print the version.", ""},
    {"help", "[COMMAND]", 0, 2, 0, show_help, "Explain a command.", ""},
};

const size_t COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS;

static int print_made(void (*make)(struct buffer *))
{
    struct buffer text = {0};
    make(&text);
    fwrite(text.data, 1, text.size, stdout);
    buffer_finish(&text);
    return CODE_DONE;
}

int show_completion(struct session *s)
{
    if (strcmp(s->in->words[0], "bash") == 0) return print_made(help_bash);
    if (strcmp(s->in->words[0], "zsh") == 0) return print_made(help_zsh);
    return fail(s, CODE_USAGE, "completion is there for bash and zsh, not for %.40s",
                s->in->words[0]);
}

int show_version(struct session *s)
{
    if (s->json) {
        print_json(json_pack("{s:s}", "version", LEASEHOLD_VERSION));
    } else {
        printf("leasehold %s\n", LEASEHOLD_VERSION);
    }
    return CODE_DONE;
}

int show_help(struct session *s)
{
    char path[100];
    if (s->in->word_count == 0) return print_made(help_overview);
    snprintf(path, sizeof path, "%.40s%s%.40s", s->in->words[0], s->in->word_count > 1 ? " " : "",
             s->in->word_count > 1 ? s->in->words[1] : "");
    struct buffer text = {0};
    const struct command *c = command_find(path);
    size_t size = strlen(path);
    if (c != NULL) help_command(&text, c);
    for (size_t i = 0; c == NULL && i < COMMAND_COUNT; i++)
        if (strncmp(COMMANDS[i].path, path, size) == 0 && COMMANDS[i].path[size] == ' ')
            buffer_print(&text, "  %-20s %s\n", COMMANDS[i].path, COMMANDS[i].summary);
    if (text.size == 0) return fail(s, CODE_USAGE, "no command %s; see: leasehold help", path);
    fwrite(text.data, 1, text.size, stdout);
    buffer_finish(&text);
    return CODE_DONE;
}
