/* Any text is refused with a line's number, or is a plan that prints and reads again as itself. */
#include "compute/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct plan plan, again;
    char error[PLAN_ERROR_SIZE];
    char *text = NULL;
    size_t text_size = 0;
    if (plan_parse(&plan, error, (const char *)data, size) != OK) {
        assert(strlen(error) > 0);
        return 0;
    }
    FILE *out = open_memstream(&text, &text_size);
    assert(out != NULL && plan_print(out, &plan) == OK);
    fclose(out);
    assert(plan_parse(&again, error, text, text_size) == OK);
    assert(memcmp(&plan, &again, sizeof plan) == 0);
    free(text);
    return 0;
}
