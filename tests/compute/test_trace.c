/* Traces: the roots of memory between launches, computed inside the sandbox and here again. */
#include "base/sha256.h"
#include "compute/page_hash.h"
#include "tests/compute/trace_maker.h"

#include <math.h>

/* Three launches over a file, an untouched buffer and floats; every size crooked. */
static const char SOURCE[] =
    "__global__ void fill(int *out, const int *in, int n) {\n"
    "int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) out[i] = in[i % 25] + i; }\n"
    "__global__ void bend(float *x, int n, int index) {\n"
    "int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n)\n"
    "x[i] = i % 7 == index ? __int_as_float(0x7fc01234 + i) : x[i] + (float)i; }\n";
static const char JSON[] =
    "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"trace\": true,\n"
    " \"buffers\": {\"out\": {\"bytes\": 12004, \"output\": true}, \"in\": {\"file\": "
    "\"in.bin\"},\n"
    " \"still\": {\"bytes\": 5000}, \"x\": {\"bytes\": 20020, \"type\": \"f32\", \"output\": "
    "true}},\n"
    " \"launches\": [{\"kernel\": \"fill\", \"grid\": [47], \"block\": [64],\n"
    " \"args\": [\"out\", \"in\", {\"i32\": 3001}]},\n"
    " {\"kernel\": \"bend\", \"grid\": [79], \"block\": [64], \"repeat\": 2,\n"
    " \"args\": [\"x\", {\"i32\": 5005}, {\"index\": true}]}],\n"
    " \"limits\": {\"seconds\": 30, \"memory_mib\": 64}}\n";

static void write_job(struct maker *m)
{
    int in[25];
    for (int i = 0; i < 25; i++)
        in[i] = i * 1000003;
    maker_text(m, "k.cu", SOURCE);
    maker_text(m, "job.json", JSON);
    maker_write(m, "in.bin", in, sizeof in);
}

static void hashes_are_those_of_openssl(void **state)
{
    uint8_t data[5000];
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 + i / 256);
    for (int plain = 0; plain < 2; plain++) {
        page_hash_force_plain(plain == 1);
        for (size_t size = 0; size < sizeof data; size += size < 300 ? 1 : 97) {
            uint8_t tag = 0;
            struct bytes parts[2] = {{&tag, 1}, bytes_of(data, size)};
            struct hash wanted = sha256_parts(parts, 2), got;
            page_hash_leaf(&got, data, size);
            assert_memory_equal(&got, &wanted, sizeof got);
        }
    }
    page_hash_force_plain(false);
}

static void steps_follow_the_plan_with_its_repeats(void **state)
{
    struct maker m;
    (void)state;
    maker_open(&m);
    write_job(&m);
    struct job *job = maker_load(&m);
    const struct plan *plan = &job->plan;
    assert_int_equal(image_steps(plan), 3);
    assert_string_equal(image_step_at(plan, 0).launch->kernel, "fill");
    assert_string_equal(image_step_at(plan, 2).launch->kernel, "bend");
    assert_int_equal(image_step_at(plan, 1).index, 0);
    assert_int_equal(image_step_at(plan, 2).index, 1);
    assert_int_equal(image_pages_of(&plan->buffers[0]), 3);
    assert_int_equal(image_offset_of(&plan->buffers[0]), 3 * 4096 - 12016);
    assert_int_equal(image_pages(plan), 3 + 1 + 2 + 5);
    assert_true(image_launch_has(image_step_at(plan, 0).launch, 1));
    assert_false(image_launch_has(image_step_at(plan, 1).launch, 0));
    job_destroy(job);
    maker_close(&m);
}

/* What the job does, done here. */
static void imagine(uint8_t *out, const struct plan *plan, uint64_t image)
{
    uint8_t *at = out;
    memset(out, 0, image_pages(plan) * IMAGE_PAGE_BYTES);
    for (uint32_t b = 0; b < plan->buffer_count; b++) {
        uint32_t *words = (uint32_t *)(void *)(at + image_offset_of(&plan->buffers[b]));
        float *floats = (float *)(void *)words;
        for (uint32_t i = 0; b == 0 && image > 0 && i < 3001; i++)
            words[i] = i % 25 * 1000003 + i;
        for (uint32_t i = 0; b == 1 && i < 25; i++)
            words[i] = i * 1000003;
        for (uint32_t i = 0; b == 3 && i < 5005; i++) {
            for (uint32_t step = 1; step < image; step++) {
                if (i % 7 == step - 1) words[i] = 0x7fc00000;
                if (i % 7 != step - 1) floats[i] += (float)i;
                if (isnan(floats[i])) words[i] = 0x7fc00000;
            }
        }
        at += image_pages_of(&plan->buffers[b]) * IMAGE_PAGE_BYTES;
    }
}

static void check_image(const struct maker *m, const struct trace *trace, const struct plan *plan,
                        uint64_t image)
{
    char name[32];
    size_t size = image_pages(plan) * IMAGE_PAGE_BYTES, offset = 0;
    uint8_t *wanted = malloc(size);
    assert_non_null(wanted);
    imagine(wanted, plan, image);
    snprintf(name, sizeof name, "image-%d", (int)image);
    struct buffer got = maker_file(m, name);
    assert_int_equal(got.size, size);
    assert_memory_equal(got.data, wanted, size);
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        size_t bytes = image_pages_of(&plan->buffers[i]) * IMAGE_PAGE_BYTES;
        struct hash root = merkle_root(bytes_of(wanted + offset, bytes));
        struct hash said = trace_buffer_root(trace, image, i);
        assert_memory_equal(&root, &said, sizeof root);
        offset += bytes;
    }
    buffer_finish(&got);
    free(wanted);
}

static void a_trace_is_the_roots_of_memory_after_each_launch(void **state)
{
    static const uint64_t IMAGES[] = {0, 1, 2, 3};
    static const char *const COMPILERS[] = {"clang", "g++"};
    struct maker m;
    struct trace trace;
    struct run_result result;
    struct hash roots[2];
    (void)state;
    maker_open(&m);
    write_job(&m);
    struct job *job = maker_load(&m);
    for (int i = 0; i < 2; i++) {
        struct run_keep keep = {.dump_folder = m.folder, .dump_images = IMAGES, .dump_count = 4};
        maker_run_kept(&m, &result, COMPILERS[i], &keep);
        assert_int_equal(result.reason, REASON_OK);
        maker_list(&m, &trace, &job->plan, &result.trace);
        for (uint64_t k = 0; k <= 3; k++)
            check_image(&m, &trace, &job->plan, k);
        roots[i] = result.trace;
        trace_finish(&trace);
        run_result_finish(&result);
    }
    assert_memory_equal(&roots[0], &roots[1], sizeof roots[0]);
    job_destroy(job);
    maker_close(&m);
}

static void a_job_without_a_trace_has_none(void **state)
{
    struct maker m;
    struct run_result result;
    struct run_keep keep = {0};
    char path[256];
    (void)state;
    maker_open(&m);
    maker_simple(&m, "__global__ void k(int *out) { out[0] = 1; }", 4,
                 "\"grid\": [1], \"block\": [1]", "\"seconds\": 30");
    maker_run_kept(&m, &result, NULL, &keep);
    assert_int_equal(result.reason, REASON_OK);
    assert_true(hash_is_zero(&result.trace));
    maker_path(&m, path, "list");
    assert_int_not_equal(access(path, F_OK), 0);
    run_result_finish(&result);
    maker_close(&m);
}

static void a_list_that_does_not_fit_is_refused(void **state)
{
    struct maker m;
    struct trace trace;
    (void)state;
    maker_open(&m);
    write_job(&m);
    struct job *job = maker_load(&m);
    size_t size = trace_list_bytes(&job->plan);
    assert_int_equal(size, 4 * 4 * 32);
    uint8_t list[4 * 4 * 32 + 1] = {1};
    struct hash root = merkle_root(bytes_of(list, size));
    assert_int_equal(trace_read(&trace, bytes_of(list, size), &job->plan, &root), OK);
    trace_finish(&trace);
    assert_int_equal(trace_read(&trace, bytes_of(list, size + 1), &job->plan, NULL), E_MALFORMED);
    assert_int_equal(trace_read(&trace, bytes_of(list, size - 32), &job->plan, NULL), E_MALFORMED);
    list[100] ^= 1;
    assert_int_equal(trace_read(&trace, bytes_of(list, size), &job->plan, &root), E_MALFORMED);
    job_destroy(job);
    maker_close(&m);
}

static enum status no_file(void *context, uint64_t *out_bytes, const char *name)
{
    (void)context, (void)name;
    *out_bytes = 4;
    return OK;
}

static void expect_refused(const char *keys, const char *repeat, const char *why)
{
    char text[1024], error[JOB_ERROR_SIZE] = "";
    struct job *job = NULL;
    snprintf(
        text, sizeof text,
        "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", %s,\n"
        "\"buffers\": {\"out\": {\"bytes\": 4, \"output\": true}}, \"launches\": [{\"kernel\": "
        "\"k\", \"grid\": [1], \"block\": [1], \"args\": [\"out\"], \"repeat\": %s}]}",
        keys, repeat);
    enum status status = job_parse(&job, error, bytes_of_text(text), no_file, NULL);
    if (why == NULL) {
        if (status != OK) fail_msg("%s", error);
        job_destroy(job);
        return;
    }
    assert_int_equal(status, E_MALFORMED);
    if (strstr(error, why) == NULL) fail_msg("%s", error);
}

static void too_many_launches_for_a_trace_are_an_error_in_job_json(void **state)
{
    (void)state;
    expect_refused("\"trace\": true", "65536", NULL);
    expect_refused("\"trace\": true", "65537", "job.json: trace: 65537 launches with 1 buffers");
    expect_refused("\"trace\": false", "65537", NULL);
    expect_refused("\"trace\": 1", "1", "trace");
    expect_refused("\"checkpoint\": 0", "1", "checkpoint");
    expect_refused("\"checkpoint\": 30", "10000000", NULL);
}

/* A kernel that says to the trusted side what it likes: the runner's pipe is descriptor 3. */
static void expect_end_of_liar(const char *frame, enum reason wanted)
{
    struct maker m;
    struct run_result result;
    struct run_keep keep = {0};
    char source[1024];
    maker_open(&m);
    write_job(&m);
    snprintf(
        source, sizeof source,
        "%s\n__device__ long say(const void *p, long n) { long r = 1; asm volatile(\"syscall\" "
        ": \"+a\"(r) : \"D\"(3), \"S\"(p), \"d\"(n) : \"rcx\", \"r11\", \"memory\"); return r; "
        "}\nstruct frame { unsigned kind, buffer; unsigned long step, page, count, size; };\n"
        "__global__ void lie(int *out) { frame f = {%s}; say(&f, sizeof f);\n"
        "static char junk[70000]; while (say(junk, sizeof junk) > 0) {} }\n",
        SOURCE, frame);
    maker_text(&m, "k.cu", source);
    maker_text(
        &m, "job.json",
        "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", \"trace\": true, \"buffers\":\n"
        "{\"out\": {\"bytes\": 64, \"output\": true}}, \"launches\": [{\"kernel\": \"lie\",\n"
        "\"grid\": [1], \"block\": [1], \"args\": [\"out\"]}], \"limits\": {\"seconds\": 20}}");
    maker_run_kept(&m, &result, NULL, &keep);
    assert_int_equal(result.reason, wanted);
    assert_true(hash_is_zero(&result.trace));
    run_result_finish(&result);
    maker_close(&m);
}

static void a_job_that_speaks_for_the_runner_is_ended(void **state)
{
    (void)state;
    expect_end_of_liar("99, 0, 0, 0, 0, 1", REASON_OUTPUT);        /* no such word */
    expect_end_of_liar("1, 0, 9, 0, 0, 32", REASON_OUTPUT);        /* a row out of turn */
    expect_end_of_liar("1, 0, 1, 0, 0, 1ul << 60", REASON_OUTPUT); /* an endless row */
    expect_end_of_liar("2, 0, 0, 0, 0, 4096", REASON_OUTPUT);      /* an image nobody wants */
    expect_end_of_liar("3, 0, 1, 0, 0, 4096", REASON_OUTPUT);      /* so a checkpoint */
    expect_end_of_liar("4, 0, 0, 0, 0, 1ul << 40", REASON_OUTPUT); /* endless outputs */
    expect_end_of_liar("1, 0, 1, 0, 0, 32", REASON_OUTPUT);        /* the row, and then more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_openssl),
        cmocka_unit_test(steps_follow_the_plan_with_its_repeats),
        cmocka_unit_test(a_trace_is_the_roots_of_memory_after_each_launch),
        cmocka_unit_test(a_job_without_a_trace_has_none),
        cmocka_unit_test(a_list_that_does_not_fit_is_refused),
        cmocka_unit_test(too_many_launches_for_a_trace_are_an_error_in_job_json),
        cmocka_unit_test(a_job_that_speaks_for_the_runner_is_ended),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
