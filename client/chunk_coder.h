/* chunk_coder.h - zstd on the wire, where it helps.
 *
 * A chunk is packed only if the link and not this machine is what a transfer waits for, and if a
 * sample of the chunk shrinks. Whether it waits for the link is measured: chunk_coder_note says how
 * long writing has blocked, and packing must take less time than the bytes that it saves would.
 * Unpacking never makes more than the size that the chunk declares, in memory of a fixed size.
 * One coder a connection, one thread; owns its zstd contexts. */
#ifndef LEASEHOLD_CLIENT_CHUNK_CODER_H
#define LEASEHOLD_CLIENT_CHUNK_CODER_H

#include "client/gateway_wire.h"

struct chunk_coder {
    struct ZSTD_CCtx_s *packer;   /* made at first use */
    struct ZSTD_DCtx_s *unpacker; /* made at first use */
    struct buffer packed;
    struct buffer plain;
    bool may_pack;            /* the other side reads zstd */
    uint64_t blocked_per_kib; /* ns that 1 KiB on the wire has lately waited for the link */
    uint64_t pack_per_kib;    /* ns that packing 1 KiB has lately taken */
};

void chunk_coder_finish(struct chunk_coder *c); /* takes zeroed ones too */
/* Fills coding and bytes of a piece for these content bytes; borrowed until the next call. */
void chunk_pack(struct chunk_coder *c, struct gateway_piece *out, struct bytes content);
/* After sending: what was written, and how long that blocked. */
void chunk_coder_note(struct chunk_coder *c, size_t wire_bytes, uint64_t blocked_ns);
/* The content bytes of a piece, out->size == piece->size; borrowed from the piece or until the next
 * call. E_MALFORMED: no zstd frame of exactly that size. */
MUST_CHECK enum status chunk_unpack(struct chunk_coder *c, struct bytes *out,
                                    const struct gateway_piece *piece);

#endif
