/* gateway_wire.h - the bytes of the worker's data gateway, for both sides (docs/gateway.md).
 *
 * After the TLS 1.3 handshake each side sends frames: u32 length of what follows, u8 type, body.
 * Integers are big-endian. The client's first frame is HELLO; then every request has exactly one
 * answer, in order. Encoders append a whole frame; decoders take the body of one frame and fill
 * their output only if all of it is valid. Pure functions; any thread. */
#ifndef LEASEHOLD_CLIENT_GATEWAY_WIRE_H
#define LEASEHOLD_CLIENT_GATEWAY_WIRE_H

#include "base/key.h"
#include "base/merkle.h"

#define GATEWAY_VERSION        1
#define GATEWAY_CHUNK_MAX      (256u << 10) /* bytes of content in one PUT or CHUNK */
#define GATEWAY_LEAVES_MAX     8192u        /* leaf hashes in one answer: 32 MiB of content */
#define GATEWAY_TEXT_MAX       200
#define GATEWAY_FRAME_MAX      (GATEWAY_CHUNK_MAX + 128) /* type and body */
#define GATEWAY_EXPORTER_LABEL "EXPORTER-leasehold-gateway"
#define GATEWAY_EXPORTER_BYTES 32
#define GATEWAY_CONTENT_MAX    (1ull << 36)

/*    id  name     direction and body */
#define GATEWAY_FRAMES(X)                                                                          \
    X(1, HELLO)    /* > u8 version, address, signature(65) */                                      \
    X(2, PUT)      /* > job, root, u64 size, u64 offset, bytes */                                  \
    X(3, GET)      /* > job, root, u64 offset, u32 length */                                       \
    X(4, STAT)     /* > job, root */                                                               \
    X(5, LEAVES)   /* > job, root, u64 first, u32 count */                                         \
    X(128, RESULT) /* < u8 code, u64 value, text: answers HELLO and PUT, and any failure */        \
    X(129, CHUNK)  /* < u64 offset, bytes */                                                       \
    X(130, SIZES)  /* < u64 size, u64 held */                                                      \
    X(131, HASHES) /* < u64 first, hashes */

enum gateway_frame {
#define X(id, name) GATEWAY_##name = (id),
    GATEWAY_FRAMES(X)
#undef X
};

/* code, name, text: what a RESULT says. */
#define GATEWAY_RESULTS(X)                                                                         \
    X(0, OK, "done")                                                                               \
    X(1, MALFORMED, "the frame makes no sense")                                                    \
    X(2, DENIED, "not a party of this job")                                                        \
    X(3, NOT_FOUND, "no such content here")                                                        \
    X(4, OFFSET, "not the next offset; value: bytes held")                                         \
    X(5, SIZE, "not the size that the chain names; value: that size")                              \
    X(6, ROOT, "the content does not have this root; start again")                                 \
    X(7, NOT_YET, "the worker does not know this job yet; ask again")                              \
    X(8, BUSY, "too many at once; ask again")                                                      \
    X(9, LIMIT, "over a limit; value: the limit")                                                  \
    X(10, VERSION, "another protocol version; value: this worker's")                               \
    X(11, SIGNATURE, "the hello's signature is not that address's")                                \
    X(12, FAILED, "the worker could not do it")

enum gateway_result {
#define X(code, name, text) GATEWAY_RESULT_##name = (code),
    GATEWAY_RESULTS(X)
#undef X
};
#define GATEWAY_RESULT_COUNT 13
const char *gateway_result_text(enum gateway_result code);

struct gateway_hello {
    uint8_t version;
    struct address address;
    struct signature signature; /* over gateway_hello_digest */
};
struct gateway_put {
    uint64_t job;
    struct hash root;
    uint64_t size;      /* of the whole content */
    uint64_t offset;    /* a multiple of MERKLE_LEAF_BYTES */
    struct bytes chunk; /* whole leaves, except at the content's end; borrowed from the frame */
};
struct gateway_get {
    uint64_t job;
    struct hash root;
    uint64_t offset; /* a multiple of MERKLE_LEAF_BYTES */
    uint32_t length; /* 1..GATEWAY_CHUNK_MAX, whole leaves; cut at the content's end */
};
struct gateway_stat {
    uint64_t job;
    struct hash root;
};
struct gateway_leaves {
    uint64_t job;
    struct hash root;
    uint64_t first;
    uint32_t count; /* 1..GATEWAY_LEAVES_MAX; cut at the content's end */
};
struct gateway_answer {
    enum gateway_result code;
    uint64_t value;
    char text[GATEWAY_TEXT_MAX + 1]; /* printable ASCII */
};
struct gateway_chunk {
    uint64_t offset;
    struct bytes bytes; /* borrowed from the frame */
};
struct gateway_sizes {
    uint64_t size; /* of the whole content; 0 while unknown */
    uint64_t held; /* the contiguous bytes that are there, from 0 */
};
struct gateway_hashes {
    uint64_t first;
    struct bytes hashes; /* 32 bytes each; borrowed from the frame */
};

void gateway_put_hello(struct buffer *out, const struct gateway_hello *m);
void gateway_put_put(struct buffer *out, const struct gateway_put *m);
void gateway_put_get(struct buffer *out, const struct gateway_get *m);
void gateway_put_stat(struct buffer *out, const struct gateway_stat *m);
void gateway_put_leaves(struct buffer *out, const struct gateway_leaves *m);
void gateway_put_result(struct buffer *out, enum gateway_result code, uint64_t value,
                        const char *text); /* NULL: the table's */
void gateway_put_chunk(struct buffer *out, const struct gateway_chunk *m);
void gateway_put_sizes(struct buffer *out, const struct gateway_sizes *m);
void gateway_put_hashes(struct buffer *out, const struct gateway_hashes *m);

MUST_CHECK enum status gateway_read_hello(struct gateway_hello *out, struct bytes body);
MUST_CHECK enum status gateway_read_put(struct gateway_put *out, struct bytes body);
MUST_CHECK enum status gateway_read_get(struct gateway_get *out, struct bytes body);
MUST_CHECK enum status gateway_read_stat(struct gateway_stat *out, struct bytes body);
MUST_CHECK enum status gateway_read_leaves(struct gateway_leaves *out, struct bytes body);
MUST_CHECK enum status gateway_read_answer(struct gateway_answer *out, struct bytes body);
MUST_CHECK enum status gateway_read_chunk(struct gateway_chunk *out, struct bytes body);
MUST_CHECK enum status gateway_read_sizes(struct gateway_sizes *out, struct bytes body);
MUST_CHECK enum status gateway_read_hashes(struct gateway_hashes *out, struct bytes body);

/* keccak256("Leasehold gateway v1" | tlsKeyHash | TLS exporter value): what HELLO signs. */
struct hash gateway_hello_digest(const struct hash *tls_key_hash,
                                 const uint8_t exporter[GATEWAY_EXPORTER_BYTES]);

/* The leaf level of the tree of base/merkle.h. */
uint64_t gateway_leaf_count(uint64_t size_bytes);
struct hash gateway_leaf_hash(struct bytes leaf);
/* The root over `count` leaf hashes of a content of that size (consumes `level` as scratch). */
struct hash gateway_root_of_leaves(struct hash *level, uint64_t count, uint64_t size_bytes);

#endif
