/* devnet.h - a whole network on this machine: 1 to 16 validators, any number of workers.
 *
 * Everything lives in one folder: keystore/ (light key files), password, genesis.json, for each
 * validator validator-N.key, node-N/, node-N.log, judge-N/ and judge-N.log, for each worker
 * worker-N/ and worker-N.log, and devnet.json, which says what runs and on which ports. Accounts:
 * validator-N (operators), judge-N (their hot keys), renter, provider-N (owners), worker-N (hot
 * keys). Stopping and starting again goes on with the same chain and the same ports. Nodes and
 * workers are numbered from 1 for people, from 0 here.
 *
 * Who changes a network holds its lock (devnet_lock) from loading the record to saving it. */
#ifndef LEASEHOLD_WALLET_DEVNET_H
#define LEASEHOLD_WALLET_DEVNET_H

#include "wallet/process.h"
#include "wallet/session.h"

#define DEVNET_VALIDATORS_MAX 16
#define DEVNET_WORKERS_MAX    16
#define DEVNET_CHAIN_ID       7117
#define DEVNET_URL_SIZE       32
#define DEVNET_URLS_SIZE      (DEVNET_VALIDATORS_MAX * DEVNET_URL_SIZE)

/* Each validator's: it sits in committees when results differ. */
struct devnet_judge {
    struct process process;
    struct address key; /* zero in a network of an older release: then there is none */
    char fault[16];
};

struct devnet_node {
    struct process process;
    uint64_t rpc_port;
    uint64_t p2p_port;
    struct address operator_address; /* of its account, validator-N */
    struct address consensus_address;
    bool killed; /* by `devnet kill`; until it is started again */
    struct devnet_judge judge;
};

struct devnet_worker {
    struct process process;
    uint64_t port; /* of its gateway */
    struct address owner;
    struct address key;
    struct hash tls_key_hash;
    char fault[16];
};

struct devnet {
    char dir[PATH_MAX]; /* absolute */
    uint64_t block_ms;
    uint64_t epoch_blocks;
    size_t node_count;
    size_t worker_count;
    struct devnet_node nodes[DEVNET_VALIDATORS_MAX];
    struct devnet_worker workers[DEVNET_WORKERS_MAX];
};

/* ---- the record (devnet.c) ---- */

/* DIR/devnet.json. E_NOT_FOUND: no network there. */
MUST_CHECK enum status devnet_load(struct devnet *out, char error[JSON_ERROR_SIZE],
                                   const char *dir);
MUST_CHECK int devnet_save(const struct session *s, const struct devnet *d);
/* Waits until no other command changes the network in that folder. Closing *out_fd, or the end of
 * this program, lets go of it. */
MUST_CHECK int devnet_lock(const struct session *s, int *out_fd, const char *dir);

/* The network of --dir; with lock_fd not NULL, to change it: locked first. */
MUST_CHECK int devnet_open(struct session *s, struct devnet *out, int *lock_fd);

/* dir/part as a path; fatal when too long (dir is bounded before). */
void devnet_path(char out[PATH_MAX], const struct devnet *d, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void devnet_url(char out[DEVNET_URL_SIZE], const struct devnet_node *n);
/* All nodes' URLs, comma-separated, node `first` in front: for programs that outlive a node. */
void devnet_urls(char out[DEVNET_URLS_SIZE], const struct devnet *d, size_t first);

/* ---- making one (devnet_make.c, devnet_register.c) ---- */

/* Keys, ports, password file and genesis of a new network. Given: dir, block_ms, epoch_blocks,
 * node_count, worker_count. */
struct devnet_wishes {
    uint64_t rpc_port;      /* the first node's, the others' follow; 0: free ones */
    const json_t *contract; /* parameters of the contracts that differ; NULL: none */
};
MUST_CHECK int devnet_make(struct session *s, struct devnet *d, const struct devnet_wishes *wishes);
/* Registers every provider that is not registered yet (stake, GPU entry, open offer), and every
 * judge's key with its operator. */
MUST_CHECK int devnet_register(struct session *s, struct devnet *d);

/* ---- its processes (devnet_process.c) ----
 *
 * What starts a process saves the record before it waits for anything: whatever becomes of this
 * program, `devnet down` finds them all. */

/* Waits a moment; false once Ctrl-C was pressed. */
bool devnet_wait_a_step(void);
/* The program's path; the key file of an account in the network's own key store. */
MUST_CHECK int devnet_find_program(const struct session *s, char out[PATH_MAX],
                                   const char *program);
MUST_CHECK int devnet_key_path(struct session *s, char out[PATH_MAX], const struct devnet *d,
                               const struct address *a);
/* Fails with the last line of the program's log. */
MUST_CHECK int devnet_log_tail(const struct session *s, const char *what, const char *log_path);

/* Starts every node that does not run, side by side, and waits until all answer and, where there
 * are several, a block becomes final. */
MUST_CHECK int devnet_start_nodes(struct session *s, struct devnet *d);
/* Starts one node and waits until it answers. */
MUST_CHECK int devnet_start_node(struct session *s, struct devnet *d, size_t index);
/* Starts one worker and waits until its gateway listens. */
MUST_CHECK int devnet_start_worker(struct session *s, struct devnet *d, size_t index);
/* Starts every judge that does not run, and waits until all are ready; one judge. */
MUST_CHECK int devnet_start_judges(struct session *s, struct devnet *d);
MUST_CHECK int devnet_start_judge(struct session *s, struct devnet *d, size_t index);
/* Asks one node; the answer's owner is the caller. Waits a second at most. */
MUST_CHECK enum status devnet_ask(json_t **out, const struct devnet_node *n, const char *method,
                                  json_t *params, char problem[RPC_PROBLEM_SIZE]);
/* Waits, half a minute at most, until a node has the blocks that another had when this was called;
 * sets its height and returns how many it still lacks. */
uint64_t devnet_await_level(const struct devnet *d, size_t index, uint64_t *out_height);
bool devnet_any_node_alive(const struct devnet *d);
/* Ends all processes, workers and judges first; what they were at goes on at the next start. */
void devnet_stop(struct devnet *d);

/* ---- showing it (devnet_show.c) ---- */

json_t *devnet_to_json(const struct devnet *d);
void devnet_print(const struct session *s, const struct devnet *d);

#endif
