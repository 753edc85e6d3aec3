/* Every frame of the data gateway, both directions. What is accepted encodes back to itself. */
#include "client/chunk_coder.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TRY(type, read, put)                                                                       \
    do {                                                                                           \
        struct type m;                                                                             \
        if (read(&m, body) == OK) {                                                                \
            put(&out, &m);                                                                         \
            check(&out, body);                                                                     \
        }                                                                                          \
    } while (0)

static void check(struct buffer *out, struct bytes body)
{
    assert(bytes_equal(bytes_of(out->data + 5, out->size - 5), body));
    buffer_clear(out);
}

/* What unpacks has the size that it declared. */
static void unpack(const struct gateway_piece *piece)
{
    static struct chunk_coder coder;
    struct bytes content;
    if (chunk_unpack(&coder, &content, piece) == OK) assert(content.size == piece->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer out = {0};
    struct bytes body = bytes_of(data, size);
    struct gateway_answer answer;
    struct gateway_hello hello;
    struct gateway_piece piece;
    if (gateway_read_hello(&hello, body) == OK && hello.version == GATEWAY_VERSION) {
        gateway_put_hello(&out, &hello);
        check(&out, body);
    }
    TRY(gateway_put, gateway_read_put, gateway_put_put);
    TRY(gateway_get, gateway_read_get, gateway_put_get);
    TRY(gateway_stat, gateway_read_stat, gateway_put_stat);
    TRY(gateway_nodes, gateway_read_nodes, gateway_put_nodes);
    TRY(gateway_offer, gateway_read_offer, gateway_put_offer);
    TRY(gateway_map, gateway_read_map, gateway_put_map);
    TRY(gateway_piece, gateway_read_chunk, gateway_put_chunk);
    TRY(gateway_sizes, gateway_read_sizes, gateway_put_sizes);
    TRY(gateway_hashes, gateway_read_hashes, gateway_put_hashes);
    TRY(gateway_bits, gateway_read_bits, gateway_put_bits);
    if (gateway_read_chunk(&piece, body) == OK) unpack(&piece);
    if (gateway_read_answer(&answer, body) == OK && answer.text[0] != '\0') {
        gateway_put_result(&out, answer.code, answer.value, answer.text);
        check(&out, body);
    }
    buffer_finish(&out);
    return 0;
}
