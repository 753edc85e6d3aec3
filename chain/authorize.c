#include "chain/authorize.h"

#include "vm/delegation.h"

/* EIP-7702: PER_EMPTY_ACCOUNT_COST - PER_AUTH_BASE_COST. */
#define REFUND_OF_EXISTING 12500

static void set_delegation(struct layer *l, const struct address *authority,
                           const struct address *delegate)
{
    static const struct address none = {{0}};
    struct delegation d = delegation_to(delegate);
    struct bytes code = bytes_of(d.code, sizeof d.code);
    if (address_equal(delegate, &none)) code = bytes_of(NULL, 0);
    layer_set_code(l, authority, code);
}

static uint64_t authorize_one(struct layer *l, const struct authorization *a, uint64_t chain_id)
{
    struct address authority;
    if (authorization_authority(&authority, a, chain_id) != OK) return 0;
    layer_warm_account(l, &authority);
    struct account account = layer_account(l, &authority);
    if (account_has_code(&account) && !layer_is_delegated(l, &authority)) return 0;
    if (account.nonce != a->nonce) return 0;
    set_delegation(l, &authority, &a->delegate);
    layer_set_nonce(l, &authority, account.nonce + 1);
    return account_is_empty(&account) ? 0 : REFUND_OF_EXISTING;
}

uint64_t authorize(struct layer *l, const struct authorizations *a)
{
    uint64_t refund = 0;
    for (size_t i = 0; i < a->count; i++)
        refund += authorize_one(l, &a->list[i], a->chain_id);
    return refund;
}

bool layer_is_delegated(struct layer *l, const struct address *a)
{
    struct address delegate;
    return delegation_decode(&delegate, layer_code(l, a));
}
