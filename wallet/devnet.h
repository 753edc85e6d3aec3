/* devnet.h - a whole network on this machine: one validator, any number of workers.
 *
 * Everything lives in one folder: keystore/ (light key files), password, genesis.json, node-1/,
 * worker-N/ with their logs, and devnet.json, which says what runs. Accounts: validator-1, renter,
 * provider-N (owners), worker-N (hot keys). Stopping and starting again goes on with the same
 * chain. */
#ifndef LEASEHOLD_WALLET_DEVNET_H
#define LEASEHOLD_WALLET_DEVNET_H

#include "wallet/process.h"
#include "wallet/session.h"

#define DEVNET_WORKERS_MAX 16
#define DEVNET_CHAIN_ID    7117

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
    struct process node;
    uint64_t rpc_port;
    uint64_t block_ms;
    size_t worker_count;
    struct devnet_worker workers[DEVNET_WORKERS_MAX];
};

/* DIR/devnet.json. E_NOT_FOUND: no network there. */
MUST_CHECK enum status devnet_load(struct devnet *out, char error[JSON_ERROR_SIZE],
                                   const char *dir);
MUST_CHECK int devnet_save(const struct session *s, const struct devnet *d);

/* Keys, password file and genesis for a new network; d->dir, worker_count and block_ms are given.
 */
MUST_CHECK int devnet_make(struct session *s, struct devnet *d);
/* Starts the node (rpc_port 0: a free one, which d then names) and waits until it answers. */
MUST_CHECK int devnet_start_node(struct session *s, struct devnet *d);
/* Registers every provider that is not registered yet: stake, GPU entry, open offer. */
MUST_CHECK int devnet_register(struct session *s, struct devnet *d);
/* Starts one worker and waits until its gateway listens. */
MUST_CHECK int devnet_start_worker(struct session *s, struct devnet *d, size_t index);
/* Ends all processes, workers first. */
void devnet_stop(struct devnet *d);

/* dir/part as a path; fatal when too long (dir is bounded before). */
void devnet_path(char out[PATH_MAX], const struct devnet *d, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void devnet_url(char out[64], const struct devnet *d);

#endif
