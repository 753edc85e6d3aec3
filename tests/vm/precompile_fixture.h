/* tests/vm/precompile_fixture.h - one precompile, one input: what it answers and takes. */
#ifndef LEASEHOLD_TESTS_VM_PRECOMPILE_FIXTURE_H
#define LEASEHOLD_TESTS_VM_PRECOMPILE_FIXTURE_H

#include "tests/vm/evm_fixture.h"
#include "vm/precompile.h"

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

#endif
