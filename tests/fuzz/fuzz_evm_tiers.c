/* Generated programs under each of the EVM's interpreters: they must not differ.
 *
 * The input is what tests/vm/trial.h makes choices from, so most inputs are valid programs. */
#include "tests/vm/tier_check.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tier_check k;
    struct trial t;
    struct choices c = choices_from_bytes(bytes_of(data, size));
    if (k.trials == 0) tier_check_open(&k);
    trial_make(&t, &c, WITH_KZG);
    struct difference d = compare_trial(&k, &t, &c);
    if (d.what != NULL)
        fprintf(stderr, "gas %lld: %s has another %s than plain\n", (long long)d.at.gas,
                d.contender->name, d.what);
    assert(d.what == NULL);
    trial_finish(&t);
    return 0;
}
