/* tests/vm/program_text.h - a contract as a list of items with labels, so that items can be added,
 * dropped and read by people, and jumps still go where they went.
 *
 * An item is one opcode byte (any byte: also undefined ones, and a PUSH without its data), a PUSH
 * of a constant, a PUSH of a label's position, a JUMPDEST that defines a label, or a mark, which
 * defines a label and leaves no byte. A label whose item was dropped has position 0. */
#ifndef LEASEHOLD_TESTS_VM_PROGRAM_TEXT_H
#define LEASEHOLD_TESTS_VM_PROGRAM_TEXT_H

#include "base/bytes.h"
#include "base/fatal.h"
#include "base/u256.h"
#include "vm/opcodes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LABELS_MAX 2000
#define TEXT_ITEMS_MAX  60000

enum item_kind { ITEM_BYTE, ITEM_PUSH, ITEM_PUSH_LABEL, ITEM_JUMPDEST, ITEM_MARK };

struct item {
    enum item_kind kind;
    uint8_t byte;         /* ITEM_BYTE */
    uint8_t width;        /* bytes of a PUSH; 0 is PUSH0 */
    uint16_t label;       /* of the last three */
    uint16_t label_shift; /* ITEM_PUSH_LABEL: added to the position */
    struct u256 value;    /* ITEM_PUSH */
};

struct program_text {
    struct item *items; /* owned */
    size_t count, capacity;
    uint16_t label_count;
};

static inline void text_finish(struct program_text *t)
{
    free(t->items);
    *t = (struct program_text){.count = 0};
}

static inline void text_add(struct program_text *t, struct item item)
{
    assert(t->count < TEXT_ITEMS_MAX);
    if (t->count == t->capacity) {
        t->capacity = t->capacity == 0 ? 256 : 2 * t->capacity;
        t->items = must_realloc(t->items, t->capacity * sizeof(*t->items));
    }
    t->items[t->count++] = item;
}

static inline struct program_text text_copy(const struct program_text *t)
{
    struct program_text copy = {.label_count = t->label_count};
    for (size_t i = 0; i < t->count; i++)
        text_add(&copy, t->items[i]);
    return copy;
}

static inline uint16_t text_new_label(struct program_text *t)
{
    assert(t->label_count < TEXT_LABELS_MAX);
    return t->label_count++;
}

static inline void text_byte(struct program_text *t, uint8_t byte)
{
    text_add(t, (struct item){.kind = ITEM_BYTE, .byte = byte});
}

static inline void text_bytes(struct program_text *t, struct bytes raw)
{
    for (size_t i = 0; i < raw.size; i++)
        text_byte(t, raw.data[i]);
}

static inline uint8_t text_width_of(struct u256 value)
{
    return (uint8_t)((u256_bit_length(value) + 7) / 8);
}

static inline void text_push(struct program_text *t, struct u256 value, uint8_t width)
{
    assert(width <= 32 && width >= text_width_of(value));
    text_add(t, (struct item){.kind = ITEM_PUSH, .width = width, .value = value});
}

static inline void text_push_label(struct program_text *t, uint16_t label, uint16_t shift)
{
    text_add(t, (struct item){
                    .kind = ITEM_PUSH_LABEL, .width = 2, .label = label, .label_shift = shift});
}

static inline void text_jumpdest(struct program_text *t, uint16_t label)
{
    text_add(t, (struct item){.kind = ITEM_JUMPDEST, .label = label});
}

static inline void text_mark(struct program_text *t, uint16_t label)
{
    text_add(t, (struct item){.kind = ITEM_MARK, .label = label});
}

static inline size_t item_size(const struct item *i)
{
    switch (i->kind) {
    case ITEM_BYTE:
    case ITEM_JUMPDEST: return 1;
    case ITEM_PUSH:
    case ITEM_PUSH_LABEL: return 1 + (size_t)i->width;
    case ITEM_MARK: return 0;
    }
    return 0;
}

static inline void text_positions(const struct program_text *t, size_t position[TEXT_LABELS_MAX])
{
    size_t at = 0;
    memset(position, 0, TEXT_LABELS_MAX * sizeof(*position));
    for (size_t i = 0; i < t->count; i++) {
        const struct item *item = &t->items[i];
        if (item->kind == ITEM_JUMPDEST || item->kind == ITEM_MARK) position[item->label] = at;
        at += item_size(item);
    }
}

static inline void item_assemble(struct buffer *out, const struct item *i, const size_t *position)
{
    uint8_t word[32];
    struct u256 value = i->value;
    if (i->kind == ITEM_PUSH_LABEL) value = u256_from_u64(position[i->label] + i->label_shift);
    switch (i->kind) {
    case ITEM_BYTE: buffer_append_byte(out, i->byte); break;
    case ITEM_JUMPDEST: buffer_append_byte(out, OP_JUMPDEST); break;
    case ITEM_PUSH:
    case ITEM_PUSH_LABEL:
        u256_to_be(word, value);
        buffer_append_byte(out, (uint8_t)(OP_PUSH0 + i->width));
        buffer_append(out, bytes_of(word + 32 - i->width, i->width));
        break;
    case ITEM_MARK: break;
    }
}

/* Appends the bytecode. */
static inline void text_assemble(struct buffer *out, const struct program_text *t)
{
    size_t position[TEXT_LABELS_MAX];
    text_positions(t, position);
    for (size_t i = 0; i < t->count; i++)
        item_assemble(out, &t->items[i], position);
}

static inline void item_print(FILE *to, const struct item *i)
{
    char number[67];
    switch (i->kind) {
    case ITEM_BYTE:
        if (opcode_name(i->byte) != NULL)
            fprintf(to, "  %s\n", opcode_name(i->byte));
        else
            fprintf(to, "  byte 0x%02x\n", i->byte);
        break;
    case ITEM_JUMPDEST: fprintf(to, "L%u: JUMPDEST\n", i->label); break;
    case ITEM_PUSH:
        u256_to_quantity(number, i->value);
        fprintf(to, "  PUSH%u %s\n", i->width, number);
        break;
    case ITEM_PUSH_LABEL:
        fprintf(to, "  PUSH%u L%u + %u\n", i->width, i->label, i->label_shift);
        break;
    case ITEM_MARK: fprintf(to, "L%u:\n", i->label); break;
    }
}

#endif
