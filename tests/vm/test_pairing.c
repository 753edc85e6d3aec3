/* The pairing of bn254. */
#include "tests/vm/pairing_suite.h"

int main(void)
{
    return run_pairing_suite();
}
