/* frame_reader.h - cuts a stream of decrypted bytes into frames (net/wire.h).
 *
 * A frame's type and size are judged by its head, before any of its payload is stored. Memory then
 * grows with what has come, never with what was promised, up to the row's limit; it is given back
 * as soon as the frame is done. Frames that lie whole in the input are not copied.
 *
 * The first frame must be HELLO and there is no second one, so strangers can make nothing grow but
 * that. One thread. */
#ifndef LEASEHOLD_NET_FRAME_READER_H
#define LEASEHOLD_NET_FRAME_READER_H

#include "net/wire.h"

struct frame {
    enum wire_type type;
    struct bytes payload;
};

/* Zero-initialised is at the stream's beginning. */
struct frame_reader {
    enum status status; /* not OK: broken */
    bool greeted;       /* the HELLO's head was seen */
    bool done;          /* the body was handed out and can go */
    size_t head_size;
    uint8_t head[FRAME_HEAD_SIZE];
    uint8_t *body;
    size_t body_size;
    size_t body_capacity;
};

/* Takes bytes from the front of *input. OK: a frame; its payload is borrowed until the next call
 * or the end of the input. E_NOT_FOUND: the input is used up. Else the stream is broken for good:
 * E_MALFORMED (size 0), E_UNSUPPORTED (unknown type), E_LIMIT (larger than its row allows),
 * E_STATE (no HELLO first, or a second one). */
MUST_CHECK enum status frame_reader_next(struct frame_reader *r, struct frame *out,
                                         struct bytes *input);
bool frame_reader_is_idle(const struct frame_reader *r); /* between frames */
void frame_reader_finish(struct frame_reader *r);

#endif
