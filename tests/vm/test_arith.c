/* The interpreter's 256-bit arithmetic. */
#include "tests/vm/arith_suite.h"

int main(void)
{
    return run_arith_suite();
}
