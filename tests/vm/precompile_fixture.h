/* tests/vm/precompile_fixture.h - one precompile, one input: what it answers and takes. */
#ifndef LEASEHOLD_TESTS_VM_PRECOMPILE_FIXTURE_H
#define LEASEHOLD_TESTS_VM_PRECOMPILE_FIXTURE_H

#include "base/json.h"
#include "tests/vm/evm_fixture.h"
#include "vm/precompile.h"

#include <unistd.h>

/* Published vectors, read where a checkout has them beside it; see its README for the sources. */
#define VECTORS_ARCHIVE   "../shared/evm/precompile-vectors.tar.zst"
#define VECTORS_BYTES_MAX ((size_t)16 << 20)

static inline struct address precompile(uint8_t number)
{
    struct address a = {{0}};
    a.b[19] = number;
    return a;
}

struct answer {
    enum evm_result result;
    int64_t gas_used;
    struct buffer output;
};

static inline struct answer ask(uint8_t number, struct bytes input, int64_t gas)
{
    struct answer answer = {.gas_used = gas};
    struct address a = precompile(number);
    answer.result = precompile_run(&a, &gas, &answer.output, input);
    answer.gas_used -= gas;
    return answer;
}

static inline void check(uint8_t number, const char *name, const char *input_hex,
                         const char *output_hex, int64_t gas)
{
    struct buffer input = code_from(input_hex);
    struct buffer want = code_from(output_hex);
    struct answer got = ask(number, buffer_bytes(&input), gas);
    if (got.result != EVM_SUCCESS || got.gas_used != gas ||
        !bytes_equal(buffer_bytes(&got.output), buffer_bytes(&want)))
        fail_msg("precompile %d, %s: %s, %lld gas", number, name, evm_result_text(got.result),
                 (long long)got.gas_used);
    buffer_finish(&got.output);
    /* One gas less is not enough. */
    if (gas > 0) {
        got = ask(number, buffer_bytes(&input), gas - 1);
        assert_int_equal(got.result, EVM_OUT_OF_GAS);
        buffer_finish(&got.output);
    }
    buffer_finish(&input);
    buffer_finish(&want);
}

static inline json_t *published(const char *member)
{
    char command[200];
    char error[JSON_ERROR_SIZE];
    struct buffer text = {.size = 0};
    json_t *vectors;
    snprintf(command, sizeof(command), "tar --zstd -xOf " VECTORS_ARCHIVE " %s", member);
    FILE *pipe = popen(command, "r"); /* NOLINT(cert-env33-c): a fixed command */
    assert_non_null(pipe);
    for (;;) {
        buffer_reserve(&text, 65536);
        size_t got = fread(text.data + text.size, 1, 65536, pipe);
        text.size += got;
        if (got == 0) break;
        assert_true(text.size < VECTORS_BYTES_MAX);
    }
    assert_int_equal(pclose(pipe), 0);
    if (json_parse(&vectors, error, buffer_bytes(&text)) != OK) fail_msg("%s: %s", member, error);
    buffer_finish(&text);
    return vectors;
}

static inline void check_published(uint8_t number, const char *member)
{
    json_t *vectors = published(member);
    size_t i;
    json_t *v;
    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, v)
    {
        check(number, json_string_value(json_object_get(v, "Name")),
              json_string_value(json_object_get(v, "Input")),
              json_string_value(json_object_get(v, "Expected")),
              json_integer_value(json_object_get(v, "Gas")));
    }
    json_decref(vectors);
}

static inline void skip_without_published_vectors(void)
{
    if (access(VECTORS_ARCHIVE, R_OK) == 0) return;
    print_message("# skipped: " VECTORS_ARCHIVE " is not there\n");
    skip();
}

#endif
