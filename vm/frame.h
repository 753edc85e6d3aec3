/* vm/frame.h - the machine: frames, the memory and stack that they share, and how they begin and
 * end. Internal to vm/.
 *
 * Frames live in an array and not on the C stack: an opcode that calls returns from the
 * interpreter with a new frame on top, and the driver in evm.c runs whichever frame is on top.
 * Stacks and memories of all frames lie one behind the other in two growable regions; a child's
 * begin where the parent's end, so entering a frame allocates nothing.
 *
 * Invariants
 *   1. Only the topmost frame runs; the ones below wait for its reply.
 *   2. `gas < 0` in a frame means that it failed; `result` says how (OUT_OF_GAS until said else).
 *   3. A frame's memory_size is a multiple of 32, paid for, and zeroed where nothing was written.
 *   4. A frame's stack has room for STACK_ITEMS_MAX items and the temporaries of register code.
 *   5. Pointers into the two regions are stale once a frame was entered (stack) or memory grew
 *      (memory); frames keep `memory` and `input` up to date, see memory_expand. */
#ifndef LEASEHOLD_VM_FRAME_H
#define LEASEHOLD_VM_FRAME_H

#include "vm/arith.h"
#include "vm/evm.h"
#include "vm/limits.h"
#include "vm/opcodes.h"
#include "vm/program.h"

/* A call or create that is about to begin. */
struct call {
    enum evm_kind kind;
    struct address sender;
    struct address recipient;
    struct address code_address; /* differs from recipient in CALLCODE and DELEGATECALL */
    struct program *program; /* of a call that is no precompile's: what runs, NULL for no code */
    struct u256 value;
    struct bytes input;
    bool input_in_memory; /* of the caller's frame */
    size_t input_at;      /* in the memory region, if input_in_memory */
    bool moves_value;     /* false for DELEGATECALL, STATICCALL and CALLCODE */
    bool is_static;
    int64_t gas;
};

struct frame {
    struct program *program;
    bool is_fast;   /* it runs register code, if there is a superblock at pc */
    bool is_pinned; /* it stays in the plain interpreter */
    size_t pc;      /* in the bytecode, in both interpreters */
    int64_t gas;
    size_t stack_base; /* index in the region; item i (1 = bottom) is at base + i */
    size_t stack_count;
    uint8_t *memory;
    size_t memory_base; /* offset of `memory` in the region */
    size_t memory_size;
    int64_t memory_gas; /* what memory_size has cost */
    struct bytes input;
    size_t input_at;
    bool input_in_memory;
    bool is_static;
    enum evm_kind kind;
    enum evm_result result;
    size_t output_at; /* of RETURN and REVERT, in its own memory */
    size_t output_size;
    size_t reply_at; /* where the running call's output goes, in its own memory */
    size_t reply_size;
    size_t snapshot; /* of the host, before the frame changed anything */
    int64_t refund;  /* the evm's, then */
    struct address self;
    struct u256 self_word;
    struct u256 sender_word;
    struct u256 value;
};

/* Block and transaction facts as stack words: swapped once a message, not at each use. */
struct context_words {
    struct u256 origin;
    struct u256 gas_price;
    struct u256 coinbase;
    struct u256 prev_randao;
    struct u256 base_fee;
    struct u256 blob_base_fee;
};

/* The step that runs now, until its cost is known; trace.c. */
struct trace {
    void (*tell)(void *context, const struct evm_step *s);
    void *context;
    bool is_open;
    struct evm_step step;
    struct u256 stack[STACK_ITEMS_MAX]; /* as it was before the step */
};

struct evm {
    enum evm_revision revision;
    enum evm_tier tier;
    const struct host_table *table;
    struct host *host;
    const struct evm_context *context;
    struct context_words words;
    int64_t refund;
    struct buffer return_data;   /* of the last call that ended */
    enum evm_result done_result; /* of it, for its caller to read */
    int64_t done_gas;
    struct u256 *stack;
    size_t stack_capacity; /* items */
    uint8_t *memory;
    size_t memory_capacity;
    struct program_cache programs;
    const volatile int *stop;
    struct trace *trace; /* NULL: none */
    size_t frame_count;
    struct frame frames[CALL_DEPTH_MAX + 1];
};

/* What an opcode that can call leaves the interpreter with. */
enum step {
    STEP_NEXT,   /* go on behind the opcode */
    STEP_ENTER,  /* a new frame is on top */
    STEP_SWITCH, /* this frame goes on in the other interpreter */
    STEP_END,    /* this frame is over; its result is set */
};

static inline struct frame *frame_top(struct evm *e)
{
    return &e->frames[e->frame_count - 1];
}

/* The topmost stack item. */
static inline struct u256 *frame_stack(struct evm *e, const struct frame *f)
{
    return &e->stack[f->stack_base + f->stack_count];
}

/* Fails the frame for another reason than gas; returns the "gas" that says so. */
static inline int64_t frame_fail(struct frame *f, enum evm_result result)
{
    f->result = result;
    return -1;
}

/* Takes one use of the program. The caller has taken the snapshot. */
void frame_push(struct evm *e, const struct call *c, struct program *program, size_t snapshot,
                int64_t refund);
/* Tells whether the frame, which has come to f->pc, may go on there in register code. */
bool frame_can_be_fast(struct evm *e, struct frame *f);
/* Unwinds the topmost frame: reverts the host if it failed, leaves its result, gas and output in
 * done_result, done_gas and return_data. The frame's content stays readable until the next push. */
struct frame *frame_pop(struct evm *e);

/* Makes the topmost frame's memory hold `end` bytes. Returns the gas left, negative if short. */
int64_t memory_expand(struct evm *e, struct frame *f, int64_t gas, uint64_t end);

/* The same for a range given by two stack words. An empty range needs nothing, wherever it is. */
static inline int64_t memory_reserve(struct evm *e, struct frame *f, int64_t gas,
                                     const struct u256 *offset, const struct u256 *size)
{
    if (word_is_zero(size)) return gas;
    uint64_t at = word_saturated(offset);
    uint64_t count = word_saturated(size);
    if (at > MEMORY_BYTES_MAX || count > MEMORY_BYTES_MAX) return -1;
    return at + count <= f->memory_size ? gas : memory_expand(e, f, gas, at + count);
}

/* `size` bytes at `offset` lie inside the memory that is paid for. */
static inline bool in_memory(const struct frame *f, const struct u256 *offset, uint64_t size)
{
    return word_is_u64(offset) && f->memory_size >= size &&
           offset->limb[0] <= f->memory_size - size;
}

static inline uint64_t words_of(uint64_t size_bytes)
{
    return (size_bytes + 31) / 32;
}

/* trace.c, only while e->trace is set: a step begins, with the frame's gas and stack items; and
 * the open step, if any, has left the frame so much gas (negative: it failed). */
void trace_open(struct evm *e, const struct frame *f, const uint8_t *pc, int64_t gas, size_t count);
void trace_close(struct evm *e, int64_t gas_left);

/* The same for a few bytes at an offset, out of line: memory rarely grows. */
int64_t memory_expand_for(struct evm *e, struct frame *f, int64_t gas, const struct u256 *offset,
                          uint64_t size);

/* Both run the topmost frame until it ends, calls or goes on in the other: interpreter.c byte by
 * byte, interpreter_fast.c translated. */
enum step interpret(struct evm *e, struct frame *f);
enum step interpret_fast(struct evm *e, struct frame *f);

/* call.c, create.c: the opcodes that begin frames. The interpreter has saved pc (behind the
 * opcode), gas and stack_count, and reads them again afterwards. */
enum step op_call(struct evm *e, struct frame *f, enum opcode op);
enum step op_create(struct evm *e, struct frame *f, enum opcode op);

/* Begins the outermost call; its balance is checked. STEP_ENTER, or STEP_NEXT when it is over
 * already (no code, a precompile), with the done_ fields set. */
enum step call_outermost(struct evm *e, struct call *c);
/* Begins a create likewise; the nonce of the sender is the caller's matter. */
enum step create_begin(struct evm *e, const struct call *c);
/* Gives the waiting frame what its call or create left in the done_ fields. */
void call_reply(struct evm *e, struct frame *waiting);
void create_reply(struct evm *e, struct frame *waiting, const struct address *created);
/* The end of init code that succeeded: checks and stores the code, or fails the frame. */
void create_finish(struct evm *e, struct frame *f);
/* Ends a call or create before it began, with all its gas or none, and empty return data. */
void call_done(struct evm *e, enum evm_result result, int64_t gas);

#endif
