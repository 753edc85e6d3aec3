/* The interpreter's arithmetic again, without the parts that are written for x86-64. The division
 * is compiled into this program, and so not taken from the library. */
#define U256_PORTABLE
#include "base/u256_division.c" // NOLINT(bugprone-suspicious-include)

#include "tests/vm/arith_suite.h"

int main(void)
{
    return run_arith_suite();
}
