/* The pairing of BLS12-381. */
#define CURVE_BLS12_381
#include "tests/vm/pairing_suite.h"

int main(void)
{
    return run_pairing_suite();
}
