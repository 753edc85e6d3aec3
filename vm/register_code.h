/* vm/register_code.h - what hot code is translated to: three-address code over stack slots.
 *
 * The EVM's stack code spends most of its operations on moving words about. The translator
 * (translate.h) follows where each word is, so that PUSH, DUP, SWAP, POP, PC and JUMPDEST vanish,
 * constants fold, and an addition names the two slots that it reads and the one that it writes.
 *
 * The unit is a superblock: it is entered at its header only, and runs on through jumps whose
 * target is known and through conditional ones on their likelier side; the other side leaves by an
 * exit, which brings every word back where the EVM has it, gives back the gas that was prepaid
 * for what did not run, and goes to the superblock of that offset.
 *
 * A slot is a distance in bytes from `sp`, the topmost item at the header: 0 is that item, -32 the
 * one under it, 32 what would be pushed next; from TEMP_FIRST * 32 on are temporaries, which mean
 * nothing outside of their superblock.
 *
 * Gas and stack bounds are checked once, by the header, with the sum of all static gas. If a check
 * fails the frame goes on in the plain interpreter, which finds out where exactly it ends. What an
 * operation costs by its operands is checked there and then against the gas that is really left:
 * what the header left over, plus what it took for operations further on (PREPAID), some of which
 * an exit may spare. So `gas` may be below zero inside of a superblock; whatever ends one looks.
 * Calls and creates, which hand gas on, end it. */
#ifndef LEASEHOLD_VM_REGISTER_CODE_H
#define LEASEHOLD_VM_REGISTER_CODE_H

#include "base/u256.h"

#include <assert.h>
#include <stdbool.h>

/* clang-format off */

/* What an instruction's fields are: the translator moves and renames by this. */
#define WRITES    1  /* dst is a slot that is written, and any other would do as well */
#define READS_A   2  /* a is a slot that is read */
#define READS_B   4  /* b too */
#define CONSTANT  8  /* the word imm bytes further is an operand: CONSTANT_OF */
#define TARGET    16 /* goes imm instructions further, to an exit, if its condition holds */
#define OPAQUE    32 /* touches slots that the fields do not tell */
#define PREPAID   64 /* imm: the gas that the header took for what stands behind it */
#define BINARY_SS (WRITES | READS_A | READS_B)
#define BINARY_SC (WRITES | READS_A | CONSTANT)
#define BINARY_CS (WRITES | READS_B | CONSTANT)
#define BRANCH_SS (READS_A | READS_B | TARGET)
#define BRANCH_SC (READS_A | TARGET) /* its constant is in the R_DATA behind it */
#define BRANCH_CS (READS_B | TARGET)
#define COMMUTATIVE(X, name) X(name, BINARY_SS) X(name##_SC, BINARY_SC)
#define ORDERED(X, name)     COMMUTATIVE(X, name) X(name##_CS, BINARY_CS)
#define SHIFT(X, name)       X(name, BINARY_SS) X(name##_BY, WRITES | READS_B)
#define BRANCH(X, name)      X(name, BRANCH_SS) X(name##_SC, BRANCH_SC)
#define BRANCH3(X, name)     BRANCH(X, name) X(name##_CS, BRANCH_CS)

/* Words that a frame can name without operands: dst only. */
#define REGISTER_FACTS(X)                                                                          \
    X(ADDRESS, WRITES) X(ORIGIN, WRITES) X(CALLER, WRITES) X(CALLVALUE, WRITES)                    \
    X(CALLDATASIZE, WRITES) X(GASPRICE, WRITES) X(RETURNDATASIZE, WRITES) X(COINBASE, WRITES)      \
    X(TIMESTAMP, WRITES) X(NUMBER, WRITES) X(PREVRANDAO, WRITES) X(GASLIMIT, WRITES)               \
    X(CHAINID, WRITES) X(BASEFEE, WRITES) X(BLOBBASEFEE, WRITES) X(MSIZE, WRITES)

/* Operations of operations.h: `a` is the topmost of their operands, which lie as on the stack; a
 * result replaces the lowest one. */
#define REGISTER_OPERATIONS(X)                                                                     \
    X(EXP, op_exp) X(BALANCE, op_balance)                                                          \
    X(CALLDATACOPY, op_calldatacopy) X(CODECOPY, op_codecopy) X(EXTCODESIZE, op_extcodesize)       \
    X(EXTCODECOPY, op_extcodecopy) X(RETURNDATACOPY, op_returndatacopy)                            \
    X(EXTCODEHASH, op_extcodehash) X(BLOCKHASH, op_blockhash) X(BLOBHASH, op_blobhash)             \
    X(SELFBALANCE, op_selfbalance) X(SLOAD, op_sload) X(TLOAD, op_tload) X(TSTORE, op_tstore)
#define REGISTER_LOGS(X) X(LOG0, 0) X(LOG1, 1) X(LOG2, 2) X(LOG3, 3) X(LOG4, 4)
/* These leave the loop: all operands and everything below lies as on the stack, `a` is its top. The
 * frame goes on at the offset imm. */
#define REGISTER_ENTERS(X)                                                                         \
    X(CREATE, op_create) X(CREATE2, op_create) X(CALL, op_call) X(CALLCODE, op_call)               \
    X(DELEGATECALL, op_call) X(STATICCALL, op_call)

/* All others. */
#define REGISTER_OPS(X)                                                                            \
    X(BLOCK, OPAQUE)         /* header, see below */                                               \
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
    X(GAS, WRITES | PREPAID)                                                                       \
    X(CALLDATALOAD, WRITES | READS_A) X(CALLDATALOAD_AT, WRITES) /* _AT: at imm, not a */          \
    X(MLOAD, WRITES | READS_A | PREPAID) X(MSTORE, READS_A | READS_B | PREPAID)                    \
    X(MLOAD_AT, WRITES) X(MSTORE_AT, READS_B) /* at offset; `gas`: prepaid */                      \
    X(MSTORE8, READS_A | READS_B | PREPAID)                                                        \
    X(MCOPY, OPAQUE | PREPAID) /* to a, from b, of the size in dst */                              \
    X(KECCAK256, OPAQUE | PREPAID) /* a: top */                                                    \
    X(KECCAK256_AT, WRITES)  /* imm: offset and, from bit 32, size; refund: prepaid */             \
    X(SSTORE, OPAQUE | PREPAID) /* a: top */                                                       \
    X(EXIT, OPAQUE)          /* to the offset imm; gives back gas, moves sp by dst */              \
    X(EXIT_TO, OPAQUE)       /* the same, known: to the header imm instructions further */         \
    X(JUMP_TO, READS_A)      /* to the offset in a; sp moves by dst */                             \
    X(JUMP_TO_COPY, OPAQUE)  /* to the offset in a, after dst = b; sp moves by imm */              \
    X(JUMPI_TO, READS_A | READS_B) /* the same to the offset in b if a is not zero */              \
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
        struct {
            int16_t a, b;
        };
        struct {            /* R_BLOCK */
            uint16_t need;  /* bytes of stack that must be there ... */
            uint16_t range; /* ... and how many more may be, so that it does not overflow */
        };
        uint32_t refund; /* R_EXIT, R_KECCAK256_AT: gas */
    };
    union {
        uint64_t imm;
        struct {             /* R_BLOCK, and R_MLOAD_AT and R_MSTORE_AT, see there */
            uint32_t gas;    /* of the whole superblock */
            uint32_t offset; /* of it in the bytecode */
        };
    };
};

#define CONSTANT_OF(insn) ((const struct u256 *)((const char *)(insn) + (insn)->imm))

#define SLOT_BYTES 32
/* What of `need` no stack satisfies: for a block that under- or overflows however it is entered. */
#define NEED_NEVER UINT16_MAX

/* How many slots above the EVM's own stack a block may use. */
#define TEMP_FIRST     64
#define TEMP_COUNT     512
#define STACK_HEADROOM (TEMP_FIRST + TEMP_COUNT)

/* Of one program. Grows as superblocks are added; only distances inside stay true then. */
struct register_code {
    size_t bytes;        /* of memory, all in all ... */
    size_t *total_bytes; /* ... which are counted here too */
    uint32_t *entries;   /* by offset in the bytecode, see below */
    struct insn *insns;
    size_t count, capacity;
};

/* An entry is ENTRY_JUMPDEST or 0, plus either how often the offset was come to, or ENTRY_FIRST and
 * the index of its header. So a jump may go to entries from ENTRY_OPEN on without another look. */
#define ENTRY_JUMPDEST UINT32_C(0x80000000)
#define ENTRY_FIRST    UINT32_C(0x100)
#define ENTRY_OPEN     (ENTRY_JUMPDEST + ENTRY_FIRST)

static inline bool entry_has_header(uint32_t entry)
{
    return (entry & ~ENTRY_JUMPDEST) >= ENTRY_FIRST;
}

static inline size_t entry_header(uint32_t entry)
{
    return (entry & ~ENTRY_JUMPDEST) - ENTRY_FIRST;
}

static_assert(sizeof(struct insn) == 16, "an instruction is a quarter of a cache line");

#endif
