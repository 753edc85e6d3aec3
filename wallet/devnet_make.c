/* Keys and genesis of a new network, and its providers' registration. */
#include "wallet/devnet.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/units.h"
#include "wallet/output.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define VALIDATOR_STAKE "10000 LSH"
#define RENTER_BALANCE  "10000 LSH"
#define OWNER_BALANCE   "1000 LSH"
#define WORKER_BALANCE  "10 LSH"
#define PROVIDER_STAKE  "100 LSH"
#define PRICE           "0.001 LSH"

static struct u256 amount(const char *text)
{
    struct u256 wei;
    if (amount_from_text(&wei, text) != OK) fatal("reading the amount %s", text);
    return wei;
}

static int write_text(struct session *s, const char *path, const char *text)
{
    if (file_write_atomic(path, bytes_of_text(text), 0600) == OK) return CODE_DONE;
    return fail(s, CODE_FAILED, "cannot write %s: %s", path, strerror(errno));
}

static int make_password(struct session *s, struct devnet *d, char out[72])
{
    uint8_t raw[16];
    char path[PATH_MAX];
    random_bytes(raw, sizeof raw);
    hex_encode(out, bytes_of(raw, sizeof raw));
    devnet_path(path, d, "password");
    return write_text(s, path, out);
}

static int make_account(struct session *s, const struct devnet *d, struct address *out,
                        const char *name, const char *password)
{
    struct key key;
    json_t *file = NULL;
    char path[PATH_MAX];
    char keystore[PATH_MAX];
    char error[JSON_ERROR_SIZE] = "";
    key_generate(&key);
    keystore_encrypt(&file, &key, password, name, KEYSTORE_LIGHT);
    devnet_path(keystore, d, "keystore");
    enum status status = keystore_save(path, error, keystore, file);
    *out = key_address(&key);
    key_finish(&key);
    json_decref(file);
    return status == OK ? CODE_DONE : fail(s, CODE_FAILED, "%s", error);
}

static void add_alloc(json_t *alloc, const struct address *a, const char *balance)
{
    char text[43];
    char wei[79];
    address_to_text(text, a);
    u256_to_decimal(wei, amount(balance));
    json_object_set_new(alloc, text, json_pack("{s:s}", "balance", wei));
}

static int run_program(struct session *s, json_t **out, char *const argv[])
{
    struct buffer text = {0};
    char error[JSON_ERROR_SIZE] = "";
    enum status status = process_output(&text, argv);
    if (status == OK) status = json_parse(out, error, buffer_bytes(&text));
    buffer_finish(&text);
    return status == OK ? CODE_DONE
                        : fail(s, CODE_FAILED, "%s %s failed %s", argv[0], argv[1], error);
}

/* The validator's own key file, and what the genesis needs of it. */
static int make_validator(struct session *s, struct devnet *d, json_t **out)
{
    struct key key;
    char text[70];
    char path[PATH_MAX];
    char program[PATH_MAX];
    key_generate(&key);
    hex_encode(text, bytes_of(key.secret, 32));
    key_finish(&key);
    devnet_path(path, d, "validator-1.key");
    int code = write_text(s, path, text);
    memset(text, 0, sizeof text);
    if (code != CODE_DONE) return code;
    if (process_find_program(program, sizeof program, "leaseholdd") != OK)
        return fail(s, CODE_FAILED, "leaseholdd is neither beside this program nor in the PATH");
    char *argv[] = {program, (char[]){"--print-validator"}, path, NULL};
    return run_program(s, out, argv);
}

static json_t *validator_entry(const struct address *operator_address, const json_t *printed)
{
    char stake[79];
    u256_to_decimal(stake, amount(VALIDATOR_STAKE));
    return json_pack("{s:o,s:s,s:s,s:s,s:i}", "operator", abi_address(operator_address),
                     "consensusAddress", abi_get_text(printed, "consensusAddress"), "hashChainEnd",
                     abi_get_text(printed, "hashChainEnd"), "stakeWei", stake, "commissionBps",
                     500);
}

static int write_genesis(struct session *s, const struct devnet *d, json_t *alloc,
                         json_t *validator)
{
    char path[PATH_MAX];
    json_int_t block_ms = (json_int_t)d->block_ms;
    json_int_t idle_ms = block_ms > 1000 ? block_ms : 1000;
    devnet_path(path, d, "genesis.json");
    json_t *g = json_pack("{s:s,s:b,s:I,s:I,s:I,s:s,s:{s:I,s:I,s:I,s:I},s:{},s:[o],s:o}", "name",
                          "devnet", "devnet", 1, "chainId", (json_int_t)DEVNET_CHAIN_ID,
                          "timestamp", (json_int_t)time(NULL), "gasLimit", (json_int_t)30000000,
                          "baseFee", "1000000000", "consensus", "blockIntervalMs", block_ms,
                          "idleIntervalMs", idle_ms, "deltaMs", (json_int_t)1000, "epochBlocks",
                          (json_int_t)1200, "parameters", "validators", validator, "alloc", alloc);
    if (g == NULL) fatal("writing a genesis");
    enum status status = json_save_path(g, path, 0644);
    json_decref(g);
    if (status != OK) return fail(s, CODE_FAILED, "cannot write %s: %s", path, strerror(errno));
    return CODE_DONE;
}

static int free_port(struct session *s, uint64_t *out)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
              getsockname(fd, (struct sockaddr *)&at, &size) == 0;
    if (fd >= 0) close(fd);
    if (!ok) return fail(s, CODE_FAILED, "no free port: %s", strerror(errno));
    *out = ntohs(at.sin_port);
    return CODE_DONE;
}

static int make_worker(struct session *s, struct devnet *d, size_t index, const char *password,
                       json_t *alloc)
{
    struct devnet_worker *w = &d->workers[index];
    char name[32];
    char data[PATH_MAX];
    char program[PATH_MAX];
    json_t *printed = NULL;
    snprintf(w->fault, sizeof w->fault, "none");
    snprintf(name, sizeof name, "provider-%zu", index + 1);
    int code = make_account(s, d, &w->owner, name, password);
    snprintf(name, sizeof name, "worker-%zu", index + 1);
    if (code == CODE_DONE) code = make_account(s, d, &w->key, name, password);
    if (code == CODE_DONE) code = free_port(s, &w->port);
    if (code != CODE_DONE) return code;
    add_alloc(alloc, &w->owner, OWNER_BALANCE);
    add_alloc(alloc, &w->key, WORKER_BALANCE);
    if (process_find_program(program, sizeof program, "leasehold-worker") != OK)
        return fail(s, CODE_FAILED,
                    "leasehold-worker is neither beside this program nor in the "
                    "PATH");
    devnet_path(data, d, "%s", name);
    char *argv[] = {program, (char[]){"init"}, (char[]){"--data-dir"}, data, NULL};
    code = run_program(s, &printed, argv);
    if (code == CODE_DONE) w->tls_key_hash = abi_get_hash(printed, "tlsKeyHash");
    json_decref(printed);
    return code;
}

static int make_accounts(struct session *s, struct devnet *d, json_t *alloc,
                         struct address *validator)
{
    struct address renter;
    char password[72];
    int code = make_password(s, d, password);
    if (code == CODE_DONE) code = make_account(s, d, validator, "validator-1", password);
    if (code == CODE_DONE) code = make_account(s, d, &renter, "renter", password);
    if (code != CODE_DONE) return code;
    add_alloc(alloc, validator, OWNER_BALANCE);
    add_alloc(alloc, &renter, RENTER_BALANCE);
    for (size_t i = 0; i < d->worker_count && code == CODE_DONE; i++)
        code = make_worker(s, d, i, password, alloc);
    return code;
}

int devnet_make(struct session *s, struct devnet *d)
{
    struct address validator;
    json_t *printed = NULL;
    json_t *alloc = NULL;
    char program[PATH_MAX];
    if (process_find_program(program, sizeof program, "leaseholdd") != OK ||
        process_find_program(program, sizeof program, "leasehold-worker") != OK)
        return fail(s, CODE_FAILED,
                    "leaseholdd and leasehold-worker must be beside this program or in the PATH");
    if (directory_make(d->dir, 0700) != OK)
        return fail(s, CODE_FAILED, "cannot make %s: %s", d->dir, strerror(errno));
    alloc = json_object();
    int code = make_accounts(s, d, alloc, &validator);
    if (code == CODE_DONE) code = make_validator(s, d, &printed);
    if (code == CODE_DONE)
        code = write_genesis(s, d, json_incref(alloc), validator_entry(&validator, printed));
    json_decref(alloc);
    json_decref(printed);
    return code == CODE_DONE ? devnet_save(s, d) : code; /* from here on it is a network */
}

/* ---- registration: three transactions a provider, the providers side by side ---- */

struct registration {
    const struct devnet *net;
    const struct devnet_worker *worker;
    char password[72];
    pthread_t thread;
    bool started;
    enum status status;
    char problem[RPC_PROBLEM_SIZE];
};

static enum status send_one(struct sender *sender, const char *function, json_t *args,
                            struct u256 value)
{
    struct tx_receipt r = {0};
    enum status status = contract_send(sender, &r, CONTRACT_PROVIDERS, function, args, value);
    tx_receipt_finish(&r);
    return status;
}

/* Whether an earlier start has done it all: the entry's offer is open. */
static bool registered(struct rpc *rpc, const struct devnet_worker *w)
{
    json_t *gpu = NULL;
    bool open = contract_call(rpc, &gpu, CONTRACT_PROVIDERS, "gpu",
                              json_pack("[o,i]", abi_address(&w->owner), 0)) == OK &&
                abi_get_bool(gpu, "open");
    json_decref(gpu);
    return open;
}

static enum status send_three(struct sender *sender, const struct devnet_worker *w)
{
    char endpoint[40];
    struct u256 none = u256_from_u64(0);
    if (registered(sender->rpc, w)) return OK;
    snprintf(endpoint, sizeof endpoint, "127.0.0.1:%llu", (unsigned long long)w->port);
    enum status status = send_one(
        sender, "register",
        json_pack("[s,o,s,o]", endpoint, abi_hash(&w->tls_key_hash), "local", abi_address(&w->key)),
        amount(PROVIDER_STAKE));
    if (status == E_DENIED && strcmp(rpc_revert_name(sender->rpc), "AlreadyRegistered") == 0)
        status = OK;
    if (status == OK)
        status = send_one(sender, "setGpu", json_pack("[i,s,i,i,i,i]", 0, "cpu", 0, 1, 0, 1), none);
    if (status == OK)
        status = send_one(sender, "setOffer",
                          json_pack("[i,o,i,i,b]", 0, abi_u256(amount(PRICE)), 1, 3600, 1), none);
    return status;
}

static enum status open_owner(struct registration *r, struct key *out)
{
    char keystore[PATH_MAX];
    char text[43];
    char error[JSON_ERROR_SIZE] = "";
    struct keystore_account account;
    devnet_path(keystore, r->net, "keystore");
    address_to_text(text, &r->worker->owner);
    enum status status = keystore_find(&account, error, keystore, text);
    if (status == OK) status = keystore_load(out, error, account.path, r->password);
    if (status != OK) snprintf(r->problem, sizeof r->problem, "%s", error);
    return status;
}

static void *run_registration(void *context)
{
    struct registration *r = context;
    struct key key = {0};
    struct rpc *rpc = NULL;
    struct sender sender;
    char url[64];
    char error[JSON_ERROR_SIZE] = "";
    struct rpc_options options = {.urls = url, .patience_ms = 5000, .stop = stop_flag()};
    devnet_url(url, r->net);
    r->status = open_owner(r, &key);
    if (r->status == OK) r->status = rpc_create(&rpc, &options, error);
    if (r->status == OK) r->status = sender_init(&sender, rpc, &key);
    if (r->status == OK) {
        r->status = send_three(&sender, r->worker);
        sender_finish(&sender);
    }
    if (r->status != OK && rpc != NULL)
        snprintf(r->problem, sizeof r->problem, "%s", rpc_problem(rpc));
    rpc_destroy(rpc);
    key_finish(&key);
    return NULL;
}

static int read_password(struct session *s, const struct devnet *d, char out[72])
{
    struct buffer text = {0};
    char path[PATH_MAX];
    devnet_path(path, d, "password");
    if (file_read(&text, path, 70) != OK)
        return fail(s, CODE_FAILED, "cannot read %s: %s", path, strerror(errno));
    snprintf(out, 72, "%s", buffer_text(&text));
    out[strcspn(out, "\r\n")] = '\0';
    buffer_finish(&text);
    return CODE_DONE;
}

int devnet_register(struct session *s, struct devnet *d)
{
    struct registration all[DEVNET_WORKERS_MAX] = {0};
    char password[72];
    int code = read_password(s, d, password);
    for (size_t i = 0; i < d->worker_count && code == CODE_DONE; i++) {
        all[i] = (struct registration){.net = d, .worker = &d->workers[i]};
        memcpy(all[i].password, password, sizeof password);
        all[i].started = pthread_create(&all[i].thread, NULL, run_registration, &all[i]) == 0;
        if (!all[i].started) code = fail(s, CODE_FAILED, "cannot start a thread");
    }
    for (size_t i = 0; i < d->worker_count; i++) {
        if (!all[i].started) continue;
        pthread_join(all[i].thread, NULL);
        if (all[i].status != OK && code == CODE_DONE)
            code = fail(s, CODE_REFUSED, "registering provider-%zu: %s", i + 1, all[i].problem);
    }
    return code;
}
