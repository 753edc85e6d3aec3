/* chunk_coder.h - zstd on the wire, where it helps.
 *
 * A chunk is packed only if the link and not this machine is what a transfer waits for, and if a
 * sample of the chunk shrinks. That is measured: chunk_coder_note says how much was sent so far and
 * how long this side has waited, and packing must take less time than the saved bytes would.
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
    bool may_pack;           /* the other side reads zstd */
    uint64_t waited_per_kib; /* ns that this side has lately waited for 1 KiB on the wire */
    uint64_t pack_per_kib;   /* ns that packing 1 KiB has lately taken */
    uint64_t noted_bytes, noted_ns;
};

void chunk_coder_finish(struct chunk_coder *c); /* takes zeroed ones too */
/* Fills coding and bytes of a piece for these content bytes; borrowed until the next call. */
void chunk_pack(struct chunk_coder *c, struct gateway_piece *out, struct bytes content);
/* What the connection has sent in all, and waited in all; once a chunk. */
void chunk_coder_note(struct chunk_coder *c, uint64_t sent_bytes, uint64_t waited_ns);
/* The content bytes of a piece, out->size == piece->size; borrowed from the piece or until the next
 * call. E_MALFORMED: no zstd frame of exactly that size. */
MUST_CHECK enum status chunk_unpack(struct chunk_coder *c, struct bytes *out,
                                    const struct gateway_piece *piece);

#endif
