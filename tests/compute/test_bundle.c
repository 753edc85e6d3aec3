#include "base/file.h"
#include "base/hex.h"
#include "compute/bundle.h"
#include "tests/compute/job_maker.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

struct item { /* of a tar that libarchive writes as it is told */
    const char *name;
    unsigned type;
    const char *link;
    const char *content;
};

static void write_tar(const char *path, const struct item *items, size_t count)
{
    struct archive *a = archive_write_new();
    archive_write_set_format_pax_restricted(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, items[i].name);
        archive_entry_set_filetype(e, items[i].type);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, items[i].content ? (la_int64_t)strlen(items[i].content) : 0);
        if (items[i].type == AE_IFLNK) archive_entry_set_symlink(e, items[i].link);
        if (items[i].type == AE_IFREG && items[i].link)
            archive_entry_set_hardlink(e, items[i].link);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        if (items[i].content) archive_write_data(a, items[i].content, strlen(items[i].content));
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static bool is_empty(const char *folder)
{
    char command[300];
    snprintf(command, sizeof command, "test -z \"$(ls -A %s)\"", folder);
    return system(command) == 0;
}

static void refused(const struct item *items, size_t count, const char *words)
{
    struct maker m;
    struct buffer tar = {0};
    char error[BUNDLE_ERROR_SIZE] = "";
    maker_open(&m);
    write_tar(m.tar, items, count);
    assert_int_not_equal(bundle_unpack(error, m.tar, m.unpacked), OK);
    assert_non_null(strstr(error, words));
    assert_true(is_empty(m.unpacked));
    assert_int_equal(file_read(&tar, m.tar, 1 << 20), OK);
    assert_int_not_equal(bundle_check(error, NULL, buffer_bytes(&tar)), OK);
    buffer_finish(&tar);
    maker_close(&m);
}

static void packs_to_one_root_whatever_the_files_metadata(void **state)
{
    struct maker m;
    struct bundle_info one, two;
    char error[BUNDLE_ERROR_SIZE], path[256], text[67];
    static const char *const NAMES[] = {"b", "a"};
    static const char *const SORTED[] = {"a", "b"};
    (void)state;
    maker_open(&m);
    maker_text(&m, "a", "first");
    maker_text(&m, "b", "second");
    assert_int_equal(bundle_pack_files(&one, error, m.job, NAMES, 2, m.tar), OK);
    snprintf(path, sizeof path, "%s/a", m.job);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(bundle_pack_files(&two, error, m.job, SORTED, 2, m.tar), OK);
    assert_true(hash_equal(&one.root, &two.root));
    hash_to_text(text, &one.root); /* the format is fixed: this very root, for ever */
    assert_string_equal(text, "0x075ae43e66ffd704a1c5dd77630ac1d4979186a0dc2ccfc617d92d2fb3e3b3e5");
    assert_int_equal(one.size_bytes, 512 * 6);
    maker_text(&m, "a", "First");
    assert_int_equal(bundle_pack_files(&two, error, m.job, SORTED, 2, m.tar), OK);
    assert_false(hash_equal(&one.root, &two.root));
    maker_close(&m);
}

static void unpacks_what_it_packed(void **state)
{
    static const char *const NAMES[] = {"a", "empty"};
    struct maker m;
    struct bundle_info info;
    struct buffer content = {0};
    char error[BUNDLE_ERROR_SIZE], path[256];
    size_t count = 0;
    (void)state;
    maker_open(&m);
    maker_text(&m, "a", "content");
    maker_text(&m, "empty", "");
    assert_int_equal(bundle_pack_files(&info, error, m.job, NAMES, 2, m.tar), OK);
    assert_int_equal(bundle_unpack(error, m.tar, m.unpacked), OK);
    snprintf(path, sizeof path, "%s/a", m.unpacked);
    assert_int_equal(file_read(&content, path, 100), OK);
    assert_string_equal(buffer_text(&content), "content");
    assert_int_equal(bundle_unpack(error, m.tar, m.unpacked), E_EXISTS);
    buffer_clear(&content);
    assert_int_equal(file_read(&content, m.tar, 1 << 20), OK);
    assert_int_equal(bundle_check(error, &count, buffer_bytes(&content)), OK);
    assert_int_equal(count, 2);
    buffer_finish(&content);
    maker_close(&m);
}

static void packs_of_a_job_only_what_it_names(void **state)
{
    struct maker m;
    struct bundle_info info;
    char error[BUNDLE_ERROR_SIZE], path[256];
    (void)state;
    maker_open(&m);
    maker_simple(&m, "__global__ void k(int *out) { }", 64, "\"grid\": [1], \"block\": [1]",
                 "\"seconds\": 1");
    maker_text(&m, "secret.key", "not for others");
    assert_int_equal(bundle_pack_job(&info, error, m.job, m.tar), OK);
    assert_int_equal(bundle_unpack(error, m.tar, m.unpacked), OK);
    snprintf(path, sizeof path, "%s/secret.key", m.unpacked);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/k.cu", m.unpacked);
    assert_int_equal(access(path, F_OK), 0);
    maker_close(&m);
}

static void packs_no_link_of_a_job_folder(void **state)
{
    struct maker m;
    struct bundle_info info;
    char error[BUNDLE_ERROR_SIZE], path[256];
    (void)state;
    maker_open(&m);
    maker_simple(&m, "x", 64, "\"grid\": [1], \"block\": [1]", "\"seconds\": 1");
    snprintf(path, sizeof path, "%s/k.cu", m.job);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_not_equal(bundle_pack_job(&info, error, m.job, m.tar), OK);
    assert_non_null(strstr(error, "k.cu"));
    assert_int_equal(access(m.tar, F_OK), -1);
    maker_close(&m);
}

static void refuses_names_that_lead_out(void **state)
{
    (void)state;
    refused((struct item[]){{"../a", AE_IFREG, NULL, "x"}}, 1, "../a");
    refused((struct item[]){{"/tmp/a", AE_IFREG, NULL, "x"}}, 1, "/tmp/a");
    refused((struct item[]){{"b/../../a", AE_IFREG, NULL, "x"}}, 1, "plain file name");
    refused((struct item[]){{"..", AE_IFREG, NULL, "x"}}, 1, "plain file name");
    refused((struct item[]){{"sub/a", AE_IFREG, NULL, "x"}}, 1, "plain file name");
}

static void refuses_links_and_devices_and_folders(void **state)
{
    (void)state;
    refused((struct item[]){{"a", AE_IFLNK, "/etc/shadow", NULL}}, 1, "plain file");
    refused((struct item[]){{"a", AE_IFREG, NULL, "x"}, {"b", AE_IFREG, "a", NULL}}, 2,
            "plain file");
    refused((struct item[]){{"a", AE_IFCHR, NULL, NULL}}, 1, "plain file");
    refused((struct item[]){{"a", AE_IFBLK, NULL, NULL}}, 1, "plain file");
    refused((struct item[]){{"a", AE_IFIFO, NULL, NULL}}, 1, "plain file");
    refused((struct item[]){{"a", AE_IFDIR, NULL, NULL}}, 1, "plain file");
}

static void refuses_a_name_twice_and_takes_the_first_back(void **state)
{
    (void)state;
    refused((struct item[]){{"a", AE_IFREG, NULL, "x"}, {"a", AE_IFREG, NULL, "y"}}, 2, "twice");
}

static void refuses_too_many_files(void **state)
{
    static struct item items[BUNDLE_ENTRIES_MAX + 1];
    static char names[BUNDLE_ENTRIES_MAX + 1][8];
    (void)state;
    for (size_t i = 0; i <= BUNDLE_ENTRIES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "f%zu", i);
        items[i] = (struct item){names[i], AE_IFREG, NULL, "x"};
    }
    refused(items, BUNDLE_ENTRIES_MAX + 1, "more than");
}

/* A header that promises 8 GiB, with nothing behind it. */
static void refuses_a_bomb_by_its_size_before_writing_it(void **state)
{
    struct maker m;
    char error[BUNDLE_ERROR_SIZE];
    char header[512] = "bomb";
    unsigned sum = 0;
    (void)state;
    maker_open(&m);
    memcpy(header + 100,
           "0000644\0"
           "0000000\0"
           "0000000\0",
           24);
    memcpy(header + 124,
           "77777777777\0"
           "00000000000\0"
           "        0",
           33);
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    assert_int_equal(file_write_atomic(m.tar, bytes_of(header, sizeof header), 0600), OK);
    assert_int_equal(bundle_unpack(error, m.tar, m.unpacked), E_LIMIT);
    assert_non_null(strstr(error, "unpacks to more than"));
    assert_true(is_empty(m.unpacked));
    maker_close(&m);
}

static void refuses_a_compressed_tar_and_noise(void **state)
{
    struct maker m;
    char error[BUNDLE_ERROR_SIZE], command[300];
    (void)state;
    maker_open(&m);
    maker_text(&m, "a", "x");
    snprintf(command, sizeof command, "tar -C %s -czf %s a", m.job, m.tar);
    assert_int_equal(system(command), 0);
    assert_int_not_equal(bundle_unpack(error, m.tar, m.unpacked), OK);
    assert_int_equal(file_write_atomic(m.tar, bytes_of_text("this is no tar at all"), 0600), OK);
    assert_int_not_equal(bundle_unpack(error, m.tar, m.unpacked), OK);
    maker_close(&m);
}

static void refuses_every_cut_tar(void **state)
{
    static const char *const NAMES[] = {"a"};
    struct maker m;
    struct bundle_info info;
    struct buffer tar = {0};
    char error[BUNDLE_ERROR_SIZE];
    (void)state;
    maker_open(&m);
    maker_text(&m, "a", "some content that is longer than nothing");
    assert_int_equal(bundle_pack_files(&info, error, m.job, NAMES, 1, m.tar), OK);
    assert_int_equal(file_read(&tar, m.tar, 1 << 20), OK);
    for (size_t size = 1; size < 540; size += 13) {
        struct bytes cut = bytes_slice(buffer_bytes(&tar), 0, size);
        assert_int_not_equal(bundle_check(error, NULL, cut), OK);
    }
    buffer_finish(&tar);
    maker_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs_to_one_root_whatever_the_files_metadata),
        cmocka_unit_test(unpacks_what_it_packed),
        cmocka_unit_test(packs_of_a_job_only_what_it_names),
        cmocka_unit_test(packs_no_link_of_a_job_folder),
        cmocka_unit_test(refuses_names_that_lead_out),
        cmocka_unit_test(refuses_links_and_devices_and_folders),
        cmocka_unit_test(refuses_a_name_twice_and_takes_the_first_back),
        cmocka_unit_test(refuses_too_many_files),
        cmocka_unit_test(refuses_a_bomb_by_its_size_before_writing_it),
        cmocka_unit_test(refuses_a_compressed_tar_and_noise),
        cmocka_unit_test(refuses_every_cut_tar),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
