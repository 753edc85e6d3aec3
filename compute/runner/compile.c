/* compile.c - writes the prelude and a unit around the job's source, and calls the compiler.
 *
 * The flags pin what C++ leaves open: no contraction, no fast math, wrapping signed overflow, no
 * assumptions about aliasing, locals that start as zeros. Vector code is welcome, since without
 * fast math a compiler keeps the order of every float operation. */
#include "compute/runner/runner.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES     512
#define FREE_BYTES_MIN (2ull << 20) /* of the work directory; less means that it is full */

extern const char prelude_text[];

/* Includes that CUDA sources often have; the prelude already says it all. */
static const char *const EMPTY_HEADERS[] = {
    "cuda.h",   "cuda_runtime.h", "device_launch_parameters.h",
    "math.h",   "cmath",          "stdint.h",
    "cstdint",  "stddef.h",       "float.h",
    "limits.h", "assert.h",       "math_constants.h"};

static void write_file(const char *folder, const char *name, const char *text, size_t size)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL || fwrite(text, 1, size, out) != size || fclose(out) != 0) {
        give_up(REASON_DISK, "cannot write %s: %s", path, strerror(errno));
    }
}

static bool kernel_is_first(const struct plan *plan, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(plan->launches[i].kernel, plan->launches[index].kernel) == 0) return false;
    }
    return true;
}

static void write_unit(const struct runner_options *options, const struct plan *plan)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) give_up(REASON_MEMORY, "no memory for the compiler's input");
    fprintf(out, "#include \"%s/%s\"\n", options->job_folder, plan->source);
    fprintf(out, "#line 1 \"the kernels that job.json names\"\n");
    fprintf(out, "extern \"C\" {\nextern __attribute__((visibility(\"default\"))) "
                 "const lh_kernel lh_kernels[];\n");
    fprintf(out, "const lh_kernel lh_kernels[] = {\n");
    for (uint32_t i = 0; i < plan->launch_count; i++) {
        if (kernel_is_first(plan, i)) fprintf(out, "LH_KERNEL(%s),\n", plan->launches[i].kernel);
    }
    fprintf(out, "{0, 0, 0, 0}};\n}\n");
    if (fclose(out) != 0) give_up(REASON_MEMORY, "no memory for the compiler's input");
    write_file(options->work_folder, "unit.cpp", text, size);
    free(text);
}

static void write_inputs(const struct runner_options *options, const struct plan *plan)
{
    char include[PATH_BYTES];
    snprintf(include, sizeof include, "%s/include", options->work_folder);
    if (mkdir(include, 0700) != 0 && errno != EEXIST) {
        give_up(REASON_DISK, "cannot make %s: %s", include, strerror(errno));
    }
    for (size_t i = 0; i < sizeof EMPTY_HEADERS / sizeof *EMPTY_HEADERS; i++) {
        write_file(include, EMPTY_HEADERS[i], "\n", 1);
    }
    write_file(options->work_folder, "prelude.h", prelude_text, strlen(prelude_text));
    write_unit(options, plan);
}

static bool is_clang(const char *cc)
{
    return strstr(cc, "clang") != NULL;
}

/* clang before 16 wants a second word before it zeroes locals; later ones may refuse the word. */
static bool is_old_clang(const char *cc)
{
    char real[PATH_MAX];
    const char *at = is_clang(cc) && realpath(cc, real) != NULL ? strstr(real, "llvm-") : NULL;
    return at != NULL && strtol(at + 5, NULL, 10) < 16;
}

#define WORDS_MAX 64

struct words { /* of the compiler's command line */
    const char *list[WORDS_MAX];
    size_t count;
};

static void add(struct words *w, const char *word)
{
    assert(w->count < WORDS_MAX - 1);
    w->list[w->count++] = word;
    w->list[w->count] = NULL;
}

static void add_all(struct words *w, const char *const *list)
{
    for (; *list != NULL; list++)
        add(w, *list);
}

static const char *const FLAGS[] = {"-x",
                                    "c++",
                                    "-std=c++17",
                                    "-O3",
                                    "-march=native",
                                    "-ffp-contract=off",
                                    "-fno-fast-math",
                                    "-fno-math-errno",
                                    "-fno-trapping-math",
                                    "-fwrapv",
                                    "-fno-strict-aliasing",
                                    "-fno-builtin",
                                    "-fno-exceptions",
                                    "-fno-rtti",
                                    "-fno-asynchronous-unwind-tables",
                                    "-fno-stack-protector",
                                    "-fvisibility=hidden",
                                    "-ftls-model=initial-exec",
                                    "-ftrivial-auto-var-init=zero",
                                    "-nostdinc",
                                    "-nostdinc++",
                                    "-nostdlib",
                                    "-shared",
                                    "-fPIC",
                                    "-fno-diagnostics-color",
                                    "-Wl,-z,now",
                                    NULL};
static const char *const CLANG_FLAGS[] = {"-ferror-limit=10", "-mllvm",
                                          "-force-ordered-reductions=true", NULL};
static const char *const OLD_CLANG_FLAGS[] = {
    "-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang", NULL};
/* The last three: a barrier leaves no register, so what lives across it should be little. */
static const char *const GCC_FLAGS[] = {"-fmax-errors=10", "-fira-loop-pressure",
                                        "-fschedule-insns", "-fsched-pressure", NULL};

static void add_flags(struct words *w, const char *cc)
{
    add_all(w, FLAGS);
    add_all(w, is_clang(cc) ? CLANG_FLAGS : GCC_FLAGS);
    if (is_old_clang(cc)) add_all(w, OLD_CLANG_FLAGS);
}

/* What a card leaves open where the cpu executor has zeros. */
static const char *const CLANG_WARNINGS[] = {"-Wuninitialized", "-Wconditional-uninitialized",
                                             "-Wsometimes-uninitialized", NULL};
static const char *const GCC_WARNINGS[] = {"-Wuninitialized", "-Wmaybe-uninitialized", NULL};

static void add_use(struct words *w, const char *cc, enum compile_use use)
{
    if (use == COMPILE_WARNINGS) {
        add_all(w, is_clang(cc) ? CLANG_WARNINGS : GCC_WARNINGS);
    } else {
        add(w, "-w");
    }
    if (use == COMPILE_ERRORS) add(w, "-fsyntax-only");
}

_Noreturn static void become_compiler(const struct runner_options *options, enum compile_use use)
{
    static const char *const UNIT[] = {"unit.cpp", "-o", "kernels.so", "-lgcc", NULL};
    struct words w = {.count = 0};
    char include[PATH_BYTES], prelude[PATH_BYTES], quote[PATH_BYTES];
    snprintf(include, sizeof include, "-isystem%s/include", options->work_folder);
    snprintf(quote, sizeof quote, "-iquote%s", options->job_folder);
    snprintf(prelude, sizeof prelude, "%s/prelude.h", options->work_folder);
    add(&w, options->cc);
    add_flags(&w, options->cc);
    add_use(&w, options->cc, use);
    add(&w, include);
    add(&w, quote);
    add(&w, "-include");
    add(&w, prelude);
    add_all(&w, UNIT);
    if (options->output_fd > STDERR_FILENO) close(options->output_fd);
    if (options->status_fd > STDERR_FILENO) close(options->status_fd);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    if (chdir(options->work_folder) != 0) _exit(127);
    limit_compiler();
    execv(options->cc, (char *const *)(uintptr_t)w.list);
    _exit(127);
}

static bool work_is_full(const struct runner_options *options)
{
    struct statvfs s;
    if (statvfs(options->work_folder, &s) != 0) return false;
    return (unsigned long long)s.f_bavail * s.f_frsize < FREE_BYTES_MIN;
}

enum reason compile_job(const struct runner_options *options, const struct plan *plan,
                        enum compile_use use)
{
    bool full = false;
    int status;
    write_inputs(options, plan);
    pid_t child = fork();
    if (child < 0) give_up(REASON_PROCESSES, "cannot start the compiler: %s", strerror(errno));
    if (child == 0) become_compiler(options, use);
    while (waitpid(child, &status, WNOHANG) == 0) {
        struct timespec pause = {0, 4000000};
        full = full || work_is_full(options);
        if (full) kill(child, SIGKILL);
        nanosleep(&pause, NULL);
    }
    if (full || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)) return REASON_DISK;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) return REASON_TIME;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        give_up(REASON_UNSUPPORTED, "there is no compiler %s", options->cc);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? REASON_OK : REASON_COMPILE;
}
