/* The state of fetched blocks: executed in order upon the head, committed a batch at a time. */
#include "node/sync_internal.h"

#include "node/clock.h"

#include <assert.h>

#define LEDGER_FULL_MS 500

static uint64_t clock_of(const struct sync *s)
{
    return s->setup.clock_ms != NULL ? s->setup.clock_ms() : clock_ms();
}

uint64_t sync_tip(const struct sync *s)
{
    return s->head_number + s->batch_count;
}

/* What is executed is found again in the ledger. */
static void batch_clear(struct sync *s)
{
    s->batch_count = 0;
    s->batch_bytes = 0;
}

/* Consensus may have committed some of the batch, or all and more. */
void batch_follow(struct sync *s)
{
    const struct ledger_head *head = ledger_head(s->setup.ledger);
    if (!hash_equal(&s->head, &head->hash)) batch_clear(s);
}

bool execute_due(const struct sync *s, uint64_t now_ms)
{
    uint64_t next = sync_tip(s) + 1;
    const struct body *b = &s->bodies[next % SYNC_WINDOW_BLOCKS];
    if (s->broken || now_ms < s->execute_after_ms) return false;
    return (b->number == next && b->ready) || s->batch_count > 0;
}

static void adopt_batch(struct sync *s)
{
    const struct segment *g = &s->segments[0];
    uint64_t last = sync_tip(s);
    struct bytes certificate = {0};
    struct hash chain[SYNC_BATCH_BLOCKS];
    size_t count = s->batch_count;
    if (count == 0) return;
    if (s->segment_count > 0 && last == g->end) certificate = buffer_bytes(&g->certificate);
    memcpy(chain, s->batch, count * sizeof *chain);
    batch_clear(s);
    s->setup.adopt(s->setup.context, chain, count, certificate);
    assert(ledger_head(s->setup.ledger)->header.number >= last);
}

/* E_NOT_FOUND: the ledger dropped it, or what it stands on. */
static enum status hold_and_verify(struct sync *s, const struct body *b, char *error,
                                   uint64_t now_ms)
{
    struct ledger *l = s->setup.ledger;
    if (ledger_is_executed(l, &b->hash)) return OK;
    if (!ledger_holds(l, &b->hash)) {
        if (b->bytes.size == 0) return E_NOT_FOUND;
        enum status held = ledger_hold(l, &b->hash, buffer_bytes(&b->bytes));
        assert(held != E_MALFORMED); /* it was checked when it came */
        if (held != OK) return held == E_LIMIT ? E_LIMIT : E_NOT_FOUND;
    }
    const struct address *senders = b->senders == NULL ? NULL : senders_take(b->senders);
    return ledger_verify_known(l, error, &b->hash, senders, now_ms);
}

/* Whether the block is executed now. */
static bool execute_body(struct sync *s, const struct body *b, uint64_t now_ms)
{
    char error[LEDGER_ERROR_SIZE] = "";
    enum status status = hold_and_verify(s, b, error, now_ms);
    if (status == E_MALFORMED) sync_break(s, b->number, error, now_ms);
    if (status == E_LIMIT) s->execute_after_ms = now_ms + LEDGER_FULL_MS;
    if (status == E_NOT_FOUND) {
        body_drop(s, b->number);
        batch_clear(s);
    }
    return status == OK;
}

static bool execute_next(struct sync *s, uint64_t now_ms)
{
    uint64_t next = sync_tip(s) + 1;
    struct body *b = body_ready(s, next);
    if (b == NULL || !execute_body(s, b, now_ms)) return false;
    assert(s->batch_count < SYNC_BATCH_BLOCKS);
    s->batch[s->batch_count++] = b->hash;
    s->batch_bytes += b->bytes.size;
    body_drop(s, next);
    return true;
}

static bool batch_is_whole(const struct sync *s)
{
    return s->batch_count == SYNC_BATCH_BLOCKS || s->batch_bytes >= SYNC_BATCH_BYTES ||
           (s->batch_count > 0 && s->segment_count > 0 && sync_tip(s) == s->segments[0].end);
}

/* One batch at most: after a commit the head is looked at anew. */
void execute_some(struct sync *s, uint64_t now_ms)
{
    uint64_t start_ms = clock_of(s);
    bool going = true;
    while (going && !s->broken && !batch_is_whole(s) && clock_of(s) - start_ms < SYNC_TURN_MS)
        going = execute_next(s, now_ms);
    if (batch_is_whole(s) || !going) adopt_batch(s);
}
