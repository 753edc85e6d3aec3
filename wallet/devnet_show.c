/* The network as text and as JSON: what the record says, and what the nodes say themselves. */
#include "wallet/devnet.h"

#include "base/hex.h"
#include "wallet/output.h"

#include <stdio.h>
#include <string.h>

/* What one node says; all zero when it does not answer. */
struct node_view {
    bool answers;
    bool syncing;
    bool cut_off; /* by `devnet partition` */
    uint64_t height;
    uint64_t peers;
    struct address leader; /* of its current view */
};

/* A number, or a quantity: "0x2a". */
static uint64_t number_of(const json_t *object, const char *key)
{
    struct u256 n;
    const char *text = abi_get_text(object, key);
    if (u256_from_quantity(&n, bytes_of_text(text)) == OK) return u256_to_u64_saturating(n);
    return abi_get_u64(object, key);
}

static struct node_view look(const struct devnet_node *n)
{
    struct node_view view = {0};
    char problem[RPC_PROBLEM_SIZE];
    json_t *o = NULL;
    if (!process_alive(&n->process)) return view;
    if (devnet_ask(&o, n, "leasehold_status", NULL, problem) != OK) return view;
    view.answers = true;
    view.height = number_of(o, "finalizedNumber");
    view.peers = number_of(o, "peers");
    view.cut_off = abi_get_bool(o, "refusingPeers");
    view.syncing = abi_get_bool(o, "syncing");
    view.leader = abi_get_address(o, "leader");
    json_decref(o);
    return view;
}

/* Its process, then what was done to it. */
static const char *state_of(const struct devnet_node *n, const struct node_view *view)
{
    if (!process_alive(&n->process)) return n->killed ? "killed" : "stopped";
    if (!view->answers) return "silent";
    if (view->cut_off) return "partitioned";
    return view->syncing ? "syncing" : "up";
}

static json_t *judge_to_json(const struct devnet_judge *j)
{
    return json_pack("{s:s,s:b,s:I,s:o,s:s}", "name", j->process.name, "running",
                     process_alive(&j->process), "pid", (json_int_t)j->process.pid, "key",
                     abi_address(&j->key), "fault", j->fault);
}

static json_t *node_to_json(const struct devnet *d, size_t index)
{
    const struct devnet_node *n = &d->nodes[index];
    struct node_view view = look(n);
    char url[DEVNET_URL_SIZE];
    char p2p[40];
    devnet_url(url, n);
    snprintf(p2p, sizeof p2p, "127.0.0.1:%u", (unsigned)(uint16_t)n->p2p_port);
    json_t *o = json_pack("{s:I,s:s,s:b,s:I,s:s,s:s,s:o,s:o,s:b}", "node", (json_int_t)index + 1,
                          "state", state_of(n, &view), "running", process_alive(&n->process), "pid",
                          (json_int_t)n->process.pid, "rpc", url, "p2p", p2p, "operator",
                          abi_address(&n->operator_address), "consensusAddress",
                          abi_address(&n->consensus_address), "leads",
                          view.answers && address_equal(&view.leader, &n->consensus_address));
    json_object_set_new(o, "judge", judge_to_json(&n->judge));
    json_object_set_new(o, "height", view.answers ? abi_u64(view.height) : json_null());
    json_object_set_new(o, "peers", view.answers ? abi_u64(view.peers) : json_null());
    return o;
}

static json_t *worker_to_json(const struct devnet_worker *w)
{
    return json_pack("{s:s,s:b,s:I,s:I,s:o,s:o,s:s}", "name", w->process.name, "running",
                     process_alive(&w->process), "pid", (json_int_t)w->process.pid, "gatewayPort",
                     (json_int_t)w->port, "owner", abi_address(&w->owner), "workerKey",
                     abi_address(&w->key), "fault", w->fault);
}

json_t *devnet_to_json(const struct devnet *d)
{
    char url[DEVNET_URL_SIZE];
    char path[PATH_MAX];
    json_t *nodes = json_array();
    json_t *workers = json_array();
    for (size_t i = 0; i < d->node_count; i++)
        json_array_append_new(nodes, node_to_json(d, i));
    for (size_t i = 0; i < d->worker_count; i++)
        json_array_append_new(workers, worker_to_json(&d->workers[i]));
    devnet_url(url, &d->nodes[0]);
    json_t *o = json_pack("{s:s,s:s,s:I,s:b,s:o,s:o}", "dir", d->dir, "rpc", url, "chainId",
                          (json_int_t)DEVNET_CHAIN_ID, "running", devnet_any_node_alive(d), "nodes",
                          nodes, "workers", workers);
    devnet_path(path, d, "keystore");
    json_object_set_new(o, "keystore", json_string(path));
    devnet_path(path, d, "password");
    json_object_set_new(o, "passwordFile", json_string(path));
    return o;
}

/* ---- for people ---- */

static void print_nodes(const struct devnet *d)
{
    static const char *const titles[] = {"node", "is",  "block",    "peers",
                                         "pid",  "p2p", "JSON-RPC", "validator"};
    struct table t;
    table_init(&t, 8, titles);
    for (size_t i = 0; i < d->node_count; i++) {
        const struct devnet_node *n = &d->nodes[i];
        struct node_view view = look(n);
        char number[24], block[24] = "", peers[24] = "", pid[24], p2p[24], url[DEVNET_URL_SIZE];
        char operator_text[43];
        snprintf(number, sizeof number, "%zu", i + 1);
        if (view.answers) {
            snprintf(block, sizeof block, "%llu", (unsigned long long)view.height);
            snprintf(peers, sizeof peers, "%llu", (unsigned long long)view.peers);
        }
        snprintf(pid, sizeof pid, "%ld", n->process.pid);
        snprintf(p2p, sizeof p2p, "%u", (unsigned)(uint16_t)n->p2p_port);
        devnet_url(url, n);
        address_to_text(operator_text, &n->operator_address);
        table_add(&t, (const char *[]){number, state_of(n, &view), block, peers, pid, p2p, url,
                                       operator_text});
    }
    table_print(&t);
}

static void print_workers(const struct devnet *d)
{
    static const char *const titles[] = {"worker", "is", "fault", "pid", "gateway", "provider"};
    struct table t;
    table_init(&t, 6, titles);
    for (size_t i = 0; i < d->worker_count; i++) {
        const struct devnet_worker *w = &d->workers[i];
        char number[24], pid[24], gateway[40], owner[43];
        snprintf(number, sizeof number, "%zu", i + 1);
        snprintf(pid, sizeof pid, "%ld", w->process.pid);
        snprintf(gateway, sizeof gateway, "127.0.0.1:%u", (unsigned)(uint16_t)w->port);
        address_to_text(owner, &w->owner);
        table_add(&t, (const char *[]){number, process_alive(&w->process) ? "up" : "stopped",
                                       w->fault, pid, gateway, owner});
    }
    table_print(&t);
}

static void print_judges(const struct devnet *d)
{
    static const char *const titles[] = {"judge", "is", "fault", "pid", "judges for"};
    struct table t;
    table_init(&t, 5, titles);
    for (size_t i = 0; i < d->node_count; i++) {
        const struct devnet_judge *j = &d->nodes[i].judge;
        char number[24], pid[24], operator_text[43];
        snprintf(number, sizeof number, "%zu", i + 1);
        snprintf(pid, sizeof pid, "%ld", j->process.pid);
        address_to_text(operator_text, &d->nodes[i].operator_address);
        table_add(&t, (const char *[]){number, process_alive(&j->process) ? "up" : "stopped",
                                       j->fault, pid, operator_text});
    }
    table_print(&t);
}

static void print_text(const struct devnet *d)
{
    printf("network    %s, chain id %d\n\n", d->dir, DEVNET_CHAIN_ID);
    print_nodes(d);
    if (d->worker_count > 0) {
        printf("\n");
        print_workers(d);
    }
    printf("\n");
    print_judges(d);
    printf("\naccounts   renter, validator-N, judge-N, provider-N, worker-N in %s/keystore\n",
           d->dir);
    if (devnet_any_node_alive(d))
        printf("to use it  eval \"$(leasehold devnet env --dir '%s')\"\n", d->dir);
}

void devnet_print(const struct session *s, const struct devnet *d)
{
    if (s->json) {
        print_json(devnet_to_json(d));
    } else {
        print_text(d);
    }
    fflush(stdout);
}
