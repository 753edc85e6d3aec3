/* Registration of the network's providers (three transactions each) and of its judges (one each),
 * all side by side. */
#include "wallet/devnet.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/units.h"
#include "wallet/output.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define PROVIDER_STAKE "100 LSH"
#define PRICE          "0.001 LSH"
#define PATIENCE_MS    5000u

static struct u256 amount(const char *text)
{
    struct u256 wei;
    if (amount_from_text(&wei, text) != OK) fatal("reading the amount %s", text);
    return wei;
}

struct registration {
    const struct devnet *net;
    const struct devnet_worker *worker; /* either this one's provider */
    const struct devnet_node *node;     /* or this one's judge */
    char password[72];
    pthread_t thread;
    bool started;
    enum status status;
    char problem[RPC_PROBLEM_SIZE];
};

static const struct address *account_of(const struct registration *r)
{
    return r->worker != NULL ? &r->worker->owner : &r->node->operator_address;
}

static enum status send_one(struct sender *sender, enum contract_id id, const char *function,
                            json_t *args, struct u256 value)
{
    struct tx_receipt r = {0};
    enum status status = contract_send(sender, &r, id, function, args, value);
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
        sender, CONTRACT_PROVIDERS, "register",
        json_pack("[s,o,s,o]", endpoint, abi_hash(&w->tls_key_hash), "local", abi_address(&w->key)),
        amount(PROVIDER_STAKE));
    if (status == E_DENIED && strcmp(rpc_revert_name(sender->rpc), "AlreadyRegistered") == 0)
        status = OK;
    if (status == OK)
        status = send_one(sender, CONTRACT_PROVIDERS, "setGpu",
                          json_pack("[i,s,i,i,i,i]", 0, "cpu", 0, 1, 0, 1), none);
    if (status == OK)
        status = send_one(sender, CONTRACT_PROVIDERS, "setOffer",
                          json_pack("[i,o,i,i,b]", 0, abi_u256(amount(PRICE)), 1, 3600, 1), none);
    return status;
}

static enum status name_judge(struct sender *sender, const struct devnet_node *n)
{
    json_t *answer = NULL;
    enum status status = contract_call(sender->rpc, &answer, CONTRACT_DISPUTES, "judgeOf",
                                       json_pack("[o]", abi_address(&n->operator_address)));
    if (status != OK) return status;
    struct address named = abi_get_address(answer, "0");
    json_decref(answer);
    if (address_equal(&named, &n->judge.key)) return OK;
    return send_one(sender, CONTRACT_DISPUTES, "setJudge",
                    json_pack("[o]", abi_address(&n->judge.key)), u256_from_u64(0));
}

static enum status open_owner(struct registration *r, struct key *out)
{
    char keystore[PATH_MAX];
    char text[43];
    char error[JSON_ERROR_SIZE] = "";
    struct keystore_account account;
    devnet_path(keystore, r->net, "keystore");
    address_to_text(text, account_of(r));
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
    char urls[DEVNET_URLS_SIZE];
    char error[JSON_ERROR_SIZE] = "";
    struct rpc_options options = {.urls = urls, .patience_ms = PATIENCE_MS, .stop = stop_flag()};
    devnet_urls(urls, r->net, 0);
    r->status = open_owner(r, &key);
    if (r->status == OK) r->status = rpc_create(&rpc, &options, error);
    if (r->status == OK) r->status = sender_init(&sender, rpc, &key);
    if (r->status == OK) {
        r->status =
            r->worker != NULL ? send_three(&sender, r->worker) : name_judge(&sender, r->node);
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

static bool start(struct registration *r, const struct devnet *d, const char *password)
{
    r->net = d;
    snprintf(r->password, sizeof r->password, "%s", password);
    r->started = pthread_create(&r->thread, NULL, run_registration, r) == 0;
    return r->started;
}

static void name_of(char out[40], const struct registration *r)
{
    const struct devnet *d = r->net;
    if (r->worker != NULL)
        snprintf(out, 40, "provider-%zu", (size_t)(r->worker - d->workers) + 1);
    else
        snprintf(out, 40, "judge-%zu", (size_t)(r->node - d->nodes) + 1);
}

static int await_all(struct session *s, struct registration *all, size_t count, int code)
{
    for (size_t i = 0; i < count; i++) {
        char name[40];
        if (!all[i].started) continue;
        pthread_join(all[i].thread, NULL);
        name_of(name, &all[i]);
        if (all[i].status != OK && code == CODE_DONE)
            code = fail(s, CODE_REFUSED, "registering %s: %s", name, all[i].problem);
    }
    return code;
}

int devnet_register(struct session *s, struct devnet *d)
{
    struct registration all[DEVNET_WORKERS_MAX + DEVNET_VALIDATORS_MAX] = {0};
    char password[72];
    size_t count = 0;
    bool ok = true;
    int code = read_password(s, d, password);
    if (code != CODE_DONE) return code;
    for (size_t i = 0; i < d->node_count && ok; i++) {
        if (address_is_zero(&d->nodes[i].judge.key)) continue;
        all[count].node = &d->nodes[i];
        ok = start(&all[count++], d, password);
    }
    for (size_t i = 0; i < d->worker_count && ok; i++) {
        all[count].worker = &d->workers[i];
        ok = start(&all[count++], d, password);
    }
    if (!ok) code = fail(s, CODE_FAILED, "cannot start a thread");
    return await_all(s, all, count, code);
}
