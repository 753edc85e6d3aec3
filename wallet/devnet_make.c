/* Keys, ports and genesis of a new network. */
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

#define VALIDATOR_STAKE   "10000 LSH"
#define RENTER_BALANCE    "10000 LSH"
#define OWNER_BALANCE     "1000 LSH"
#define WORKER_BALANCE    "10 LSH"
#define JUDGE_BALANCE     "10 LSH"
#define CONSENSUS_BALANCE "10 LSH" /* for the transactions that nodes send: evidence */

/* A leader that is dead costs idle interval + 2 delta. On one machine a hop is a millisecond, so
 * delta is there for a busy processor. */
#define IDLE_MS_ONE   1000u
#define IDLE_MS_MANY  500u
#define DELTA_MS_ONE  1000u
#define DELTA_MS_MANY 250u

/* Kept ports lie below the system's own range, or a connection might sit on one meanwhile. */
#define PORT_FIRST     20000u
#define PORT_COUNT     12000u
#define PORT_TRIES_MAX 200
#define PORTS_MAX      (2 * DEVNET_VALIDATORS_MAX + DEVNET_WORKERS_MAX)

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

/* A validator's own key file, and what the genesis needs of it. */
static int make_key(struct session *s, struct devnet *d, size_t index, json_t **out)
{
    struct key key;
    char text[70];
    char path[PATH_MAX];
    char program[PATH_MAX];
    key_generate(&key);
    hex_encode(text, bytes_of(key.secret, 32));
    key_finish(&key);
    devnet_path(path, d, "validator-%zu.key", index + 1);
    int code = write_text(s, path, text);
    memset(text, 0, sizeof text);
    if (code != CODE_DONE) return code;
    if (process_find_program(program, sizeof program, "leaseholdd") != OK)
        return fail(s, CODE_FAILED, "leaseholdd is neither beside this program nor in the PATH");
    char *argv[] = {program, (char[]){"--print-validator"}, path, NULL};
    return run_program(s, out, argv);
}

static json_t *validator_entry(const struct devnet_node *n, const json_t *printed)
{
    char stake[79];
    u256_to_decimal(stake, amount(VALIDATOR_STAKE));
    return json_pack("{s:o,s:o,s:s,s:s,s:i}", "operator", abi_address(&n->operator_address),
                     "consensusAddress", abi_address(&n->consensus_address), "hashChainEnd",
                     abi_get_text(printed, "hashChainEnd"), "stakeWei", stake, "commissionBps",
                     500);
}

/* What the genesis is made of. */
struct parts {
    char password[72];
    json_t *alloc;
    json_t *validators;
};

/* Keys are made side by side: the end of a hash chain of millions of steps takes a while. */
struct key_maker {
    struct session *session;
    struct devnet *net;
    size_t index;
    json_t *printed;
    pthread_t thread;
    int code;
    bool started;
};

static void *run_key_maker(void *context)
{
    struct key_maker *m = context;
    m->code = make_key(m->session, m->net, m->index, &m->printed);
    return NULL;
}

static int make_keys(struct session *s, struct devnet *d, json_t *printed[DEVNET_VALIDATORS_MAX])
{
    struct key_maker all[DEVNET_VALIDATORS_MAX] = {0};
    int code = CODE_DONE;
    for (size_t i = 0; i < d->node_count && code == CODE_DONE; i++) {
        all[i] = (struct key_maker){.session = s, .net = d, .index = i};
        all[i].started = pthread_create(&all[i].thread, NULL, run_key_maker, &all[i]) == 0;
        if (!all[i].started) code = fail(s, CODE_FAILED, "cannot start a thread");
    }
    for (size_t i = 0; i < d->node_count; i++) {
        if (!all[i].started) continue;
        pthread_join(all[i].thread, NULL);
        printed[i] = all[i].printed;
        if (code == CODE_DONE) code = all[i].code;
    }
    return code;
}

static int add_validator(struct session *s, struct devnet *d, size_t index, const json_t *printed,
                         struct parts *parts)
{
    struct devnet_node *n = &d->nodes[index];
    char name[32];
    snprintf(name, sizeof name, "validator-%zu", index + 1);
    int code = make_account(s, d, &n->operator_address, name, parts->password);
    if (code != CODE_DONE) return code;
    snprintf(name, sizeof name, "judge-%zu", index + 1);
    snprintf(n->judge.fault, sizeof n->judge.fault, "none");
    code = make_account(s, d, &n->judge.key, name, parts->password);
    if (code != CODE_DONE) return code;
    n->consensus_address = abi_get_address(printed, "consensusAddress");
    json_array_append_new(parts->validators, validator_entry(n, printed));
    add_alloc(parts->alloc, &n->operator_address, OWNER_BALANCE);
    add_alloc(parts->alloc, &n->consensus_address, CONSENSUS_BALANCE);
    add_alloc(parts->alloc, &n->judge.key, JUDGE_BALANCE);
    return CODE_DONE;
}

static int make_validators(struct session *s, struct devnet *d, struct parts *parts)
{
    json_t *printed[DEVNET_VALIDATORS_MAX] = {0};
    int code = make_keys(s, d, printed);
    for (size_t i = 0; i < d->node_count; i++) {
        if (code == CODE_DONE) code = add_validator(s, d, i, printed[i], parts);
        json_decref(printed[i]);
    }
    return code;
}

static int make_worker(struct session *s, struct devnet *d, size_t index, struct parts *parts)
{
    struct devnet_worker *w = &d->workers[index];
    char name[32];
    char data[PATH_MAX];
    char program[PATH_MAX];
    json_t *printed = NULL;
    snprintf(w->fault, sizeof w->fault, "none");
    snprintf(name, sizeof name, "provider-%zu", index + 1);
    int code = make_account(s, d, &w->owner, name, parts->password);
    snprintf(name, sizeof name, "worker-%zu", index + 1);
    if (code == CODE_DONE) code = make_account(s, d, &w->key, name, parts->password);
    if (code != CODE_DONE) return code;
    add_alloc(parts->alloc, &w->owner, OWNER_BALANCE);
    add_alloc(parts->alloc, &w->key, WORKER_BALANCE);
    if (process_find_program(program, sizeof program, "leasehold-worker") != OK)
        return fail(s, CODE_FAILED,
                    "leasehold-worker is neither beside this program nor in the PATH");
    devnet_path(data, d, "%s", name);
    char *argv[] = {program, (char[]){"init"}, (char[]){"--data-dir"}, data, NULL};
    code = run_program(s, &printed, argv);
    if (code == CODE_DONE) w->tls_key_hash = abi_get_hash(printed, "tlsKeyHash");
    json_decref(printed);
    return code;
}

/* ---- ports ---- */

static int take_port(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
    close(fd);
    return -1;
}

/* Bound until all are found, so that none is given out twice. */
static int find_port(struct session *s, uint64_t *out, int *out_fd)
{
    *out_fd = -1;
    for (int i = 0; i < PORT_TRIES_MAX && *out_fd < 0; i++) {
        uint8_t raw[4];
        random_bytes(raw, sizeof raw);
        *out = PORT_FIRST + load_be32(raw) % PORT_COUNT;
        *out_fd = take_port((uint16_t)*out);
    }
    if (*out_fd < 0) return fail(s, CODE_FAILED, "no free port: %s", strerror(errno));
    return CODE_DONE;
}

static int find_ports(struct session *s, struct devnet *d, uint64_t rpc_port)
{
    int held[PORTS_MAX];
    size_t count = 0;
    int code = CODE_DONE;
    for (size_t i = 0; i < d->node_count && code == CODE_DONE; i++) {
        code = find_port(s, &d->nodes[i].p2p_port, &held[count++]);
        if (code == CODE_DONE) code = find_port(s, &d->nodes[i].rpc_port, &held[count++]);
    }
    for (size_t i = 0; i < d->worker_count && code == CODE_DONE; i++)
        code = find_port(s, &d->workers[i].port, &held[count++]);
    while (count > 0)
        if (held[--count] >= 0) close(held[count]);
    for (size_t i = 0; i < d->node_count && rpc_port != 0; i++)
        d->nodes[i].rpc_port = rpc_port + i;
    return code;
}

/* ---- the genesis ---- */

static int write_genesis(struct session *s, const struct devnet *d, const struct parts *parts,
                         const json_t *contract)
{
    char path[PATH_MAX];
    uint64_t idle_least_ms = d->node_count > 1 ? IDLE_MS_MANY : IDLE_MS_ONE;
    uint64_t idle_ms = d->block_ms > idle_least_ms ? d->block_ms : idle_least_ms;
    uint64_t delta_ms = d->node_count > 1 ? DELTA_MS_MANY : DELTA_MS_ONE;
    devnet_path(path, d, "genesis.json");
    json_t *consensus = json_pack("{s:I,s:I,s:I,s:I}", "blockIntervalMs", (json_int_t)d->block_ms,
                                  "idleIntervalMs", (json_int_t)idle_ms, "deltaMs",
                                  (json_int_t)delta_ms, "epochBlocks", (json_int_t)d->epoch_blocks);
    json_t *g =
        json_pack("{s:s,s:b,s:I,s:I,s:I,s:s,s:o,s:{},s:O,s:O}", "name", "devnet", "devnet", 1,
                  "chainId", (json_int_t)DEVNET_CHAIN_ID, "timestamp", (json_int_t)time(NULL),
                  "gasLimit", (json_int_t)30000000, "baseFee", "1000000000", "consensus", consensus,
                  "parameters", "validators", parts->validators, "alloc", parts->alloc);
    if (g == NULL) fatal("writing a genesis");
    if (contract != NULL) json_object_set_new(g, "parameters", json_deep_copy(contract));
    enum status status = json_save_path(g, path, 0644);
    json_decref(g);
    if (status != OK) return fail(s, CODE_FAILED, "cannot write %s: %s", path, strerror(errno));
    return CODE_DONE;
}

/* ---- all of it ---- */

static int make_parts(struct session *s, struct devnet *d, struct parts *parts)
{
    struct address renter;
    int code = make_password(s, d, parts->password);
    if (code == CODE_DONE) code = make_account(s, d, &renter, "renter", parts->password);
    if (code == CODE_DONE) add_alloc(parts->alloc, &renter, RENTER_BALANCE);
    if (code == CODE_DONE) code = make_validators(s, d, parts);
    for (size_t i = 0; i < d->worker_count && code == CODE_DONE; i++)
        code = make_worker(s, d, i, parts);
    return code;
}

int devnet_make(struct session *s, struct devnet *d, const struct devnet_wishes *wishes)
{
    struct parts parts = {.alloc = json_object(), .validators = json_array()};
    int code = find_ports(s, d, wishes->rpc_port);
    if (code == CODE_DONE) code = make_parts(s, d, &parts);
    if (code == CODE_DONE) code = write_genesis(s, d, &parts, wishes->contract);
    json_decref(parts.alloc);
    json_decref(parts.validators);
    memset(&parts, 0, sizeof parts);
    return code == CODE_DONE ? devnet_save(s, d) : code; /* from here on it is a network */
}
