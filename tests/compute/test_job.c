#include "base/file.h"
#include "compute/job.h"
#include "tests/compute/job_maker.h"

#include <png.h>

/* Files that a test's bundle has: a.bin of 64 bytes, empty.bin, k.cu. */
static enum status size_of(void *context, uint64_t *out_bytes, const char *name)
{
    (void)context;
    if (strcmp(name, "a.bin") == 0) return *out_bytes = 64, OK;
    if (strcmp(name, "empty.bin") == 0) return *out_bytes = 0, OK;
    if (strcmp(name, "k.cu") == 0) return *out_bytes = 10, OK;
    return E_NOT_FOUND;
}

static enum status parse(struct job **out, char error[JOB_ERROR_SIZE], const char *text)
{
    error[0] = '\0';
    return job_parse(out, error, bytes_of_text(text), size_of, NULL);
}

static void refused(const char *text, const char *words)
{
    struct job *job = NULL;
    char error[JOB_ERROR_SIZE];
    assert_int_not_equal(parse(&job, error, text), OK);
    assert_null(job);
    if (strstr(error, words) == NULL) print_message("# wanted \"%s\" in \"%s\"\n", words, error);
    assert_non_null(strstr(error, words));
}

#define HEAD             "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\", "
#define OUT              "\"buffers\": {\"o\": {\"bytes\": 64, \"output\": true}}, "
#define WITH_BUFFERS(b)  HEAD "\"buffers\": " b ", \"launches\": [" LAUNCH "]}"
#define LAUNCH           "{\"kernel\": \"k\", \"grid\": [1], \"block\": [32], \"args\": [\"o\"]}"
#define WITH_LAUNCHES(l) HEAD OUT "\"launches\": " l "}"
#define WITH_ARGS(a)                                                                               \
    WITH_LAUNCHES("[{\"kernel\": \"k\", \"grid\": [1], \"block\": [1], \"args\": " a "}]")
#define WITH_LIMITS(l) HEAD OUT "\"launches\": [" LAUNCH "], \"limits\": " l "}"

static void reads_a_whole_job(void **state)
{
    static const char TEXT[] = HEAD
        "\"buffers\": {\"in\": {\"file\": \"a.bin\"}, \"tail\": {\"file\": \"a.bin\", \"bytes\": "
        "128},"
        "\"image\": {\"bytes\": 48, \"output\": true, \"type\": \"u8\", "
        "\"png\": {\"width\": 4, \"height\": 4, \"format\": \"rgb8\"}}},"
        "\"launches\": [{\"kernel\": \"one\", \"grid\": [2, 3], \"block\": [8, 4, 2], "
        "\"args\": [\"in\", \"image\", {\"i32\": -1}, {\"f32\": 2.5}, {\"f64\": 1}, {\"u64\": 7}], "
        "\"shared_bytes\": 256},"
        "{\"repeat\": 5, \"launches\": [{\"kernel\": \"two\", \"grid\": [1], \"block\": [1], "
        "\"args\": [{\"index\": true}]}, {\"kernel\": \"one\", \"grid\": [1], \"block\": [1], "
        "\"args\": []}]}],"
        "\"limits\": {\"seconds\": 9, \"memory_mib\": 2, \"vram_mib\": 3}}";
    struct job *job;
    char error[JOB_ERROR_SIZE];
    (void)state;
    assert_int_equal(parse(&job, error, TEXT), OK);
    const struct plan *p = &job->plan;
    assert_int_equal(p->seconds, 9);
    assert_int_equal(p->memory_bytes, 2 << 20);
    assert_int_equal(job->vram_mib, 3);
    assert_int_equal(p->buffer_count, 3);
    assert_int_equal(p->buffers[1].size_bytes, 128);
    assert_int_equal(p->buffers[1].file_bytes, 64);
    assert_true(p->buffers[2].output);
    assert_int_equal(job->views[2].picture, JOB_PICTURE_RGB8);
    assert_int_equal(p->launch_count, 3);
    assert_int_equal(p->group_count, 2);
    assert_int_equal(p->groups[1].repeat, 5);
    assert_int_equal(p->groups[1].count, 2);
    assert_int_equal(p->launches[0].grid[1], 3);
    assert_int_equal(p->launches[0].grid[2], 1);
    assert_int_equal(p->launches[0].shared_bytes, 256);
    assert_int_equal(p->launches[0].args[1].bits, 2);
    assert_int_equal(p->launches[0].args[2].bits, 0xffffffffu);
    assert_int_equal(p->launches[0].args[3].bits, 0x40200000u);
    assert_int_equal(p->launches[0].args[4].bits, 0x3ff0000000000000ull);
    assert_int_equal(p->launches[1].args[0].kind, PLAN_ARG_INDEX);
    job_destroy(job);
}

static void names_what_belongs_to_the_bundle(void **state)
{
    struct job *job;
    char error[JOB_ERROR_SIZE], names[JOB_NAMES_MAX][JOB_NAME_SIZE];
    (void)state;
    assert_int_equal(parse(&job, error,
                           HEAD "\"files\": [\"k.cu\"], \"buffers\": {\"o\": {\"file\": \"a.bin\", "
                                "\"output\": true}}, \"launches\": [" LAUNCH "]}"),
                     OK);
    assert_int_equal(job_names(job, names), 3);
    assert_string_equal(names[0], "a.bin");
    assert_string_equal(names[1], "job.json");
    assert_string_equal(names[2], "k.cu");
    job_destroy(job);
}

static void says_where_the_text_is_no_json(void **state)
{
    (void)state;
    refused("{\"runtime\": }", "line 1");
    refused("", "line");
    refused("[]", "job.json");
    refused("{\"runtime\": \"cuda-c\", \"runtime\": \"cuda-c\"}", "duplicate");
}

static void refuses_unknown_and_missing_keys_by_name(void **state)
{
    (void)state;
    refused("{\"runtime\": \"cuda-c\"}", "source");
    refused(HEAD OUT "\"launches\": [" LAUNCH "], \"colour\": 1}", "colour");
    refused(WITH_BUFFERS("{\"o\": {\"bytes\": 64, \"output\": true, \"size\": 1}}"),
            "buffers.o.size");
    refused(WITH_LAUNCHES("[{\"kernel\": \"k\", \"grid\": [1], \"block\": [1]}]"),
            "launches[0].args");
    refused(WITH_LIMITS("{\"minutes\": 1}"), "limits.minutes");
}

static void refuses_other_runtimes(void **state)
{
    (void)state;
    refused("{\"runtime\": \"opencl\", \"source\": \"k.cu\", " OUT "\"launches\": [" LAUNCH "]}",
            "runtime");
}

static void refuses_paths_in_names(void **state)
{
    (void)state;
    refused("{\"runtime\": \"cuda-c\", \"source\": \"../k.cu\", " OUT "\"launches\": [" LAUNCH "]}",
            "source");
    refused(WITH_BUFFERS("{\"o\": {\"file\": \"/etc/shadow\", \"output\": true}}"),
            "buffers.o.file");
    refused(WITH_BUFFERS("{\"a/b\": {\"bytes\": 4, \"output\": true}}"), "a/b");
    refused(WITH_BUFFERS("{\".o\": {\"bytes\": 4, \"output\": true}}"), ".o");
}

static void refuses_sizes_that_do_not_add_up(void **state)
{
    (void)state;
    refused(WITH_BUFFERS("{\"o\": {\"file\": \"a.bin\", \"bytes\": 32, \"output\": true}}"),
            "buffers.o: file a.bin has 64 bytes, more than the 32");
    refused(WITH_BUFFERS("{\"o\": {\"file\": \"none.bin\", \"output\": true}}"), "none.bin");
    refused(WITH_BUFFERS("{\"o\": {\"file\": \"empty.bin\", \"output\": true}}"), "empty");
    refused(WITH_BUFFERS("{\"o\": {\"bytes\": 0, \"output\": true}}"), "buffers.o.bytes");
    refused(WITH_BUFFERS("{\"o\": {\"bytes\": -4, \"output\": true}}"), "buffers.o.bytes");
    refused(WITH_BUFFERS("{\"o\": {\"bytes\": 4.5, \"output\": true}}"), "buffers.o.bytes");
    refused(WITH_BUFFERS("{\"o\": {\"output\": true}}"), "buffers.o");
    refused(WITH_BUFFERS("{\"o\": {\"bytes\": 6, \"type\": \"f32\", \"output\": true}}"),
            "buffers.o.type");
    refused(WITH_BUFFERS("{\"o\": {\"bytes\": 47, \"output\": true, \"png\": {\"width\": 4, "
                         "\"height\": 4, \"format\": \"rgb8\"}}}"),
            "48 bytes, the buffer has 47");
    refused(WITH_BUFFERS("{\"o\": {\"bytes\": 2000000000, \"output\": true}}"), "outputs");
    refused(WITH_BUFFERS("{\"o\": {\"bytes\": 64}}"), "output");
    refused(WITH_BUFFERS("{}"), "buffers");
    refused(HEAD
            "\"buffers\": {\"o\": {\"bytes\": 2097152, \"output\": true}}, \"launches\": [" LAUNCH
            "], \"limits\": {\"memory_mib\": 1}}",
            "limits.memory_mib");
}

static void refuses_impossible_launches(void **state)
{
    (void)state;
    refused(WITH_LAUNCHES("[]"), "launches");
    refused(WITH_LAUNCHES("[{\"kernel\": \"k-1\", \"grid\": [1], \"block\": [1], \"args\": []}]"),
            "launches[0].kernel");
    refused(WITH_LAUNCHES("[{\"kernel\": \"k\", \"grid\": [0], \"block\": [1], \"args\": []}]"),
            "launches[0].grid");
    refused(WITH_LAUNCHES(
                "[{\"kernel\": \"k\", \"grid\": [1, 1, 1, 1], \"block\": [1], \"args\": []}]"),
            "launches[0].grid");
    refused(
        WITH_LAUNCHES("[{\"kernel\": \"k\", \"grid\": [1], \"block\": [64, 64], \"args\": []}]"),
        "64 x 64 x 1 is more than 1024");
    refused(
        WITH_LAUNCHES("[{\"kernel\": \"k\", \"grid\": [1, 70000], \"block\": [1], \"args\": []}]"),
        "65535");
    refused(WITH_LAUNCHES("[{\"repeat\": 2, \"launches\": []}]"), "launches[0].launches");
    refused(WITH_LAUNCHES("[{\"repeat\": 0, \"launches\": [" LAUNCH "]}]"), "launches[0].repeat");
    refused(WITH_LAUNCHES("[{\"repeat\": 2, \"launches\": [{\"repeat\": 2, \"launches\": []}]}]"),
            "launches[0].launches[0]");
}

static void refuses_bad_arguments_with_their_place(void **state)
{
    (void)state;
    refused(WITH_ARGS("[\"o\", \"nobody\"]"), "launches[0].args[1]: there is no buffer \"nobody\"");
    refused(WITH_ARGS("[3]"), "launches[0].args[0]");
    refused(WITH_ARGS("[{\"i32\": 3000000000}]"), "launches[0].args[0]");
    refused(WITH_ARGS("[{\"u32\": -1}]"), "launches[0].args[0]");
    refused(WITH_ARGS("[{\"i32\": 1.5}]"), "launches[0].args[0]");
    refused(WITH_ARGS("[{\"f32\": 1e39}]"), "launches[0].args[0]");
    refused(WITH_ARGS("[{\"f16\": 1}]"), "f16");
    refused(WITH_ARGS("[{\"i32\": 1, \"u32\": 1}]"), "launches[0].args[0]");
    refused(WITH_ARGS("[{\"index\": false}]"), "launches[0].args[0]");
}

static void writes_pictures_and_texts_of_a_result(void **state)
{
    static const unsigned char PIXELS[12] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7};
    struct maker m;
    struct job *job;
    struct buffer report = {0}, file = {0};
    char error[JOB_ERROR_SIZE], path[256];
    png_image image = {.version = PNG_IMAGE_VERSION};
    unsigned char back[12];
    (void)state;
    maker_open(&m);
    maker_write(&m, "image", PIXELS, sizeof PIXELS);
    maker_write(&m, "words", "hello\0\0\0", 8);
    assert_int_equal(
        parse(&job, error,
              HEAD
              "\"buffers\": {\"image\": {\"bytes\": 12, \"output\": true, \"png\": {\"width\": 2, "
              "\"height\": 2, \"format\": \"rgb8\"}}, \"words\": {\"bytes\": 8, \"output\": true, "
              "\"text\": true}}, \"launches\": [{\"kernel\": \"k\", \"grid\": [1], \"block\": [1], "
              "\"args\": []}]}"),
        OK);
    assert_int_equal(job_present_result(job, m.job, &report, error), OK);
    assert_non_null(strstr(buffer_text(&report), "hello\n"));
    assert_non_null(strstr(buffer_text(&report), "image.png"));
    snprintf(path, sizeof path, "%s/image.png", m.job);
    assert_int_not_equal(png_image_begin_read_from_file(&image, path), 0);
    image.format = PNG_FORMAT_RGB;
    assert_int_equal(image.width, 2);
    assert_int_not_equal(png_image_finish_read(&image, NULL, back, 0, NULL), 0);
    assert_memory_equal(back, PIXELS, sizeof back);
    maker_write(&m, "image", PIXELS, 11);
    assert_int_equal(job_present_result(job, m.job, NULL, error), E_MALFORMED);
    job_destroy(job);
    buffer_finish(&report);
    buffer_finish(&file);
    maker_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_job),
        cmocka_unit_test(names_what_belongs_to_the_bundle),
        cmocka_unit_test(says_where_the_text_is_no_json),
        cmocka_unit_test(refuses_unknown_and_missing_keys_by_name),
        cmocka_unit_test(refuses_other_runtimes),
        cmocka_unit_test(refuses_paths_in_names),
        cmocka_unit_test(refuses_sizes_that_do_not_add_up),
        cmocka_unit_test(refuses_impossible_launches),
        cmocka_unit_test(refuses_bad_arguments_with_their_place),
        cmocka_unit_test(writes_pictures_and_texts_of_a_result),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
