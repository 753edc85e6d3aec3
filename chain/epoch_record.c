#include "chain/epoch_record.h"

#include "base/fatal.h"
#include "base/keccak.h"
#include "base/rlp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct hash randomness_next(const struct hash *parent_mix, const struct hash *reveal)
{
    struct keccak k;
    keccak_init(&k);
    keccak_update(&k, hash_bytes(parent_mix));
    keccak_update(&k, hash_bytes(reveal));
    return keccak_finish(&k);
}

uint32_t epoch_record_leader(const struct epoch_record *r, uint64_t view)
{
    return epoch_leader(&r->epoch, view);
}

static void set_duties(struct epoch_record *r, const struct validator_set *set)
{
    memset(r->duties, 0, sizeof r->duties);
    for (uint32_t i = 0; i < set->count; i++) {
        r->duties[i].chain_end = set->chain_ends[i];
        r->duties[i].revealed = set->chain_ends[i];
    }
}

static void set_validators(struct epoch_record *r, const struct validator_set *set)
{
    memset(r->epoch.validators, 0, sizeof r->epoch.validators);
    memcpy(r->epoch.validators, set->validators, set->count * sizeof set->validators[0]);
    r->epoch.validator_count = set->count;
    r->validators_hash = validators_hash(set->validators, set->count);
}

enum status epoch_record_first(struct epoch_record *out, const struct validator_set *set,
                               const struct chain_config *config, const struct header *genesis)
{
    assert(genesis->number == 0);
    if (set->count == 0 || set->count > VALIDATORS_MAX) return E_LIMIT;
    struct epoch_record *r = must_alloc(sizeof *r);
    set_validators(r, set);
    set_duties(r, set);
    r->epoch.chain_id = config->chain_id;
    r->epoch.seed = genesis->mix_hash;
    r->epoch.start_block = header_hash(genesis);
    r->epoch.last_number = config->epoch_blocks;
    r->next_seed = genesis->mix_hash;
    enum status status = epoch_seal(&r->epoch);
    if (status == OK) *out = *r;
    free(r);
    return status;
}

static const char *check_views(const struct epoch_record *parent, const struct header *h)
{
    if (h->number <= parent->epoch.start_number || h->number > parent->epoch.last_number) {
        return "the number is outside its epoch";
    }
    if (h->extra.epoch != parent->epoch.number) return "the epoch is not the running one";
    if (h->extra.parent_view != parent->last_view) return "the parent's view differs";
    if (h->extra.view <= h->extra.parent_view) return "the view is not above the parent's";
    if (!hash_equal(&h->extra.validators_hash, &parent->validators_hash)) {
        return "the validators' hash differs";
    }
    return NULL;
}

const char *epoch_record_check(const struct epoch_record *parent, const struct hash *parent_mix,
                               const struct header *h)
{
    const char *wrong = check_views(parent, h);
    if (wrong != NULL) return wrong;
    uint32_t leader = epoch_record_leader(parent, h->extra.view);
    assert(leader < parent->epoch.validator_count);
    if (!address_equal(&h->coinbase, &parent->epoch.validators[leader].operator_address)) {
        return "the coinbase is not the operator of the view's leader";
    }
    struct hash opened = keccak256(hash_bytes(&h->extra.reveal));
    if (!hash_equal(&opened, &parent->duties[leader].revealed)) {
        return "the reveal does not open the leader's hash chain";
    }
    struct hash mix = randomness_next(parent_mix, &h->extra.reveal);
    if (!hash_equal(&h->mix_hash, &mix)) return "the mixHash does not follow from the reveal";
    return NULL;
}

void epoch_record_apply(struct epoch_record *r, const struct header *h)
{
    uint64_t first = h->extra.parent_view + 1;
    if (h->extra.view - first > SKIPPED_VIEWS_MAX) first = h->extra.view - SKIPPED_VIEWS_MAX;
    for (uint64_t view = first; view < h->extra.view; view++) {
        r->duties[epoch_record_leader(r, view)].missed++;
    }
    struct epoch_duty *leader = &r->duties[epoch_record_leader(r, h->extra.view)];
    leader->proposed++;
    leader->revealed = h->extra.reveal;
    r->last_view = h->extra.view;
}

/* The duty of a member with the same operator and registered chain; NULL: none. */
static const struct epoch_duty *find_duty(const struct epoch_record *r,
                                          const struct address *operator_address,
                                          const struct hash *chain_end)
{
    for (uint32_t i = 0; i < r->epoch.validator_count; i++) {
        if (address_equal(&r->epoch.validators[i].operator_address, operator_address) &&
            hash_equal(&r->duties[i].chain_end, chain_end)) {
            return &r->duties[i];
        }
    }
    return NULL;
}

/* Staking knows what was opened up to the last endEpoch that succeeded; what a member opened since,
 * this record alone knows. */
static void carry_revealed(struct epoch_record *to, const struct epoch_record *from)
{
    for (uint32_t i = 0; i < to->epoch.validator_count; i++) {
        const struct epoch_duty *old =
            find_duty(from, &to->epoch.validators[i].operator_address, &to->duties[i].chain_end);
        if (old != NULL) to->duties[i].revealed = old->revealed;
    }
}

static void clear_counts(struct epoch_record *r)
{
    for (uint32_t i = 0; i < r->epoch.validator_count; i++) {
        r->duties[i].proposed = 0;
        r->duties[i].missed = 0;
    }
}

bool epoch_record_turn(struct epoch_record *r, const struct validator_set *set,
                       const struct chain_config *config, const struct header *h)
{
    assert(h->number == r->epoch.last_number);
    struct epoch_record *next = must_alloc(sizeof *next);
    *next = *r;
    if (set != NULL && set->count <= VALIDATORS_MAX) {
        set_validators(next, set);
        set_duties(next, set);
        carry_revealed(next, r);
    }
    clear_counts(next);
    next->epoch.number++;
    next->epoch.seed = r->next_seed;
    next->epoch.start_block = (struct hash){{0}};
    next->epoch.start_number = h->number;
    next->epoch.last_number = h->number + config->epoch_blocks;
    next->next_seed = h->mix_hash;
    next->last_view = 0;
    bool valid = epoch_seal(&next->epoch) == OK && (set == NULL || set->count <= VALIDATORS_MAX);
    if (valid) *r = *next;
    free(next);
    return valid;
}

static void encode_validator(struct buffer *out, const struct validator *v,
                             const struct epoch_duty *d)
{
    size_t list = rlp_list_open(out);
    rlp_put_address(out, &v->operator_address);
    rlp_put_address(out, &v->consensus_address);
    rlp_put_u64(out, v->weight);
    rlp_put_u64(out, d->proposed);
    rlp_put_u64(out, d->missed);
    rlp_put_hash(out, &d->chain_end);
    rlp_put_hash(out, &d->revealed);
    rlp_list_close(out, list);
}

void epoch_record_encode(struct buffer *out, const struct epoch_record *r)
{
    size_t list = rlp_list_open(out);
    rlp_put_u64(out, r->epoch.chain_id);
    rlp_put_u64(out, r->epoch.number);
    rlp_put_hash(out, &r->epoch.seed);
    rlp_put_hash(out, &r->epoch.start_block);
    rlp_put_u64(out, r->epoch.start_number);
    rlp_put_u64(out, r->epoch.last_number);
    rlp_put_hash(out, &r->next_seed);
    rlp_put_u64(out, r->last_view);
    size_t validators = rlp_list_open(out);
    for (uint32_t i = 0; i < r->epoch.validator_count; i++) {
        encode_validator(out, &r->epoch.validators[i], &r->duties[i]);
    }
    rlp_list_close(out, validators);
    rlp_list_close(out, list);
}

static uint32_t read_u32(struct rlp_reader *r)
{
    uint64_t value = rlp_u64(r);
    if (value > UINT32_MAX) rlp_fail(r);
    return (uint32_t)value;
}

static bool decode_validator(struct rlp_reader *list, struct epoch_record *r)
{
    uint32_t at = r->epoch.validator_count++;
    struct rlp_reader item = rlp_list(list);
    r->epoch.validators[at].operator_address = rlp_address(&item);
    r->epoch.validators[at].consensus_address = rlp_address(&item);
    r->epoch.validators[at].weight = rlp_u64(&item);
    r->duties[at].proposed = read_u32(&item);
    r->duties[at].missed = read_u32(&item);
    r->duties[at].chain_end = rlp_hash(&item);
    r->duties[at].revealed = rlp_hash(&item);
    return rlp_end(&item) == OK;
}

static enum status decode_into(struct epoch_record *r, struct bytes input)
{
    struct rlp_reader whole = rlp_reader_over(input);
    struct rlp_reader list = rlp_list(&whole);
    r->epoch.chain_id = rlp_u64(&list);
    r->epoch.number = rlp_u64(&list);
    r->epoch.seed = rlp_hash(&list);
    r->epoch.start_block = rlp_hash(&list);
    r->epoch.start_number = rlp_u64(&list);
    r->epoch.last_number = rlp_u64(&list);
    r->next_seed = rlp_hash(&list);
    r->last_view = rlp_u64(&list);
    struct rlp_reader validators = rlp_list(&list);
    while (!rlp_at_end(&validators)) {
        if (r->epoch.validator_count == VALIDATORS_MAX) return E_LIMIT;
        if (!decode_validator(&validators, r)) return E_MALFORMED;
    }
    if (rlp_end(&validators) != OK || rlp_end(&list) != OK || rlp_end(&whole) != OK) {
        return E_MALFORMED;
    }
    r->validators_hash = validators_hash(r->epoch.validators, r->epoch.validator_count);
    return epoch_seal(&r->epoch);
}

enum status epoch_record_decode(struct epoch_record *out, struct bytes input)
{
    struct epoch_record *r = must_alloc(sizeof *r);
    enum status status = decode_into(r, input);
    if (status == OK) *out = *r;
    free(r);
    return status;
}
