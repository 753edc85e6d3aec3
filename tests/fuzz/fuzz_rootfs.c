/* Any bytes, as a root tar or as an OCI layout: refused with a message, or unpacked into the folder
 * and nowhere else. */
#include "compute/rootfs.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Its neighbours and what is in it. */
static char place[] = "/dev/shm/leasehold-fuzz-XXXXXX";
static char root_path[64], witness[64];

static void make_place(void)
{
    if (root_path[0] != '\0') return;
    assert(mkdtemp(place) != NULL);
    snprintf(root_path, sizeof root_path, "%s/root", place);
    snprintf(witness, sizeof witness, "%s/witness", place);
    close(open(witness, O_CREAT | O_WRONLY, 0600));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rootfs_bounds SMALL = {1 << 20, 64, 100};
    char error[ROOTFS_ERROR_SIZE] = "";
    struct stat s;
    if (size < 1) return 0;
    make_place();
    assert(mkdir(root_path, 0700) == 0);
    int root = open(root_path, O_RDONLY | O_DIRECTORY);
    struct exec_plan *said = calloc(1, sizeof *said);
    struct rootfs_source source = {.memory = bytes_of(data + 1, size - 1),
                                   .is_layout = data[0] % 2 != 0};
    assert(root >= 0 && said != NULL);
    enum status status = rootfs_unpack(said, error, root, &source, &SMALL);
    assert(status != E_IO);
    assert((status == OK) == (strlen(error) == 0));
    assert(stat(place, &s) == 0 && s.st_nlink == 3); /* one folder inside */
    assert(stat(witness, &s) == 0 && s.st_size == 0 && s.st_nlink == 1);
    close(root);
    free(said);
    assert(rootfs_remove(root_path) == OK);
    return 0;
}
