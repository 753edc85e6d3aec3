/* Sampled audits: honest traces are clean, each way to lie is met with the odds that it should be.
 * */
#include "compute/audit.h"
#include "compute/image_store.h"
#include "tests/compute/trace_maker.h"

#include <math.h>

/* A run with its trace and images, and a provider that serves them, perhaps with a change. */
struct world {
    struct maker m;
    struct job *job;
    struct run_result run;
    struct buffer list;
    struct image_store *store;
    struct audit_wish wish;
    bool tampered;  /* pages are not those of the trace */
    bool no_result; /* the auditor has not got it */
    uint32_t seconds_max;
    uint64_t asked;
};

static enum status serve(void *context, const struct trace_page *at, uint8_t out[IMAGE_PAGE_BYTES],
                         struct merkle_proof *proof)
{
    struct world *w = context;
    w->asked++;
    enum status status = image_store_page(w->store, at, out, proof);
    if (w->tampered) out[77] ^= 1;
    return status;
}

static void world_open(struct world *w)
{
    memset(w, 0, sizeof *w);
    maker_open(&w->m);
}

/* Runs the job that stands in the maker's folder, and dumps all images, or those of the wish. */
static void world_run(struct world *w, const struct audit_wish *wish)
{
    static struct audit_draw draws[AUDIT_SAMPLES_MAX];
    static uint64_t images[2 * AUDIT_SAMPLES_MAX];
    size_t count = 0;
    w->job = maker_load(&w->m);
    if (wish != NULL) {
        w->wish = *wish;
        count = audit_images(images, draws, audit_draws(draws, &w->job->plan, wish));
    } else {
        for (; count < image_steps(&w->job->plan); count++)
            images[count] = count + 1;
    }
    struct run_keep keep = {
        .dump_folder = w->m.folder, .dump_images = images, .dump_count = (uint32_t)count};
    maker_run_kept(&w->m, &w->run, NULL, &keep);
    assert_int_equal(w->run.reason, REASON_OK);
    w->list = maker_file(&w->m, "list");
    w->store = image_store_open(w->m.folder, &w->job->plan);
}

static void world_close(struct world *w)
{
    image_store_close(w->store);
    buffer_finish(&w->list);
    run_result_finish(&w->run);
    job_destroy(w->job);
    maker_close(&w->m);
}

static void world_audit(struct world *w, struct audit_result *out)
{
    char error[RUN_ERROR_SIZE] = "";
    struct audit_options options = {
        .run = {.runner_path = w->m.runner, .seconds_max = w->seconds_max},
        .wish = w->wish,
        .trace = &w->run.trace,
        .list = buffer_bytes(&w->list),
        .result_tar_path = w->no_result ? NULL : w->m.tar,
        .fetch = serve,
        .context = w};
    enum status status = audit_job(out, error, w->m.job, &options);
    if (status != OK) fail_msg("%s: %s", status_text(status), error);
    maker_nothing_is_left();
}

static void expect(struct world *w, enum audit_verdict verdict, const char *why)
{
    struct audit_result result;
    world_audit(w, &result);
    if (result.verdict != verdict || strstr(result.why, why) == NULL) {
        fail_msg("verdict %d: %s (launch %llu, block %llu)", (int)result.verdict, result.why,
                 (unsigned long long)result.step, (unsigned long long)result.block);
    }
}

/* ---- the examples ---------------------------------------------------------------------------- */

static void audit_example(const char *name, enum audit_verdict verdict, uint32_t by_block)
{
    struct world w;
    struct audit_result result;
    struct audit_wish wish = {.by_block = by_block, .by_launch = by_block / 2};
    memcpy(wish.seed.b, name, strlen(name));
    world_open(&w);
    maker_copy_example(&w.m, name, "");
    world_run(&w, &wish);
    world_audit(&w, &result);
    print_message("# %s: %u blocks, %llu pages; compiled %llu ms, blocks %llu ms, job %llu ms; "
                  "%s\n",
                  name, result.block_count, (unsigned long long)result.page_count,
                  (unsigned long long)result.compile_ms, (unsigned long long)result.blocks_ms,
                  (unsigned long long)w.run.kernel_ms, result.why);
    assert_int_equal(result.verdict, verdict);
    if (verdict == AUDIT_CLEAN) assert_true(result.block_count >= by_block);
    world_close(&w);
}

static void an_honest_render_is_clean(void **state)
{
    (void)state;
    audit_example("render", AUDIT_CLEAN, 59);
}

static void an_honest_nbody_is_clean(void **state)
{
    (void)state;
    audit_example("nbody", AUDIT_CLEAN, 59);
}

static void an_honest_matmul_is_clean(void **state)
{
    (void)state;
    audit_example("matmul", AUDIT_CLEAN, 20);
}

static void an_honest_digits_is_clean(void **state)
{
    (void)state;
    audit_example("digits", AUDIT_CLEAN, 59);
}

/* ---- a small job, and lies about it ---------------------------------------------------------- */

/* 40 blocks fill a (the first ten with zeros, which it is already), 40 add to it in place, 40 count
 * into one sum. Nobody writes the last thousand numbers of a. */
static const char SOURCE[] =
    "__global__ void fill(int *a, const int *in) {\n"
    "int i = blockIdx.x * blockDim.x + threadIdx.x; a[i] = blockIdx.x < 10 ? 0 : in[i % 64] + i; "
    "}\n"
    "__global__ void add(int *a) { int i = blockIdx.x * blockDim.x + threadIdx.x; a[i] += i; }\n"
    "__global__ void count(unsigned *sum, const int *a) {\n"
    "int i = blockIdx.x * blockDim.x + threadIdx.x; atomicAdd(sum, a[i] % 3 == 0 ? 1u : 0u); }\n";
static const char JSON[] =
    "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"trace\": true,\n"
    " \"buffers\": {\"a\": {\"bytes\": 85920, \"output\": true}, \"in\": {\"file\": \"in.bin\"},\n"
    " \"sum\": {\"bytes\": 4, \"output\": true}},\n"
    " \"launches\": [{\"kernel\": \"fill\", \"grid\": [40], \"block\": [512], \"args\": [\"a\", "
    "\"in\"]},\n"
    " {\"kernel\": \"add\", \"grid\": [40], \"block\": [512], \"args\": [\"a\"]},\n"
    " {\"kernel\": \"count\", \"grid\": [40], \"block\": [512], \"args\": [\"sum\", \"a\"]}],\n"
    " \"limits\": {\"seconds\": 120, \"memory_mib\": 64}}\n";
#define A_OFFSET      (21 * 4096 - 85920) /* of its first byte, in an image */
#define IN_OFFSET     (21 * 4096 + 3840)
#define SUM_OFFSET    (22 * 4096 + 4080)
#define SMALL_IMAGE   (23u * 4096u)
#define A_BYTE(index) (A_OFFSET + 4 * (size_t)(index))

static void small_world(struct world *w)
{
    int in[64];
    world_open(w);
    for (int i = 0; i < 64; i++)
        in[i] = i * 7919 + 1;
    maker_text(&w->m, "k.cu", SOURCE);
    maker_text(&w->m, "job.json", JSON);
    maker_write(&w->m, "in.bin", in, sizeof in);
    world_run(w, NULL);
}

/* Every block of every launch. */
static void look_at_all(struct world *w)
{
    w->wish.by_block = 1200;
    w->wish.by_launch = 300;
}

static void write_file(const struct maker *m, const char *name, struct bytes content)
{
    char path[256];
    maker_path(m, path, name);
    assert_int_equal(file_write_atomic(path, content, 0600), OK);
}

/* Other bytes in images first to last, and a list and a root that go with them. */
static void lie(struct world *w, uint64_t first, uint64_t last, size_t offset, uint32_t value)
{
    const struct plan *plan = &w->job->plan;
    image_store_close(w->store);
    for (uint64_t k = first; k <= last; k++) {
        char name[32];
        size_t at = 0;
        snprintf(name, sizeof name, "image-%d", (int)k);
        struct buffer image = {0};
        if (k == 0) buffer_extend(&image, SMALL_IMAGE); /* only its root is looked at */
        if (k != 0) image = maker_file(&w->m, name);
        assert_int_equal(image.size, SMALL_IMAGE);
        memcpy(image.data + offset, &value, sizeof value);
        for (uint32_t b = 0; b < plan->buffer_count; b++) {
            size_t size = image_pages_of(&plan->buffers[b]) * IMAGE_PAGE_BYTES;
            struct hash root = merkle_root(bytes_of(image.data + at, size));
            memcpy(w->list.data + (k * plan->buffer_count + b) * 32, root.b, 32);
            at += size;
        }
        if (k != 0) write_file(&w->m, name, buffer_bytes(&image));
        buffer_finish(&image);
    }
    w->run.trace = merkle_root(buffer_bytes(&w->list));
    w->store = image_store_open(w->m.folder, plan);
}

static void every_block_of_an_honest_trace_is_clean(void **state)
{
    struct world w;
    struct audit_result result;
    (void)state;
    small_world(&w);
    look_at_all(&w);
    world_audit(&w, &result);
    if (result.verdict != AUDIT_CLEAN) fail_msg("%s", result.why);
    assert_int_equal(result.block_count, 120);
    assert_int_equal(result.launch_count, 1); /* the sum's */
    world_close(&w);
}

static void a_wrong_block_is_found_by_who_draws_it_and_by_no_other(void **state)
{
    struct world w;
    struct audit_draw draws[8];
    int found = 0, missed = 0;
    (void)state;
    small_world(&w);
    lie(&w, 1, 1, A_BYTE(15 * 512 + 100), 12345); /* block 15 of fill; add then looks wrong too */
    for (uint8_t seed = 0; seed < 30 && (found == 0 || missed == 0); seed++) {
        bool hit = false;
        w.wish = (struct audit_wish){.seed = {{seed}}, .by_block = 8};
        size_t count = audit_draws(draws, &w.job->plan, &w.wish);
        for (size_t i = 0; i < count; i++)
            hit = hit || (draws[i].step < 2 && draws[i].block == 15);
        if (hit ? found > 0 : missed > 0) continue;
        expect(&w, hit ? AUDIT_DIFFERS : AUDIT_CLEAN, hit ? "page 7 of a is not what" : "");
        found += hit;
        missed += !hit;
    }
    assert_true(found > 0 && missed > 0);
    world_close(&w);
}

static void a_write_of_what_was_there_already_is_compared_too(void **state)
{
    struct world w;
    (void)state;
    small_world(&w);
    look_at_all(&w);
    lie(&w, 1, 1, A_BYTE(3 * 512 + 9), 7); /* fill wrote a zero over a zero */
    expect(&w, AUDIT_DIFFERS, "launch 0: page 1 of a is not what the launch makes of it");
    world_close(&w);
}

static void a_wrong_sum_of_all_blocks_is_found(void **state)
{
    struct world w;
    (void)state;
    small_world(&w);
    look_at_all(&w);
    w.no_result = true;
    lie(&w, 3, 3, SUM_OFFSET, 4711);
    expect(&w, AUDIT_DIFFERS, "launch 2: page 0 of sum is not what the launch makes of it");
    world_close(&w);
}

/* The limit of what blocks can show, as docs/compute.md says: the result is looked at, though. */
static void what_no_block_writes_is_seen_at_the_end_only(void **state)
{
    struct world w;
    (void)state;
    small_world(&w);
    look_at_all(&w);
    lie(&w, 1, 1, A_BYTE(20500), 1);
    expect(&w, AUDIT_CLEAN, "");
    lie(&w, 3, 3, A_BYTE(20500), 1);
    expect(&w, AUDIT_DIFFERS, "the result's a is not that of the trace's end");
    world_close(&w);
}

static void a_buffer_that_a_launch_is_not_passed_may_not_change(void **state)
{
    struct world w;
    (void)state;
    small_world(&w);
    lie(&w, 2, 2, IN_OFFSET, 2);
    expect(&w, AUDIT_DIFFERS, "launch 1 is not passed buffer in, and yet the trace changes it");
    world_close(&w);
}

static void a_trace_begins_with_the_bundles_files(void **state)
{
    struct world w;
    (void)state;
    small_world(&w);
    lie(&w, 0, 3, IN_OFFSET, 2);
    expect(&w, AUDIT_DIFFERS, "the trace does not begin with the bundle's in");
    world_close(&w);
}

static void pages_that_are_not_the_traces_are_no_proof_against_the_result(void **state)
{
    struct world w;
    char path[300];
    (void)state;
    small_world(&w);
    look_at_all(&w);
    w.tampered = true;
    expect(&w, AUDIT_UNSERVED, "is not the trace's");
    w.tampered = false;
    image_store_close(w.store);
    snprintf(path, sizeof path, "%s/image-2", w.m.folder);
    assert_int_equal(unlink(path), 0);
    w.store = image_store_open(w.m.folder, &w.job->plan);
    expect(&w, AUDIT_UNSERVED, "in image 2: not found");
    w.list.data[40] ^= 1;
    expect(&w, AUDIT_UNSERVED, "the list is not that of the trace");
    w.list.size -= 32;
    w.run.trace = merkle_root(buffer_bytes(&w.list));
    expect(&w, AUDIT_UNSERVED, "the list is not that of the trace");
    world_close(&w);
}

static void a_result_that_is_no_bundle_differs(void **state)
{
    struct world w;
    (void)state;
    small_world(&w);
    FILE *out = fopen(w.m.tar, "w");
    assert_non_null(out);
    fprintf(out, "no tar");
    fclose(out);
    expect(&w, AUDIT_DIFFERS, "the result is no result");
    world_close(&w);
}

/* ---- jobs that are out for the auditor ------------------------------------------------------- */

/* The trace is honest; then the kernel fill is another. */
static void expect_within(uint32_t seconds_max, const char *fill, enum audit_verdict verdict,
                          const char *why)
{
    struct world w;
    char source[2048];
    const char *rest = strstr(SOURCE, "__global__ void add");
    small_world(&w);
    look_at_all(&w);
    snprintf(
        source, sizeof source,
        "struct frame { unsigned kind, buffer; unsigned long step, page, count, size; };\n"
        "__device__ long say(const void *p, long n) { long r = 1; asm volatile(\"syscall\" "
        ": \"+a\"(r) : \"D\"(3), \"S\"(p), \"d\"(n) : \"rcx\", \"r11\", \"memory\"); return r; "
        "}\n__global__ void fill(int *a, const int *in) {\n"
        "int i = blockIdx.x * blockDim.x + threadIdx.x; %s }\n%s",
        fill, rest);
    maker_text(&w.m, "k.cu", source);
    w.seconds_max = seconds_max;
    expect(&w, verdict, why);
    world_close(&w);
}

static void expect_of_kernel(const char *fill, enum audit_verdict verdict, const char *why)
{
    expect_within(0, fill, verdict, why);
}

static void a_block_that_never_ends_is_ended(void **state)
{
    (void)state;
    expect_within(4, "for (;;) asm volatile(\"\" : : : \"memory\");", AUDIT_DIFFERS,
                  "cannot be run alone: ran longer");
}

static void a_touch_outside_of_the_buffers_is_a_fault_in_an_audit_too(void **state)
{
    (void)state;
    expect_of_kernel("a[21480] = in[i % 64];", AUDIT_DIFFERS, "touched memory outside");
    expect_of_kernel("a[i] = a[-1000];", AUDIT_DIFFERS, "touched memory outside");
    expect_of_kernel("*(volatile int *)0 = 1;", AUDIT_DIFFERS, "touched memory outside");
}

static void a_block_may_read_all_that_there_is(void **state)
{
    (void)state;
    expect_of_kernel("int s = 0; for (int k = 0; k < 21480; k++) s += a[k];\n"
                     "a[i] = blockIdx.x < 10 ? 0 : in[i % 64] + i; if (s != 0) a[i]++;",
                     AUDIT_DIFFERS, "a is not what"); /* it reads what others write: a race */
    expect_of_kernel("int s = 0; for (int k = 20480; k < 21480; k++) s += a[k];\n"
                     "a[i] = blockIdx.x < 10 ? 0 : in[i % 64] + i + s;",
                     AUDIT_CLEAN, "");
}

static void a_job_that_speaks_for_the_runner_is_ended(void **state)
{
    static const char *const FRAMES[] = {
        "99, 0, 0, 0, 0, 0",        /* no such word */
        "5, 0, 0, 0, 0, 0",         /* ready once more */
        "6, 9, 0, 0, 1, 0",         /* pages of a buffer that is not */
        "6, 0, 0, 20, 2, 0",        /* pages behind the end */
        "6, 0, 0, 0, 17, 0",        /* too many at once */
        "6, 0, 0, -1ul, 2, 0",      /* around the end */
        "7, 0, 0, 21, 0, 4096",     /* a page behind the end, written */
        "7, 0, 0, 0, 0, 1ul << 40", /* a page without an end */
    };
    char kernel[256];
    (void)state;
    for (size_t i = 0; i < sizeof FRAMES / sizeof *FRAMES; i++) {
        snprintf(kernel, sizeof kernel,
                 "frame f = {%s}; say(&f, sizeof f); for (;;) asm volatile(\"\" : : : \"memory\");",
                 FRAMES[i]);
        expect_of_kernel(kernel, AUDIT_DIFFERS, "cannot be run alone: printed or wrote more");
    }
    expect_of_kernel("frame f = {6, 0, 0, 0, 16, 0}; for (;;) say(&f, sizeof f);", AUDIT_DIFFERS,
                     "cannot be run alone: printed or wrote more"); /* and reads no answer */
}

/* ---- draws ----------------------------------------------------------------------------------- */

/* One launch of 1000 blocks, one of a single block, nine more of 100. */
static const char *const PLAN =
    "leasehold-plan 1\nsource k.cu\nlimits 60 1048576\ntrace\nbuffer a 64 none out - 0\n"
    "group 1 2\nlaunch k 10 10 10 32 1 1 0 0\nlaunch k 1 1 1 32 1 1 0 0\n"
    "group 9 1\nlaunch k 100 1 1 32 1 1 0 0\nend\n";
#define PLAN_BLOCKS 1901

static struct plan plan; /* large */

static void read_plan(void)
{
    char error[PLAN_ERROR_SIZE] = "";
    if (plan_parse(&plan, error, PLAN, strlen(PLAN)) != OK) fail_msg("%s", error);
}

static size_t draw(struct audit_draw *out, uint32_t number, uint32_t by_block, uint32_t by_launch)
{
    struct audit_wish wish = {.by_block = by_block, .by_launch = by_launch};
    store_be32(wish.seed.b, number);
    return audit_draws(out, &plan, &wish);
}

static uint64_t place_of(const struct audit_draw *d)
{
    uint64_t before = d->step == 0 ? 0 : d->step == 1 ? 1000 : 1001 + (d->step - 2) * 100;
    return before + d->block;
}

static void draws_are_even_over_all_blocks(void **state)
{
    struct audit_draw draws[1];
    unsigned counts[19] = {0};
    double chi = 0.0;
    (void)state;
    read_plan();
    for (uint32_t seed = 0; seed < 19000; seed++) {
        assert_int_equal(draw(draws, seed, 1, 0), 1);
        uint64_t place = place_of(draws);
        assert_true(place < PLAN_BLOCKS);
        if (place < 1900) counts[place / 100]++;
    }
    for (int i = 0; i < 19; i++)
        chi += (counts[i] - 1000.0) * (counts[i] - 1000.0) / 1000.0;
    print_message("# chi square of 19 shares: %.1f\n", chi);
    assert_true(chi < 42.3); /* 18 degrees of freedom: once in 1000 by chance */
}

static void draws_by_launch_give_each_launch_its_share(void **state)
{
    struct audit_draw draws[1];
    unsigned single = 0;
    (void)state;
    read_plan();
    for (uint32_t seed = 0; seed < 11000; seed++) {
        assert_int_equal(draw(draws, seed, 0, 1), 1);
        single += draws->step == 1;
    }
    assert_in_range(single, 900, 1100);
}

static void draws_are_ascending_and_each_once_and_need_their_images(void **state)
{
    struct audit_draw draws[600];
    uint64_t images[1200];
    (void)state;
    read_plan();
    size_t count = draw(draws, 7, 500, 100);
    assert_true(count > 400 && count < 600);
    for (size_t i = 1; i < count; i++) {
        assert_true(draws[i - 1].step < draws[i].step ||
                    (draws[i - 1].step == draws[i].step && draws[i - 1].block < draws[i].block));
    }
    assert_int_equal(audit_images(images, draws, count), 11);
    for (size_t i = 0; i < 11; i++)
        assert_int_equal(images[i], i + 1);
    const struct audit_draw few[] = {{0, 1}, {4, 0}, {5, 2}, {9, 9}};
    const uint64_t wanted[] = {1, 4, 5, 6, 9, 10};
    assert_int_equal(audit_images(images, few, 4), 6);
    assert_memory_equal(images, wanted, sizeof wanted);
}

/* 5 of 100 blocks are wrong, spread by a stride; the seeds are fixed, so this cannot flicker. */
static void the_odds_of_meeting_wrong_blocks_are_as_computed(void **state)
{
    static const double ODDS[] = {0.5, 0.9, 0.95, 0.99};
    struct audit_draw draws[128];
    (void)state;
    read_plan();
    for (size_t o = 0; o < 4; o++) {
        uint32_t samples = audit_samples_for(95.0 / PLAN_BLOCKS, ODDS[o]);
        unsigned met = 0;
        for (uint32_t seed = 0; seed < 4000; seed++) {
            size_t count = draw(draws, seed * 5 + (uint32_t)o, samples, 0);
            bool hit = false;
            for (size_t i = 0; i < count; i++)
                hit = hit || (place_of(&draws[i]) % 20 == 0 && place_of(&draws[i]) < 1900);
            met += hit;
        }
        double expected = 1.0 - pow(1.0 - 95.0 / PLAN_BLOCKS, samples);
        double slack = 4.0 * sqrt(expected * (1.0 - expected) / 4000.0);
        print_message("# %u samples: %.4f of the cheats met, %.4f expected\n", samples,
                      met / 4000.0, expected);
        assert_true(expected >= ODDS[o] && fabs(met / 4000.0 - expected) < slack);
    }
}

static void samples_are_as_few_as_the_odds_allow(void **state)
{
    (void)state;
    assert_int_equal(audit_samples_for(0.05, 0.95), 59);
    assert_int_equal(audit_samples_for(0.01, 0.95), 299);
    assert_int_equal(audit_samples_for(0.01, 0.99), 459);
    assert_int_equal(audit_samples_for(0.5, 0.5), 1);
    assert_int_equal(audit_samples_for(1.0, 0.999), 1);
    assert_int_equal(audit_samples_for(0.5, 0.0), 1);
    assert_int_equal(audit_samples_for(1e-12, 0.999), AUDIT_SAMPLES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_as_few_as_the_odds_allow),
        cmocka_unit_test(draws_are_even_over_all_blocks),
        cmocka_unit_test(draws_by_launch_give_each_launch_its_share),
        cmocka_unit_test(draws_are_ascending_and_each_once_and_need_their_images),
        cmocka_unit_test(the_odds_of_meeting_wrong_blocks_are_as_computed),
        cmocka_unit_test(every_block_of_an_honest_trace_is_clean),
        cmocka_unit_test(a_wrong_block_is_found_by_who_draws_it_and_by_no_other),
        cmocka_unit_test(a_write_of_what_was_there_already_is_compared_too),
        cmocka_unit_test(a_wrong_sum_of_all_blocks_is_found),
        cmocka_unit_test(what_no_block_writes_is_seen_at_the_end_only),
        cmocka_unit_test(a_buffer_that_a_launch_is_not_passed_may_not_change),
        cmocka_unit_test(a_trace_begins_with_the_bundles_files),
        cmocka_unit_test(pages_that_are_not_the_traces_are_no_proof_against_the_result),
        cmocka_unit_test(a_result_that_is_no_bundle_differs),
        cmocka_unit_test(a_block_that_never_ends_is_ended),
        cmocka_unit_test(a_touch_outside_of_the_buffers_is_a_fault_in_an_audit_too),
        cmocka_unit_test(a_block_may_read_all_that_there_is),
        cmocka_unit_test(a_job_that_speaks_for_the_runner_is_ended),
        cmocka_unit_test(an_honest_render_is_clean),
        cmocka_unit_test(an_honest_nbody_is_clean),
        cmocka_unit_test(an_honest_matmul_is_clean),
        cmocka_unit_test(an_honest_digits_is_clean),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
