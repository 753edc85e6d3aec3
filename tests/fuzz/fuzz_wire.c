/* Every message between peers, one target: the first byte is the message's type, the rest its
 * payload. Whatever a decoder takes encodes to the same bytes and is within its row's limit. New
 * inputs come from the samples of tests/net/wire_codec.h, so that each message's inside is reached
 * from the first second. FUZZ_MESSAGE=NAME fuzzes one alone; at the end a line for each says how
 * often it was tried and taken. */
#include "tests/net/wire_codec.h"

#include <stdio.h>

#define FRESH_IN 32 /* one mutation in so many is a new sample */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

static uint64_t tried[256], taken[256];
static const struct codec *only;

static void print_counts(void)
{
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        uint8_t type = CODECS[i].type;
        fprintf(stderr, "fuzz_wire: %-20s tried %9llu taken %9llu\n", wire_row(type)->name,
                (unsigned long long)tried[type], (unsigned long long)taken[type]);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("FUZZ_MESSAGE");
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < CODEC_COUNT && name; i++)
        if (strcmp(wire_row(CODECS[i].type)->name, name) == 0) only = &CODECS[i];
    if (name && !only) {
        fprintf(stderr, "fuzz_wire: there is no message %s\n", name);
        exit(2);
    }
    atexit(print_counts);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct codec *codec = size > 0 ? codec_of(data[0]) : NULL;
    struct buffer again = {0};
    if (!codec || (only && codec != only)) return 0;
    struct bytes payload = bytes_of(data + 1, size - 1);
    tried[codec->type]++;
    if (codec->rebuild(&again, payload) == OK) {
        taken[codec->type]++;
        if (!bytes_equal(buffer_bytes(&again), payload)) abort();
        if (payload.size > wire_row(codec->type)->size_max) abort();
    }
    buffer_finish(&again);
    return 0;
}

static size_t fresh_sample(uint8_t *data, size_t size_max, unsigned seed)
{
    const struct codec *codec = only ? only : &CODECS[seed % CODEC_COUNT];
    struct buffer sample = {0};
    codec->sample(&sample, seed / CODEC_COUNT % 2 ? SOME : LEAST);
    size_t size = sample.size < size_max - 1 ? sample.size : size_max - 1;
    data[0] = codec->type;
    if (size > 0) memcpy(data + 1, sample.data, size);
    buffer_finish(&sample);
    return size + 1;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    bool known = size > 0 && codec_of(data[0]) && (!only || data[0] == only->type);
    if (size_max < 2 || !known || seed % FRESH_IN == 0)
        return fresh_sample(data, size_max, seed / FRESH_IN);
    return 1 + LLVMFuzzerMutate(data + 1, size - 1, size_max - 1);
}
