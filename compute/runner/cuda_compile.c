/* cuda_compile.c - from the job's source to PTX that may run. */
#include "compute/runner/cuda.h"
#include "compute/runner/nvrtc.h"
#include "compute/runner/ptx_rewrite.h"
#include "compute/runner/ptx_scan.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_BYTES       512
#define HEADER_BYTES_MAX (4u << 20)
#define NAMES_BYTES_MAX  (256u << 10)
#define LOG_BYTES_MAX    (48u << 10)
#define NOT_COMPILED     1 /* exit statuses of the compiling process */
#define NOT_THERE        2

extern const char prelude_cuda_text[];

/* Includes that CUDA sources often have; the prelude already says it all. */
static const char *const EMPTY_HEADERS[] = {
    "cuda.h",   "cuda_runtime.h", "device_launch_parameters.h",
    "math.h",   "cmath",          "stdint.h",
    "cstdint",  "stddef.h",       "float.h",
    "limits.h", "assert.h",       "math_constants.h"};

struct cuda_names cuda_names_of(const struct plan *plan)
{
    struct cuda_names out = {.count = 0};
    for (uint32_t i = 0; i < plan->launch_count; i++) {
        const struct plan_launch *l = &plan->launches[i];
        unsigned threads = l->block[0] * l->block[1] * l->block[2], at = 0;
        while (at < out.count && strcmp(out.names[at], l->kernel) != 0)
            at++;
        if (at == out.count) out.names[out.count++] = l->kernel;
        if (threads > out.threads_max[at]) out.threads_max[at] = threads;
    }
    return out;
}

static bool decline(char why[CUDA_WHY_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool decline(char why[CUDA_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, CUDA_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* The whole file, ended by a zero; NULL if it cannot be read or is longer than `most`. */
static char *read_file(const char *folder, const char *name, size_t most, size_t *size)
{
    char path[PATH_BYTES];
    struct stat s;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return NULL;
    bool fits = fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && (uint64_t)s.st_size <= most;
    char *text = fits ? malloc((size_t)s.st_size + 1) : NULL;
    size_t done = 0;
    while (text != NULL && done < (size_t)s.st_size) {
        ssize_t got = read(fd, text + done, (size_t)s.st_size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += (size_t)got;
    }
    close(fd);
    if (text != NULL) text[done] = '\0';
    *size = done;
    return text;
}

static bool write_text(const char *folder, const char *name, const char *text)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL) return false;
    bool good = fputs(text, out) >= 0;
    return fclose(out) == 0 && good;
}

/* ---- the compiling process ------------------------------------------------------------------- */

static bool is_data(const struct plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        if (strcmp(plan->buffers[i].file, name) == 0) return true;
    }
    return false;
}

/* All files of the job but those that only fill buffers; the source may be one of both. */
static void add_headers(struct nvrtc_source *s, const struct runner_options *options,
                        const struct plan *plan)
{
    struct dirent *entry;
    for (size_t i = 0; i < sizeof EMPTY_HEADERS / sizeof *EMPTY_HEADERS; i++) {
        s->header_names[s->header_count] = EMPTY_HEADERS[i];
        s->headers[s->header_count++] = "";
    }
    DIR *folder = opendir(options->job_folder);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        size_t size;
        bool source = strcmp(entry->d_name, plan->source) == 0;
        if (entry->d_name[0] == '.' || (is_data(plan, entry->d_name) && !source)) continue;
        if (s->header_count == NVRTC_HEADERS_MAX) break;
        char *text = read_file(options->job_folder, entry->d_name, HEADER_BYTES_MAX, &size);
        char *name = strdup(entry->d_name);
        if (text == NULL || name == NULL) continue;
        s->header_names[s->header_count] = name;
        s->headers[s->header_count++] = text;
    }
    if (folder != NULL) closedir(folder);
}

/* The prelude, the job's source, and the table of its kernels' parameters. */
static char *unit_of(const struct plan *plan, const struct cuda_names *names)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return NULL;
    fprintf(out, "%s\n#include \"%s\"\n", prelude_cuda_text, plan->source);
    fprintf(out, "#line 1 \"the kernels that job.json names\"\n");
    fprintf(out, "extern \"C\" {\n__device__ __attribute__((used)) lh_row lh_rows[] = {\n");
    for (unsigned i = 0; i < names->count; i++)
        fprintf(out, "LH_ROW(%s),\n", names->names[i]);
    fprintf(out, "};\n}\n");
    return fclose(out) == 0 ? text : NULL;
}

static bool write_names(const struct runner_options *options, const struct nvrtc_result *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return false;
    for (int i = 0; i < r->kernel_count; i++)
        fprintf(out, "%s\n", r->lowered[i]);
    return fclose(out) == 0 && write_text(options->work_folder, "kernels.names", text);
}

_Noreturn static void become_nvrtc(const struct runner_options *options, const struct plan *plan)
{
    static struct nvrtc_source source; /* too large for a stack, and the process is short */
    struct nvrtc nvrtc;
    struct nvrtc_result result;
    char error[LIBRARY_ERROR_SIZE];
    struct cuda_names names = cuda_names_of(plan);
    limit_compiler();
    if (nvrtc_open(&nvrtc, error, options->nvrtc_path) != OK) {
        (void)write_text(options->work_folder, "nvrtc.log", error);
        _exit(NOT_THERE);
    }
    source.name = CUDA_PRELUDE_NAME;
    source.text = unit_of(plan, &names);
    source.arch =
        options->arch != 0 ? nvrtc_arch_for(&nvrtc, (int)options->arch) : NVRTC_ARCH_PLAIN;
    source.kernel_count = (int)names.count;
    for (unsigned i = 0; i < names.count; i++)
        source.kernels[i] = names.names[i];
    add_headers(&source, options, plan);
    if (source.text == NULL) _exit(NOT_COMPILED);
    enum status status = nvrtc_compile(&nvrtc, &result, &source);
    (void)write_text(options->work_folder, "nvrtc.log", result.log != NULL ? result.log : "");
    if (status != OK || !write_names(options, &result)) _exit(NOT_COMPILED);
    _exit(write_text(options->work_folder, "kernels.ptx", result.ptx) ? 0 : NOT_COMPILED);
}

/* 0, NOT_COMPILED or NOT_THERE. What NVRTC says is in nvrtc.log. */
static int run_nvrtc(const struct runner_options *options, const struct plan *plan)
{
    int status;
    pid_t child = fork();
    if (child < 0) return NOT_COMPILED;
    if (child == 0) {
        if (options->output_fd > STDERR_FILENO) close(options->output_fd);
        if (options->status_fd > STDERR_FILENO) close(options->status_fd);
        become_nvrtc(options, plan);
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return NOT_COMPILED;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : NOT_COMPILED;
}

/* ---- what it left ---------------------------------------------------------------------------- */

static void first_line(char *out, size_t out_size, const struct runner_options *options)
{
    size_t size;
    char *log = read_file(options->work_folder, "nvrtc.log", LOG_BYTES_MAX, &size);
    const char *from = log != NULL ? strstr(log, "error") : NULL;
    while (from != NULL && from > log && from[-1] != '\n')
        from--;
    if (from == NULL) from = log != NULL ? log : "NVRTC ended early";
    snprintf(out, out_size, "%.*s", (int)strcspn(from, "\n"), from);
    free(log);
}

/* Splits the text of kernels.names in place; false unless there are as many lines as kernels. */
static bool split_names(char *text, const char **names, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char *end = strchr(text, '\n');
        if (end == NULL) return false;
        *end = '\0';
        names[i] = text;
        text = end + 1;
    }
    return true;
}

static const char *text_of_rewriting(enum status status)
{
    if (status == E_LIMIT) return "it has too many functions or shared variables";
    if (status == E_UNSUPPORTED) return "a function calls itself: its stack has no bound";
    return "the PTX lacks a kernel";
}

static char *complete(const struct runner_options *options, const struct plan *plan,
                      const char *ptx, size_t size, char why[CUDA_WHY_SIZE])
{
    const char *lowered[JOB_LAUNCHES_MAX];
    struct cuda_names names = cuda_names_of(plan);
    size_t names_size;
    char *out = NULL;
    char *text = read_file(options->work_folder, "kernels.names", NAMES_BYTES_MAX, &names_size);
    if (text == NULL || !split_names(text, lowered, names.count)) {
        decline(why, "NVRTC's names of the kernels cannot be read");
    } else {
        struct ptx_kernels kernels = {lowered, names.threads_max, names.count};
        enum status status = ptx_rewrite(&out, ptx, size, &kernels);
        if (status != OK) decline(why, "%s", text_of_rewriting(status));
    }
    free(text);
    return out;
}

static void explain_finding(char *out, size_t out_size, const struct ptx_finding *f)
{
    char place[PTX_TEXT_SIZE + 16] = "";
    if (f->file[0] != '\0') snprintf(place, sizeof place, "%s:%u: ", f->file, f->line);
    snprintf(out, out_size, "%serror: %s: %s", place, f->what, f->why);
}

char *cuda_compile(const struct runner_options *options, const struct plan *plan,
                   char why[CUDA_WHY_SIZE])
{
    struct ptx_report report;
    size_t size;
    char *out = NULL;
    why[0] = '\0';
    if (run_nvrtc(options, plan) != 0) {
        first_line(why, CUDA_WHY_SIZE, options);
        return NULL;
    }
    char *ptx = read_file(options->work_folder, "kernels.ptx", PTX_BYTES_MAX, &size);
    if (ptx == NULL) {
        decline(why, "NVRTC's PTX cannot be read");
    } else if (ptx_scan(&report, ptx, size, CUDA_PRELUDE_NAME) != OK) {
        explain_finding(why, CUDA_WHY_SIZE, &report.findings[0]);
    } else {
        out = complete(options, plan, ptx, size, why);
    }
    free(ptx);
    return out;
}

/* ---- job check ------------------------------------------------------------------------------- */

static void print_log(const struct runner_options *options)
{
    size_t size;
    char *log = read_file(options->work_folder, "nvrtc.log", LOG_BYTES_MAX, &size);
    if (log != NULL) fprintf(stderr, "%s%s", log, size > 0 && log[size - 1] == '\n' ? "" : "\n");
    free(log);
}

static enum reason check_ptx(const struct runner_options *options, const struct plan *plan)
{
    struct ptx_report report;
    char why[CUDA_WHY_SIZE] = "", line[CUDA_WHY_SIZE];
    size_t size;
    char *ptx = read_file(options->work_folder, "kernels.ptx", PTX_BYTES_MAX, &size);
    if (ptx == NULL) give_up(REASON_DISK, "NVRTC's PTX cannot be read");
    enum status status = ptx_scan(&report, ptx, size, CUDA_PRELUDE_NAME);
    for (size_t i = 0; i < report.count; i++) {
        explain_finding(line, sizeof line, &report.findings[i]);
        fprintf(stderr, "%s\n", line);
    }
    char *made = status == OK ? complete(options, plan, ptx, size, why) : NULL;
    if (why[0] != '\0') fprintf(stderr, "note: only the cpu executor can run it: %s\n", why);
    if (made != NULL) fprintf(stderr, "note: NVRTC compiles it and the scan of its PTX is clean\n");
    free(made);
    free(ptx);
    return status == OK ? REASON_OK : REASON_COMPILE;
}

enum reason cuda_check(const struct runner_options *options, const struct plan *plan)
{
    switch (run_nvrtc(options, plan)) {
    case 0: return check_ptx(options, plan);
    case NOT_THERE:
        fprintf(stderr, "note: not looked at by NVRTC: ");
        print_log(options);
        return REASON_OK;
    default: /* an exit status, not an enum */
        fprintf(stderr, "note: only the cpu executor can run it: NVRTC refuses it\n");
        print_log(options);
        return REASON_OK;
    }
}
