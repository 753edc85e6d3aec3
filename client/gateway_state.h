/* gateway_state.h - what the client's own files share: gateway.c (connection, requests),
 * gateway_put.c, gateway_get.c. Nobody else includes it. */
#ifndef LEASEHOLD_CLIENT_GATEWAY_STATE_H
#define LEASEHOLD_CLIENT_GATEWAY_STATE_H

#include "client/chunk_coder.h"
#include "client/gateway.h"

/* How many requests to have under way: twice what the link holds, which is its rate times its
 * delay. The delay is that of small requests, which wait for nothing else. Never more than a 128th
 * of the content: that much may be lost with the connection, and is sent again. */
struct gateway_pace {
    uint64_t delay_ns; /* the shortest seen */
    uint64_t round_start_ns;
    uint64_t round_bytes;
    unsigned round_answers;
    unsigned window;
    unsigned window_max;
};
void pace_init(struct gateway_pace *p);
void pace_note_delay(struct gateway_pace *p, uint64_t ns);
/* Before the first request of a transfer; after each answer. */
void pace_start(struct gateway_pace *p, uint64_t size_bytes, uint64_t now_ns);
void pace_note_answer(struct gateway_pace *p, uint64_t bytes, uint64_t now_ns);

struct gateway {
    SSL_CTX *context;
    struct frame_stream stream;
    struct chunk_coder coder;
    struct gateway_pace pace;
    struct buffer out;
    uint64_t traffic_bytes;
    char endpoint[300];
    char problem[JSON_ERROR_SIZE];
};

uint64_t gateway_now_ns(void);
enum status gateway_complain(struct gateway *g, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Sends what lies in g->out. */
MUST_CHECK enum status gateway_send(struct gateway *g);
/* Reads one answer of type `wanted`. A RESULT in its place is its status, and *out_value its value
 * (when not NULL). */
MUST_CHECK enum status gateway_receive(struct gateway *g, enum gateway_frame wanted,
                                       struct bytes *body, uint64_t *out_value);
/* One request whose delay tells of the link. */
MUST_CHECK enum status gateway_ask(struct gateway *g, enum gateway_frame wanted,
                                   struct bytes *body);
struct gateway_name gateway_name_of(const struct gateway_content *c);
size_t gateway_chunk_size(uint64_t size, uint64_t offset);
/* The start of the next chunk, from that start (or the end) on, of which a leaf is missing; the
 * size when there is none. */
uint64_t gateway_next_chunk(const struct leaf_map *have, uint64_t size, uint64_t from);
MUST_CHECK enum status gateway_tell(struct gateway *g, const struct gateway_progress *p,
                                    uint64_t done, uint64_t size);

#endif
