/* A stream of frames: however it is cut into pieces, the same frames come out and the same end. The
 * first byte seeds the cutting. Inputs begin with a good HELLO often enough to get beyond it. */
#include "net/frame_reader.h"
#include "tests/net/wire_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

/* Appends what comes out of one piece. */
static enum status read_piece(struct frame_reader *r, struct buffer *trace, struct bytes piece)
{
    struct frame f;
    enum status status;
    while ((status = frame_reader_next(r, &f, &piece)) == OK) {
        assert(wire_row((uint8_t)f.type) && f.payload.size <= wire_row((uint8_t)f.type)->size_max);
        buffer_append_byte(trace, (uint8_t)f.type);
        store_be32(buffer_extend(trace, 4), (uint32_t)f.payload.size);
        buffer_append(trace, f.payload);
    }
    assert(status != E_NOT_FOUND || piece.size == 0);
    assert(r->body_capacity <= PEER_RECEIVE_BYTES_MAX);
    return status;
}

static void read_stream(struct buffer *trace, struct bytes stream, uint8_t seed)
{
    struct frame_reader r = {0};
    enum status status = E_NOT_FOUND;
    uint32_t state = seed;
    for (size_t at = 0; at < stream.size && status == E_NOT_FOUND;) {
        state = state * 1664525 + 1013904223;
        size_t piece = seed == 0 ? stream.size : 1 + (state >> 16) % (seed % 64 + 1u);
        if (piece > stream.size - at) piece = stream.size - at;
        status = read_piece(&r, trace, bytes_slice(stream, at, piece));
        at += piece;
    }
    buffer_append_byte(trace, (uint8_t)status);
    frame_reader_finish(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer whole = {0}, pieces = {0};
    if (size == 0) return 0;
    struct bytes stream = bytes_of(data + 1, size - 1);
    read_stream(&whole, stream, 0);
    read_stream(&pieces, stream, data[0]);
    if (!bytes_equal(buffer_bytes(&whole), buffer_bytes(&pieces))) abort();
    buffer_finish(&whole);
    buffer_finish(&pieces);
    return 0;
}

static void append_frame(struct buffer *out, const struct codec *codec)
{
    size_t at = out->size;
    buffer_extend(out, 4);
    buffer_append_byte(out, codec->type);
    codec->sample(out, SOME);
    store_be32(out->data + at, (uint32_t)(out->size - at - 4));
}

static size_t fresh_stream(uint8_t *data, size_t size_max, unsigned seed)
{
    struct buffer stream = {0};
    buffer_append_byte(&stream, (uint8_t)seed);
    append_frame(&stream, codec_of(WIRE_HELLO));
    for (unsigned i = 0; i < seed % 5; i++)
        append_frame(&stream, &CODECS[(seed / 5 + i * 7) % CODEC_COUNT]);
    size_t size = stream.size < size_max ? stream.size : size_max;
    memcpy(data, stream.data, size);
    buffer_finish(&stream);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    if (size < 2 || seed % 16 == 0) return fresh_stream(data, size_max, seed / 16);
    return LLVMFuzzerMutate(data, size, size_max);
}
