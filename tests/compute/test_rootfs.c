/* Images are hostile: each bad one is refused with its own sentence and leaves nothing outside. */
#include "compute/rootfs.h"

#include "base/fatal.h"
#include "tests/compute/image_maker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Content that does not pack. */
static struct bytes noise(size_t size)
{
    static uint8_t bytes[128 << 10];
    uint32_t x = 1;
    assert_true(size <= sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(x >> 24);
    }
    return bytes_of(bytes, size);
}

struct place {
    char folder[64];
    char root[80];
    char outside[80]; /* what an attack would like to write */
};

static void place_open(struct place *p)
{
    snprintf(p->folder, sizeof p->folder, "/tmp/leasehold-rootfs-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->root, sizeof p->root, "%s/root", p->folder);
    snprintf(p->outside, sizeof p->outside, "%s/outside", p->folder);
    assert_int_equal(mkdir(p->root, 0755), 0);
}

static void place_close(struct place *p)
{
    assert_int_equal(access(p->outside, F_OK), -1);
    assert_int_equal(rootfs_remove(p->folder), OK);
    assert_int_equal(access(p->folder, F_OK), -1);
}

static enum status unpack(struct place *p, struct exec_plan *said, char *error, struct bytes image,
                          bool is_layout, const struct rootfs_bounds *bounds)
{
    struct rootfs_source source = {.memory = image, .is_layout = is_layout};
    int root = open(p->root, O_RDONLY | O_DIRECTORY);
    assert_true(root >= 0);
    enum status status = rootfs_unpack(said, error, root, &source, bounds);
    close(root);
    return status;
}

static void read_file(const struct place *p, const char *name, char *out, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", p->root, name);
    FILE *in = fopen(path, "r");
    if (in == NULL) fail_msg("there is no %s", name);
    size_t got = fread(out, 1, size - 1, in);
    out[got] = '\0';
    fclose(in);
}

static void assert_file(const struct place *p, const char *name, const char *text)
{
    char found[256];
    read_file(p, name, found, sizeof found);
    assert_string_equal(found, text);
}

static bool is_there(const struct place *p, const char *name)
{
    char path[256];
    struct stat s;
    snprintf(path, sizeof path, "%s/%s", p->root, name);
    return lstat(path, &s) == 0;
}

static mode_t mode_of(const struct place *p, const char *name)
{
    char path[256];
    struct stat s;
    snprintf(path, sizeof path, "%s/%s", p->root, name);
    assert_int_equal(lstat(path, &s), 0);
    return s.st_mode & 07777;
}

static void refused_within(struct bytes image, bool is_layout, const char *words,
                           const struct rootfs_bounds *bounds)
{
    struct place p;
    char error[ROOTFS_ERROR_SIZE] = "";
    struct exec_plan *said = must_alloc(sizeof *said);
    place_open(&p);
    enum status status = unpack(&p, said, error, image, is_layout, bounds);
    if (status == OK || strstr(error, words) == NULL) {
        print_message("# wanted \"%s\", got %s \"%s\"\n", words, status_text(status), error);
    }
    assert_int_not_equal(status, OK);
    assert_int_not_equal(status, E_IO);
    assert_non_null(strstr(error, words));
    free(said);
    place_close(&p);
}

static void refused(struct image *m, const char *words)
{
    refused_within(image_end(m), false, words, &ROOTFS_BOUNDS);
    image_drop(m);
}

static void good(struct place *p, struct bytes image, bool is_layout)
{
    char error[ROOTFS_ERROR_SIZE] = "";
    struct exec_plan *said = must_alloc(sizeof *said);
    enum status status = unpack(p, said, error, image, is_layout, &ROOTFS_BOUNDS);
    if (status != OK) print_message("# %s: %s\n", status_text(status), error);
    assert_int_equal(status, OK);
    free(said);
}

/* ---- root tars ----------------------------------------------------------------------------- */

static void fill_good(struct image *m)
{
    image_folder(m, "./");
    image_folder(m, "./bin/");
    image_file(m, "./bin/prog", 0755, "program");
    image_link(m, "./sbin", "bin");
    image_link(m, "./etc/absolute", "/etc/passwd");
    image_hard_link(m, "./bin/same", "./bin/prog");
    image_file(m, "usr/share/doc/deep/file", 0600, "deep");
}

static void a_root_tar_is_unpacked_plain_gzip_and_zstd(void **state)
{
    (void)state;
    for (int packing = IMAGE_PLAIN; packing <= IMAGE_ZSTD; packing++) {
        struct place p;
        struct image m;
        place_open(&p);
        image_begin(&m, (enum image_packing)packing);
        fill_good(&m);
        good(&p, image_end(&m), false);
        assert_file(&p, "bin/prog", "program");
        assert_file(&p, "bin/same", "program");
        assert_file(&p, "sbin/prog", "program");
        assert_file(&p, "usr/share/doc/deep/file", "deep");
        assert_int_equal(mode_of(&p, "bin/prog"), 0755);
        image_drop(&m);
        place_close(&p);
    }
}

static void set_id_bits_are_dropped_and_folders_stay_open_to_us(void **state)
{
    struct place p;
    struct image m;
    (void)state;
    place_open(&p);
    image_begin(&m, IMAGE_PLAIN);
    image_file(&m, "su", 06755, "x");
    image_entry(&m, "shut", AE_IFDIR, 01000, NULL, bytes_of(NULL, 0));
    image_file(&m, "shut/in", 0, "x");
    good(&p, image_end(&m), false);
    assert_int_equal(mode_of(&p, "su"), 0755);
    assert_int_equal(mode_of(&p, "shut"), 0700);
    assert_int_equal(mode_of(&p, "shut/in"), 0400);
    image_drop(&m);
    place_close(&p);
}

static void what_the_sandbox_covers_is_left_out(void **state)
{
    struct place p;
    struct image m;
    (void)state;
    place_open(&p);
    image_begin(&m, IMAGE_PLAIN);
    image_entry(&m, "dev/sda", AE_IFBLK, 0666, NULL, bytes_of(NULL, 0));
    image_link(&m, "job", "/etc");
    image_link(&m, "proc", "/");
    image_file(&m, "tmp/x", 0644, "x");
    image_file(&m, "device", 0644, "x");
    good(&p, image_end(&m), false);
    assert_false(is_there(&p, "dev"));
    assert_false(is_there(&p, "job"));
    assert_false(is_there(&p, "proc"));
    assert_false(is_there(&p, "tmp"));
    assert_true(is_there(&p, "device"));
    image_drop(&m);
    place_close(&p);
}

static void a_later_entry_takes_an_earlier_ones_place_and_not_its_twins(void **state)
{
    struct place p;
    struct image m;
    (void)state;
    place_open(&p);
    image_begin(&m, IMAGE_PLAIN);
    image_file(&m, "a", 0644, "old");
    image_hard_link(&m, "twin", "a");
    image_file(&m, "a", 0644, "new");
    image_file(&m, "folder/x", 0644, "x");
    image_file(&m, "folder", 0644, "now a file");
    image_link(&m, "link", "../outside");
    image_file(&m, "link", 0644, "now a file");
    good(&p, image_end(&m), false);
    assert_file(&p, "a", "new");
    assert_file(&p, "twin", "old");
    assert_file(&p, "folder", "now a file");
    assert_file(&p, "link", "now a file");
    image_drop(&m);
    place_close(&p);
}

static void paths_that_lead_out_are_refused(void **state)
{
    static const char *const PATHS[] = {"/etc/x", "../outside", "a/../../outside", "..", "a/.."};
    (void)state;
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        struct image m;
        image_begin(&m, IMAGE_PLAIN);
        image_file(&m, PATHS[i], 0644, "x");
        refused(&m, "no path inside of the image");
    }
}

static void nothing_is_written_through_a_link(void **state)
{
    static const char *const TARGETS[] = {"..", "/tmp", ".", "../outside"};
    (void)state;
    for (size_t i = 0; i < sizeof TARGETS / sizeof *TARGETS; i++) {
        struct image m;
        image_begin(&m, IMAGE_PLAIN);
        image_folder(&m, "sub");
        image_link(&m, "sub/link", TARGETS[i]);
        image_file(&m, "sub/link/outside", 0644, "x");
        refused(&m, "behind a link");
    }
}

static void folders_are_not_made_through_a_link(void **state)
{
    struct image m;
    (void)state;
    image_begin(&m, IMAGE_PLAIN);
    image_link(&m, "link", "..");
    image_folder(&m, "link/outside");
    refused(&m, "behind a link");
}

static void hard_links_lead_only_to_files_of_the_image(void **state)
{
    static const char *const TARGETS[] = {"/etc/passwd", "../outside",  "nothing",
                                          "link",        "link/passwd", "folder"};
    static const char *const WORDS[] = {"no path inside",       "no path inside",
                                        "hard link to no file", "hard link to no file",
                                        "behind a link",        "hard link to no file"};
    (void)state;
    for (size_t i = 0; i < sizeof TARGETS / sizeof *TARGETS; i++) {
        struct image m;
        image_begin(&m, IMAGE_PLAIN);
        image_folder(&m, "folder");
        image_link(&m, "link", "/etc");
        image_hard_link(&m, "x", TARGETS[i]);
        refused(&m, WORDS[i]);
    }
}

static void devices_fifos_and_sockets_are_refused(void **state)
{
    static const unsigned TYPES[] = {AE_IFCHR, AE_IFBLK, AE_IFIFO};
    (void)state;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        struct image m;
        image_begin(&m, IMAGE_PLAIN);
        image_entry(&m, "etc/node", TYPES[i], 0666, NULL, bytes_of(NULL, 0));
        refused(&m, "a device, a fifo or a socket");
    }
}

static void a_tar_that_is_none_is_refused(void **state)
{
    static const char JUNK[4096] = "this is no tar";
    (void)state;
    refused_within(bytes_of(JUNK, sizeof JUNK), false, "no good tar", &ROOTFS_BOUNDS);
}

static void a_tar_that_is_cut_off_is_refused(void **state)
{
    struct image m;
    (void)state;
    image_begin(&m, IMAGE_GZIP);
    image_entry(&m, "x", AE_IFREG, 0644, NULL, noise(100000));
    struct bytes whole = image_end(&m);
    refused_within(bytes_slice(whole, 0, whole.size - 20), false, "x", &ROOTFS_BOUNDS);
    image_drop(&m);
}

/* ---- bombs --------------------------------------------------------------------------------- */

static void put_zeros(struct image *m, const char *path, uint64_t size)
{
    static const uint8_t ZEROS[1 << 20];
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, path);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_size(e, (la_int64_t)size);
    assert_int_equal(archive_write_header(m->archive, e), ARCHIVE_OK);
    archive_entry_free(e);
    for (uint64_t done = 0; done < size; done += sizeof ZEROS)
        archive_write_data(m->archive, ZEROS, sizeof ZEROS);
}

static void a_bomb_is_stopped_by_its_ratio(void **state)
{
    static const char *const PATHS[] = {"zeros", "dev/zeros"}; /* the second is not even written */
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct image m;
        image_begin(&m, i < 2 ? IMAGE_GZIP : IMAGE_ZSTD);
        put_zeros(&m, PATHS[i % 2], 1ull << 30);
        assert_true(m.size < 4u << 20);
        refused(&m, "times its size");
    }
}

static void a_sparse_file_is_a_bomb_too(void **state)
{
    struct image m;
    (void)state;
    image_begin(&m, IMAGE_PLAIN);
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, "holes");
    archive_entry_set_perm(e, 0644);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_size(e, 1ll << 40);
    archive_entry_sparse_add_entry(e, 0, 512);
    archive_entry_sparse_add_entry(e, (1ll << 40) - 512, 512);
    assert_int_equal(archive_write_header(m.archive, e), ARCHIVE_OK);
    archive_entry_free(e);
    archive_write_data(m.archive, noise(512).data, 512);
    refused(&m, "times its size");
}

static void bytes_are_bounded(void **state)
{
    const struct rootfs_bounds small = {64 << 10, 100, 100};
    struct image m;
    (void)state;
    image_begin(&m, IMAGE_PLAIN);
    put_zeros(&m, "zeros", 1 << 20);
    refused_within(image_end(&m), false, "more than 65536 bytes", &small);
    image_drop(&m);
}

static void files_are_bounded(void **state)
{
    const struct rootfs_bounds few = {1 << 20, 100, 100};
    struct image m;
    char path[16];
    (void)state;
    image_begin(&m, IMAGE_PLAIN);
    for (int i = 0; i <= 100; i++) {
        snprintf(path, sizeof path, "%d", i);
        image_file(&m, path, 0644, "");
    }
    refused_within(image_end(&m), false, "more than 100 files", &few);
    image_drop(&m);
}

/* Names that do not pack well, in a folder that is not written: the count must stop it. */
static void a_million_files_are_too_many(void **state)
{
    struct image m;
    char path[64];
    uint64_t x = 1;
    (void)state;
    image_begin(&m, IMAGE_GZIP);
    for (int i = 0; i < 1000000 && m.size < IMAGE_ROOM / 2; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        snprintf(path, sizeof path, "dev/%016llx%016llx", (unsigned long long)x,
                 (unsigned long long)(x * x));
        image_file(&m, path, 0644, "");
    }
    refused(&m, "more than 250000 files");
}

static void depth_is_bounded(void **state)
{
    struct image m;
    char path[ROOTFS_DEPTH_MAX * 2 + 8] = "";
    (void)state;
    for (size_t i = 0; i <= ROOTFS_DEPTH_MAX; i++)
        memcpy(path + 2 * i, "d/", 3);
    image_begin(&m, IMAGE_PLAIN);
    image_folder(&m, path);
    refused(&m, "too deep");
}

static void packing_twice_is_refused(void **state)
{
    struct image m;
    (void)state;
    image_begin(&m, IMAGE_GZIP_TWICE);
    image_file(&m, "a", 0644, "x");
    refused(&m, "packed twice");
}

/* ---- OCI layouts --------------------------------------------------------------------------- */

static struct bytes layer_of(struct image *m, const char *path, const char *text)
{
    image_begin(m, IMAGE_GZIP);
    image_file(m, path, 0644, text);
    return image_end(m);
}

static void layers_lie_over_each_other_and_white_out(void **state)
{
    struct place p;
    struct image below, above, m;
    (void)state;
    image_begin(&below, IMAGE_GZIP);
    image_file(&below, "etc/keep", 0644, "below");
    image_file(&below, "etc/gone", 0644, "below");
    image_file(&below, "etc/other", 0644, "below");
    image_file(&below, "opaque/a", 0644, "below");
    image_file(&below, "gone/deep/a", 0644, "below");
    image_begin(&above, IMAGE_ZSTD);
    image_file(&above, "etc/.wh.gone", 0644, "");
    image_file(&above, "etc/other", 0644, "above");
    image_file(&above, ".wh.gone", 0644, "");
    image_file(&above, "opaque/.wh..wh..opq", 0644, "");
    image_file(&above, "opaque/b", 0644, "above");
    image_file(&above, "etc/.wh..wh.aufs", 0644, "");
    const struct bytes layers[] = {image_end(&below), image_end(&above)};
    place_open(&p);
    good(&p, oci_make(&m, layers, 2, &(struct oci){0}), true);
    assert_file(&p, "etc/keep", "below");
    assert_file(&p, "etc/other", "above");
    assert_file(&p, "opaque/b", "above");
    assert_false(is_there(&p, "etc/gone"));
    assert_false(is_there(&p, "gone"));
    assert_false(is_there(&p, "opaque/a"));
    assert_false(is_there(&p, "etc/.wh..wh.aufs"));
    place_close(&p);
    image_drop(&below);
    image_drop(&above);
    image_drop(&m);
}

static void the_config_says_command_environment_and_folder(void **state)
{
    struct place p;
    struct image layer, m;
    char error[ROOTFS_ERROR_SIZE] = "";
    struct exec_plan *said = must_alloc(sizeof *said);
    const struct bytes layers[] = {layer_of(&layer, "x", "x")};
    const struct oci o = {.config =
                              "{\"architecture\": \"amd64\", \"os\": \"linux\", \"config\": "
                              "{\"Env\": [\"A=1\", \"B=two words\"], \"Entrypoint\": "
                              "[\"/bin/prog\"], \"Cmd\": [\"-x\"], \"WorkingDir\": \"/srv\"}}"};
    (void)state;
    place_open(&p);
    enum status status = unpack(&p, said, error, oci_make(&m, layers, 1, &o), true, &ROOTFS_BOUNDS);
#if defined(__x86_64__)
    assert_int_equal(status, OK);
    assert_int_equal(said->arg_count, 2);
    assert_string_equal(said->args[0], "/bin/prog");
    assert_string_equal(said->args[1], "-x");
    assert_int_equal(said->env_count, 2);
    assert_string_equal(said->env[1], "B=two words");
    assert_string_equal(said->workdir, "/srv");
#else
    assert_int_equal(status, E_UNSUPPORTED);
#endif
    free(said);
    place_close(&p);
    image_drop(&layer);
    image_drop(&m);
}

static void layout_refused(const struct oci *o, const char *words)
{
    struct image layer, m;
    const struct bytes layers[] = {layer_of(&layer, "x", "x")};
    refused_within(oci_make(&m, layers, 1, o), true, words, &ROOTFS_BOUNDS);
    image_drop(&layer);
    image_drop(&m);
}

#define DIGEST_OF_NOTHING "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void a_blob_with_another_digest_is_refused(void **state)
{
    (void)state;
    layout_refused(&(struct oci){.wrong_digest = true}, "has another digest");
}

static void a_layout_that_does_not_hang_together_is_refused(void **state)
{
    static const struct {
        struct oci oci;
        const char *words;
    } CASES[] = {
        {{.no_layer = true}, "the OCI layout has no blobs/sha256/"},
        {{.index = "{"}, "index.json"},
        {{.index = "[]"}, "holds 0 images"},
        {{.index = "{\"manifests\": [{\"digest\": \"md5:00\"}]}"}, "no sha256 digest"},
        {{.index = "{\"manifests\": [{\"digest\": \"sha256:../../../etc/passwd\"}]}"},
         "is no sha256 digest"},
        {{.index = "{\"manifests\": [{\"digest\": \"" DIGEST_OF_NOTHING "\"}]}"}, "has no blobs"},
        {{.index = "{\"manifests\": [{\"digest\": 1}, {}]}"}, "holds 2 images"},
        {{.index = "{\"manifests\": [{\"platform\": {\"os\": \"plan9\"}}]}"}, "holds 0 images"},
        {{.manifest = "{}"}, "names no layers"},
        {{.manifest = "{\"layers\": [{}]}"}, "config of the image has no sha256"},
        {{.config = "{\"architecture\": \"pdp11\"}"}, "the image is for pdp11"},
        {{.config = "{\"config\": {\"Env\": [\"noequals\"]}}"}, "Env"},
        {{.config = "{\"config\": {\"Cmd\": \"sh\"}}"}, "Cmd is no array"},
        {{.config = "{\"config\": {\"WorkingDir\": \"up\"}}"}, "WorkingDir"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        layout_refused(&CASES[i].oci, CASES[i].words);
}

static void a_huge_manifest_is_refused(void **state)
{
    char *text = must_alloc(ROOTFS_JSON_BYTES_MAX + 2);
    (void)state;
    memset(text, ' ', ROOTFS_JSON_BYTES_MAX + 1);
    layout_refused(&(struct oci){.manifest = text}, "is JSON of more than");
    free(text);
}

static void too_many_layers_are_refused(void **state)
{
    struct image layer, m;
    struct bytes layers[ROOTFS_LAYERS_MAX + 1];
    (void)state;
    layers[0] = layer_of(&layer, "x", "x");
    for (size_t i = 1; i <= ROOTFS_LAYERS_MAX; i++)
        layers[i] = layers[0];
    refused_within(oci_make(&m, layers, ROOTFS_LAYERS_MAX + 1, &(struct oci){0}), true,
                   "129 layers are more than 128", &ROOTFS_BOUNDS);
    image_drop(&layer);
    image_drop(&m);
}

static void bytes_of_all_layers_count_together(void **state)
{
    const struct rootfs_bounds small = {200 << 10, 100, 100};
    struct image one, two, m;
    (void)state;
    image_begin(&one, IMAGE_PLAIN);
    image_entry(&one, "a", AE_IFREG, 0644, NULL, noise(120 << 10));
    image_begin(&two, IMAGE_PLAIN);
    image_entry(&two, "b", AE_IFREG, 0644, NULL, noise(120 << 10));
    const struct bytes layers[] = {image_end(&one), image_end(&two)};
    refused_within(oci_make(&m, layers, 2, &(struct oci){0}), true, "unpacks to more than", &small);
    image_drop(&one);
    image_drop(&two);
    image_drop(&m);
}

static void whiteouts_reach_nothing_outside(void **state)
{
    static const struct {
        const char *link, *path, *words;
    } CASES[] = {
        {"/", ".wh...", "whites out no file"},        {"/", ".wh..", "whites out no file"},
        {"/", ".wh.", "whites out no file"},          {"..", "link/.wh.victim", "behind a link"},
        {"..", "link/.wh..wh..opq", "behind a link"}, {"/", "../.wh.victim", "no path inside"}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct image one, two, m;
        struct place p;
        char error[ROOTFS_ERROR_SIZE], victim[96];
        struct exec_plan *said = must_alloc(sizeof *said);
        image_begin(&one, IMAGE_PLAIN);
        image_link(&one, "link", CASES[i].link);
        image_begin(&two, IMAGE_PLAIN);
        image_file(&two, CASES[i].path, 0644, "");
        const struct bytes layers[] = {image_end(&one), image_end(&two)};
        place_open(&p);
        snprintf(victim, sizeof victim, "%s/victim", p.folder);
        close(open(victim, O_CREAT | O_WRONLY, 0644));
        struct bytes image = oci_make(&m, layers, 2, &(struct oci){0});
        assert_int_not_equal(unpack(&p, said, error, image, true, &ROOTFS_BOUNDS), OK);
        if (strstr(error, CASES[i].words) == NULL) print_message("# %s\n", error);
        assert_non_null(strstr(error, CASES[i].words));
        assert_int_equal(access(victim, F_OK), 0);
        free(said);
        place_close(&p);
        image_drop(&one);
        image_drop(&two);
        image_drop(&m);
    }
}

static void a_layout_is_told_by_its_name(void **state)
{
    (void)state;
    assert_true(rootfs_is_layout("image.oci.tar"));
    assert_false(rootfs_is_layout("image.tar"));
    assert_false(rootfs_is_layout("oci.tar"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_tar_is_unpacked_plain_gzip_and_zstd),
        cmocka_unit_test(set_id_bits_are_dropped_and_folders_stay_open_to_us),
        cmocka_unit_test(what_the_sandbox_covers_is_left_out),
        cmocka_unit_test(a_later_entry_takes_an_earlier_ones_place_and_not_its_twins),
        cmocka_unit_test(paths_that_lead_out_are_refused),
        cmocka_unit_test(nothing_is_written_through_a_link),
        cmocka_unit_test(folders_are_not_made_through_a_link),
        cmocka_unit_test(hard_links_lead_only_to_files_of_the_image),
        cmocka_unit_test(devices_fifos_and_sockets_are_refused),
        cmocka_unit_test(a_tar_that_is_none_is_refused),
        cmocka_unit_test(a_tar_that_is_cut_off_is_refused),
        cmocka_unit_test(a_bomb_is_stopped_by_its_ratio),
        cmocka_unit_test(a_sparse_file_is_a_bomb_too),
        cmocka_unit_test(bytes_are_bounded),
        cmocka_unit_test(files_are_bounded),
        cmocka_unit_test(a_million_files_are_too_many),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(packing_twice_is_refused),
        cmocka_unit_test(layers_lie_over_each_other_and_white_out),
        cmocka_unit_test(the_config_says_command_environment_and_folder),
        cmocka_unit_test(a_blob_with_another_digest_is_refused),
        cmocka_unit_test(a_layout_that_does_not_hang_together_is_refused),
        cmocka_unit_test(a_huge_manifest_is_refused),
        cmocka_unit_test(too_many_layers_are_refused),
        cmocka_unit_test(bytes_of_all_layers_count_together),
        cmocka_unit_test(whiteouts_reach_nothing_outside),
        cmocka_unit_test(a_layout_is_told_by_its_name),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
