/* vm/register_code.h - what hot code is translated to: three-address code over stack slots.
 *
 * The EVM's stack code spends most of its operations on moving words about. Within a basic block
 * the translator (translate.h) follows where each word is, so that PUSH, DUP, SWAP, POP, PC and
 * JUMPDEST vanish, constants fold, and an addition names the two slots that it reads and the one
 * that it writes. At a block's end every word is back where the EVM has it.
 *
 * A slot is a distance in bytes from `sp`, the topmost item at the block's entry: 0 is that item,
 * -32 the one under it, 32 what would be pushed next; from TEMP_FIRST * 32 on are temporaries,
 * which mean nothing outside of their block.
 *
 * Gas and stack bounds are checked once a block, by its header (R_BLOCK), with the sum of all
 * static gas. If a check fails the frame goes on in the plain interpreter, which finds out where
 * exactly it ends. Operations that see the exact gas get what the block has prepaid for the
 * operations behind them (R_GAS, R_SSTORE) or end the block (calls and creates). */
#ifndef LEASEHOLD_VM_REGISTER_CODE_H
#define LEASEHOLD_VM_REGISTER_CODE_H

#include "base/u256.h"

#include <assert.h>

/* What an instruction's fields are: the translator moves and renames by this. */
#define WRITES               1  /* dst is a slot that is written, and any other would do as well */
#define READS_A              2  /* a is a slot that is read */
#define READS_B              4  /* b too */
#define CONSTANT             8  /* `constant` is an operand */
#define TARGET               16 /* `target` is where it may go */
#define OPAQUE               32 /* touches slots that the fields do not tell */
#define BINARY_SS            (WRITES | READS_A | READS_B)
#define BINARY_SC            (WRITES | READS_A | CONSTANT)
#define BINARY_CS            (WRITES | READS_B | CONSTANT)
#define BRANCH_SS            (READS_A | READS_B | TARGET)
#define BRANCH_SC            (READS_A | TARGET) /* its constant is in the R_DATA behind it */
#define BRANCH_CS            (READS_B | TARGET)
#define COMMUTATIVE(X, name) X(name, BINARY_SS) X(name##_SC, BINARY_SC)
#define ORDERED(X, name)     COMMUTATIVE(X, name) X(name##_CS, BINARY_CS)
#define SHIFT(X, name)       X(name, BINARY_SS) X(name##_BY, WRITES | READS_B)
#define BRANCH(X, name)      X(name, BRANCH_SS) X(name##_SC, BRANCH_SC)
#define BRANCH3(X, name)     BRANCH(X, name) X(name##_CS, BRANCH_CS)

/* Words that a frame can name without operands: dst only. */
#define REGISTER_FACTS(X)                                                                          \
    X(ADDRESS, WRITES)                                                                             \
    X(ORIGIN, WRITES) X(CALLER, WRITES) X(CALLVALUE, WRITES) X(CALLDATASIZE, WRITES)               \
        X(GASPRICE, WRITES) X(RETURNDATASIZE, WRITES) X(COINBASE, WRITES) X(TIMESTAMP, WRITES)     \
            X(NUMBER, WRITES) X(PREVRANDAO, WRITES) X(GASLIMIT, WRITES) X(CHAINID, WRITES)         \
                X(BASEFEE, WRITES) X(BLOBBASEFEE, WRITES) X(MSIZE, WRITES)

/* Operations of operations.h: `a` is the topmost of their operands, which lie as on the stack; a
 * result replaces the lowest one. */
#define REGISTER_OPERATIONS(X)                                                                     \
    X(EXP, op_exp)                                                                                 \
    X(BALANCE, op_balance) X(CALLDATACOPY, op_calldatacopy) X(CODECOPY, op_codecopy)               \
        X(EXTCODESIZE, op_extcodesize) X(EXTCODECOPY, op_extcodecopy)                              \
            X(RETURNDATACOPY, op_returndatacopy) X(EXTCODEHASH, op_extcodehash)                    \
                X(BLOCKHASH, op_blockhash) X(BLOBHASH, op_blobhash) X(SELFBALANCE, op_selfbalance) \
                    X(SLOAD, op_sload) X(TLOAD, op_tload) X(TSTORE, op_tstore) X(MCOPY, op_mcopy)
#define REGISTER_LOGS(X) X(LOG0, 0) X(LOG1, 1) X(LOG2, 2) X(LOG3, 3) X(LOG4, 4)
/* These leave the loop: all operands and everything below lies as on the stack, `a` is its top. */
#define REGISTER_ENTERS(X)                                                                         \
    X(CREATE, op_create)                                                                           \
    X(CREATE2, op_create) X(CALL, op_call) X(CALLCODE, op_call) X(DELEGATECALL, op_call)           \
        X(STATICCALL, op_call)

/* All others. */
/* clang-format off */
#define REGISTER_OPS(X)                                                                            \
    X(BLOCK, OPAQUE)         /* header, see below */                                               \
    X(SKIP, OPAQUE)          /* imm instructions further: a run of JUMPDESTs is one block */       \
    X(DATA, CONSTANT)        /* never run: the constant of the branch before it */                 \
    X(LOAD, WRITES | CONSTANT)                                                                     \
    X(LOAD_U64, WRITES)      /* imm */                                                             \
    X(COPY, WRITES | READS_A)                                                                      \
    X(COPY2, OPAQUE)         /* dst = a, and then the slot imm = b */                              \
    X(EXCHANGE, OPAQUE)      /* dst and a */                                                       \
    COMMUTATIVE(X, ADD) COMMUTATIVE(X, MUL) COMMUTATIVE(X, AND) COMMUTATIVE(X, OR)                 \
    COMMUTATIVE(X, XOR) COMMUTATIVE(X, EQ) COMMUTATIVE(X, NE)                                      \
    ORDERED(X, SUB) ORDERED(X, DIV) ORDERED(X, SDIV) ORDERED(X, MOD) ORDERED(X, SMOD)              \
    ORDERED(X, SIGNEXTEND) ORDERED(X, BYTE)                                                        \
    ORDERED(X, LT) ORDERED(X, GE) ORDERED(X, SLT) ORDERED(X, SGE)                                  \
    SHIFT(X, SHL) SHIFT(X, SHR) SHIFT(X, SAR) /* a: by how much; _BY: by imm, at most 256 */       \
    X(ISZERO, WRITES | READS_A) X(NONZERO, WRITES | READS_A) X(NOT, WRITES | READS_A)              \
    X(ADDMOD, OPAQUE)        /* a + b mod the slot imm; _SC: mod the constant */                   \
    X(ADDMOD_SC, BINARY_SS | CONSTANT)                                                             \
    X(MULMOD, OPAQUE) X(MULMOD_SC, BINARY_SS | CONSTANT)                                           \
    X(GAS, WRITES)           /* imm: prepaid gas */                                                \
    X(CALLDATALOAD, WRITES | READS_A) X(CALLDATALOAD_AT, WRITES) /* _AT: at imm, not a */          \
    X(MLOAD, WRITES | READS_A) X(MLOAD_AT, WRITES)                                                 \
    X(MSTORE, READS_A | READS_B) X(MSTORE_AT, READS_B) X(MSTORE8, READS_A | READS_B)               \
    X(KECCAK256, OPAQUE)     /* a: top */                                                          \
    X(KECCAK256_AT, WRITES)  /* imm: offset and, from bit 32, size */                              \
    X(SSTORE, OPAQUE)        /* a: top; imm: prepaid gas */                                        \
    X(JUMP, TARGET)          /* dst: what sp moves, in every jump */                               \
    X(JUMP_TO, READS_A)      /* to the offset in a */                                              \
    X(JUMP_TO_COPY, OPAQUE)  /* to the offset in a, after dst = b; sp moves by imm */              \
    X(JUMPI_TO, READS_A | READS_B) /* to the offset in b if a is not zero */                       \
    X(JUMP_NONZERO, READS_A | TARGET) X(JUMP_ISZERO, READS_A | TARGET)                             \
    BRANCH(X, JUMP_EQ) BRANCH(X, JUMP_NE) BRANCH3(X, JUMP_LT) BRANCH3(X, JUMP_GE)                  \
    BRANCH3(X, JUMP_SLT) BRANCH3(X, JUMP_SGE)                                                      \
    X(RETURN, OPAQUE) X(REVERT, OPAQUE) X(SELFDESTRUCT, OPAQUE) /* a: topmost operand */           \
    X(STOP, OPAQUE) X(BAD_OPCODE, OPAQUE) X(BAD_JUMP, OPAQUE)
/* clang-format on */

enum register_op {
#define X(name, anything) R_##name,
    REGISTER_OPS(X) REGISTER_FACTS(X) REGISTER_OPERATIONS(X) REGISTER_LOGS(X) REGISTER_ENTERS(X)
#undef X
        R_COUNT
};

extern const uint8_t register_op_flags[R_COUNT];

/* 16 bytes. Which fields count is told by the table above. */
struct insn {
    uint16_t op;
    int16_t dst;
    union {
        int16_t a;
        uint16_t need; /* R_BLOCK: bytes of stack that must be there ... */
    };
    union {
        int16_t b;
        uint16_t range; /* ... and how many more may be, so that it does not overflow */
    };
    union {
        uint64_t imm;
        const struct u256 *constant;
        const struct insn *target; /* a header */
        struct {
            uint32_t gas;    /* R_BLOCK: of the whole block */
            uint32_t offset; /* of it in the bytecode */
        };
    };
};

#define SLOT_BYTES 32
/* What of `need` no stack satisfies: for a block that under- or overflows however it is entered. */
#define NEED_NEVER UINT16_MAX

/* How many slots above the EVM's own stack a block may use. */
#define TEMP_FIRST     64
#define TEMP_COUNT     256
#define STACK_HEADROOM (TEMP_FIRST + TEMP_COUNT)

/* One allocation. */
struct register_code {
    size_t bytes;
    const struct u256 *constants;
    const uint32_t *targets;  /* by offset in the bytecode: index of a JUMPDEST's header, or 0 */
    const struct insn *insns; /* 0, 1: where a bad jump goes; REGISTER_CODE_ENTRY: offset 0 */
};
#define REGISTER_CODE_ENTRY 2

static_assert(sizeof(struct insn) == 16, "an instruction is a quarter of a cache line");

#endif
