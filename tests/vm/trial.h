/* tests/vm/trial.h - a generated world of a few contracts and a message to it: what interpreters
 * are compared on, and what an outside EVM is asked to repeat. */
#ifndef LEASEHOLD_TESTS_VM_TRIAL_H
#define LEASEHOLD_TESTS_VM_TRIAL_H

#include "tests/vm/memory_host.h"
#include "tests/vm/program_maker.h"
#include "vm/evm.h"

#define TRIAL_GAS_MIN   60000
#define TRIAL_GAS_MAX   400000
#define TRIAL_MESSAGES  2
#define TRIAL_SLOTS     3
#define TRIAL_NONCE     5 /* the sender's, after the transaction raised it */
#define TRIAL_REVISIONS 2

struct trial {
    enum evm_revision revision;
    struct program_text texts[MAKER_CONTRACTS];
    /* The same call with other calldata and value: what is hot for one need not be for the other.
     * Without the input of a create, which is texts[0]. */
    struct evm_message messages[TRIAL_MESSAGES];
    uint8_t calldata[TRIAL_MESSAGES][128];
    struct address delegates[MAKER_DELEGATING]; /* whose code the delegating accounts run */
};

/* One opcode that stands for another, to see whether that would be noticed. from == to: none. */
struct twist {
    uint8_t from, to;
};

static const struct twist no_twist = {0, 0};

static inline struct address trial_sender(void)
{
    return (struct address){{0xaa, 0, 1}};
}

static inline struct evm_context trial_context(void)
{
    return (struct evm_context){
        .chain_id = 7117,
        .number = 1000,
        .timestamp_s = 1750000000,
        .gas_limit = 30000000,
        .coinbase = {{0xcb, 0, 2}},
        .prev_randao = {{0x77, 0x88}},
        .base_fee = u256_from_u64(7),
        .blob_base_fee = u256_from_u64(1),
        .origin = trial_sender(),
        .gas_price = u256_from_u64(11),
    };
}

/* Words that programs compare with, and addresses that they call. */
static inline struct bytes choose_calldata(uint8_t calldata[128], struct choices *c)
{
    size_t size = choose(c, 2) ? choose(c, 128) : 4 + 32 * (size_t)choose(c, 4);
    for (size_t at = 4; at + 32 <= size; at += 32) {
        struct address a = contract_address(choose(c, MAKER_CONTRACTS));
        struct u256 word = u256_from_be(address_bytes(&a));
        u256_to_be(calldata + at, choose_rarely(c, 5) ? word : choose_constant(c));
    }
    return bytes_of(calldata, size);
}

static inline void choose_delegates(struct trial *t, struct choices *c)
{
    for (uint32_t i = 0; i < MAKER_DELEGATING; i++) {
        t->delegates[i] = contract_address(choose(c, MAKER_CONTRACTS));
        if (!choose_rarely(c, 3)) continue;
        t->delegates[i] = choose_rarely(c, 2) ? delegating_address(choose(c, MAKER_DELEGATING))
                                              : (struct address){.b[19] = 4};
    }
}

static inline void choose_messages(struct trial *t, struct choices *c)
{
    struct evm_message m = {.kind = EVM_CALL, .sender = trial_sender()};
    m.recipient = contract_address(0);
    m.create_nonce = TRIAL_NONCE - 1;
    m.gas = choose_between(c, TRIAL_GAS_MIN, TRIAL_GAS_MAX);
    if (choose_rarely(c, 12)) m.kind = EVM_CREATE;
    if (m.kind == EVM_CALL && choose_rarely(c, 16)) m.is_static = true;
    for (int i = 0; i < TRIAL_MESSAGES; i++) {
        m.input = choose_calldata(t->calldata[i], c);
        m.value = u256_from_u64(0);
        if (!m.is_static && choose_rarely(c, 4)) m.value.limb[0] = choose_between(c, 1, 5000);
        t->messages[i] = m;
    }
}

enum kzg { WITH_KZG, WITHOUT_KZG };

/* trial_finish afterwards. */
static inline void trial_make(struct trial *t, struct choices *c, enum kzg kzg)
{
    *t = (struct trial){.revision = choose_rarely(c, 2) ? EVM_PRAGUE : EVM_CANCUN};
    choose_messages(t, c);
    choose_delegates(t, c);
    bool breaks = choose_rarely(c, 4);
    for (int i = 0; i < MAKER_CONTRACTS; i++) {
        int most = i == 0 ? 600 : 120;
        struct maker_settings s = {.without_kzg = kzg == WITHOUT_KZG, .breaks = breaks};
        s.budget = (int)choose_between(c, 20, (uint32_t)most);
        s.is_callee = i > 0;
        make_program(&t->texts[i], c, 0, &s);
    }
}

static inline void trial_finish(struct trial *t)
{
    for (int i = 0; i < MAKER_CONTRACTS; i++)
        text_finish(&t->texts[i]);
}

static inline void trial_code(struct buffer *out, const struct trial *t, int contract,
                              struct twist twist)
{
    struct program_text copy = text_copy(&t->texts[contract]);
    for (size_t i = 0; i < copy.count; i++) {
        struct item *item = &copy.items[i];
        if (item->kind == ITEM_BYTE && item->byte == twist.from) item->byte = twist.to;
    }
    buffer_clear(out);
    text_assemble(out, &copy);
    text_finish(&copy);
}

static inline struct u256 trial_slot_value(int contract, uint64_t slot)
{
    if (slot == 2) return u256_sub(u256_from_u64(0), u256_from_u64(slot));
    return u256_from_u64((uint64_t)contract * 3 + slot);
}

static inline void trial_put_contract(struct host *h, const struct trial *t, int contract,
                                      struct twist twist)
{
    struct address a = contract_address((uint32_t)contract);
    struct buffer code = {.size = 0};
    trial_code(&code, t, contract, twist);
    memory_host_put_code(h, &a, buffer_bytes(&code));
    memory_account_get(h, &a)->seen.nonce = 1;
    memory_account_get(h, &a)->seen.balance = u256_from_u64(1000 * ((uint64_t)contract + 1));
    for (uint64_t slot = 0; slot < TRIAL_SLOTS; slot++)
        memory_host_put_slot(h, &a, u256_from_u64(slot), trial_slot_value(contract, slot));
    buffer_finish(&code);
}

static inline void trial_put_delegating(struct host *h, const struct trial *t, uint32_t index)
{
    struct address a = delegating_address(index);
    struct buffer code = {.size = 0};
    buffer_append(&code, bytes_of("\xef\x01\x00", 3));
    buffer_append(&code, address_bytes(&t->delegates[index]));
    memory_host_put_code(h, &a, buffer_bytes(&code));
    memory_account_get(h, &a)->seen.nonce = 1;
    buffer_finish(&code);
}

static inline void trial_warm(struct host *h, const struct trial *t)
{
    struct address a = trial_sender();
    memory_touch_account(h, &a);
    memory_touch_account(h, &h->context.coinbase);
    if (t->messages[0].kind == EVM_CALL) memory_touch_account(h, &t->messages[0].recipient);
    for (size_t i = 0; i < evm_precompile_count(t->revision); i++) {
        evm_precompile_address(t->revision, i, &a);
        memory_touch_account(h, &a);
    }
    h->undo_count = 0; /* that was setting up, not to be undone */
}

/* memory_host_finish afterwards. */
static inline void trial_open(struct host *h, const struct trial *t, struct twist twist)
{
    struct address sender = trial_sender();
    *h = (struct host){.context = trial_context()};
    h->block_hash_answer = (struct hash){{0xb1, 0x0c}};
    memory_account_get(h, &sender)->seen.balance = u256_from_u64(UINT64_C(1000000000000000000));
    memory_account_get(h, &sender)->seen.nonce = TRIAL_NONCE;
    for (int i = 0; i < MAKER_CONTRACTS; i++)
        trial_put_contract(h, t, i, twist);
    for (uint32_t i = 0; i < MAKER_DELEGATING; i++)
        trial_put_delegating(h, t, i);
    trial_warm(h, t);
}

/* A message as it is run with this host: a create's input is the first contract's code. */
static inline struct evm_message trial_message(struct host *h, const struct trial *t, int which)
{
    struct evm_message m = t->messages[which];
    struct address first = contract_address(0);
    if (m.kind == EVM_CREATE) m.input = memory_code(h, &first);
    return m;
}

/* Gas limits that matter: enough, exactly enough, one too few, near the end and anywhere. */
#define TRIAL_TRIES 7

struct trial_try {
    int message;
    int64_t gas;
};

/* `used`: what each message used with its first gas limit. */
static inline struct trial_try choose_try(struct choices *c, int try, const struct trial *t,
                                          const int64_t used[TRIAL_MESSAGES])
{
    int which = try < 2 ?
    try:
        (int)choose(c, TRIAL_MESSAGES);
    uint32_t enough = (uint32_t)used[which];
    switch (try) {
    case 0:
    case 1: return (struct trial_try){which, t->messages[which].gas};
    case 2: return (struct trial_try){which, enough};
    case 3: return (struct trial_try){which, enough > 0 ? enough - 1 : 0};
    case 4: return (struct trial_try){which, enough - choose(c, enough < 3000 ? enough + 1 : 3000)};
    default: return (struct trial_try){which, choose(c, enough + 1)};
    }
}

#endif
