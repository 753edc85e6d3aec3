/* The fields of BLS12-381 again, without the parts that are written for x86-64. */
#define CURVE_BLS12_381
#define CURVE_PORTABLE
#include "tests/vm/field_suite.h"

int main(void)
{
    return run_field_suite();
}
