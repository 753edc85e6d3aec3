#include "client/chunk_coder.h"

#include "base/fatal.h"

#include <assert.h>
#include <time.h>
#include <zstd.h>

#define LEVEL          1
#define SAMPLE_BYTES   (8u << 10)
#define PACK_BYTES_MIN (2 * SAMPLE_BYTES) /* less is not worth the trouble */
#define IDLE_NS        1000000000u
#define GUESS_NS       4000 /* of packing 1 KiB, before it was measured */

void chunk_coder_finish(struct chunk_coder *c)
{
    ZSTD_freeCCtx(c->packer);
    ZSTD_freeDCtx(c->unpacker);
    buffer_finish(&c->packed);
    buffer_finish(&c->plain);
    *c = (struct chunk_coder){0};
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The packed size, or 0 when it does not fit into `room` bytes. */
static size_t pack(struct chunk_coder *c, struct bytes content, size_t room)
{
    if (!c->packer) c->packer = ZSTD_createCCtx();
    if (!c->packer) fatal("zstd: out of memory");
    buffer_clear(&c->packed);
    buffer_reserve(&c->packed, GATEWAY_CHUNK_MAX);
    size_t size =
        ZSTD_compressCCtx(c->packer, c->packed.data, room, content.data, content.size, LEVEL);
    return ZSTD_isError(size) ? 0 : size;
}

static uint64_t recent(uint64_t before, uint64_t now)
{
    return before == 0 ? now : before - before / 4 + now / 4;
}

/* The bytes that packing would save, judged by a sample from the middle; 0: not worth it. */
static size_t promised_saving(struct chunk_coder *c, struct bytes content)
{
    assert(content.size >= SAMPLE_BYTES);
    size_t middle = content.size / 2 - SAMPLE_BYTES / 2;
    size_t size = pack(c, bytes_slice(content, middle, SAMPLE_BYTES), SAMPLE_BYTES * 7 / 8);
    return size == 0 ? 0 : (SAMPLE_BYTES - size) * (content.size / SAMPLE_BYTES);
}

void chunk_pack(struct chunk_coder *c, struct gateway_piece *out, struct bytes content)
{
    assert(content.size > 0 && content.size <= GATEWAY_CHUNK_MAX);
    out->size = (uint32_t)content.size;
    out->coding = GATEWAY_PLAIN;
    out->bytes = content;
    if (!c->may_pack || content.size < PACK_BYTES_MIN) return;
    uint64_t cost = (c->pack_per_kib ? c->pack_per_kib : GUESS_NS) * (content.size >> 10);
    if (c->waited_per_kib * (content.size >> 10) < cost) return;
    size_t saving = promised_saving(c, content);
    if (c->waited_per_kib * (saving >> 10) < cost) return;
    uint64_t start_ns = now_ns();
    size_t size = pack(c, content, content.size - content.size / 8);
    c->pack_per_kib = recent(c->pack_per_kib, (now_ns() - start_ns) / (content.size >> 10) + 1);
    if (size == 0) return;
    out->coding = GATEWAY_ZSTD;
    out->bytes = bytes_of(c->packed.data, size);
}

void chunk_coder_note(struct chunk_coder *c, uint64_t sent_bytes, uint64_t waited_ns)
{
    uint64_t kib = (sent_bytes - c->noted_bytes) / 1024, ns = waited_ns - c->noted_ns;
    c->noted_bytes = sent_bytes;
    c->noted_ns = waited_ns;
    if (ns > IDLE_NS || kib == 0) return; /* nobody wanted anything, or nothing was moved */
    c->waited_per_kib = c->waited_per_kib - c->waited_per_kib / 8 + ns / kib / 8;
}

enum status chunk_unpack(struct chunk_coder *c, struct bytes *out,
                         const struct gateway_piece *piece)
{
    assert(piece->size > 0 && piece->size <= GATEWAY_CHUNK_MAX);
    if (piece->coding == GATEWAY_PLAIN) {
        assert(piece->bytes.size == piece->size);
        *out = piece->bytes;
        return OK;
    }
    unsigned long long said = ZSTD_getFrameContentSize(piece->bytes.data, piece->bytes.size);
    if (said != piece->size) return E_MALFORMED;
    if (!c->unpacker) c->unpacker = ZSTD_createDCtx();
    if (!c->unpacker) fatal("zstd: out of memory");
    buffer_clear(&c->plain);
    buffer_reserve(&c->plain, GATEWAY_CHUNK_MAX);
    size_t size = ZSTD_decompressDCtx(c->unpacker, c->plain.data, piece->size, piece->bytes.data,
                                      piece->bytes.size);
    if (size != piece->size) return E_MALFORMED;
    *out = bytes_of(c->plain.data, size);
    return OK;
}
