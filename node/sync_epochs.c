/* What is final: from our own set, which the state holds, to the next ones by the boundary blocks'
 * certificates, and in the last of them to the newest final block. */
#include "node/sync_internal.h"

#include "base/fatal.h"
#include "base/keccak.h"

#include <assert.h>
#include <stdlib.h>

#define LOOK_EACH_MS 1000  /* one peer is not asked for its newest block more often */
#define LOOK_ANY_MS  10000 /* somebody is asked at least as often */

/* ---- the trail ---- */

static void proven_finish(struct proven *p)
{
    buffer_finish(&p->certificate);
    *p = (struct proven){0};
}

static void trail_drop_front(struct trail *t, size_t count)
{
    assert(count <= t->count);
    for (size_t i = 0; i < count; i++)
        proven_finish(&t->boundaries[i]);
    memmove(t->boundaries, t->boundaries + count, (t->count - count) * sizeof *t->boundaries);
    memset(t->boundaries + t->count - count, 0, count * sizeof *t->boundaries);
    t->count -= count;
    t->first += count;
}

void epochs_follow(struct sync *s, uint64_t now_ms)
{
    const struct ledger_head *head = ledger_head(s->setup.ledger);
    struct trail *t = &s->trail;
    uint64_t epoch = head->record->epoch.number;
    if (t->boundaries == NULL) t->boundaries = must_alloc(SYNC_EPOCHS_MAX * sizeof *t->boundaries);
    bool moved = !hash_equal(&s->head, &head->hash);
    s->head = head->hash;
    s->head_number = head->header.number;
    if (s->known.validator_count == 0 || epoch > s->known.number) {
        trail_drop_front(t, t->count);
        t->first = epoch;
        s->known = head->record->epoch;
        ask_forget(s, &s->epoch_ask);
    }
    assert(epoch >= t->first); /* finality never goes back */
    trail_drop_front(t, (size_t)(epoch - t->first));
    if (s->target.number <= s->known.start_number) proven_finish(&s->target);
    if (moved || epochs_proved(s) <= s->head_number) s->level_ms = now_ms;
    if (moved) s->urgent = false;
    assert(t->first + t->count == s->known.number);
}

void epochs_finish(struct sync *s)
{
    if (s->trail.boundaries != NULL) trail_drop_front(&s->trail, s->trail.count);
    free(s->trail.boundaries);
    proven_finish(&s->target);
}

const struct proven *epochs_end_of(const struct sync *s, uint64_t epoch)
{
    if (epoch < s->trail.first) return NULL;
    if (epoch < s->known.number) return &s->trail.boundaries[epoch - s->trail.first];
    bool has = epoch == s->known.number && s->target.number > s->known.start_number;
    return has ? &s->target : NULL;
}

uint64_t epochs_proved(const struct sync *s)
{
    uint64_t boundary = s->known.start_number;
    return s->target.number > boundary ? s->target.number : boundary;
}

/* ---- asking ---- */

static void ask_next_epoch(struct sync *s, uint64_t now_ms)
{
    struct buffer payload = {0};
    if (s->epoch_ask.peer != 0 || s->trail.count == SYNC_EPOCHS_MAX) return;
    struct sync_peer *p = peer_pick(s, s->known.last_number, s->epoch_ask.tries, now_ms);
    if (p == NULL) return;
    wire_number_encode(&payload, s->known.number);
    if (peer_request(s, p, WIRE_EPOCH_REQUEST, buffer_bytes(&payload), 1, now_ms))
        ask_begin(s, &s->epoch_ask, p, now_ms);
    buffer_finish(&payload);
}

static void look_at(struct sync *s, struct sync_peer *p, uint64_t now_ms)
{
    p->looked_ms = now_ms;
    s->looked_ms = now_ms;
    if (peer_request(s, p, WIRE_FINAL_REQUEST, (struct bytes){0}, 1, now_ms))
        ask_begin(s, &p->final, p, now_ms);
}

/* Whether what it says it has would be more than is proved, and could be proved now. */
static bool may_show_more(const struct sync *s, const struct sync_peer *p)
{
    return p->hint > epochs_proved(s) && p->hint < s->known.last_number;
}

static bool look_due(const struct sync *s, const struct sync_peer *p, uint64_t now_ms)
{
    if (p->looked_ms == 0) return true;
    if (now_ms < p->looked_ms + LOOK_EACH_MS) return false;
    return p->looked_ms < s->look_ms || may_show_more(s, p);
}

static void look_around(struct sync *s, uint64_t now_ms)
{
    struct sync_peer *longest = NULL; /* not asked for the longest time */
    for (size_t i = 0; i < s->peer_count; i++) {
        struct sync_peer *p = &s->peers[i];
        if (p->final.peer != 0 || !peer_may_be_asked(p, 0, now_ms)) continue;
        if (look_due(s, p, now_ms)) look_at(s, p, now_ms);
        if (longest == NULL || p->looked_ms < longest->looked_ms) longest = p;
    }
    bool idle = longest != NULL && longest->final.peer == 0;
    if (idle && now_ms >= s->looked_ms + LOOK_ANY_MS) look_at(s, longest, now_ms);
}

void epochs_ask(struct sync *s, uint64_t now_ms)
{
    ask_next_epoch(s, now_ms);
    look_around(s, now_ms);
}

void epochs_expire(struct sync *s, uint64_t now_ms)
{
    ask_expire(s, &s->epoch_ask, now_ms);
    for (size_t i = 0; i < s->peer_count; i++)
        ask_expire(s, &s->peers[i].final, now_ms);
}

void sync_want(struct sync *s, const struct certificate *certificate, uint64_t peer,
               uint64_t now_ms)
{
    struct sync_peer *p = peer_find(s, peer);
    /* Whoever spoke of a later epoch may have this one's end. */
    if (p != NULL && certificate == NULL && p->hint < s->known.last_number)
        p->hint = s->known.last_number;
    if (now_ms >= s->look_ms + LOOK_EACH_MS) s->look_ms = now_ms;
    s->urgent = true;
    sync_wake(s, now_ms, 0);
}

/* ---- answers ---- */

struct pair { /* a header and its certificate, as somebody sent them */
    struct header header;
    struct hash hash;
    struct certificate certificate;
};

/* NULL if header and certificate belong together, else why not. Signatures are not looked at. */
static const char *check_pair(const struct sync *s, const struct pair *pair)
{
    uint64_t blocks = s->setup.config->epoch_blocks;
    uint64_t number = pair->header.number, epoch = pair->header.extra.epoch;
    if (pair->certificate.kind != VOTE_FINALIZE) return "not a certificate of finality";
    if (!hash_equal(&pair->certificate.block, &pair->hash)) return "a certificate of another block";
    if (pair->certificate.epoch != epoch) return "a certificate of another epoch";
    if (number == 0 || (number - 1) / blocks != epoch) return "a number outside its epoch";
    return NULL;
}

/* Decodes and checks all but the signatures; charges the peer and says false if that fails. */
static bool take_pair(struct sync *s, struct sync_peer *p, struct pair *out, struct bytes header,
                      struct bytes certificate)
{
    if (header_decode(&out->header, header) != OK ||
        certificate_decode(&out->certificate, certificate) != OK) {
        sync_peer_charge(s, p->id, OFFENCE_MALFORMED, "a header or certificate does not decode");
        return false;
    }
    out->hash = keccak256(header);
    const char *wrong = check_pair(s, out);
    if (wrong != NULL) sync_peer_charge(s, p->id, OFFENCE_INVALID, wrong);
    return wrong == NULL;
}

static bool is_signed(struct sync *s, struct sync_peer *p, const struct certificate *c)
{
    if (certificate_verify(c, &s->known, s->setup.signer) == OK) return true;
    sync_peer_charge(s, p->id, OFFENCE_FORGED,
                     "a certificate of finality that its epoch did not sign");
    return false;
}

static void proven_set(struct proven *out, const struct pair *pair, struct bytes certificate)
{
    out->number = pair->header.number;
    out->hash = pair->hash;
    buffer_clear(&out->certificate);
    buffer_append(&out->certificate, certificate);
}

void on_final(struct sync *s, struct sync_peer *p, struct bytes payload, uint64_t now_ms)
{
    struct wire_final f;
    struct pair pair;
    const struct header *h = &pair.header;
    if (wire_final_decode(&f, payload) != OK) {
        sync_peer_charge(s, p->id, OFFENCE_MALFORMED, "FINAL does not decode");
        return;
    }
    (void)now_ms;
    ask_end(s, &p->final);
    p->hint = 0;
    if (f.header.size == 0 || !take_pair(s, p, &pair, f.header, f.certificate)) return;
    p->hint = h->number;
    bool provable = h->extra.epoch == s->known.number && h->number != s->known.last_number;
    if (!provable || h->number <= epochs_proved(s)) return;
    if (!is_signed(s, p, &pair.certificate)) return;
    proven_set(&s->target, &pair, f.certificate);
}

/* The set that a boundary block's header commits to, as the epoch it is for. */
static void enter_epoch(struct sync *s, const struct wire_epoch *e, const struct pair *pair,
                        uint64_t now_ms)
{
    uint64_t boundary = pair->header.number;
    struct epoch next = {.chain_id = s->known.chain_id,
                         .number = s->known.number + 1,
                         .start_block = pair->hash,
                         .start_number = boundary,
                         .last_number = boundary + s->setup.config->epoch_blocks,
                         .validator_count = e->validator_count};
    memcpy(next.validators, e->validators, e->validator_count * sizeof *e->validators);
    if (epoch_seal(&next) != OK) {
        sync_break(s, boundary, "its epoch agreed on a set that is none", now_ms);
        return;
    }
    proven_set(&s->trail.boundaries[s->trail.count++], pair, e->certificate);
    s->known = next;
    ask_forget(s, &s->epoch_ask);
    proven_finish(&s->target);
}

static const char *check_set(const struct wire_epoch *e, const struct header *h)
{
    struct hash set = validators_hash(e->validators, e->validator_count);
    return hash_equal(&set, &h->extra.next_validators_hash) ? NULL
                                                            : "another set than the header's";
}

/* An answer about the epoch that is wanted. */
static void take_epoch(struct sync *s, struct sync_peer *p, const struct wire_epoch *e,
                       uint64_t now_ms)
{
    struct pair pair;
    if (!take_pair(s, p, &pair, e->header, e->certificate)) return;
    const char *wrong = check_set(e, &pair.header);
    if (pair.header.number != s->known.last_number) wrong = "not the epoch's last block";
    if (wrong != NULL) {
        sync_peer_charge(s, p->id, OFFENCE_INVALID, wrong);
        return;
    }
    if (!is_signed(s, p, &pair.certificate)) return;
    if (p->hint < pair.header.number) p->hint = pair.header.number;
    enter_epoch(s, e, &pair, now_ms);
}

void on_epoch(struct sync *s, struct sync_peer *p, struct bytes payload, uint64_t now_ms)
{
    struct wire_epoch e;
    if (wire_epoch_decode(&e, payload) != OK) {
        sync_peer_charge(s, p->id, OFFENCE_MALFORMED, "EPOCH does not decode");
        return;
    }
    if (e.epoch > s->known.number) {
        sync_peer_charge(s, p->id, OFFENCE_INVALID, "an epoch that was not asked for");
        return;
    }
    if (e.epoch < s->known.number) return; /* late: somebody else was quicker */
    peer_answered(p, &s->epoch_ask, now_ms);
    bool lacks = e.header.size == 0;
    if (lacks && p->hint >= s->known.last_number) p->hint = s->known.last_number - 1;
    if (s->epoch_ask.peer == p->id) ask_fail(s, &s->epoch_ask);
    if (!lacks && s->trail.count < SYNC_EPOCHS_MAX) take_epoch(s, p, &e, now_ms);
}
