/* The interpreter's loop: one label an opcode, gone to through a table made from OPCODES.
 *
 * pc, sp, gas and the stack's bottom are locals, so that they live in registers; the frame holds
 * them only while another frame or a long operation runs. Each opcode checks its stack and takes
 * its base gas by constants of the table (BEGIN), so the checks that cannot fail compile to
 * nothing. The code is padded (program.h): running off its end is a STOP.
 *
 * Three tables: plain; one whose JUMPDEST also looks at the stop flag and at how hot the program
 * is (every loop passes one), for a frame that can be stopped or go on in register code;
 * one that sends each opcode through the trace first. So neither costs anything when off. */
#include "vm/frame.h"
#include "vm/operations.h"
#include "vm/word.h"

#include <assert.h>

/* Labels as values, computed goto and index ranges are GNU C, which gcc and clang both speak. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Woverride-init"

#define BEGIN(NAME)                                                                                \
    op_##NAME : if (IN_##NAME > 0 && sp - bottom < IN_##NAME) goto underflow;                      \
    if (OUT_##NAME > IN_##NAME && sp - bottom > STACK_ITEMS_MAX - (OUT_##NAME - IN_##NAME))        \
        goto overflow;                                                                             \
    gas -= GAS_##NAME;                                                                             \
    if (GAS_##NAME > 0 && gas < 0) goto failed;

#define GO()   goto *labels[*pc]
#define NEXT() goto *labels[*++pc]
#define END(NAME)                                                                                  \
    sp += OUT_##NAME - IN_##NAME;                                                                  \
    NEXT();

/* r = a op b over the two topmost items, by one of arith.h's functions. */
#define BINARY(NAME, function)                                                                     \
    BEGIN(NAME)                                                                                    \
    function(&sp[-1], &sp[0], &sp[-1]);                                                            \
    END(NAME)

#define MODULAR(NAME, function)                                                                    \
    BEGIN(NAME)                                                                                    \
    function(&sp[-2], &sp[0], &sp[-1], &sp[-2]);                                                   \
    END(NAME)

#define COMPARE(NAME, condition)                                                                   \
    BEGIN(NAME)                                                                                    \
    sp[-1] = word_u64(condition);                                                                  \
    END(NAME)

#define PUSH_WORD(NAME, word)                                                                      \
    BEGIN(NAME)                                                                                    \
    sp[1] = (word);                                                                                \
    END(NAME)

#define OPERATE(NAME, function)                                                                    \
    BEGIN(NAME)                                                                                    \
    gas = function(e, f, sp, gas);                                                                 \
    if (gas < 0) goto failed;                                                                      \
    END(NAME)

#define LOG(n)                                                                                     \
    BEGIN(LOG##n)                                                                                  \
    gas = op_log(e, f, sp, gas, n);                                                                \
    if (gas < 0) goto failed;                                                                      \
    END(LOG##n)

#define PUSH(n)                                                                                    \
    BEGIN(PUSH##n)                                                                                 \
    sp[1] = word_load_push(pc + 1, n);                                                             \
    pc += n;                                                                                       \
    END(PUSH##n)

#define DUP(n)                                                                                     \
    BEGIN(DUP##n)                                                                                  \
    sp[1] = sp[1 - n];                                                                             \
    END(DUP##n)

#define SWAP(n)                                                                                    \
    BEGIN(SWAP##n)                                                                                 \
    held = sp[0];                                                                                  \
    sp[0] = sp[-n];                                                                                \
    sp[-n] = held;                                                                                 \
    END(SWAP##n)

/* What the program has cost since pays for its being translated; see program.h. */
#define EARN()                                                                                     \
    do {                                                                                           \
        f->program->heat += (uint64_t)(mark - gas);                                                \
        mark = gas;                                                                                \
    } while (0)

#define ENTER(NAME, function)                                                                      \
    BEGIN(NAME)                                                                                    \
    EARN();                                                                                        \
    save(f, pc + 1, gas, sp - bottom);                                                             \
    step = function(e, f, OP_##NAME);                                                              \
    goto resume;

static inline void save(struct frame *f, const uint8_t *pc, int64_t gas, ptrdiff_t count)
{
    f->pc = (size_t)(pc - f->program->code);
    f->gas = gas;
    f->stack_count = (size_t)count;
}

/* One function by its nature: the registers that hold pc, sp and gas are its locals. */
enum step interpret(struct evm *e, struct frame *f) // NOLINT(readability-function-size)
{
#define LABEL(byte, name, in, out, gas) [byte] = &&op_##name,
#define ALL_ELSE(label)                 [0 ... 255] = &&label
    /* cppcheck-suppress assignBoolToPointer */
    static const void *const plain[256] = {ALL_ELSE(undefined), OPCODES(LABEL)};
#define WATCH [OP_JUMPDEST] = &&watch
    /* cppcheck-suppress assignBoolToPointer */
    static const void *const watched[256] = {ALL_ELSE(undefined), OPCODES(LABEL) WATCH};
    /* cppcheck-suppress assignBoolToPointer */
    static const void *const traced[256] = {ALL_ELSE(trace_step)};
#undef WATCH
#undef ALL_ELSE
#undef LABEL

    const void *const *const direct = e->stop == NULL && f->is_pinned ? plain : watched;
    const void *const *const labels = e->trace == NULL ? direct : traced;
    const uint8_t *pc = f->program->code + f->pc;
    struct u256 *bottom = &e->stack[f->stack_base];
    struct u256 *sp = bottom + f->stack_count;
    int64_t gas = f->gas;
    int64_t mark = gas;
    struct u256 held;
    enum step step;

    assert(gas >= 0 && f == frame_top(e));
    GO();

    /* The macros end statements by themselves, which the formatter cannot know. */
    /* clang-format off */

    BINARY(ADD, word_add)
    BINARY(MUL, word_mul)
    BINARY(SUB, word_sub)
    BINARY(DIV, word_div)
    BINARY(MOD, word_mod)
    BINARY(SDIV, word_sdiv)
    BINARY(SMOD, word_smod)
    MODULAR(ADDMOD, word_addmod)
    MODULAR(MULMOD, word_mulmod)
    OPERATE(EXP, op_exp)
    BINARY(SIGNEXTEND, word_signextend)

    COMPARE(LT, word_less(&sp[0], &sp[-1]))
    COMPARE(GT, word_less(&sp[-1], &sp[0]))
    COMPARE(SLT, word_less_signed(&sp[0], &sp[-1]))
    COMPARE(SGT, word_less_signed(&sp[-1], &sp[0]))
    COMPARE(EQ, word_equal(&sp[0], &sp[-1]))
    BEGIN(ISZERO)
    sp[0] = word_u64(word_is_zero(&sp[0]));
    END(ISZERO)
    BINARY(AND, word_and)
    BINARY(OR, word_or)
    BINARY(XOR, word_xor)
    BEGIN(NOT)
    word_not(&sp[0], &sp[0]);
    END(NOT)
    BINARY(BYTE, word_byte)
    BINARY(SHL, word_shl)
    BINARY(SHR, word_shr)
    BINARY(SAR, word_sar)
    OPERATE(KECCAK256, op_keccak256)

    PUSH_WORD(ADDRESS, f->self_word)
    OPERATE(BALANCE, op_balance)
    PUSH_WORD(ORIGIN, e->words.origin)
    PUSH_WORD(CALLER, f->sender_word)
    PUSH_WORD(CALLVALUE, f->value)
    BEGIN(CALLDATALOAD)
    if (word_is_u64(&sp[0]) && f->input.size >= 32 && sp[0].limb[0] <= f->input.size - 32)
        sp[0] = word_load(f->input.data + sp[0].limb[0]);
    else
        gas = op_calldataload(e, f, sp, gas);
    END(CALLDATALOAD)
    PUSH_WORD(CALLDATASIZE, word_u64(f->input.size))
    OPERATE(CALLDATACOPY, op_calldatacopy)
    PUSH_WORD(CODESIZE, word_u64(f->program->size))
    OPERATE(CODECOPY, op_codecopy)
    PUSH_WORD(GASPRICE, e->words.gas_price)
    OPERATE(EXTCODESIZE, op_extcodesize)
    OPERATE(EXTCODECOPY, op_extcodecopy)
    PUSH_WORD(RETURNDATASIZE, word_u64(e->return_data.size))
    OPERATE(RETURNDATACOPY, op_returndatacopy)
    OPERATE(EXTCODEHASH, op_extcodehash)
    OPERATE(BLOCKHASH, op_blockhash)
    PUSH_WORD(COINBASE, e->words.coinbase)
    PUSH_WORD(TIMESTAMP, word_u64(e->context->timestamp_s))
    PUSH_WORD(NUMBER, word_u64(e->context->number))
    PUSH_WORD(PREVRANDAO, e->words.prev_randao)
    PUSH_WORD(GASLIMIT, word_u64(e->context->gas_limit))
    PUSH_WORD(CHAINID, word_u64(e->context->chain_id))
    OPERATE(SELFBALANCE, op_selfbalance)
    PUSH_WORD(BASEFEE, e->words.base_fee)
    OPERATE(BLOBHASH, op_blobhash)
    PUSH_WORD(BLOBBASEFEE, e->words.blob_base_fee)

    BEGIN(POP)
    END(POP)
    BEGIN(MLOAD)
    if (!in_memory(f, &sp[0], 32)) {
        gas = memory_expand_for(e, f, gas, &sp[0], 32);
        if (gas < 0) goto failed;
    }
    sp[0] = word_load(f->memory + sp[0].limb[0]);
    END(MLOAD)
    BEGIN(MSTORE)
    if (!in_memory(f, &sp[0], 32)) {
        gas = memory_expand_for(e, f, gas, &sp[0], 32);
        if (gas < 0) goto failed;
    }
    word_store(f->memory + sp[0].limb[0], &sp[-1]);
    END(MSTORE)
    BEGIN(MSTORE8)
    if (!in_memory(f, &sp[0], 1)) {
        gas = memory_expand_for(e, f, gas, &sp[0], 1);
        if (gas < 0) goto failed;
    }
    f->memory[sp[0].limb[0]] = (uint8_t)sp[-1].limb[0];
    END(MSTORE8)
    OPERATE(SLOAD, op_sload)
    OPERATE(SSTORE, op_sstore)
    BEGIN(JUMP)
    if (!word_is_u64(&sp[0]) || !program_is_jump(f->program, sp[0].limb[0])) goto bad_jump;
    pc = f->program->code + sp[0].limb[0];
    sp--;
    GO();
    BEGIN(JUMPI)
    sp -= 2;
    if (word_is_zero(&sp[1])) NEXT();
    if (!word_is_u64(&sp[2]) || !program_is_jump(f->program, sp[2].limb[0])) goto bad_jump;
    pc = f->program->code + sp[2].limb[0];
    GO();
    PUSH_WORD(PC, word_u64((uint64_t)(pc - f->program->code)))
    PUSH_WORD(MSIZE, word_u64(f->memory_size))
    PUSH_WORD(GAS, word_u64((uint64_t)gas))
    BEGIN(JUMPDEST)
    END(JUMPDEST)
    OPERATE(TLOAD, op_tload)
    OPERATE(TSTORE, op_tstore)
    OPERATE(MCOPY, op_mcopy)

    PUSH_WORD(PUSH0, word_u64(0))
    PUSH(1) PUSH(2) PUSH(3) PUSH(4) PUSH(5) PUSH(6) PUSH(7) PUSH(8)
    PUSH(9) PUSH(10) PUSH(11) PUSH(12) PUSH(13) PUSH(14) PUSH(15) PUSH(16)
    PUSH(17) PUSH(18) PUSH(19) PUSH(20) PUSH(21) PUSH(22) PUSH(23) PUSH(24)
    PUSH(25) PUSH(26) PUSH(27) PUSH(28) PUSH(29) PUSH(30) PUSH(31) PUSH(32)
    DUP(1) DUP(2) DUP(3) DUP(4) DUP(5) DUP(6) DUP(7) DUP(8)
    DUP(9) DUP(10) DUP(11) DUP(12) DUP(13) DUP(14) DUP(15) DUP(16)
    SWAP(1) SWAP(2) SWAP(3) SWAP(4) SWAP(5) SWAP(6) SWAP(7) SWAP(8)
    SWAP(9) SWAP(10) SWAP(11) SWAP(12) SWAP(13) SWAP(14) SWAP(15) SWAP(16)
    LOG(0) LOG(1) LOG(2) LOG(3) LOG(4)

    ENTER(CREATE, op_create)
    ENTER(CREATE2, op_create)
    ENTER(CALL, op_call)
    ENTER(CALLCODE, op_call)
    ENTER(DELEGATECALL, op_call)
    ENTER(STATICCALL, op_call)

    BEGIN(RETURN)
    gas = op_return(e, f, sp, gas);
    if (gas < 0) goto failed;
    f->result = EVM_SUCCESS;
    goto end;
    BEGIN(REVERT)
    gas = op_return(e, f, sp, gas);
    if (gas < 0) goto failed;
    f->result = EVM_REVERT;
    goto end;
    BEGIN(SELFDESTRUCT)
    gas = op_selfdestruct(e, f, sp, gas);
    if (gas < 0) goto failed;
    f->result = EVM_SUCCESS;
    goto end;
    BEGIN(STOP)
    f->result = EVM_SUCCESS;
    goto end;

    BEGIN(INVALID)
undefined:
    f->result = EVM_BAD_OPCODE;
    goto failed;
underflow:
    f->result = EVM_STACK_UNDERFLOW;
    goto failed;
overflow:
    f->result = EVM_STACK_OVERFLOW;
    goto failed;
bad_jump:
    f->result = EVM_BAD_JUMP;
failed:
    assert(f->result != EVM_SUCCESS && f->result != EVM_REVERT);
    gas = -1;
end:
    if (gas >= 0) EARN();
    f->gas = gas;
    return STEP_END;

resume: /* a call or create was begun: it is over (NEXT), it runs now (ENTER), or it failed us */
    if (step != STEP_NEXT) return step;
    pc = f->program->code + f->pc;
    gas = f->gas;
    mark = gas;
    bottom = &e->stack[f->stack_base];
    sp = bottom + f->stack_count;
    GO();

watch:
    if (e->stop != NULL && *e->stop != 0) goto failed;
    EARN();
    save(f, pc, gas, sp - bottom);
    f->is_fast = frame_can_be_fast(e, f);
    if (!f->is_fast) goto op_JUMPDEST;
    return STEP_SWITCH;
trace_step:
    trace_open(e, f, pc, gas, (size_t)(sp - bottom));
    goto *direct[*pc];
    /* clang-format on */
}

#pragma GCC diagnostic pop
