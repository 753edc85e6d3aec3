/* vm/trace.h - the steps of evm_set_trace as the JSON of EIP-3155, for the tools that print it. */
#ifndef LEASEHOLD_VM_TRACE_H
#define LEASEHOLD_VM_TRACE_H

#include "vm/evm.h"

/* Appends one line without its end: pc, op, gas, gasCost, memSize, stack (bottom first), depth,
 * refund, opName ("UNDEFINED" for a byte that is no opcode). Gas and stack are hex, the rest
 * decimal. */
void step_to_json(struct buffer *out, const struct evm_step *s);

/* The line that closes a trace: stateRoot, output, gasUsed, pass, fork. */
struct trace_summary {
    struct hash root;
    struct bytes output;
    int64_t gas_used;
    bool pass;
    const char *fork;
};
void summary_to_json(struct buffer *out, const struct trace_summary *s);

#endif
