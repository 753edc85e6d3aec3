/* devnet kill, restart, partition, heal, fault: for people who want to see a network survive. */
#include "wallet/devnet.h"
#include "wallet/handlers.h"
#include "wallet/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define END_MS 8000u

/* The node that leads the current view, by the first one that says so. */
static int find_leader(struct session *s, const struct devnet *d, size_t *out)
{
    char problem[RPC_PROBLEM_SIZE] = "no node answers that is not cut off";
    for (size_t i = 0; i < d->node_count; i++) {
        json_t *o = NULL;
        if (!process_alive(&d->nodes[i].process)) continue;
        if (devnet_ask(&o, &d->nodes[i], "leasehold_status", NULL, problem) != OK) continue;
        struct address leader = abi_get_address(o, "leader");
        bool cut_off = abi_get_bool(o, "refusingPeers");
        json_decref(o);
        if (cut_off) continue; /* what it believes is old */
        for (size_t k = 0; k < d->node_count; k++) {
            if (!address_equal(&leader, &d->nodes[k].consensus_address)) continue;
            *out = k;
            return CODE_DONE;
        }
        snprintf(problem, sizeof problem, "the leader is none of this network's nodes");
    }
    return fail(s, CODE_FAILED, "who leads? %s", problem);
}

static int read_number(struct session *s, size_t *out, const char *what, size_t count)
{
    uint64_t number = 0;
    char text[40];
    snprintf(text, sizeof text, "the %s's number", what);
    int code = word_number(s, &number, 0, text);
    if (code != CODE_DONE) return code;
    if (number < 1 || number > count)
        return fail(s, CODE_USAGE, "there are %ss 1 to %zu, no %llu", what, count,
                    (unsigned long long)number);
    *out = (size_t)number - 1;
    return CODE_DONE;
}

/* Loads the network to change it, and reads NODE: a number, or `leader`. */
static int open_with_node(struct session *s, struct devnet *d, size_t *out)
{
    int lock_fd = -1; /* held until this program ends */
    int code = devnet_open(s, d, &lock_fd);
    if (code != CODE_DONE) return code;
    if (strcmp(s->in->words[0], "leader") == 0) return find_leader(s, d, out);
    return read_number(s, out, "node", d->node_count);
}

static int done(const struct session *s, const struct devnet *d, size_t index, const char *what)
{
    if (s->json) {
        devnet_print(s, d);
    } else {
        printf("node %zu %s\n", index + 1, what);
    }
    return CODE_DONE;
}

int devnet_kill(struct session *s)
{
    struct devnet d;
    size_t index = 0;
    int code = open_with_node(s, &d, &index);
    if (code != CODE_DONE) return code;
    struct devnet_node *n = &d.nodes[index];
    if (!process_alive(&n->process))
        return fail(s, CODE_FAILED, "node %zu does not run", index + 1);
    n->killed = true;
    code = devnet_save(s, &d); /* first, or `devnet up` might take it for a crash */
    if (code != CODE_DONE) return code;
    process_kill(&n->process);
    return done(s, &d, index, "is killed");
}

int devnet_restart(struct session *s)
{
    struct devnet d;
    size_t index = 0;
    uint64_t height = 0;
    char what[80];
    stop_watch();
    int code = open_with_node(s, &d, &index);
    if (code != CODE_DONE) return code;
    process_end(&d.nodes[index].process, END_MS);
    code = devnet_start_node(s, &d, index);
    if (code != CODE_DONE) return code;
    uint64_t missing = devnet_await_level(&d, index, &height);
    snprintf(what, sizeof what,
             missing == 0 ? "runs again and has caught up, at block %llu"
                          : "runs again, at block %llu; the others are %llu ahead",
             (unsigned long long)height, (unsigned long long)missing);
    return done(s, &d, index, what);
}

static int refuse_peers(struct session *s, bool refuse, const char *what)
{
    struct devnet d;
    size_t index = 0;
    char problem[RPC_PROBLEM_SIZE] = "";
    json_t *answer = NULL;
    int code = open_with_node(s, &d, &index);
    if (code != CODE_DONE) return code;
    struct devnet_node *n = &d.nodes[index];
    if (!process_alive(&n->process))
        return fail(s, CODE_FAILED, "node %zu does not run; start it: leasehold devnet restart %zu",
                    index + 1, index + 1);
    enum status status =
        devnet_ask(&answer, n, "leasehold_refusePeers", json_pack("[b]", refuse), problem);
    json_decref(answer);
    if (status != OK) return fail(s, CODE_FAILED, "node %zu: %s", index + 1, problem);
    return done(s, &d, index, what);
}

int devnet_partition(struct session *s)
{
    return refuse_peers(s, true, "is cut off from the others");
}

int devnet_heal(struct session *s)
{
    return refuse_peers(s, false, "is back with the others");
}

/* ---- faults ---- */

#define WORKER_KINDS "none lie collude silent noreveal withhold"
#define JUDGE_KINDS  "none lie silent noreveal"

static int check_kind(const struct session *s, const char *kinds, const char *kind)
{
    char padded[80], wanted[48];
    snprintf(padded, sizeof padded, " %s ", kinds);
    snprintf(wanted, sizeof wanted, " %.40s ", kind);
    if (kind[0] != '\0' && strchr(kind, ' ') == NULL && strstr(padded, wanted) != NULL)
        return CODE_DONE;
    return fail(s, CODE_USAGE, "no fault \"%.40s\"; there are: %s", kind, kinds);
}

static int restart_worker(struct session *s, struct devnet *d, const char *kind)
{
    size_t index = 0;
    int code = read_number(s, &index, "worker", d->worker_count);
    if (code == CODE_DONE) code = check_kind(s, WORKER_KINDS, kind);
    if (code != CODE_DONE) return code;
    struct devnet_worker *w = &d->workers[index];
    process_interrupt(&w->process); /* at once; what it was at, it takes up again */
    process_end(&w->process, END_MS);
    snprintf(w->fault, sizeof w->fault, "%s", kind);
    return devnet_start_worker(s, d, index);
}

/* `number` is what stands behind "judge-". */
static int restart_judge(struct session *s, struct devnet *d, const char *number, const char *kind)
{
    char *end = NULL;
    unsigned long n = strtoul(number, &end, 10);
    if (number[0] < '0' || number[0] > '9' || *end != '\0' || n < 1 || n > d->node_count)
        return fail(s, CODE_USAGE, "there are judges judge-1 to judge-%zu, no judge-%.20s",
                    d->node_count, number);
    int code = check_kind(s, JUDGE_KINDS, kind);
    if (code != CODE_DONE) return code;
    struct devnet_judge *j = &d->nodes[n - 1].judge;
    process_end(&j->process, END_MS);
    snprintf(j->fault, sizeof j->fault, "%s", kind);
    return devnet_start_judge(s, d, n - 1);
}

int devnet_fault(struct session *s)
{
    const char *who = s->in->words[0];
    const char *kind = s->in->words[1];
    struct devnet d;
    int lock_fd = -1;
    int code = devnet_open(s, &d, &lock_fd);
    if (code != CODE_DONE) return code;
    if (strncmp(who, "judge-", 6) == 0)
        code = restart_judge(s, &d, who + 6, kind);
    else
        code = restart_worker(s, &d, kind);
    if (code == CODE_DONE) devnet_print(s, &d);
    return code;
}
