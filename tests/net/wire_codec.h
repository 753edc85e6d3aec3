/* wire_codec.h - for each message: a sample of its payload, and how to take it apart and build it
 * again. One table, so that tests and fuzzers forget no message. */
#ifndef LEASEHOLD_TESTS_NET_WIRE_CODEC_H
#define LEASEHOLD_TESTS_NET_WIRE_CODEC_H

#include "net/wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum amount { LEAST, SOME, MOST, AMOUNTS };

/* count[amount] */
static inline uint32_t pick(enum amount amount, uint32_t least, uint32_t some, uint32_t most)
{
    return amount == LEAST ? least : amount == SOME ? some : most;
}

static inline void append_filler(struct buffer *out, size_t size, uint8_t first)
{
    uint8_t *room = buffer_extend(out, size);
    for (size_t i = 0; i < size; i++)
        room[i] = (uint8_t)(first + i);
}

static inline struct net_address sample_address(uint32_t n)
{
    struct net_address a = {.port = (uint16_t)(30333 + n)};
    a.ip[10] = a.ip[11] = 0xff;
    store_be32(a.ip + 12, 0x01020304u + (n << 16));
    return a;
}

static inline void sample_hello(struct buffer *out, enum amount amount)
{
    struct wire_hello h = {.version = WIRE_VERSION, .chain_id = 7117};
    if (amount != LEAST) {
        h.genesis.b[0] = h.proof.b[0] = 0xab;
        h.address = sample_address(7);
        h.epoch = 3;
        h.number = 2048;
        h.proof.b[64] = 1;
    }
    wire_hello_encode(out, &h);
}

static inline enum status rebuild_hello(struct buffer *out, struct bytes input)
{
    struct wire_hello h;
    enum status status = wire_hello_decode(&h, input);
    if (status == OK) wire_hello_encode(out, &h);
    return status;
}

static inline void sample_number(struct buffer *out, enum amount amount)
{
    wire_number_encode(out, amount == MOST ? UINT64_MAX : amount);
}

static inline enum status rebuild_number(struct buffer *out, struct bytes input)
{
    uint64_t number;
    enum status status = wire_number_decode(&number, input);
    if (status == OK) wire_number_encode(out, number);
    return status;
}

static inline void sample_nothing(struct buffer *out, enum amount amount)
{
    (void)out;
    (void)amount;
}

static inline enum status rebuild_nothing(struct buffer *out, struct bytes input)
{
    (void)out;
    return input.size == 0 ? OK : E_MALFORMED;
}

static inline void sample_peers(struct buffer *out, enum amount amount)
{
    struct wire_peer peers[WIRE_PEERS_MAX] = {0};
    for (uint32_t i = 0; i < WIRE_PEERS_MAX; i++) {
        peers[i].address = sample_address(i);
        peers[i].id.b[31] = (uint8_t)i;
    }
    wire_peers_encode(out, peers, pick(amount, 0, 3, WIRE_PEERS_MAX));
}

static inline enum status rebuild_peers(struct buffer *out, struct bytes input)
{
    struct wire_peer peers[WIRE_PEERS_MAX];
    size_t count;
    enum status status = wire_peers_decode(peers, &count, input);
    if (status == OK) wire_peers_encode(out, peers, count);
    return status;
}

static inline void sample_mesh(struct buffer *out, enum amount amount)
{
    struct wire_mesh m = {.epoch = amount};
    memset(m.validators, amount == LEAST ? 0 : 0xff, sizeof(m.validators));
    wire_mesh_encode(out, &m);
}

static inline enum status rebuild_mesh(struct buffer *out, struct bytes input)
{
    struct wire_mesh m;
    enum status status = wire_mesh_decode(&m, input);
    if (status == OK) wire_mesh_encode(out, &m);
    return status;
}

static inline struct vote sample_subject(void)
{
    return (struct vote){
        .epoch = 2, .view = 77, .parent_view = 76, .kind = VOTE_NOTARIZE, .block = {{0xb1, 0x0c}}};
}

static inline void sample_vote(struct buffer *out, enum amount amount)
{
    struct vote v = sample_subject();
    v.signer = (uint16_t)pick(amount, 0, 3, VALIDATORS_MAX - 1);
    memset(v.signature.b, 0x21, 64);
    vote_encode(out, &v);
}

static inline enum status rebuild_vote(struct buffer *out, struct bytes input)
{
    struct vote v;
    enum status status = vote_decode(&v, input);
    if (status == OK) vote_encode(out, &v);
    return status;
}

static inline void fill_certificate(struct certificate *c, uint32_t signers)
{
    struct vote v = sample_subject();
    certificate_start(c, &v);
    for (uint32_t i = 0; i < signers; i++) {
        v.signer = (uint16_t)i;
        memset(v.signature.b, (int)i & 0x7f, 64);
        certificate_add(c, &v);
    }
}

static inline void sample_certificate(struct buffer *out, enum amount amount)
{
    struct certificate c;
    fill_certificate(&c, pick(amount, 0, 3, VALIDATORS_MAX));
    certificate_encode(out, &c);
}

static inline enum status rebuild_certificate(struct buffer *out, struct bytes input)
{
    struct certificate c;
    enum status status = certificate_decode(&c, input);
    if (status == OK) certificate_encode(out, &c);
    return status;
}

static inline void sample_view(struct buffer *out, enum amount amount)
{
    wire_view_encode(out, &(struct wire_view){.epoch = amount, .view = 7u * amount});
}

static inline enum status rebuild_view(struct buffer *out, struct bytes input)
{
    struct wire_view v;
    enum status status = wire_view_decode(&v, input);
    if (status == OK) wire_view_encode(out, &v);
    return status;
}

static inline void sample_proposal(struct buffer *out, enum amount amount)
{
    struct proposal *p = calloc(1, sizeof(*p));
    struct buffer block = {0};
    assert(p);
    p->vote = sample_subject();
    p->certificate_count = pick(amount, 0, 2, PROPOSAL_CERTIFICATES_MAX);
    for (uint32_t i = 0; i < p->certificate_count; i++)
        fill_certificate(&p->certificates[i], pick(amount, 0, 1, VALIDATORS_MAX));
    append_filler(&block, pick(amount, 0, 40, PROPOSAL_BLOCK_BYTES_MAX), 0);
    proposal_encode(out, p, buffer_bytes(&block));
    buffer_finish(&block);
    free(p);
}

static inline enum status rebuild_proposal(struct buffer *out, struct bytes input)
{
    struct proposal *p = calloc(1, sizeof(*p));
    struct bytes block;
    assert(p);
    enum status status = proposal_decode(p, &block, input);
    if (status == OK) proposal_encode(out, p, block);
    free(p);
    return status;
}

static inline void sample_hashes_up_to(struct buffer *out, enum amount amount, uint32_t most)
{
    struct hash hashes[WIRE_HASHES_MAX] = {0};
    for (uint32_t i = 0; i < WIRE_HASHES_MAX; i++)
        hashes[i].b[0] = (uint8_t)i;
    wire_hashes_encode(out, hashes, pick(amount, 1, 3, most));
}

static inline void sample_blocks_asked(struct buffer *out, enum amount amount)
{
    sample_hashes_up_to(out, amount, WIRE_BLOCKS_MAX);
}

static inline void sample_hashes(struct buffer *out, enum amount amount)
{
    sample_hashes_up_to(out, amount, WIRE_HASHES_MAX);
}

static inline enum status rebuild_hashes_up_to(struct buffer *out, struct bytes input, size_t most)
{
    struct hash hashes[WIRE_HASHES_MAX];
    size_t count;
    enum status status = wire_hashes_decode(hashes, &count, most, input);
    if (status == OK) wire_hashes_encode(out, hashes, count);
    return status;
}

static inline enum status rebuild_blocks_asked(struct buffer *out, struct bytes input)
{
    return rebuild_hashes_up_to(out, input, WIRE_BLOCKS_MAX);
}

static inline enum status rebuild_hashes(struct buffer *out, struct bytes input)
{
    return rebuild_hashes_up_to(out, input, WIRE_HASHES_MAX);
}

static inline void sample_block(struct buffer *out, enum amount amount)
{
    struct buffer block = {0};
    append_filler(&block, pick(amount, 0, 40, BLOCK_SIZE_MAX), 0);
    wire_block_encode(out, &(struct wire_block){.block = buffer_bytes(&block)});
    buffer_finish(&block);
}

static inline enum status rebuild_block(struct buffer *out, struct bytes input)
{
    struct wire_block b;
    enum status status = wire_block_decode(&b, input);
    if (status == OK) wire_block_encode(out, &b);
    return status;
}

/* Exactly `size` bytes of transactions, each as large as may be. */
static inline void append_txs(struct buffer *out, size_t size)
{
    struct buffer tx = {0};
    append_filler(&tx, TX_SIZE_MAX, 1);
    while (size > 0) {
        size_t one = size < TX_SIZE_MAX + 4 ? size : TX_SIZE_MAX + 4;
        wire_tx_append(out, bytes_of(tx.data, one - 4));
        size -= one;
    }
    buffer_finish(&tx);
}

static inline void sample_txs(struct buffer *out, enum amount amount)
{
    append_txs(out, pick(amount, 5, 30, WIRE_TXS_SIZE_MAX));
    if (amount == SOME) append_txs(out, 20);
}

static inline enum status rebuild_txs(struct buffer *out, struct bytes input)
{
    struct bytes tx;
    enum status status;
    size_t from = out->size;
    while ((status = wire_tx_next(&tx, &input)) == OK)
        wire_tx_append(out, tx);
    return status == E_NOT_FOUND && out->size > from ? OK : E_MALFORMED;
}

struct final_parts {
    struct buffer header, certificate;
};

static inline struct final_parts sample_parts(enum amount amount)
{
    struct final_parts p = {{0}, {0}};
    append_filler(&p.header, pick(amount, 1, 600, HEADER_SIZE_MAX), 9);
    sample_certificate(&p.certificate, amount);
    return p;
}

static inline void parts_finish(struct final_parts *p)
{
    buffer_finish(&p->header);
    buffer_finish(&p->certificate);
}

static inline void sample_final(struct buffer *out, enum amount amount)
{
    struct final_parts p = sample_parts(amount);
    struct wire_final f = {buffer_bytes(&p.header), buffer_bytes(&p.certificate)};
    if (amount != LEAST) wire_final_encode(out, &f);
    parts_finish(&p);
}

static inline enum status rebuild_final(struct buffer *out, struct bytes input)
{
    struct wire_final f;
    enum status status = wire_final_decode(&f, input);
    if (status == OK) wire_final_encode(out, &f);
    return status;
}

static inline void sample_epoch(struct buffer *out, enum amount amount)
{
    struct final_parts p = sample_parts(amount);
    struct wire_epoch e = {.epoch = 5};
    if (amount != LEAST) {
        e.header = buffer_bytes(&p.header);
        e.certificate = buffer_bytes(&p.certificate);
        e.validator_count = pick(amount, 0, 4, VALIDATORS_MAX);
    }
    for (uint32_t i = 0; i < e.validator_count; i++)
        e.validators[i] = (struct validator){{{1}}, {{(uint8_t)i}}, i + 1u};
    wire_epoch_encode(out, &e);
    parts_finish(&p);
}

static inline enum status rebuild_epoch(struct buffer *out, struct bytes input)
{
    struct wire_epoch e;
    enum status status = wire_epoch_decode(&e, input);
    if (status == OK) wire_epoch_encode(out, &e);
    return status;
}

static inline void sample_range(struct buffer *out, enum amount amount)
{
    struct wire_range r = {amount * 1000ull, (uint16_t)pick(amount, 1, 3, WIRE_HEADERS_MAX)};
    wire_range_encode(out, &r);
}

static inline enum status rebuild_range(struct buffer *out, struct bytes input)
{
    struct wire_range r;
    enum status status = wire_range_decode(&r, input);
    if (status == OK) wire_range_encode(out, &r);
    return status;
}

static inline void sample_headers(struct buffer *out, enum amount amount)
{
    size_t begun_at = out->size;
    uint8_t header[HEADER_SIZE_MAX] = {0xf9};
    wire_headers_begin(out, 1000);
    for (uint32_t i = 0; i < pick(amount, 0, 3, WIRE_HEADERS_MAX); i++)
        wire_headers_add(out, begun_at, bytes_of(header, pick(amount, 1, 20 + i, HEADER_SIZE_MAX)));
}

static inline enum status rebuild_headers(struct buffer *out, struct bytes input)
{
    struct wire_headers h;
    size_t begun_at = out->size;
    enum status status = wire_headers_decode(&h, input);
    if (status != OK) return status;
    wire_headers_begin(out, h.first);
    while (h.count > 0)
        wire_headers_add(out, begun_at, wire_header_next(&h));
    return OK;
}

struct codec {
    uint8_t type;
    void (*sample)(struct buffer *out, enum amount amount);
    enum status (*rebuild)(struct buffer *out, struct bytes input); /* out only if OK, but TXS */
    bool open_ended; /* the frame's size alone ends it: a prefix may be a message too */
};

static const struct codec CODECS[] = {
    {WIRE_HELLO, sample_hello, rebuild_hello, false},
    {WIRE_PING, sample_number, rebuild_number, false},
    {WIRE_PONG, sample_number, rebuild_number, false},
    {WIRE_PEERS_REQUEST, sample_nothing, rebuild_nothing, false},
    {WIRE_PEERS, sample_peers, rebuild_peers, false},
    {WIRE_MESH, sample_mesh, rebuild_mesh, false},
    {WIRE_VOTE, sample_vote, rebuild_vote, false},
    {WIRE_CERTIFICATE, sample_certificate, rebuild_certificate, false},
    {WIRE_CERTIFICATE_REQUEST, sample_view, rebuild_view, false},
    {WIRE_PROPOSAL, sample_proposal, rebuild_proposal, false},
    {WIRE_BLOCK_REQUEST, sample_blocks_asked, rebuild_blocks_asked, false},
    {WIRE_BLOCK, sample_block, rebuild_block, true},
    {WIRE_TX_ANNOUNCE, sample_hashes, rebuild_hashes, false},
    {WIRE_TX_REQUEST, sample_hashes, rebuild_hashes, false},
    {WIRE_TXS, sample_txs, rebuild_txs, true},
    {WIRE_FINAL_REQUEST, sample_nothing, rebuild_nothing, false},
    {WIRE_FINAL, sample_final, rebuild_final, false},
    {WIRE_EPOCH_REQUEST, sample_number, rebuild_number, false},
    {WIRE_EPOCH, sample_epoch, rebuild_epoch, false},
    {WIRE_HEADERS_REQUEST, sample_range, rebuild_range, false},
    {WIRE_HEADERS, sample_headers, rebuild_headers, false},
    {WIRE_BODY_REQUEST, sample_blocks_asked, rebuild_blocks_asked, false},
    {WIRE_BODY, sample_block, rebuild_block, true},
};
#define CODEC_COUNT (sizeof(CODECS) / sizeof(CODECS[0]))

static inline const struct codec *codec_of(uint8_t type)
{
    for (size_t i = 0; i < CODEC_COUNT; i++)
        if (CODECS[i].type == type) return &CODECS[i];
    return NULL;
}

#endif
