#include "base/fatal.h"
#include "base/keccak.h"
#include "chain/state_layer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct change *remember(struct layer *l, enum change_kind kind, void *target)
{
    assert(!l->sealed);
    if (l->journal_count == l->journal_capacity) {
        l->journal_capacity = l->journal_capacity == 0 ? 256 : l->journal_capacity * 2;
        l->journal = must_realloc(l->journal, l->journal_capacity * sizeof *l->journal);
    }
    struct change *c = &l->journal[l->journal_count++];
    c->kind = kind;
    c->target = target;
    return c;
}

void state_set_balance(struct layer *l, struct account_entry *e, struct u256 wei)
{
    remember(l, CHANGE_BALANCE, e)->old.word = e->seen.balance;
    e->seen.balance = wei;
}

void state_set_nonce(struct layer *l, struct account_entry *e, uint64_t nonce)
{
    remember(l, CHANGE_NONCE, e)->old.number = e->seen.nonce;
    e->seen.nonce = nonce;
}

void state_set_code(struct layer *l, struct account_entry *e, struct bytes code)
{
    struct change *c = remember(l, CHANGE_CODE, e);
    c->old.code.hash = e->seen.code_hash;
    c->old.code.code = state_code(l, e);
    e->seen.code_hash = keccak256(code);
    e->code = code.size == 0 ? code : arena_copy(&l->arena, code);
    e->code_known = true;
}

/* No undo record made so far belongs to what comes now. */
static void begin_era(struct layer *l)
{
    l->era++;
}

static void remember_slot(struct layer *l, struct slot_entry *s)
{
    if (s->era == l->era) return;
    struct change *c = remember(l, CHANGE_SLOT, s);
    c->old.slot.now = s->seen.now;
    c->old.slot.warm_tx = s->warm_tx;
    s->era = l->era;
}

static void take_original(const struct layer *l, struct slot_entry *s)
{
    if (s->original_tx == l->tx) return;
    s->original_tx = l->tx;
    s->seen.original = s->seen.now;
}

void state_touch_slot(struct layer *l, struct slot_entry *s)
{
    s->seen.was = s->warm_tx == l->tx ? ACCESS_WARM : ACCESS_COLD;
    if (s->seen.was == ACCESS_WARM) return;
    remember_slot(l, s);
    take_original(l, s);
    s->warm_tx = l->tx;
}

void state_set_slot(struct layer *l, struct slot_entry *s, const struct u256 *value)
{
    take_original(l, s);
    remember_slot(l, s);
    s->seen.now = *value;
}

void state_set_transient(struct layer *l, struct transient_entry *t, const struct u256 *value)
{
    if (t->tx != l->tx) t->now = (struct u256){0};
    t->tx = l->tx;
    if (t->era != l->era) remember(l, CHANGE_TRANSIENT, t)->old.word = t->now;
    t->era = l->era;
    t->now = *value;
}

bool state_stamp(struct layer *l, uint64_t *stamp)
{
    if (*stamp == l->tx) return true;
    remember(l, CHANGE_STAMP, stamp)->old.number = *stamp;
    *stamp = l->tx;
    return false;
}

void state_mark_destroyed(struct layer *l, struct account_entry *e)
{
    if (state_stamp(l, &e->destroyed_tx)) return;
    if (l->destroyed_count == l->destroyed_capacity) {
        l->destroyed_capacity = l->destroyed_capacity == 0 ? 16 : l->destroyed_capacity * 2;
        l->destroyed = must_realloc(l->destroyed, l->destroyed_capacity * sizeof(void *));
    }
    l->destroyed[l->destroyed_count++] = e; /* the stamp tells at the end whether it still holds */
}

void state_log(struct layer *l, const struct log_entry *log)
{
    assert(log->topic_count <= LOG_TOPICS_MAX);
    remember(l, CHANGE_LOG, NULL);
    if (l->log_count == l->log_capacity) {
        l->log_capacity = l->log_capacity == 0 ? 16 : l->log_capacity * 2;
        l->logs = must_realloc(l->logs, l->log_capacity * sizeof *l->logs);
    }
    struct log_entry *copy = &l->logs[l->log_count++];
    *copy = *log;
    copy->data = arena_copy(&l->arena, log->data);
}

static void undo_code(struct change *c)
{
    struct account_entry *e = c->target;
    e->seen.code_hash = c->old.code.hash;
    e->code = c->old.code.code;
}

static void undo_slot(struct change *c)
{
    struct slot_entry *s = c->target;
    s->seen.now = c->old.slot.now;
    s->warm_tx = c->old.slot.warm_tx;
}

static void undo(struct layer *l, struct change *c)
{
    switch (c->kind) {
    case CHANGE_BALANCE: ((struct account_entry *)c->target)->seen.balance = c->old.word; break;
    case CHANGE_NONCE: ((struct account_entry *)c->target)->seen.nonce = c->old.number; break;
    case CHANGE_CODE: undo_code(c); break;
    case CHANGE_SLOT: undo_slot(c); break;
    case CHANGE_TRANSIENT: ((struct transient_entry *)c->target)->now = c->old.word; break;
    case CHANGE_STAMP: *(uint64_t *)c->target = c->old.number; break;
    case CHANGE_LOG: l->log_count--; break;
    }
}

size_t layer_snapshot(struct layer *l)
{
    begin_era(l);
    return l->journal_count;
}

void layer_revert(struct layer *l, size_t snapshot)
{
    assert(snapshot <= l->journal_count);
    while (l->journal_count > snapshot)
        undo(l, &l->journal[--l->journal_count]);
    begin_era(l);
}

void layer_begin(struct layer *l)
{
    assert(!l->sealed);
    l->tx++;
    l->journal_count = 0;
    l->log_count = 0;
    l->kept_logs = NULL;
    l->destroyed_count = 0;
    begin_era(l);
}

static void delete_account(struct layer *l, struct account_entry *e)
{
    if (e->destroyed_tx != l->tx) return;
    assert(e->created_tx == l->tx);
    state_see_account(e, &ACCOUNT_EMPTY);
    e->code = (struct bytes){0};
    /* Created in this transaction, so nothing below this layer had storage (state_layer.h, 4). */
    for (struct slot_entry *s = e->slots; s != NULL; s = s->next)
        s->seen.now = (struct u256){0};
}

void layer_end(struct layer *l)
{
    for (size_t i = 0; i < l->destroyed_count; i++)
        delete_account(l, l->destroyed[i]);
    l->destroyed_count = 0;
    l->journal_count = 0; /* what ended is no longer undone */
    begin_era(l);
    if (l->log_count == 0) return;
    l->kept_logs = arena_alloc(&l->arena, l->log_count * sizeof *l->logs);
    memcpy(l->kept_logs, l->logs, l->log_count * sizeof *l->logs);
}

const struct log_entry *layer_logs(const struct layer *l, size_t *out_count)
{
    assert(l->log_count == 0 || l->kept_logs != NULL); /* only after layer_end */
    *out_count = l->log_count;
    return l->kept_logs;
}

void layer_warm_account(struct layer *l, const struct address *a)
{
    (void)state_stamp(l, &state_account(l, a)->warm_tx);
}

void layer_warm_slot(struct layer *l, const struct address *a, struct u256 slot)
{
    state_touch_slot(l, state_slot(l, a, &slot));
}
