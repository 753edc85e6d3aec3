/* What comes out of the sandboxes of an exec job is believed in nothing: the words of the unpacker
 * are refused, or are a plan that prints and reads again; the stream of outputs is refused, or is
 * files that the plan has. */
#include "compute/exec_outputs.h"
#include "compute/rootfs.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_words(const char *text, size_t size)
{
    char *again_text = NULL;
    size_t again_size = 0;
    struct exec_plan *plan = calloc(1, sizeof *plan), *again = calloc(1, sizeof *again);
    assert(plan != NULL && again != NULL);
    if (exec_plan_parse(plan, text, size) == OK) {
        FILE *out = open_memstream(&again_text, &again_size);
        assert(out != NULL && exec_plan_print(out, plan) == OK);
        fclose(out);
        assert(exec_plan_parse(again, again_text, again_size) == OK);
        assert(again->arg_count == plan->arg_count && again->env_count == plan->env_count);
        assert(again->args[again->arg_count] == NULL && again->env[again->env_count] == NULL);
        free(again_text);
    }
    free(plan);
    free(again);
}

static void read_outputs(const char *text, size_t size)
{
    static char names[BUNDLE_ENTRIES_MAX][JOB_NAME_SIZE];
    static char folder[] = "/dev/shm/leasehold-fuzz-outputs-XXXXXX";
    static char path[64];
    size_t count = 0;
    if (path[0] == '\0') assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/o", folder);
    struct exec_plan *plan = calloc(1, sizeof *plan);
    assert(plan != NULL && mkdir(path, 0700) == 0);
    plan->folder_bytes_max = 64;
    FILE *in = fmemopen((void *)(uintptr_t)text, size, "r");
    assert(in != NULL);
    enum status status = exec_outputs_receive(names, &count, path, in, plan);
    assert(status != E_IO && count <= BUNDLE_ENTRIES_MAX);
    fclose(in);
    free(plan);
    assert(rootfs_remove(path) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    const char *text = (const char *)data + 1;
    if (data[0] % 2 == 0) {
        read_words(text, size - 1);
    } else {
        read_outputs(text, size - 1);
    }
    return 0;
}
