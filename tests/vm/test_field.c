/* The fields of bn254. */
#include "tests/vm/field_suite.h"

int main(void)
{
    return run_field_suite();
}
