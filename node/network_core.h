/* network_core.h - what network's files share: the parts, and what other threads may see of them.
 *
 * network.c hands messages and wishes to the parts; network_open.c makes them; network_look.c is
 * for other threads. Nobody else includes this. */
#ifndef LEASEHOLD_NODE_NETWORK_CORE_H
#define LEASEHOLD_NODE_NETWORK_CORE_H

#include "node/fetch.h"
#include "node/gossip.h"
#include "node/network.h"
#include "node/progress_line.h"
#include "node/reporter.h"
#include "node/serve.h"
#include "node/tx_relay.h"

#include <pthread.h>

#define NETWORK_TICK_MS 20

struct network {
    const struct config *options;
    const struct genesis *genesis;
    struct ledger *ledger;
    struct counters *counters;
    struct identity *identity;
    struct book *book;
    struct peers *peers;
    struct driver *driver;
    struct gossip *gossip;
    struct fetch *fetch;
    struct tx_relay *relay;
    struct sync *sync;
    struct serve *serve;
    struct reporter *reporter;
    struct progress_line *progress;
    struct loop_timer *tick;
    struct loop_timer *sync_timer;
    struct loop_watch *control;
    struct address own; /* consensus address; zero: none */
    uint64_t epoch;     /* gossip was last told of */
    uint64_t fetched_ms, viewed_ms, reported_ms, saved_ms;

    pthread_mutex_t lock; /* of all below */
    struct network_view view;
    struct evidence evidence[NETWORK_EVIDENCE_MAX]; /* a ring, the newest of all that was found */
    uint64_t evidence_count;
    bool refuse_asked;
    bool refuse_everybody;
    size_t refuse_count;
    struct hash refuse[NETWORK_PEERS_MAX];
};

/* network.c, for network_open.c: what peers, sync and serve call. */
struct peers_handlers network_handlers(struct network *n);
struct sync_setup network_sync_setup(struct network *n);
struct serve_setup network_serve_setup(struct network *n);
void network_on_tick(void *context);
void network_on_sync_timer(void *context);
/* network_look.c */
void network_on_control(void *context);
void network_renew_view(struct network *n);
/* network_open.c */
void network_save_book(const struct network *n);

#endif
