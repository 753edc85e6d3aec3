/* The fields of BLS12-381. */
#define CURVE_BLS12_381
#include "tests/vm/field_suite.h"

int main(void)
{
    return run_field_suite();
}
