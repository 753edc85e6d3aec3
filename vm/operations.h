/* vm/operations.h - the opcodes that are too long to stand in the interpreter's loop.
 *
 * Each takes the topmost stack item and the gas left, and returns the gas left, negative for a
 * failed frame (see frame.h). Operands stand at top[0], top[-1] and so on; a result is written
 * where it will be the top once the operands are popped, which is the interpreter's business. */
#ifndef LEASEHOLD_VM_OPERATIONS_H
#define LEASEHOLD_VM_OPERATIONS_H

#include "vm/frame.h"

#define OPERATION(name) int64_t name(struct evm *e, struct frame *f, struct u256 *top, int64_t gas)

typedef OPERATION(operation);

/* operations_data.c: copies, hashing, logs, arithmetic by operand size */
OPERATION(op_exp);
OPERATION(op_keccak256);
OPERATION(op_calldataload);
OPERATION(op_calldatacopy);
OPERATION(op_codecopy);
OPERATION(op_returndatacopy);
OPERATION(op_mcopy);
OPERATION(op_return);
int64_t op_log(struct evm *e, struct frame *f, struct u256 *top, int64_t gas, size_t topics);

/* operations_state.c: what asks or changes the host */
OPERATION(op_balance);
OPERATION(op_selfbalance); /* writes top[1] */
OPERATION(op_extcodesize);
OPERATION(op_extcodehash);
OPERATION(op_extcodecopy);
OPERATION(op_blockhash);
OPERATION(op_blobhash);
OPERATION(op_sload);
OPERATION(op_sstore);
OPERATION(op_tload);
OPERATION(op_tstore);
OPERATION(op_selfdestruct);

/* Copies size bytes from source[from...], zeros behind its end, to memory that is reserved. */
void copy_padded(struct frame *f, const struct u256 *to, struct bytes source,
                 const struct u256 *from, const struct u256 *size);

#endif
