/* The groups of BLS12-381. */
#define CURVE_BLS12_381
#include "tests/vm/curve_suite.h"

int main(void)
{
    return run_curve_suite();
}
