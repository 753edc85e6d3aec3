/* equivocator - leaseholdd, but when it leads it shows half of its peers one block and the others
 * another of the same view, and signs both.
 *
 * The product's own objects; the linker (-Wl,--wrap) puts this file's functions in front of
 * peers_open, which tells the key, and peers_send, where a proposal leaves for each peer. Nothing
 * of it is in the product. The other block is a second younger, and as good as the first unless
 * something in it looks at the time. */
#include "base/fatal.h"
#include "base/log.h"
#include "chain/block.h"
#include "net/peers.h"

#include <stdlib.h>

/* The linker's names. */
enum status __real_peers_open(struct peers **out, char error[PEERS_ERROR_SIZE],
                              struct event_base *base, const struct identity *identity,
                              struct book *book, const struct peers_config *config,
                              const struct peers_handlers *handlers);
enum status __wrap_peers_open(struct peers **out, char error[PEERS_ERROR_SIZE],
                              struct event_base *base, const struct identity *identity,
                              struct book *book, const struct peers_config *config,
                              const struct peers_handlers *handlers);
bool __real_peers_send(struct peers *p, uint64_t peer, struct parcel *parcel);
bool __wrap_peers_send(struct peers *p, uint64_t peer, struct parcel *parcel);

static struct {
    uint64_t chain_id;
    bool has_key;
    struct key key;
    struct hash block;   /* as proposed last */
    struct parcel *twin; /* the proposal of the other; NULL: none could be made */
    unsigned told;       /* to how many it was sent, one or the other */
} liar;

enum status __wrap_peers_open(struct peers **out, char error[PEERS_ERROR_SIZE],
                              struct event_base *base, const struct identity *identity,
                              struct book *book, const struct peers_config *config,
                              const struct peers_handlers *handlers)
{
    liar.chain_id = config->chain_id;
    liar.has_key = config->validator_key != NULL;
    if (liar.has_key) liar.key = *config->validator_key;
    return __real_peers_open(out, error, base, identity, book, config, handlers);
}

/* Appends the block, a second younger. */
static bool make_younger(struct buffer *out, struct hash *hash, struct bytes block)
{
    struct arena arena = {0};
    struct block b;
    bool ok = block_decode(&b, &arena, block) == OK;
    if (ok) {
        b.header.timestamp_s++;
        block_encode(out, &b);
        *hash = block_hash(&b);
    }
    arena_finish(&arena);
    return ok;
}

static struct parcel *make_twin(struct proposal *p, struct bytes block)
{
    struct buffer younger = {0}, payload = {0};
    struct parcel *parcel = NULL;
    if (make_younger(&younger, &p->vote.block, block)) {
        struct hash digest = vote_digest(liar.chain_id, &p->vote);
        p->vote.signature = key_sign(&liar.key, &digest);
        proposal_encode(&payload, p, buffer_bytes(&younger));
        parcel = parcel_create(WIRE_PROPOSAL, buffer_bytes(&payload));
        log_warn("equivocator", "proposes twice epoch=%llu view=%llu",
                 (unsigned long long)p->vote.epoch, (unsigned long long)p->vote.view);
    }
    buffer_finish(&younger);
    buffer_finish(&payload);
    return parcel;
}

/* Makes the twin at a proposal's first peer. Only whole proposals are our own; others' are passed
 * on without the block. */
static bool is_own_proposal(struct bytes frame)
{
    struct bytes payload = bytes_of(frame.data + FRAME_HEAD_SIZE, frame.size - FRAME_HEAD_SIZE);
    struct proposal *p = must_alloc(sizeof *p);
    struct bytes block;
    bool own = proposal_decode(p, &block, payload) == OK && block.size > 0;
    if (own && !hash_equal(&liar.block, &p->vote.block)) {
        liar.block = p->vote.block;
        liar.told = 0;
        parcel_release(liar.twin);
        liar.twin = make_twin(p, block);
    }
    free(p);
    return own;
}

bool __wrap_peers_send(struct peers *p, uint64_t peer, struct parcel *parcel)
{
    struct bytes frame = parcel_frame(parcel);
    bool own = liar.has_key && frame.data[4] == WIRE_PROPOSAL && is_own_proposal(frame);
    if (own && liar.twin != NULL && liar.told++ % 2 == 1) parcel = liar.twin;
    return __real_peers_send(p, peer, parcel);
}
