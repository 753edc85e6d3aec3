/* wire.h - what peers say to each other: one table of messages, and the layout of each.
 *
 * On a connection every message is a frame: size 4 (of what follows) | type 1 | payload. Integers
 * are big-endian. A payload longer than its row allows ends the connection before a byte of it is
 * stored. Votes, certificates and proposals have the layouts of chain/consensus; the rest is here.
 * Encoders append; decoders return E_MALFORMED or E_LIMIT, leave *out alone on failure, and what
 * they hand out points into the input. What decodes encodes to the same bytes. Only the layout is
 * looked at: headers and certificates are whole, and nothing in them is verified. Pure; any
 * thread. */
#ifndef LEASEHOLD_NET_WIRE_H
#define LEASEHOLD_NET_WIRE_H

#include "base/key.h"
#include "chain/consensus/proposal.h"
#include "chain/limits.h"
#include "net/limits.h"

#define WIRE_VERSION      1
#define FRAME_HEAD_SIZE   5
#define WIRE_HASHES_MAX   256 /* in one announcement or request of transactions */
#define WIRE_BLOCKS_MAX   16  /* blocks asked for at once */
#define WIRE_HEADERS_MAX  1024
#define WIRE_PEERS_MAX    64
#define WIRE_TXS_SIZE_MAX (1u << 20)

/* In order of priority: a lower one is sent first, a higher one shed first. */
enum channel {
    CHANNEL_CONTROL,
    CHANNEL_VOTES,
    CHANNEL_BLOCKS,
    CHANNEL_TXS,
    CHANNEL_SYNC,
    CHANNEL_COUNT
};

/* byte, name, channel, largest payload */
#define WIRE_MESSAGES(X)                                                                           \
    X(0, HELLO, CONTROL, 256)                                                                      \
    X(1, PING, CONTROL, 8)                                                                         \
    X(2, PONG, CONTROL, 8)                                                                         \
    X(3, PEERS_REQUEST, CONTROL, 0)                                                                \
    X(4, PEERS, CONTROL, 2 + WIRE_PEERS_MAX * 50)                                                  \
    X(5, MESH, CONTROL, 8 + SIGNER_BITMAP_BYTES)                                                   \
    X(16, VOTE, VOTES, 124)                                                                        \
    X(17, CERTIFICATE, VOTES, CERTIFICATE_SIZE_MAX)                                                \
    X(18, CERTIFICATE_REQUEST, VOTES, 16)                                                          \
    X(32, PROPOSAL, BLOCKS, PROPOSAL_SIZE_MAX)                                                     \
    X(33, BLOCK_REQUEST, BLOCKS, 2 + 32 * WIRE_BLOCKS_MAX)                                         \
    X(34, BLOCK, BLOCKS, 32 + BLOCK_SIZE_MAX)                                                      \
    X(48, TX_ANNOUNCE, TXS, 2 + 32 * WIRE_HASHES_MAX)                                              \
    X(49, TX_REQUEST, TXS, 2 + 32 * WIRE_HASHES_MAX)                                               \
    X(50, TXS, TXS, WIRE_TXS_SIZE_MAX)                                                             \
    X(64, FINAL_REQUEST, SYNC, 0)                                                                  \
    X(65, FINAL, SYNC, 2 + HEADER_SIZE_MAX + CERTIFICATE_SIZE_MAX)                                 \
    X(66, EPOCH_REQUEST, SYNC, 8)                                                                  \
    X(67, EPOCH, SYNC, 10 + HEADER_SIZE_MAX + 2 + VALIDATORS_MAX * 48 + CERTIFICATE_SIZE_MAX)      \
    X(68, HEADERS_REQUEST, SYNC, 10)                                                               \
    X(69, HEADERS, SYNC, 10 + WIRE_HEADERS_MAX * (2 + HEADER_SIZE_MAX))                            \
    X(70, BODY_REQUEST, SYNC, 2 + 32 * WIRE_BLOCKS_MAX)                                            \
    X(71, BODY, SYNC, 32 + BLOCK_SIZE_MAX)

#define PROPOSAL_SIZE_MAX                                                                          \
    (124 + 1 + PROPOSAL_CERTIFICATES_MAX * (4 + CERTIFICATE_SIZE_MAX) + 4 +                        \
     PROPOSAL_BLOCK_BYTES_MAX)

enum wire_type {
#define X(byte, name, channel, size) WIRE_##name = byte,
    WIRE_MESSAGES(X)
#undef X
};

struct wire_row {
    const char *name;
    enum channel channel;
    uint32_t size_max; /* of the payload */
};
/* NULL: no such message. */
const struct wire_row *wire_row(uint8_t type);

/* Where a node can be dialled: an IPv6 address (IPv4 as ::ffff:a.b.c.d) and a TCP port. */
struct net_address {
    uint8_t ip[16];
    uint16_t port;
};

/* HELLO: version 2 | chain id 8 | genesis 32 | ip 16 | port 2 | epoch 8 | number 8 | proof 65.
 * The address is what the sender may be dialled at: port 0 none; ip zero: where it comes from.
 * Epoch and number are a hint whom to ask, never believed. The proof is the validator's signature
 * of the connection (net/peers.h), or zeros. Of another version only the version is read:
 * E_UNSUPPORTED, and its size may be any within the row. */
struct wire_hello {
    uint16_t version;
    uint64_t chain_id;
    struct hash genesis;
    struct net_address address;
    uint64_t epoch;
    uint64_t number;
    struct signature proof;
};
void wire_hello_encode(struct buffer *out, const struct wire_hello *h);
MUST_CHECK enum status wire_hello_decode(struct wire_hello *out, struct bytes input);

/* PEERS: count 2 | count * (ip 16 | port 2 | node id 32). */
struct wire_peer {
    struct net_address address;
    struct hash id;
};
void wire_peers_encode(struct buffer *out, const struct wire_peer *peers, size_t count);
/* Room for WIRE_PEERS_MAX. */
MUST_CHECK enum status wire_peers_decode(struct wire_peer *out, size_t *out_count,
                                         struct bytes input);

/* MESH: epoch 8 | bitmap 16: the validators of the epoch that the sender is connected with or is.
 * Votes of those need not be passed on to it. */
struct wire_mesh {
    uint64_t epoch;
    uint8_t validators[SIGNER_BITMAP_BYTES];
};
void wire_mesh_encode(struct buffer *out, const struct wire_mesh *m);
MUST_CHECK enum status wire_mesh_decode(struct wire_mesh *out, struct bytes input);

/* CERTIFICATE_REQUEST: epoch 8 | view 8. The answer is any number of CERTIFICATE. */
struct wire_view {
    uint64_t epoch;
    uint64_t view;
};
void wire_view_encode(struct buffer *out, const struct wire_view *v);
MUST_CHECK enum status wire_view_decode(struct wire_view *out, struct bytes input);

/* BLOCK_REQUEST, BODY_REQUEST, TX_ANNOUNCE, TX_REQUEST: count 2 | count * hash 32; 1 to count_max.
 * `out` has room for count_max. */
void wire_hashes_encode(struct buffer *out, const struct hash *hashes, size_t count);
MUST_CHECK enum status wire_hashes_decode(struct hash *out, size_t *out_count, size_t count_max,
                                          struct bytes input);

/* BLOCK, BODY: hash 32 | the block's bytes, empty when the sender does not have it. One message a
 * block asked for, in the order asked. */
struct wire_block {
    struct hash hash;
    struct bytes block;
};
void wire_block_encode(struct buffer *out, const struct wire_block *b);
MUST_CHECK enum status wire_block_decode(struct wire_block *out, struct bytes input);

/* TXS: transactions, each size 4 | bytes; none empty or over TX_SIZE_MAX. */
void wire_tx_append(struct buffer *out, struct bytes tx);
/* Takes the first off *rest. E_NOT_FOUND: none is left. */
MUST_CHECK enum status wire_tx_next(struct bytes *out, struct bytes *rest);

/* FINAL: header size 2 | header | certificate. The newest final block of the sender with its F;
 * empty payload: it has none yet. */
struct wire_final {
    struct bytes header;      /* rlp; empty: none */
    struct bytes certificate; /* as chain/consensus encodes it */
};
void wire_final_encode(struct buffer *out, const struct wire_final *f);
MUST_CHECK enum status wire_final_decode(struct wire_final *out, struct bytes input);

/* EPOCH: epoch 8 | header size 2 | header | count 2 | count * (operator 20 | consensus address 20 |
 * weight 8) | certificate. Of the epoch asked for: the header of its boundary block, F of it, and
 * the set of the epoch after, whose hash that header carries. Header size 0 and nothing behind it:
 * the sender does not have it. */
struct wire_epoch {
    uint64_t epoch;
    struct bytes header;
    uint32_t validator_count;
    struct validator validators[VALIDATORS_MAX];
    struct bytes certificate;
};
void wire_epoch_encode(struct buffer *out, const struct wire_epoch *e);
MUST_CHECK enum status wire_epoch_decode(struct wire_epoch *out, struct bytes input);
void wire_number_encode(struct buffer *out, uint64_t number); /* EPOCH_REQUEST, PING, PONG */
MUST_CHECK enum status wire_number_decode(uint64_t *out, struct bytes input);

/* HEADERS_REQUEST: first number 8 | count 2 (1 to WIRE_HEADERS_MAX); first + count fits 64 bits. */
struct wire_range {
    uint64_t first;
    uint16_t count;
};
void wire_range_encode(struct buffer *out, const struct wire_range *r);
MUST_CHECK enum status wire_range_decode(struct wire_range *out, struct bytes input);

/* HEADERS: first number 8 | count 2 | count * (size 2 | header), ascending; count 0: none. Bounds
 * as of the request. */
struct wire_headers {
    uint64_t first;
    uint16_t count;
    struct bytes rest; /* for wire_header_next, count times */
};
void wire_headers_begin(struct buffer *out, uint64_t first);
void wire_headers_add(struct buffer *out, size_t begun_at, struct bytes header);
/* Checks the whole layout. */
MUST_CHECK enum status wire_headers_decode(struct wire_headers *out, struct bytes input);
struct bytes wire_header_next(struct wire_headers *h); /* asserts that one is left */

#endif
