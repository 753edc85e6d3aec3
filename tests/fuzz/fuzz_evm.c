/* Runs any bytes as a contract, with a second contract from the same bytes to call.
 *
 * Input: 1 byte n, the first n * 4 bytes of the rest are the second contract's code, 32 bytes
 * calldata at the end if there are so many, what is between is the code. Beyond memory errors it
 * checks what holds for every program: gas never grows, a failure leaves no trace in the world. */
#include "tests/vm/memory_host.h"
#include "vm/evm.h"

#define GAS_LIMIT 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct address address_of_last_byte(uint8_t last)
{
    struct address a = {{0}};
    a.b[18] = 1;
    a.b[19] = last;
    return a;
}

static struct hash world_digest(struct host *h)
{
    struct keccak k;
    keccak_init(&k);
    for (size_t i = 0; i < h->account_count; i++) {
        const struct memory_account *a = &h->accounts[i];
        keccak_update(&k, bytes_of(&a->seen.balance, sizeof(a->seen.balance)));
        keccak_update(&k, bytes_of(&a->seen.nonce, sizeof(a->seen.nonce)));
        keccak_update(&k, hash_bytes(&a->seen.code_hash));
    }
    for (size_t i = 0; i < h->slot_count; i++)
        keccak_update(&k, bytes_of(&h->slots[i].seen.now, sizeof(h->slots[i].seen.now)));
    return keccak_finish(&k);
}

static void check_outcome(const struct evm_outcome *out)
{
    assert(out->gas_left >= 0 && out->gas_left <= GAS_LIMIT);
    assert(out->gas_refund >= 0);
    if (out->result == EVM_SUCCESS) return;
    assert(out->gas_refund == 0);
    if (out->result != EVM_REVERT) assert(out->gas_left == 0 && out->output.size == 0);
}

static void split(struct host *h, struct evm_message *m, struct bytes rest, size_t second_size)
{
    struct address a = address_of_last_byte(2);
    if (second_size > rest.size) second_size = rest.size;
    memory_host_put_code(h, &a, bytes_slice(rest, 0, second_size));
    rest = bytes_slice(rest, second_size, rest.size - second_size);
    if (rest.size >= 32) {
        m->input = bytes_slice(rest, rest.size - 32, 32);
        rest = bytes_slice(rest, 0, rest.size - 32);
    }
    if (rest.size > 0) memory_host_put_code(h, &m->recipient, rest);
    memory_account_get(h, &m->recipient)->seen.balance = u256_from_u64(1000);
    memory_account_get(h, &m->recipient)->seen.nonce = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct evm *evm;
    if (size == 0) return 0;
    if (evm == NULL) evm = evm_create(EVM_PRAGUE);
    struct host host = {.context = {.number = 300, .gas_limit = GAS_LIMIT}};
    struct evm_message message = {.kind = EVM_CALL, .gas = GAS_LIMIT};
    struct evm_outcome out;
    message.sender = address_of_last_byte(1);
    message.recipient = address_of_last_byte(3);
    split(&host, &message, bytes_of(data + 1, size - 1), (size_t)data[0] * 4);

    evm_execute(evm, &out, &memory_host_table, &host, &message);
    check_outcome(&out);
    struct hash after = world_digest(&host); /* what was touched is now in the arrays */
    int64_t gas_left = out.gas_left;
    memory_host_rewind(&host);
    struct hash before = world_digest(&host);
    if (out.result != EVM_SUCCESS) assert(hash_equal(&before, &after));

    evm_execute(evm, &out, &memory_host_table, &host, &message); /* the same again, exactly */
    assert(out.gas_left == gas_left);
    struct hash again = world_digest(&host);
    assert(hash_equal(&again, &after));
    memory_host_finish(&host);
    return 0;
}
