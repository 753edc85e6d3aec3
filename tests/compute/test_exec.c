/* Commands in images: files in, files out, and each kind of misconduct ends with its own reason. */
#include "base/file.h"
#include "tests/compute/image_maker.h"
#include "tests/compute/job_maker.h"

#define LIMITS "\"seconds\": 200, \"memory_mib\": 64, \"disk_mib\": 16, \"processes\": 20"
#define ONE    "[{\"name\": \"x\", \"bytes_max\": 4096}]"

static struct {
    char folder[64];
    struct buffer program;
    struct image root; /* /probe, /etc/shadow */
    struct bytes tar;
} probe;

static int make_probe(void **state)
{
    char command[512];
    (void)state;
    snprintf(probe.folder, sizeof probe.folder, "/tmp/leasehold-probe-XXXXXX");
    assert_non_null(mkdtemp(probe.folder));
    snprintf(command, sizeof command,
             "cc -std=gnu17 -D_GNU_SOURCE -O1 -static -pthread -w -o %s/probe "
             "tests/compute/exec_probe.c",
             probe.folder);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s/probe", probe.folder);
    assert_int_equal(file_read(&probe.program, command, 16 << 20), OK);
    image_begin(&probe.root, IMAGE_PLAIN);
    image_entry(&probe.root, "probe", AE_IFREG, 0755, NULL, buffer_bytes(&probe.program));
    probe.tar = image_end(&probe.root);
    return 0;
}

static int drop_probe(void **state)
{
    (void)state;
    buffer_finish(&probe.program);
    image_drop(&probe.root);
    return folder_remove(probe.folder) == OK ? 0 : -1;
}

static void write_job(struct maker *m, const char *image, const char *rest, const char *outputs,
                      const char *limits)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"runtime\": \"exec\", \"image\": \"%s\", %s \"outputs\": %s, \"limits\": {%s}}",
             image, rest, outputs, limits);
    maker_text(m, "job.json", text);
}

static void run_probe(struct maker *m, struct run_result *result, const char *words,
                      const char *outputs, const char *limits)
{
    char rest[512];
    snprintf(rest, sizeof rest, "\"command\": [\"/probe\", %s],", words);
    maker_open(m);
    maker_write(m, "rootfs.tar", probe.tar.data, probe.tar.size);
    write_job(m, "rootfs.tar", rest, outputs, limits);
    maker_run(m, result, NULL);
}

static void show(const struct run_result *r, enum reason reason)
{
    if (r->reason == reason) return;
    print_message("# wanted %s, got %s: %s\n%s\n", reason_name(reason), reason_name(r->reason),
                  r->message, r->log ? r->log : "");
}

/* What a run leaves in the work folder is nothing. */
static void expect_with(const char *words, enum reason reason, const char *in_message,
                        const char *outputs, const char *limits)
{
    struct maker m;
    struct run_result result;
    run_probe(&m, &result, words, outputs, limits);
    show(&result, reason);
    assert_int_equal(result.reason, reason);
    if (strstr(result.message, in_message) == NULL) print_message("# %s\n", result.message);
    assert_non_null(strstr(result.message, in_message));
    assert_true(hash_is_zero(&result.root) == (reason != REASON_OK));
    assert_true((access(m.tar, F_OK) == 0) == (reason == REASON_OK));
    run_result_finish(&result);
    maker_close(&m);
}

static void expect(const char *words, enum reason reason, const char *in_message)
{
    expect_with(words, reason, in_message, ONE, LIMITS);
}

/* The job writes this into its output x. */
static void expect_output(const char *words, const char *text)
{
    struct maker m;
    struct run_result result;
    char found[256] = "";
    run_probe(&m, &result, words, ONE, LIMITS);
    show(&result, REASON_OK);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "x", found, strlen(text));
    found[strlen(text)] = '\0';
    assert_string_equal(found, text);
    run_result_finish(&result);
    maker_close(&m);
}

static void a_command_leaves_its_output(void **state)
{
    (void)state;
    expect_output("\"hello\"", "hello\n");
}

static void inputs_come_in_and_outputs_go_out(void **state)
{
    struct maker m;
    struct run_result result;
    char found[16] = "";
    (void)state;
    maker_open(&m);
    maker_write(&m, "rootfs.tar", probe.tar.data, probe.tar.size);
    maker_text(&m, "data.bin", "carried");
    write_job(&m, "rootfs.tar",
              "\"command\": [\"/probe\", \"copy\", \"/job/in/first\", \"/job/out/a/b\"],"
              "\"inputs\": {\"first\": \"data.bin\"},",
              "[{\"name\": \"x\", \"path\": \"/job/out/a/b\", \"bytes_max\": 100}]", LIMITS);
    maker_run(&m, &result, NULL);
    assert_int_equal(result.reason, REASON_EXIT_STATUS); /* nobody made the folder a */
    run_result_finish(&result);
    write_job(&m, "rootfs.tar",
              "\"command\": [\"probe\", \"copy\", \"/job/in/first\", \"/work/../out/b\"],"
              "\"inputs\": {\"first\": \"data.bin\"}, \"env\": {\"PATH\": \"/bin:/\"},",
              "[{\"name\": \"x\", \"path\": \"/job/out/b\", \"bytes_max\": 100}]", LIMITS);
    maker_run(&m, &result, NULL);
    show(&result, REASON_OK);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "x", found, 7);
    assert_string_equal(found, "carried");
    run_result_finish(&result);
    maker_close(&m);
}

static void equal_outputs_have_one_root(void **state)
{
    struct maker m;
    struct run_result first, second;
    (void)state;
    run_probe(&m, &first, "\"hello\"", ONE, LIMITS);
    assert_int_equal(first.reason, REASON_OK);
    maker_run(&m, &second, NULL);
    assert_true(hash_equal(&first.root, &second.root));
    assert_true(first.compile_ms < 30000 && first.seconds >= 1);
    run_result_finish(&first);
    run_result_finish(&second);
    maker_close(&m);
}

static void a_whole_folder_of_outputs_is_packed(void **state)
{
    struct maker m;
    struct run_result result;
    char found[8] = "";
    (void)state;
    run_probe(&m, &result, "\"hello\"", "{\"folder\": \"/job/out\", \"bytes_max\": 100}", LIMITS);
    show(&result, REASON_OK);
    assert_int_equal(result.reason, REASON_OK);
    maker_output(&m, "x", found, 6);
    assert_string_equal(found, "hello\n");
    run_result_finish(&result);
    maker_close(&m);
}

static void an_oci_layout_says_command_environment_and_folder(void **state)
{
    struct maker m;
    struct image layer, image;
    struct run_result result;
    char found[256] = "";
    const struct oci o = {.config = "{\"config\": {\"Env\": [\"WORD=image\", \"HOME=/srv\"], "
                                    "\"Entrypoint\": [\"/probe\"], \"Cmd\": [\"world\"], "
                                    "\"WorkingDir\": \"/srv\"}}"};
    (void)state;
    image_begin(&layer, IMAGE_GZIP);
    image_entry(&layer, "probe", AE_IFREG, 0755, NULL, buffer_bytes(&probe.program));
    image_folder(&layer, "srv");
    const struct bytes layers[] = {image_end(&layer)};
    struct bytes tar = oci_make(&image, layers, 1, &o);
    maker_open(&m);
    maker_write(&m, "image.oci.tar", tar.data, tar.size);
    write_job(&m, "image.oci.tar", "\"env\": {\"WORD\": \"job\"},",
              "{\"folder\": \"/job/out\", \"bytes_max\": 300}", LIMITS);
    maker_run(&m, &result, NULL);
    show(&result, REASON_OK);
    assert_int_equal(result.reason, REASON_OK);
    static const char WANTED[] = "cwd=/srv pid1=1 uid=1 word=job home=/srv path=/usr/local/sbin:"
                                 "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";
    maker_output(&m, "world", found, sizeof WANTED - 1);
    assert_string_equal(found, WANTED);
    run_result_finish(&result);
    image_drop(&layer);
    image_drop(&image);
    maker_close(&m);
}

static void the_status_of_a_command_is_told(void **state)
{
    (void)state;
    expect("\"status\", \"3\"", REASON_EXIT_STATUS, "other than 0: 3");
}

static void a_command_that_crashes_is_told_by_its_signal(void **state)
{
    (void)state;
    expect("\"crash\"", REASON_SIGNAL, "by a signal: 11");
}

static void a_command_that_is_not_there_is_named(void **state)
{
    struct maker m;
    struct run_result result;
    (void)state;
    maker_open(&m);
    maker_write(&m, "rootfs.tar", probe.tar.data, probe.tar.size);
    write_job(&m, "rootfs.tar", "\"command\": [\"/bin/nothing\"],", ONE, LIMITS);
    maker_run(&m, &result, NULL);
    assert_int_equal(result.reason, REASON_EXIT_STATUS);
    assert_non_null(strstr(result.log, "cannot run /bin/nothing"));
    run_result_finish(&result);
    write_job(&m, "rootfs.tar", "", ONE, LIMITS);
    maker_run(&m, &result, NULL);
    assert_int_equal(result.reason, REASON_BAD_JOB);
    assert_non_null(strstr(result.message, "has a command"));
    run_result_finish(&result);
    maker_close(&m);
}

static void a_command_that_waits_runs_out_of_time(void **state)
{
    (void)state;
    expect_with("\"sleep\"", REASON_TIME, "", ONE, "\"seconds\": 2");
}

static void a_fork_bomb_is_stopped(void **state)
{
    (void)state;
    expect("\"bomb\"", REASON_PROCESSES, "20");
}

static void threads_count_as_processes(void **state)
{
    (void)state;
    expect("\"threads\", \"40\"", REASON_PROCESSES, "20");
    expect_output("\"threads\", \"19\"", "threads");
}

static void a_memory_hog_is_stopped(void **state)
{
    (void)state;
    expect("\"hog\", \"p\"", REASON_MEMORY, "64 MiB");
}

static void shared_memory_counts(void **state)
{
    (void)state;
    expect("\"hog\", \"s\"", REASON_MEMORY, "64 MiB");
}

static void many_processes_share_one_limit_of_memory(void **state)
{
    (void)state;
    expect_with("\"hog\", \"f\"", REASON_MEMORY, "64 MiB", ONE,
                "\"seconds\": 200, \"memory_mib\": 64, \"processes\": 200");
}

static void memory_that_processes_share_counts_once(void **state)
{
    (void)state;
    expect_output("\"share\"", "shared");
}

static void a_full_disk_is_told(void **state)
{
    static const char *const PLACES[] = {"\"fill\", \"/tmp\"", "\"fill\", \"/dev/shm\"",
                                         "\"fill\", \"/job/out\""};
    (void)state;
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++)
        expect(PLACES[i], REASON_DISK, "16 MiB");
}

static void files_without_number_are_stopped(void **state)
{
    (void)state;
    expect("\"inodes\"", REASON_DISK, "100000 files");
}

static void printing_without_end_is_stopped(void **state)
{
    (void)state;
    expect("\"print\"", REASON_OUTPUT, "");
}

static void the_network_is_out_of_reach(void **state)
{
    struct maker m;
    struct run_result result;
    (void)state;
    run_probe(&m, &result, "\"network\"", ONE, LIMITS);
    assert_int_equal(result.reason, REASON_EXIT_STATUS);
    assert_non_null(strstr(result.log, "Network is unreachable"));
    run_result_finish(&result);
    maker_close(&m);
}

static void a_job_can_talk_to_itself(void **state)
{
    (void)state;
    expect_output("\"loopback\"", "loopback");
}

static void nothing_of_the_machine_or_of_init_is_open(void **state)
{
    (void)state;
    expect_output("\"break\"", "closed");
}

static void what_stays_behind_is_killed_and_cannot_spoil_the_outputs(void **state)
{
    struct maker m;
    struct run_result result;
    (void)state;
    run_probe(&m, &result, "\"stay\"", ONE, LIMITS);
    assert_true(result.reason == REASON_OK); /* and maker_run saw that nothing is left */
    run_result_finish(&result);
    maker_close(&m);
}

static void an_output_must_be_a_plain_file(void **state)
{
    static const char *const LEFT[] = {"link", "host", "fifo", "folder", "nothing"};
    char words[64];
    (void)state;
    for (size_t i = 0; i < sizeof LEFT / sizeof *LEFT; i++) {
        snprintf(words, sizeof words, "\"leave\", \"%s\"", LEFT[i]);
        expect(words, REASON_NO_OUTPUT, "output x");
    }
    for (size_t i = 0; i < 4; i++) {
        snprintf(words, sizeof words, "\"leave\", \"%s\"", LEFT[i]);
        expect_with(words, REASON_NO_OUTPUT, "output x",
                    "{\"folder\": \"/job/out\", \"bytes_max\": 100}", LIMITS);
    }
}

static void an_output_is_not_looked_for_behind_a_link(void **state)
{
    (void)state;
    expect_with("\"leave\", \"sub\"", REASON_NO_OUTPUT, "output x",
                "[{\"name\": \"x\", \"path\": \"/job/out/sub/x\", \"bytes_max\": 100}]", LIMITS);
}

static void outputs_are_bounded(void **state)
{
    (void)state;
    expect("\"leave\", \"big\"", REASON_OUTPUT, "5000 bytes");
    expect_with("\"leave\", \"big\"", REASON_OUTPUT, "5000 bytes",
                "{\"folder\": \"/job/out\", \"bytes_max\": 4999}", LIMITS);
    expect_with("\"leave\", \"many\"", REASON_OUTPUT, "more than 256 outputs",
                "{\"folder\": \"/job/out\", \"bytes_max\": 4999}", LIMITS);
}

/* The tools that people have. */
static void an_image_that_umoci_and_skopeo_made_runs(void **state)
{
    struct maker m;
    struct run_result result;
    char command[1024];
    (void)state;
    if (system("command -v umoci >/dev/null && command -v skopeo >/dev/null") != 0) {
        print_message("# umoci and skopeo are not installed: only layouts of our own here\n");
        return;
    }
    maker_open(&m);
    snprintf(command, sizeof command,
             "set -e; cd %s; umoci init --layout l; umoci new --image l:t; "
             "umoci unpack --rootless --image l:t b; cp %s/probe b/rootfs/; mkdir b/rootfs/srv; "
             "umoci repack --refresh-bundle --image l:t b; "
             "rm -r b/rootfs/srv; mkdir b/rootfs/etc; ln -s / b/rootfs/etc/up; "
             "umoci repack --image l:t b; umoci config --image l:t --config.entrypoint /probe "
             "--config.cmd hello --config.env A=b --config.workingdir /etc; "
             "skopeo --insecure-policy copy -q oci:l:t oci-archive:job/image.oci.tar; rm -rf l b",
             m.folder, probe.folder);
    assert_int_equal(system(command), 0);
    write_job(&m, "image.oci.tar", "", ONE, LIMITS);
    maker_run(&m, &result, NULL);
    show(&result, REASON_OK);
    assert_int_equal(result.reason, REASON_OK);
    run_result_finish(&result);
    maker_close(&m);
}

static void the_example_counts_words(void **state)
{
    struct maker m;
    struct run_result result;
    char command[512];
    (void)state;
    maker_open(&m);
    snprintf(command, sizeof command,
             "cp examples/exec-hello/* %s && examples/exec-hello/make_image.sh %s", m.job, m.job);
    assert_int_equal(system(command), 0);
    maker_run(&m, &result, NULL);
    show(&result, REASON_OK);
    assert_int_equal(result.reason, REASON_OK);
    assert_true(result.size_bytes > 0);
    snprintf(command, sizeof command, "tar -xOf %s words.txt | head -c 14 > %s/found", m.tar,
             m.folder);
    assert_int_equal(system(command), 0);
    struct buffer text = {0};
    snprintf(command, sizeof command, "%s/found", m.folder);
    assert_int_equal(file_read(&text, command, 16), OK);
    assert_string_equal(buffer_text(&text), "   1 leasehold");
    buffer_finish(&text);
    run_result_finish(&result);
    maker_close(&m);
}

/* ---- hostile images, through the real unpacker ---------------------------------------------- */

static void expect_image(struct image *image, const char *name, const char *words)
{
    struct maker m;
    struct run_result result;
    struct bytes tar =
        image->archive != NULL ? image_end(image) : bytes_of(image->data, image->size);
    maker_open(&m);
    maker_write(&m, name, tar.data, tar.size);
    write_job(&m, name, "\"command\": [\"/probe\", \"hello\"],", ONE, LIMITS);
    maker_run(&m, &result, NULL);
    show(&result, REASON_BAD_JOB);
    assert_int_equal(result.reason, REASON_BAD_JOB);
    if (strstr(result.message, words) == NULL) print_message("# %s\n", result.message);
    assert_non_null(strstr(result.message, words));
    run_result_finish(&result);
    image_drop(image);
    maker_close(&m);
}

static void bad_images_are_the_jobs_fault(void **state)
{
    struct image m, layer;
    (void)state;
    image_begin(&m, IMAGE_GZIP);
    image_link(&m, "link", "/");
    image_file(&m, "link/leasehold-was-here", 0644, "x");
    expect_image(&m, "rootfs.tar", "behind a link");
    assert_int_equal(access("/leasehold-was-here", F_OK), -1);
    image_begin(&m, IMAGE_PLAIN);
    image_file(&m, "../../leasehold-was-here", 0644, "x");
    expect_image(&m, "rootfs.tar", "no path inside");
    image_begin(&m, IMAGE_PLAIN);
    image_entry(&m, "etc/mem", AE_IFCHR, 0666, NULL, bytes_of(NULL, 0));
    expect_image(&m, "rootfs.tar", "a device");
    image_begin(&layer, IMAGE_GZIP);
    image_file(&layer, "x", 0644, "x");
    const struct bytes layers[] = {image_end(&layer)};
    (void)oci_make(&m, layers, 1, &(struct oci){.wrong_digest = true});
    expect_image(&m, "image.oci.tar", "another digest");
    image_drop(&layer);
}

static void a_bomb_in_an_image_is_the_jobs_fault(void **state)
{
    static uint8_t zeros[1 << 20];
    struct image m;
    (void)state;
    image_begin(&m, IMAGE_GZIP);
    for (int i = 0; i < 512; i++)
        image_entry(&m, i % 2 != 0 ? "a" : "b", AE_IFREG, 0644, NULL,
                    bytes_of(zeros, sizeof zeros));
    expect_image(&m, "rootfs.tar", "times its size");
}

static void a_crowded_root_is_refused(void **state)
{
    struct image m;
    char path[16];
    (void)state;
    image_begin(&m, IMAGE_PLAIN);
    for (unsigned i = 0; i <= ROOTFS_TOP_MAX; i++) {
        snprintf(path, sizeof path, "%u", i);
        image_file(&m, path, 0644, "x");
    }
    expect_image(&m, "rootfs.tar", "too many entries in its root");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_leaves_its_output),
        cmocka_unit_test(inputs_come_in_and_outputs_go_out),
        cmocka_unit_test(equal_outputs_have_one_root),
        cmocka_unit_test(a_whole_folder_of_outputs_is_packed),
        cmocka_unit_test(an_oci_layout_says_command_environment_and_folder),
        cmocka_unit_test(the_status_of_a_command_is_told),
        cmocka_unit_test(a_command_that_crashes_is_told_by_its_signal),
        cmocka_unit_test(a_command_that_is_not_there_is_named),
        cmocka_unit_test(a_command_that_waits_runs_out_of_time),
        cmocka_unit_test(a_fork_bomb_is_stopped),
        cmocka_unit_test(threads_count_as_processes),
        cmocka_unit_test(a_memory_hog_is_stopped),
        cmocka_unit_test(shared_memory_counts),
        cmocka_unit_test(many_processes_share_one_limit_of_memory),
        cmocka_unit_test(memory_that_processes_share_counts_once),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(files_without_number_are_stopped),
        cmocka_unit_test(printing_without_end_is_stopped),
        cmocka_unit_test(the_network_is_out_of_reach),
        cmocka_unit_test(a_job_can_talk_to_itself),
        cmocka_unit_test(nothing_of_the_machine_or_of_init_is_open),
        cmocka_unit_test(what_stays_behind_is_killed_and_cannot_spoil_the_outputs),
        cmocka_unit_test(an_output_must_be_a_plain_file),
        cmocka_unit_test(an_output_is_not_looked_for_behind_a_link),
        cmocka_unit_test(outputs_are_bounded),
        cmocka_unit_test(an_image_that_umoci_and_skopeo_made_runs),
        cmocka_unit_test(the_example_counts_words),
        cmocka_unit_test(bad_images_are_the_jobs_fault),
        cmocka_unit_test(a_bomb_in_an_image_is_the_jobs_fault),
        cmocka_unit_test(a_crowded_root_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_probe, drop_probe);
}
