/* The groups of bn254. */
#include "tests/vm/curve_suite.h"

int main(void)
{
    return run_curve_suite();
}
