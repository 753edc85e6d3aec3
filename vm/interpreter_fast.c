/* The loop that runs register code (register_code.h): one label an instruction, as in
 * interpreter.c, but operands are named slots, and gas and the stack are checked once a superblock.
 *
 * sp stays where it was at the header; the exit or jump that ends the superblock moves it. When a
 * header's check fails, the frame goes on in the plain interpreter, for good; when it comes to an
 * offset that has no superblock (yet), until it comes to one that has. */
#include "vm/frame.h"
#include "vm/gas.h"
#include "vm/operations.h"
#include "vm/register_code.h"
#include "vm/word.h"

#include <assert.h>
#include <string.h>

/* Labels as values and computed goto are GNU C, which gcc and clang both speak. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

#define UNLIKELY(condition) __builtin_expect((condition), 0)

/* The slot that a field names. */
#define SLOT(distance) ((struct u256 *)((char *)sp + (distance)))
#define DST            SLOT(pc->dst)
#define A              SLOT(pc->a)
#define B              SLOT(pc->b)

#define GO()   goto *labels[pc->op]
#define NEXT() goto *labels[(++pc)->op]

/* pc is at a header, sp at its topmost item. */
#define ENTER_BLOCK()                                                                              \
    do {                                                                                           \
        gas -= pc->gas;                                                                            \
        if (UNLIKELY((uint64_t)((char *)sp - (char *)bottom) - pc->need > pc->range)) goto leave;  \
        if (UNLIKELY(gas < 0 || *stop != 0)) goto leave;                                           \
        NEXT();                                                                                    \
    } while (0)

#define COMMUTATIVE_OP(NAME, function)                                                             \
    op_##NAME : function(DST, A, B);                                                               \
    NEXT();                                                                                        \
    op_##NAME##_SC : function(DST, A, CONSTANT_OF(pc));                                            \
    NEXT();

#define ORDERED_OP(NAME, function)                                                                 \
    COMMUTATIVE_OP(NAME, function)                                                                 \
    op_##NAME##_CS : function(DST, CONSTANT_OF(pc), B);                                            \
    NEXT();

#define SHIFT_OP(NAME, function)                                                                   \
    op_##NAME : function(DST, A, B);                                                               \
    NEXT();                                                                                        \
    op_##NAME##_BY : set_number(&number, pc->imm);                                                 \
    function(DST, &number, B);                                                                     \
    NEXT();

#define MODULAR_OP(NAME, function)                                                                 \
    op_##NAME : function(DST, A, B, SLOT((int64_t)pc->imm));                                       \
    NEXT();                                                                                        \
    op_##NAME##_SC : function(DST, A, B, CONSTANT_OF(pc));                                         \
    NEXT();

/* To its exit if the condition holds, else on; `size` instructions stand for the branch. */
#define JUMP_IF(condition, size)                                                                   \
    pc += (condition) ? (int64_t)pc->imm : (size);                                                 \
    GO();

/* To whatever is at the offset in the bytecode that an entry is of. */
#define JUMP_TO(word)                                                                              \
    entry = entry_of(f, code, (word));                                                             \
    if (UNLIKELY(entry < ENTRY_OPEN)) goto jump_slowly;                                            \
    pc = code->insns + entry_header(entry);                                                        \
    ENTER_BLOCK();

#define BRANCH_OP(NAME, test)                                                                      \
    op_JUMP_##NAME : JUMP_IF(test(A, B), 1);                                                       \
    op_JUMP_##NAME##_SC : JUMP_IF(test(A, CONSTANT_OF(pc + 1)), 2);

#define BRANCH3_OP(NAME, test)                                                                     \
    BRANCH_OP(NAME, test)                                                                          \
    op_JUMP_##NAME##_CS : JUMP_IF(test(CONSTANT_OF(pc + 1), B), 2);

#define FACT_OP(NAME, word)                                                                        \
    op_##NAME : word_copy(DST, (word));                                                            \
    NEXT();

#define NUMBER_OP(NAME, number)                                                                    \
    op_##NAME : set_number(DST, (number));                                                         \
    NEXT();

/* What a function takes and gives back is the gas that is really left, see register_code.h. */
#define OPERATION_OP(NAME, function)                                                               \
    op_##NAME : gas = function(e, f, A, gas + (int64_t)pc->imm);                                   \
    if (UNLIKELY(gas < 0)) goto failed;                                                            \
    gas -= (int64_t)pc->imm;                                                                       \
    NEXT();

#define LOG_OP(NAME, topics)                                                                       \
    op_##NAME : gas = op_log(e, f, A, gas + (int64_t)pc->imm, topics);                             \
    if (UNLIKELY(gas < 0)) goto failed;                                                            \
    gas -= (int64_t)pc->imm;                                                                       \
    NEXT();

#define ENTER_OP(NAME, function)                                                                   \
    op_##NAME : if (UNLIKELY(gas < 0)) goto failed;                                                \
    save(f, pc->imm, gas, A - bottom);                                                             \
    step = function(e, f, OP_##NAME);                                                              \
    goto resume;

#define END_OP(NAME, function, how)                                                                \
    op_##NAME : gas = function(e, f, A, gas);                                                      \
    if (UNLIKELY(gas < 0)) goto failed;                                                            \
    f->result = how;                                                                               \
    goto end;

#define RESERVE(at, size, prepaid)                                                                 \
    if (UNLIKELY(!in_memory(f, at, size))) {                                                       \
        gas = memory_expand_for(e, f, gas + (int64_t)(prepaid), at, size);                         \
        if (gas < 0) goto failed;                                                                  \
        gas -= (int64_t)(prepaid);                                                                 \
    }

static inline void save(struct frame *f, size_t offset, int64_t gas, ptrdiff_t count)
{
    f->pc = offset;
    f->gas = gas;
    f->stack_count = (size_t)count;
}

/* The entry of the offset that a word names; 0 behind the code. */
static inline uint32_t entry_of(const struct frame *f, const struct register_code *code,
                                const struct u256 *offset)
{
    if (!word_is_u64(offset) || offset->limb[0] >= f->program->size) return 0;
    return code->entries[offset->limb[0]];
}

static inline void word_load_calldata(struct u256 *r, struct frame *f, uint64_t offset)
{
    set_number(r, offset);
    if (f->input.size >= 32 && offset <= f->input.size - 32)
        word_load_to(r, f->input.data + offset);
    else
        (void)op_calldataload(NULL, f, r, 0);
}

/* KECCAK256 of a range that the code itself states. */
static int64_t keccak_at(struct evm *e, struct frame *f, struct u256 *r, uint64_t range,
                         int64_t gas)
{
    struct u256 operands[2] = {word_u64(range >> 32), word_u64(range & UINT32_MAX)};
    gas = op_keccak256(e, f, &operands[1], gas);
    *r = operands[0];
    return gas;
}

/* MCOPY within memory that is there; what grows it is the plain operation's matter. */
static inline int64_t mcopy(struct evm *e, struct frame *f, const struct u256 *to,
                            const struct u256 *from, const struct u256 *size, int64_t gas)
{
    uint64_t count = size->limb[0];
    if (word_is_u64(size) && in_memory(f, to, count) && in_memory(f, from, count)) {
        gas -= GAS_COPY_WORD * (int64_t)words_of(count);
        if (gas >= 0) memmove(f->memory + to->limb[0], f->memory + from->limb[0], (size_t)count);
        return gas;
    }
    struct u256 operands[3];
    word_copy(&operands[0], size);
    word_copy(&operands[1], from);
    word_copy(&operands[2], to);
    return op_mcopy(e, f, &operands[2], gas);
}

/* One function by its nature: the registers that hold pc, sp and gas are its locals. */
enum step interpret_fast(struct evm *e, struct frame *f) // NOLINT(readability-function-size)
{
#define LABEL(name, anything) [R_##name] = &&op_##name,
    /* cppcheck-suppress assignBoolToPointer */
    static const void *const labels[R_COUNT] = {REGISTER_OPS(LABEL) REGISTER_FACTS(
        LABEL) REGISTER_OPERATIONS(LABEL) REGISTER_LOGS(LABEL) REGISTER_ENTERS(LABEL)};
#undef LABEL
    static const volatile int never = 0;

    const volatile int *const stop = e->stop == NULL ? &never : e->stop;
    const struct register_code *const code = f->program->fast;
    const struct insn *pc;
    struct u256 *bottom;
    struct u256 *sp;
    int64_t gas;
    uint32_t entry;
    const struct u256 *target;
    struct insn *exit;
    struct u256 number;
    ptrdiff_t index;
    enum step step;

    assert(f == frame_top(e));
    goto enter;

    /* The macros end statements by themselves, which the formatter cannot know. */
    /* clang-format off */

op_LOAD:
    word_copy(DST, CONSTANT_OF(pc));
    NEXT();
op_LOAD_U64:
    set_number(DST, pc->imm);
    NEXT();
op_COPY:
    word_copy(DST, A);
    NEXT();
op_COPY2:
    word_copy(DST, A);
    word_copy(SLOT((int64_t)pc->imm), B);
    NEXT();
op_EXCHANGE:
    word_exchange(DST, A);
    NEXT();

    COMMUTATIVE_OP(ADD, word_add)
    COMMUTATIVE_OP(MUL, word_mul)
    COMMUTATIVE_OP(AND, word_and)
    COMMUTATIVE_OP(OR, word_or)
    COMMUTATIVE_OP(XOR, word_xor)
    COMMUTATIVE_OP(EQ, set_eq)
    COMMUTATIVE_OP(NE, set_ne)
    ORDERED_OP(SUB, word_sub)
    ORDERED_OP(DIV, word_div)
    ORDERED_OP(SDIV, word_sdiv)
    ORDERED_OP(MOD, word_mod)
    ORDERED_OP(SMOD, word_smod)
    ORDERED_OP(SIGNEXTEND, word_signextend)
    ORDERED_OP(BYTE, word_byte)
    ORDERED_OP(LT, set_lt)
    ORDERED_OP(GE, set_ge)
    ORDERED_OP(SLT, set_slt)
    ORDERED_OP(SGE, set_sge)
    SHIFT_OP(SHL, word_shl)
    SHIFT_OP(SHR, word_shr)
    SHIFT_OP(SAR, word_sar)
    MODULAR_OP(ADDMOD, word_addmod)
    MODULAR_OP(MULMOD, word_mulmod)
op_ISZERO:
    set_number(DST, word_is_zero(A));
    NEXT();
op_NONZERO:
    set_number(DST, !word_is_zero(A));
    NEXT();
op_NOT:
    word_not(DST, A);
    NEXT();

    FACT_OP(ADDRESS, &f->self_word)
    FACT_OP(ORIGIN, &e->words.origin)
    FACT_OP(CALLER, &f->sender_word)
    FACT_OP(CALLVALUE, &f->value)
    NUMBER_OP(CALLDATASIZE, f->input.size)
    FACT_OP(GASPRICE, &e->words.gas_price)
    NUMBER_OP(RETURNDATASIZE, e->return_data.size)
    FACT_OP(COINBASE, &e->words.coinbase)
    NUMBER_OP(TIMESTAMP, e->context->timestamp_s)
    NUMBER_OP(NUMBER, e->context->number)
    FACT_OP(PREVRANDAO, &e->words.prev_randao)
    NUMBER_OP(GASLIMIT, e->context->gas_limit)
    NUMBER_OP(CHAINID, e->context->chain_id)
    FACT_OP(BASEFEE, &e->words.base_fee)
    FACT_OP(BLOBBASEFEE, &e->words.blob_base_fee)
    NUMBER_OP(MSIZE, f->memory_size)
    NUMBER_OP(GAS, (uint64_t)gas + pc->imm)

op_CALLDATALOAD:
    word_load_calldata(DST, f, word_saturated(A));
    NEXT();
op_CALLDATALOAD_AT:
    word_load_calldata(DST, f, pc->imm);
    NEXT();
op_MLOAD:
    RESERVE(A, 32, pc->imm)
    word_load_to(DST, f->memory + A->limb[0]);
    NEXT();
op_MLOAD_AT:
    set_number(&number, pc->offset);
    RESERVE(&number, 32, pc->gas)
    word_load_to(DST, f->memory + pc->offset);
    NEXT();
op_MSTORE:
    RESERVE(A, 32, pc->imm)
    word_store(f->memory + A->limb[0], B);
    NEXT();
op_MSTORE_AT:
    set_number(&number, pc->offset);
    RESERVE(&number, 32, pc->gas)
    word_store(f->memory + pc->offset, B);
    NEXT();
op_MSTORE8:
    RESERVE(A, 1, pc->imm)
    f->memory[A->limb[0]] = (uint8_t)B->limb[0];
    NEXT();

op_MCOPY:
    gas = mcopy(e, f, A, B, DST, gas + (int64_t)pc->imm);
    if (UNLIKELY(gas < 0)) goto failed;
    gas -= (int64_t)pc->imm;
    NEXT();
    OPERATION_OP(KECCAK256, op_keccak256)
    OPERATION_OP(SSTORE, op_sstore)
op_KECCAK256_AT:
    gas = keccak_at(e, f, DST, pc->imm, gas + pc->refund);
    if (UNLIKELY(gas < 0)) goto failed;
    gas -= pc->refund;
    NEXT();
    REGISTER_OPERATIONS(OPERATION_OP)
    REGISTER_LOGS(LOG_OP)

op_EXIT: /* the first time */
    sp = DST;
    gas += pc->refund;
    if (gas < 0) goto failed;
    save(f, pc->imm, gas, sp - bottom);
    index = pc - code->insns;
    if (!frame_can_be_fast(e, f)) goto go_plain;
    exit = &code->insns[index];
    pc = code->insns + entry_header(code->entries[f->pc]);
    exit->op = R_EXIT_TO;
    exit->imm = (uint64_t)(pc - exit);
    ENTER_BLOCK();
op_EXIT_TO:
    sp = DST;
    gas += pc->refund;
    pc += (int64_t)pc->imm;
    ENTER_BLOCK();
op_JUMP_TO:
    target = A;
    sp = DST;
    JUMP_TO(target);
op_JUMP_TO_COPY:
    word_copy(&number, A);
    target = &number;
    word_copy(DST, B);
    sp = SLOT((int64_t)pc->imm);
    JUMP_TO(target);
op_JUMPI_TO:
    if (word_is_zero(A)) NEXT();
    target = B;
    sp = DST;
    JUMP_TO(target);
jump_slowly: /* no JUMPDEST, or no superblock there yet */
    if (!word_is_u64(target) || !program_is_jump(f->program, target->limb[0])) goto op_BAD_JUMP;
    if (gas < 0) goto failed;
    save(f, target->limb[0], gas, sp - bottom);
    if (!frame_can_be_fast(e, f)) goto go_plain;
    pc = code->insns + entry_header(code->entries[f->pc]);
    ENTER_BLOCK();

op_JUMP_NONZERO:
    JUMP_IF(!word_is_zero(A), 1);
op_JUMP_ISZERO:
    JUMP_IF(word_is_zero(A), 1);
    BRANCH_OP(EQ, word_equal)
    BRANCH_OP(NE, !word_equal)
    BRANCH3_OP(LT, word_less)
    BRANCH3_OP(GE, !word_less)
    BRANCH3_OP(SLT, word_less_signed)
    BRANCH3_OP(SGE, !word_less_signed)

    REGISTER_ENTERS(ENTER_OP)
    END_OP(RETURN, op_return, EVM_SUCCESS)
    END_OP(REVERT, op_return, EVM_REVERT)
    END_OP(SELFDESTRUCT, op_selfdestruct, EVM_SUCCESS)
op_STOP:
    if (gas < 0) goto failed;
    f->result = EVM_SUCCESS;
    goto end;

op_BLOCK:
op_DATA:
    assert(pc->op != R_BLOCK && pc->op != R_DATA); /* never run */
op_BAD_OPCODE:
    f->result = EVM_BAD_OPCODE;
    goto failed;
op_BAD_JUMP:
    f->result = EVM_BAD_JUMP;
failed:
    assert(f->result != EVM_SUCCESS && f->result != EVM_REVERT);
    gas = -1;
end:
    f->gas = gas;
    return STEP_END;

resume: /* a call or create was begun: it is over (NEXT), it runs now (ENTER), or it failed us */
    if (step != STEP_NEXT) return step;
enter:
    gas = f->gas;
    bottom = &e->stack[f->stack_base];
    sp = bottom + f->stack_count;
    assert(gas >= 0);
    if (!entry_has_header(code->entries[f->pc]) && !frame_can_be_fast(e, f)) goto go_plain;
    pc = code->insns + entry_header(code->entries[f->pc]);
    ENTER_BLOCK();

leave: /* stopped from outside, or the plain interpreter is to find out where it ends */
    gas += pc->gas;
    if (gas < 0 || *stop != 0) goto failed;
    save(f, pc->offset, gas, sp - bottom);
    f->is_pinned = true;
go_plain:
    f->is_fast = false;
    return STEP_SWITCH;
    /* clang-format on */
}

#pragma GCC diagnostic pop
