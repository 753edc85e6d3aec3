/* An address book's file: what decodes encodes to the same bytes, and can be used. The checksum is
 * put right first, else nothing but it would be tested. Mutations begin with a real book. */
#include "base/keccak.h"
#include "net/book.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

#define NOW_S         1000000
#define CHECKSUM_SIZE 32

static const uint8_t SEED[32] = {7};

static bool skip_none(void *context, const struct wire_peer *peer)
{
    (void)context;
    (void)peer;
    return false;
}

static void use(struct book *b)
{
    struct wire_peer peers[WIRE_PEERS_MAX];
    size_t count = book_count(b);
    assert(book_sample(b, peers, WIRE_PEERS_MAX, NOW_S) <= count);
    for (int i = 0; i < 3 && book_choose(b, &peers[0], skip_none, NULL, NOW_S); i++) {
        assert(net_address_is_routable(&peers[0].address, false));
        if (i % 2)
            book_failed(b, &peers[0].address, NOW_S);
        else
            book_connected(b, &peers[0], NOW_S);
    }
    assert(book_count(b) >= book_tried_count(b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct book *b = NULL;
    struct buffer file = {0}, again = {0};
    buffer_append(&file, bytes_of(data, size));
    struct hash checksum = keccak256(bytes_of(data, size));
    buffer_append(&file, hash_bytes(&checksum));
    if (book_decode(&b, buffer_bytes(&file), SEED) == OK) {
        book_encode(&again, b);
        if (!bytes_equal(buffer_bytes(&again), buffer_bytes(&file))) abort();
        use(b);
    }
    book_destroy(b);
    buffer_finish(&again);
    buffer_finish(&file);
    return 0;
}

static size_t fresh_book(uint8_t *data, size_t size_max, unsigned seed)
{
    struct book *b = book_create(SEED);
    struct buffer file = {0};
    struct wire_peer p = {.address = {.port = 30333}};
    for (uint32_t i = 0; i < seed % 40; i++) {
        p.address.ip[10] = p.address.ip[11] = 0xff;
        store_be32(p.address.ip + 12, (20 + i) << 24 | seed);
        (void)book_add(b, &p, &p.address, NOW_S);
        if (i % 3 == 0) book_connected(b, &p, NOW_S);
    }
    book_set_anchors(b, &p, seed % 2);
    book_encode(&file, b);
    size_t size = file.size - CHECKSUM_SIZE < size_max ? file.size - CHECKSUM_SIZE : size_max;
    memcpy(data, file.data, size);
    buffer_finish(&file);
    book_destroy(b);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    if (size < 48 || seed % 32 == 0) return fresh_book(data, size_max, seed / 32);
    return LLVMFuzzerMutate(data, size, size_max);
}
