/* What other threads see of the network, and ask of it. */
#include "node/network_core.h"

#include "node/loop.h"

#include <assert.h>
#include <string.h>

void network_renew_view(struct network *n)
{
    const struct consensus *c = driver_consensus(n->driver);
    const struct epoch *e = consensus_epoch(c);
    pthread_mutex_lock(&n->lock);
    struct network_view *v = &n->view;
    v->epoch = e->number;
    v->view = consensus_view(c);
    v->leader = e->validators[epoch_leader(e, v->view)].consensus_address;
    v->sync = sync_progress(n->sync);
    v->peer_count = peers_list(n->peers, v->peers, NETWORK_PEERS_MAX);
    n->counters->peers = v->peer_count;
    pthread_mutex_unlock(&n->lock);
}

void network_look(struct network *n, struct network_view *out)
{
    pthread_mutex_lock(&n->lock);
    *out = n->view;
    pthread_mutex_unlock(&n->lock);
}

void network_refuse(struct network *n, const struct hash *ids, size_t count, bool everybody)
{
    assert(count <= NETWORK_PEERS_MAX);
    pthread_mutex_lock(&n->lock);
    n->refuse_asked = true;
    n->refuse_everybody = everybody;
    n->refuse_count = count;
    if (count > 0) memcpy(n->refuse, ids, count * sizeof *ids);
    pthread_mutex_unlock(&n->lock);
    loop_wake(loop_watch_fd(n->control));
}

void network_on_control(void *context)
{
    struct network *n = context;
    pthread_mutex_lock(&n->lock);
    if (n->refuse_asked) peers_refuse(n->peers, n->refuse, n->refuse_count, n->refuse_everybody);
    n->refuse_asked = false;
    n->view.refusing = n->refuse_everybody || n->refuse_count > 0;
    pthread_mutex_unlock(&n->lock);
}

size_t network_evidence(struct network *n, struct evidence *out)
{
    pthread_mutex_lock(&n->lock);
    uint64_t all = n->evidence_count;
    size_t count = all < NETWORK_EVIDENCE_MAX ? (size_t)all : NETWORK_EVIDENCE_MAX;
    for (size_t i = 0; i < count; i++)
        out[i] = n->evidence[(all - count + i) % NETWORK_EVIDENCE_MAX];
    pthread_mutex_unlock(&n->lock);
    return count;
}
