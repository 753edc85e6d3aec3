#include "vm/symbols.h"

#include "base/fatal.h"

#include <stdlib.h>
#include <string.h>

/* How far back the flush looks for the instruction that could write to the right slot at once. */
#define RETARGET_WINDOW 16

/* ---- the code list ---- */

static void *grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity) return items;
    *capacity = *capacity == 0 ? 256 : *capacity * 2;
    return must_realloc(items, *capacity * item_bytes);
}

struct insn *emit(struct code_list *list, enum register_op op, int dst, int a, int b)
{
    list->insns = grow(list->insns, list->count, &list->capacity, sizeof(*list->insns));
    struct insn *insn = &list->insns[list->count++];
    *insn = (struct insn){.op = (uint16_t)op};
    insn->dst = (int16_t)(dst * SLOT_BYTES);
    insn->a = (int16_t)(a * SLOT_BYTES);
    insn->b = (int16_t)(b * SLOT_BYTES);
    return insn;
}

size_t emit_constant(struct code_list *list, const struct u256 *word)
{
    list->constants = grow(list->constants, list->constant_count, &list->constant_capacity,
                           sizeof(*list->constants));
    list->constants[list->constant_count] = *word;
    return list->constant_count++;
}

void code_list_finish(struct code_list *list)
{
    free(list->insns);
    free(list->constants);
}

/* ---- the table ---- */

static struct value *item_at(struct symbols *s, int position)
{
    assert(position >= POSITION_MIN && position < TEMP_FIRST);
    return &s->items[position - POSITION_MIN];
}

static uint16_t *readers_of(struct symbols *s, int slot)
{
    assert(slot >= POSITION_MIN && slot < STACK_HEADROOM);
    return &s->readers[slot - POSITION_MIN];
}

static bool is_home(const struct value *v, int position)
{
    return !v->is_constant && v->slot == position;
}

void symbols_init(struct symbols *s)
{
    s->lowest = POSITION_MIN;
    symbols_reset(s);
}

void symbols_reset(struct symbols *s)
{
    memset(&s->readers[s->lowest - POSITION_MIN], 0,
           (size_t)(STACK_HEADROOM - s->lowest) * sizeof(s->readers[0]));
    s->top = 0;
    s->lowest = 1;
    s->temp_count = 0;
}

/* The table reaches down to `position`; what it did not know is in its own slot. */
static void reach(struct symbols *s, int position)
{
    while (s->lowest > position) {
        s->lowest--;
        *item_at(s, s->lowest) = (struct value){.slot = (int16_t)s->lowest};
        *readers_of(s, s->lowest) = 1;
    }
}

struct value symbols_at(struct symbols *s, int depth)
{
    reach(s, s->top - depth);
    return *item_at(s, s->top - depth);
}

void symbols_push(struct symbols *s, const struct value *v)
{
    *item_at(s, ++s->top) = *v;
    if (!v->is_constant) ++*readers_of(s, v->slot);
}

void symbols_swap(struct symbols *s, int depth)
{
    reach(s, s->top - depth);
    struct value held = *item_at(s, s->top);
    *item_at(s, s->top) = *item_at(s, s->top - depth);
    *item_at(s, s->top - depth) = held;
}

struct value symbols_pop(struct symbols *s)
{
    reach(s, s->top);
    struct value v = *item_at(s, s->top--);
    if (!v.is_constant) --*readers_of(s, v.slot);
    return v;
}

bool symbols_is_free(const struct symbols *s, int slot)
{
    return s->readers[slot - POSITION_MIN] == 0;
}

static bool is_reusable(struct symbols *s, const struct value *v)
{
    return v != NULL && !v->is_constant && *readers_of(s, v->slot) == 0;
}

int symbols_temp(struct symbols *s, int count)
{
    assert(s->temp_count + count <= TEMP_COUNT);
    int slot = TEMP_FIRST + s->temp_count;
    s->temp_count += count;
    return slot;
}

int symbols_push_new(struct symbols *s, const struct value *x, const struct value *y)
{
    int home = s->top + 1;
    int slot = home;
    if (*readers_of(s, home) != 0) {
        if (is_reusable(s, y))
            slot = y->slot;
        else if (is_reusable(s, x))
            slot = x->slot;
        else
            slot = symbols_temp(s, 1);
    }
    symbols_push(s, &(struct value){.slot = (int16_t)slot});
    return slot;
}

/* ---- moves ---- */

bool insn_touches(const struct insn *insn, int slot)
{
    unsigned flags = register_op_flags[insn->op];
    int at = slot * SLOT_BYTES;
    if ((flags & OPAQUE) != 0) return true;
    return ((flags & WRITES) != 0 && insn->dst == at) ||
           ((flags & READS_A) != 0 && insn->a == at) || ((flags & READS_B) != 0 && insn->b == at);
}

static bool is_kept(const struct code_list *list, int slot)
{
    return slot == list->kept[0] || slot == list->kept[1];
}

/* If the word in `from` was made in this block and nothing else has used either slot since, its
 * maker writes it to `to` instead. */
static bool retarget(struct code_list *list, int to, int from)
{
    if (is_kept(list, to) || is_kept(list, from)) return false;
    size_t first = list->block_first;
    if (list->count - first > RETARGET_WINDOW) first = list->count - RETARGET_WINDOW;
    for (size_t i = list->count; i-- > first;) {
        struct insn *insn = &list->insns[i];
        unsigned flags = register_op_flags[insn->op];
        if ((flags & WRITES) != 0 && insn->dst == from * SLOT_BYTES) {
            insn->dst = (int16_t)(to * SLOT_BYTES);
            return true;
        }
        if ((flags & TARGET) != 0) return false; /* its exit finds words where they were then */
        if (insn_touches(insn, to) || insn_touches(insn, from)) return false;
    }
    return false;
}

static void emit_copy(struct code_list *list, int to, int from)
{
    struct insn *last = list->count == 0 ? NULL : &list->insns[list->count - 1];
    if (last != NULL && list->count > list->flush_first && last->op == R_COPY) {
        last->op = R_COPY2;
        last->b = (int16_t)(from * SLOT_BYTES);
        last->imm = (uint64_t)(int64_t)(to * SLOT_BYTES);
        return;
    }
    emit(list, R_COPY, to, from, 0);
}

void emit_word(struct code_list *list, int to, const struct u256 *word)
{
    if (u256_fits_u64(*word)) {
        emit(list, R_LOAD_U64, to, 0, 0)->imm = word->limb[0];
        return;
    }
    size_t index = emit_constant(list, word);
    emit(list, R_LOAD, to, 0, 0)->imm = index;
}

/* The word of `position` into `to`, a slot that nobody reads; it is there from now on. */
static void move(struct symbols *s, struct code_list *list, int position, int to)
{
    struct value *v = item_at(s, position);
    assert(*readers_of(s, to) == 0);
    if (v->is_constant) {
        emit_word(list, to, &v->word);
    } else {
        bool is_last = --*readers_of(s, v->slot) == 0;
        if (!is_last || !retarget(list, to, v->slot)) emit_copy(list, to, v->slot);
    }
    *v = (struct value){.slot = (int16_t)to};
    ++*readers_of(s, to);
}

static bool row_fits(struct symbols *s, int count)
{
    for (int i = 0; i < count; i++) {
        int position = s->top - i;
        const struct value *v = item_at(s, position);
        int readers = *readers_of(s, position);
        if (readers > (is_home(v, position) ? 1 : 0)) return false;
    }
    return true;
}

int symbols_pop_row(struct symbols *s, struct code_list *list, int count)
{
    assert(count > 0);
    reach(s, s->top - count + 1);
    int shift = 0;
    if (!row_fits(s, count)) shift = symbols_temp(s, count) - (s->top - count + 1);
    for (int i = count - 1; i >= 0; i--) {
        int position = s->top - i;
        if (!is_home(item_at(s, position), position + shift))
            move(s, list, position, position + shift);
    }
    int top_slot = s->top + shift;
    for (int i = 0; i < count; i++)
        (void)symbols_pop(s);
    return top_slot;
}

/* Moves home whatever waits for `position`, which has just become free, and so on. */
static void flush_chain(struct symbols *s, struct code_list *list, int position)
{
    while (position >= s->lowest && position <= s->top && *readers_of(s, position) == 0) {
        struct value v = *item_at(s, position);
        assert(!is_home(&v, position));
        move(s, list, position, position);
        if (v.is_constant) return;
        position = v.slot;
    }
}

/* All that is left are cycles: start <- next <- ... <- start. Each exchange brings one word home
 * and the word of `start` one further. */
static void flush_cycle(struct symbols *s, struct code_list *list, int start)
{
    int position = start;
    while (item_at(s, position)->slot != start) {
        int next = item_at(s, position)->slot;
        assert(*readers_of(s, position) == 1 && *readers_of(s, next) == 1);
        emit(list, R_EXCHANGE, position, next, 0);
        item_at(s, position)->slot = (int16_t)position;
        position = next;
    }
    item_at(s, position)->slot = (int16_t)position;
}

void symbols_flush(struct symbols *s, struct code_list *list)
{
    list->flush_first = list->count;
    for (int p = s->lowest; p <= s->top; p++)
        if (!is_home(item_at(s, p), p)) flush_chain(s, list, p);
    for (int p = s->lowest; p <= s->top; p++)
        if (!is_home(item_at(s, p), p)) flush_cycle(s, list, p);
}

void symbols_flush_aside(struct symbols *s, struct code_list *aside)
{
    size_t first = (size_t)(s->lowest - POSITION_MIN);
    size_t item_bytes = (size_t)(s->top - s->lowest + 1) * sizeof(s->items[0]);
    size_t reader_bytes = (size_t)(TEMP_FIRST + s->temp_count - s->lowest) * sizeof(s->readers[0]);
    memcpy(&s->saved_items[first], &s->items[first], item_bytes);
    memcpy(&s->saved_readers[first], &s->readers[first], reader_bytes);
    aside->block_first = aside->count; /* nothing that it may retarget */
    symbols_flush(s, aside);
    memcpy(&s->items[first], &s->saved_items[first], item_bytes);
    memcpy(&s->readers[first], &s->saved_readers[first], reader_bytes);
}
