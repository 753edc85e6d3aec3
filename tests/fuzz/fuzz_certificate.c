/* Whatever certificate_decode takes encodes to the same bytes, and verifying it is safe. */
#include "chain/consensus/certificate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void verify(const struct certificate *c)
{
    struct epoch e = {.number = c->epoch, .last_number = 1, .validator_count = VALIDATORS_MAX};
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        e.validators[i].weight = i + 1;
        e.validators[i].consensus_address.b[0] = (uint8_t)i;
    }
    if (epoch_seal(&e) != OK) abort();
    if (certificate_verify(c, &e, &SIGNER_SECP256K1) == OK) abort(); /* keys of nobody */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct certificate c;
    if (certificate_decode(&c, bytes_of(data, size)) != OK) return 0;
    struct buffer again = {0};
    certificate_encode(&again, &c);
    if (!bytes_equal(buffer_bytes(&again), bytes_of(data, size))) abort();
    if (certificate_size_in(bytes_of(data, size)) != size) abort();
    for (uint32_t i = 0; i < c.signature_count; i++)
        if (vote_check_form(&(struct vote){0}) == OK || certificate_vote(&c, i).view != c.view)
            abort();
    verify(&c);
    buffer_finish(&again);
    return 0;
}
