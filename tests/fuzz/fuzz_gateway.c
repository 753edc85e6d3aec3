/* Every frame of the data gateway, both directions. What is accepted encodes back to itself. */
#include "client/gateway_wire.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer out = {0};
    struct bytes body = bytes_of(data, size);
    struct gateway_answer answer;
    TRY(gateway_hello, gateway_read_hello, gateway_put_hello);
    TRY(gateway_put, gateway_read_put, gateway_put_put);
    TRY(gateway_get, gateway_read_get, gateway_put_get);
    TRY(gateway_stat, gateway_read_stat, gateway_put_stat);
    TRY(gateway_leaves, gateway_read_leaves, gateway_put_leaves);
    TRY(gateway_chunk, gateway_read_chunk, gateway_put_chunk);
    TRY(gateway_sizes, gateway_read_sizes, gateway_put_sizes);
    TRY(gateway_hashes, gateway_read_hashes, gateway_put_hashes);
    if (gateway_read_answer(&answer, body) == OK && answer.text[0] != '\0') {
        gateway_put_result(&out, answer.code, answer.value, answer.text);
        check(&out, body);
    }
    buffer_finish(&out);
    return 0;
}
