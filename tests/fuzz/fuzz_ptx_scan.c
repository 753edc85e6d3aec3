/* PTX from a compiler that read hostile source: judged, and what passes is completed. */
#include "compute/runner/ptx_rewrite.h"
#include "compute/runner/ptx_scan.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ptx_report report;
    const char *const NAMES[] = {"k"};
    const unsigned THREADS[] = {64};
    const struct ptx_kernels kernels = {NAMES, THREADS, 1};
    const char *text = (const char *)data;
    char *out = NULL;
    if (ptx_scan(&report, text, size, "prelude") != OK) {
        assert(report.total > 0 && report.count > 0);
        return 0;
    }
    if (ptx_rewrite(&out, text, size, &kernels) == OK) {
        assert(strlen(out) >= size || memchr(text, '\0', size) != NULL);
        free(out);
    }
    return 0;
}
