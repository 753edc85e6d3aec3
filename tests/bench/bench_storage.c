/* bench_storage - what contracts pay for the chain's state: small loops run as calls on a layer.
 *
 * Each program does one thing ROUNDS times; a line gives the processor time of one round in
 * nanoseconds, the loop's own share (first line) included. The base is empty, so nothing is read
 * from disk: this measures layers, their journal and the way through the host. */
#include "base/fatal.h"
#include "base/hex.h"
#include "chain/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS   20000
#define RUNS     15
#define GAS      UINT64_C(2000000000)
#define CALLEE   "bb000000000000000000000000000000000000bb"
#define ONE_CALL "5f5f5f5f5f73" CALLEE "5af150"

static const struct program {
    const char *name;
    const char *round; /* finds the round's number on the stack and leaves it there */
} programs[] = {
    {"loop", ""},
    {"sload warm", "5f5450"},
    {"sstore warm", "805f55"},
    {"tload and tstore", "5f5c6001015f5d"},
    {"sload and sstore of a new mapped slot", "805f5260205f208054600101"
                                              "9055"},
    {"sload and sstore of 16 mapped slots", "80600f165f5260205f208054600101"
                                            "9055"},
    {"balance", "73" CALLEE "3150"},
    {"call", ONE_CALL},
};

static const struct address CONTRACT = {{0xaa, [19] = 0xaa}};
static const struct address OTHER = {{0xbb, [19] = 0xbb}};

/* PUSH2 ROUNDS JUMPDEST round PUSH1 1 SWAP1 SUB DUP1 PUSH1 3 JUMPI STOP */
static void put_code(struct layer *l, const char *round)
{
    struct buffer text = {0}, code = {0};
    buffer_print(&text, "0x61%04x5b%s6001900380600357", ROUNDS, round);
    if (hex_decode(&code, buffer_bytes(&text)) != OK) fatal("reading a benchmark's code");
    layer_set_code(l, &CONTRACT, buffer_bytes(&code));
    layer_set_code(l, &OTHER, bytes_of("", 1));
    buffer_finish(&text);
    buffer_finish(&code);
}

static double used_ns(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0) fatal("reading the thread's clock");
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double run_once(struct evm *evm, const struct program *p)
{
    struct state_base base = state_base_empty();
    struct layer *parent = layer_create(&base, NULL);
    put_code(parent, p->round);
    (void)layer_seal(parent);
    struct layer *l = layer_create(&base, parent);
    struct chain_config config = {.chain_id = 1};
    struct header header = {.number = 1, .gas_limit = GAS};
    struct execution x;
    struct call_request request = {.to = CONTRACT, .gas_limit = GAS};
    struct tx_outcome out;
    execution_init(&x, evm, l, &config, &header);
    double start_ns = used_ns();
    if (execute_call(&x, &out, &request, NULL) != TX_FINE || out.result != EVM_SUCCESS)
        fatal("running %s: %s", p->name, evm_result_text(out.result));
    double took_ns = used_ns() - start_ns;
    layer_release(l);
    layer_release(parent);
    return took_ns / ROUNDS;
}

int main(void)
{
    struct evm *evm = evm_create(EVM_CANCUN);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        double least_ns = run_once(evm, &programs[i]);
        for (int run = 1; run < RUNS; run++) {
            double ns = run_once(evm, &programs[i]);
            if (ns < least_ns) least_ns = ns;
        }
        printf("%s\t%.1f ns\n", programs[i].name, least_ns);
    }
    evm_destroy(evm);
    return 0;
}
