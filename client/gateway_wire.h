/* gateway_wire.h - the bytes of the worker's data gateway, for both sides (docs/gateway.md).
 *
 * After the TLS 1.3 handshake each side sends frames: u32 length of what follows, u8 type, body.
 * Integers are big-endian. The client's first frame is HELLO; then every request has exactly one
 * answer, in order. Encoders append a whole frame; decoders take the body of one frame and fill
 * their output only if all of it is valid. Pure functions; any thread. */
#ifndef LEASEHOLD_CLIENT_GATEWAY_WIRE_H
#define LEASEHOLD_CLIENT_GATEWAY_WIRE_H

#include "base/key.h"
#include "client/leaf_tree.h"

#define GATEWAY_VERSION        2
#define GATEWAY_CHUNK_MAX      LEAF_RUN_BYTES_MAX /* bytes of content in one PUT or CHUNK */
#define GATEWAY_HASHES_MAX     8192u              /* in one frame: 32 MiB of content */
#define GATEWAY_BITS_MAX       (1u << 20)         /* leaves in one BITS: 4 GiB of content */
#define GATEWAY_TEXT_MAX       200
#define GATEWAY_FRAME_MAX      (GATEWAY_CHUNK_MAX + 128) /* type and body */
#define GATEWAY_EXPORTER_LABEL "EXPORTER-leasehold-gateway"
#define GATEWAY_EXPORTER_BYTES 32
#define GATEWAY_CONTENT_MAX    (1ull << 36)
#define GATEWAY_LEVELS_MAX     25 /* of that content's tree */

/*    id  name     direction and body */
#define GATEWAY_FRAMES(X)                                                                          \
    X(1, HELLO)    /* > u8 version, u8 codings, address, signature(65) */                          \
    X(2, PUT)      /* > job, root, u64 offset, u32 size, u8 coding, bytes */                       \
    X(3, GET)      /* > job, root, u64 offset, u32 length */                                       \
    X(4, STAT)     /* > job, root */                                                               \
    X(5, NODES)    /* > job, root, u8 level, u64 first, u32 count */                               \
    X(6, OFFER)    /* > job, root, u64 size, u64 first, leaf hashes */                             \
    X(7, MAP)      /* > job, root, u64 first, u32 count */                                         \
    X(128, RESULT) /* < u8 code, u64 value, text: HELLO, PUT, OFFER; and any failure */            \
    X(129, CHUNK)  /* < u64 offset, u32 size, u8 coding, bytes */                                  \
    X(130, SIZES)  /* < u64 size, u64 held, u64 leaf hashes offered */                             \
    X(131, HASHES) /* < u8 level, u64 first, hashes */                                             \
    X(132, BITS)   /* < u64 first, u32 count, one bit a leaf */

enum gateway_frame {
#define X(id, name) GATEWAY_##name = (id),
    GATEWAY_FRAMES(X)
#undef X
};

/* How the bytes of a chunk travel: as they are, or as one zstd frame that names its content size.
 * A HELLO says which the client reads (bits), its answer which the worker reads. */
enum gateway_coding { GATEWAY_PLAIN, GATEWAY_ZSTD, GATEWAY_CODING_COUNT };
#define GATEWAY_READS_ZSTD (1u << GATEWAY_ZSTD)

/* code, name, text: what a RESULT says. */
#define GATEWAY_RESULTS(X)                                                                         \
    X(0, OK, "done")                                                                               \
    X(1, MALFORMED, "the frame makes no sense")                                                    \
    X(2, DENIED, "not a party of this job")                                                        \
    X(3, NOT_FOUND, "no such content here")                                                        \
    X(4, OFFSET, "not the next leaf hash; value: hashes held")                                     \
    X(5, SIZE, "not the size that the chain names; value: that size")                              \
    X(6, ROOT, "these leaf hashes do not make the root; start again")                              \
    X(7, NOT_YET, "the worker does not know this job, or does not have this yet; ask again")       \
    X(8, BUSY, "too many at once; ask again")                                                      \
    X(9, LIMIT, "over a limit; value: the limit")                                                  \
    X(10, VERSION, "another protocol version; value: this worker's")                               \
    X(11, SIGNATURE, "the hello's signature is not that address's")                                \
    X(12, FAILED, "the worker could not do it")                                                    \
    X(13, LEAVES, "the leaf hashes come first")                                                    \
    X(14, LEAF, "these bytes are not the content; value: their offset")

enum gateway_result {
#define X(code, name, text) GATEWAY_RESULT_##name = (code),
    GATEWAY_RESULTS(X)
#undef X
};
#define GATEWAY_RESULT_COUNT 15
const char *gateway_result_text(enum gateway_result code);

struct gateway_hello {
    uint8_t version;
    uint8_t codings; /* bits of the codings that the client reads */
    struct address address;
    struct signature signature; /* over gateway_hello_digest */
};
struct gateway_name { /* of a content: what every request begins with */
    uint64_t job;
    struct hash root;
};
struct gateway_piece { /* a part of a content, as PUT and CHUNK carry it */
    uint64_t offset;   /* a multiple of MERKLE_LEAF_BYTES */
    uint32_t size;     /* 1..GATEWAY_CHUNK_MAX, of the content's bytes */
    enum gateway_coding coding;
    struct bytes bytes; /* as they travel: `size` of them if plain, fewer if not; borrowed */
};
struct gateway_put {
    struct gateway_name name;
    struct gateway_piece piece;
};
struct gateway_get {
    struct gateway_name name;
    uint64_t offset; /* a multiple of MERKLE_LEAF_BYTES */
    uint32_t length; /* 1..GATEWAY_CHUNK_MAX, whole leaves; cut at the content's end */
};
struct gateway_stat {
    struct gateway_name name;
};
struct gateway_nodes {
    struct gateway_name name;
    uint8_t level; /* 0: leaves */
    uint64_t first;
    uint32_t count; /* 1..GATEWAY_HASHES_MAX; cut at the level's end */
};
struct gateway_offer {
    struct gateway_name name;
    uint64_t size;       /* of the content */
    uint64_t first;      /* leaf */
    struct bytes hashes; /* 32 bytes each; none only of a content of no bytes; borrowed */
};
struct gateway_map {
    struct gateway_name name;
    uint64_t first; /* a multiple of 8 */
    uint32_t count; /* 1..GATEWAY_BITS_MAX; cut at the content's end */
};
struct gateway_answer {
    enum gateway_result code;
    uint64_t value;
    char text[GATEWAY_TEXT_MAX + 1]; /* printable ASCII */
};
struct gateway_sizes {
    uint64_t size;    /* of the whole content; 0 while unknown */
    uint64_t held;    /* bytes that are there and verified */
    uint64_t offered; /* leaf hashes that are there; all of them: they make the root */
};
struct gateway_hashes {
    uint8_t level;
    uint64_t first;
    struct bytes hashes; /* 32 bytes each; borrowed from the frame */
};
struct gateway_bits {
    uint64_t first;
    uint32_t count;
    struct bytes bits; /* borrowed from the frame */
};

void gateway_put_hello(struct buffer *out, const struct gateway_hello *m);
void gateway_put_put(struct buffer *out, const struct gateway_put *m);
void gateway_put_get(struct buffer *out, const struct gateway_get *m);
void gateway_put_stat(struct buffer *out, const struct gateway_stat *m);
void gateway_put_nodes(struct buffer *out, const struct gateway_nodes *m);
void gateway_put_offer(struct buffer *out, const struct gateway_offer *m);
void gateway_put_map(struct buffer *out, const struct gateway_map *m);
void gateway_put_result(struct buffer *out, enum gateway_result code, uint64_t value,
                        const char *text); /* NULL: the table's */
void gateway_put_chunk(struct buffer *out, const struct gateway_piece *m);
void gateway_put_sizes(struct buffer *out, const struct gateway_sizes *m);
void gateway_put_hashes(struct buffer *out, const struct gateway_hashes *m);
void gateway_put_bits(struct buffer *out, const struct gateway_bits *m);

/* Of a hello of any version only the version is read; compare it before the rest counts. */
MUST_CHECK enum status gateway_read_hello(struct gateway_hello *out, struct bytes body);
MUST_CHECK enum status gateway_read_put(struct gateway_put *out, struct bytes body);
MUST_CHECK enum status gateway_read_get(struct gateway_get *out, struct bytes body);
MUST_CHECK enum status gateway_read_stat(struct gateway_stat *out, struct bytes body);
MUST_CHECK enum status gateway_read_nodes(struct gateway_nodes *out, struct bytes body);
MUST_CHECK enum status gateway_read_offer(struct gateway_offer *out, struct bytes body);
MUST_CHECK enum status gateway_read_map(struct gateway_map *out, struct bytes body);
MUST_CHECK enum status gateway_read_answer(struct gateway_answer *out, struct bytes body);
MUST_CHECK enum status gateway_read_chunk(struct gateway_piece *out, struct bytes body);
MUST_CHECK enum status gateway_read_sizes(struct gateway_sizes *out, struct bytes body);
MUST_CHECK enum status gateway_read_hashes(struct gateway_hashes *out, struct bytes body);
MUST_CHECK enum status gateway_read_bits(struct gateway_bits *out, struct bytes body);

/* keccak256("Leasehold gateway v2" | tlsKeyHash | TLS exporter value): what HELLO signs. */
struct hash gateway_hello_digest(const struct hash *tls_key_hash,
                                 const uint8_t exporter[GATEWAY_EXPORTER_BYTES]);

#endif
