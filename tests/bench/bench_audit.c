/* bench_audit - what a trace adds to a job, and what a sampled audit costs beside it.
 *
 * Each example runs without and with a trace (its job.json with "trace": true), then 59 blocks are
 * drawn and audited: 95 % odds against 5 % wrong blocks. Images come from files on this machine, so
 * no network is in the figures; what must be moved is in the column of pages. Best of RUNS for the
 * times. Run from the top of the tree; leasehold-run is that of the same build. */
#include "compute/audit.h"
#include "compute/image_store.h"

#include "base/fatal.h"
#include "base/file.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNS    3
#define SAMPLES 59

struct bench {
    char folder[64];
    char job[96];
    char list[96];
    char tar[96];
    char runner[PATH_MAX];
    uint64_t plain_ms;  /* kernels, without a trace */
    uint64_t traced_ms; /* with one */
    struct hash trace;
    struct plan *plan;
    struct image_store *store;
    struct audit_result audit;
};

static const char *const EXAMPLES[] = {"render", "nbody", "matmul", "digits"};

static void runner_of_this_build(char out[PATH_MAX])
{
    static const char NAME[] = "/bin/leasehold-run";
    char *slash = out;
    ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - sizeof NAME);
    assert(size > 0);
    out[size] = '\0';
    for (int i = 0; i < 3; i++) { /* OUT/tests/bench/bench_x */
        slash = strrchr(out, '/');
        assert(slash != NULL);
        *slash = '\0';
    }
    memcpy(slash, NAME, sizeof NAME);
}

static void copy_job(struct bench *b, const char *example)
{
    char command[512], path[128];
    struct buffer text = {0};
    snprintf(b->folder, sizeof b->folder, "/tmp/leasehold-bench-XXXXXX");
    if (mkdtemp(b->folder) == NULL) fatal("no folder for the benchmark");
    snprintf(b->job, sizeof b->job, "%s/job", b->folder);
    snprintf(b->list, sizeof b->list, "%s/list", b->folder);
    snprintf(b->tar, sizeof b->tar, "%s/result.tar", b->folder);
    snprintf(command, sizeof command, "cp -r examples/%s %s", example, b->job);
    if (system(command) != 0) fatal("run me from the top of the tree");
    snprintf(path, sizeof path, "%s/job.json", b->job);
    if (file_read(&text, path, JOB_JSON_BYTES_MAX) != OK) fatal("cannot read %s", path);
    const char *rest = strchr(buffer_text(&text), '{') + 1;
    FILE *out = fopen(path, "w");
    if (out == NULL) fatal("cannot write %s", path);
    fprintf(out, "{\"trace\": true,%s", rest);
    fclose(out);
    buffer_finish(&text);
}

/* Milliseconds of the kernels. */
static uint64_t run_once(struct bench *b, const char *job, const struct run_keep *keep)
{
    struct run_result result;
    char error[RUN_ERROR_SIZE];
    const struct run_options options = {.runner_path = b->runner, .keep = keep};
    if (run_job(&result, error, job, b->tar, &options) != OK) fatal("%s: %s", job, error);
    if (result.reason != REASON_OK) fatal("%s: %s", job, result.message);
    b->trace = result.trace;
    run_result_finish(&result);
    return result.kernel_ms;
}

static uint64_t best_run(struct bench *b, const char *job)
{
    const struct run_keep keep = {.trace_path = b->list};
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < RUNS; i++) {
        uint64_t took = run_once(b, job, &keep);
        if (took < best) best = took;
    }
    return best;
}

static void dump_images(struct bench *b, const struct audit_wish *wish)
{
    struct audit_draw draws[SAMPLES];
    uint64_t images[2 * SAMPLES];
    size_t count = audit_draws(draws, b->plan, wish);
    const struct run_keep keep = {.dump_folder = b->folder,
                                  .dump_images = images,
                                  .dump_count = (uint32_t)audit_images(images, draws, count)};
    (void)run_once(b, b->job, &keep);
    b->store = image_store_open(b->folder, b->plan);
}

static enum status serve(void *store, const struct trace_page *at, uint8_t out[IMAGE_PAGE_BYTES],
                         struct merkle_proof *proof)
{
    return image_store_page(store, at, out, proof);
}

static void audit(struct bench *b, const struct audit_wish *wish)
{
    struct buffer list = {0};
    char error[RUN_ERROR_SIZE];
    if (file_read(&list, b->list, TRACE_ROOTS_MAX * 32) != OK) fatal("cannot read %s", b->list);
    const struct audit_options options = {.run = {.runner_path = b->runner},
                                          .wish = *wish,
                                          .trace = &b->trace,
                                          .list = buffer_bytes(&list),
                                          .result_tar_path = b->tar,
                                          .fetch = serve,
                                          .context = b->store};
    for (int i = 0; i <= RUNS; i++) { /* the first one builds the provider's trees */
        struct audit_result result;
        if (audit_job(&result, error, b->job, &options) != OK) fatal("audit: %s", error);
        if (result.verdict != AUDIT_CLEAN) fatal("audit: %s", result.why);
        if (i <= 1 || result.blocks_ms < b->audit.blocks_ms) b->audit = result;
    }
    buffer_finish(&list);
}

static void measure(const char *example)
{
    struct bench b = {0};
    char plain[64], error[JOB_ERROR_SIZE];
    struct job *job;
    struct audit_wish wish = {.by_block = SAMPLES};
    snprintf(plain, sizeof plain, "examples/%s", example);
    memcpy(wish.seed.b, example, strlen(example));
    runner_of_this_build(b.runner);
    copy_job(&b, example);
    if (job_load(&job, error, b.job) != OK) fatal("%s", error);
    b.plan = &job->plan;
    b.plain_ms = best_run(&b, plain);
    b.traced_ms = best_run(&b, b.job);
    dump_images(&b, &wish);
    audit(&b, &wish);
    const struct audit_result *a = &b.audit;
    printf("%-8s %7llu %8llu %7u %8u %7llu %6llu %6llu %8llu %8.1f %%\n", example,
           (unsigned long long)b.plain_ms, (unsigned long long)b.traced_ms, a->block_count,
           a->launch_count, (unsigned long long)a->page_count, (unsigned long long)a->check_ms,
           (unsigned long long)a->blocks_ms, (unsigned long long)a->compile_ms,
           100.0 * (double)(a->check_ms + a->blocks_ms) / (double)b.plain_ms);
    image_store_close(b.store);
    job_destroy(job);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", b.folder);
    if (system(command) != 0) fatal("cannot remove %s", b.folder);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("sampled audit, %d blocks by lot, one thread; jobs on %ld cores; ms\n", SAMPLES,
           sysconf(_SC_NPROCESSORS_ONLN));
    printf("example     job   traced  blocks launches   pages checks blocks compiler  checks + "
           "blocks of job\n");
    for (size_t i = 0; i < sizeof EXAMPLES / sizeof *EXAMPLES; i++) {
        if (argc < 2 || strcmp(argv[1], EXAMPLES[i]) == 0) measure(EXAMPLES[i]);
    }
    return EXIT_SUCCESS;
}
