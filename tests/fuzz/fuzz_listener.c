/* What a hostile job may say as the runner, in any pieces: no more is kept than was asked for. */
#include "compute/listener.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char PLAN[] =
    "leasehold-plan 1\nsource k.cu\nlimits 60 1048576\ntrace\ncheckpoint 5\n"
    "buffer a 64 none out - 0\nbuffer b 20 f32 in - 0\n"
    "group 2 1\nlaunch k 1 1 1 1 1 1 0 1\narg buffer 0000000000000000\nend\n";

static const char *folder(void)
{
    static char path[] = "/tmp/leasehold-fuzz-XXXXXX";
    static bool made;
    if (!made) assert(mkdtemp(path) != NULL);
    made = true;
    return path;
}

/* The first byte says in pieces of which size the rest comes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct plan plan;
    static const uint64_t DUMPS[] = {1};
    char error[PLAN_ERROR_SIZE], path[64];
    struct hash bundle = {{1}};
    struct buffer reply = {0};
    struct listener l;
    if (size == 0) return 0;
    assert(plan_parse(&plan, error, PLAN, strlen(PLAN)) == OK);
    snprintf(path, sizeof path, "%s/state", folder());
    const struct listener_spec spec = {.plan = &plan,
                                       .bundle = &bundle,
                                       .outputs_fd = open("/dev/null", O_WRONLY | O_CLOEXEC),
                                       .checkpoint_path = path,
                                       .dump_folder = folder(),
                                       .dump_steps = DUMPS,
                                       .dump_count = 1};
    listener_init(&l, &spec);
    size_t piece = (size_t)data[0] + 1;
    for (size_t at = 1; at < size; at += piece) {
        size_t left = size - at;
        struct bytes said = bytes_of(data + at, left < piece ? left : piece);
        if (listener_hear(&l, &reply, said) != TALK_ON) break;
        assert(l.rows.size <= trace_list_bytes(&plan) && l.dumped <= 1 && reply.size == 0);
    }
    assert(!listener_is_whole(&l) || l.rows.size == trace_list_bytes(&plan));
    listener_finish(&l);
    close(spec.outputs_fd);
    return 0;
}
