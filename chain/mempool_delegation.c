/* What EIP-7702 changes for waiting transactions: see the rules in mempool.h. */
#include "chain/mempool_table.h"

void mempool_find_authorities(struct mempool *m, struct newcomer *n, const struct tx *t,
                              uint64_t chain_id)
{
    struct address *found = arena_alloc(&m->arena, t->authorization_count * sizeof *found);
    size_t count = 0;
    for (size_t i = 0; i < t->authorization_count; i++)
        count += authorization_authority(&found[count], &t->authorizations[i], chain_id) == OK;
    n->authorities = found;
    n->authority_count = count;
    n->tx.size_bytes = n->tx.wire.size + count * (sizeof(struct authority) + sizeof *found);
}

enum tx_reason mempool_check_sender_delegation(const struct mempool *m, const struct mempool_tx *tx,
                                               const struct mempool_account *account,
                                               const struct entry *old, size_t queued)
{
    if (!account->is_delegated && !mempool_is_authority(m, &tx->sender)) return TX_FINE;
    if (old) return TX_FINE;
    if (queued > 0) return TX_DELEGATED_FULL;
    return tx->nonce == account->nonce ? TX_FINE : TX_DELEGATED_GAP;
}

enum tx_reason mempool_check_authorities(const struct mempool *m, const struct newcomer *n)
{
    for (size_t i = 0; i < n->authority_count; i++) {
        const struct sender *s = mempool_sender_find(m, &n->authorities[i]);
        if (s && s->count > 1) return TX_AUTHORITY_RESERVED;
    }
    return TX_FINE;
}
