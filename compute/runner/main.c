/* main.c - leasehold-run: compiles and runs one plan, inside the sandbox that run_job makes.
 *
 * Status lines on --status-fd: "ready" when the sandbox stands, then
 * "end <reason> <compile ms> <kernel ms>". Outputs go to --output-fd, one buffer after another in
 * the plan's order; what people may read goes to stderr. The exit status is the reason. */
#include "compute/runner/cuda.h"

#include "base/version.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *argp_program_version = "leasehold-run " LEASEHOLD_VERSION;

#define ABOUT     "Compile and run one Leasehold job's plan; meant to be started in the sandbox."
#define PRINT_MAN 256

static const struct argp_option OPTIONS[] = {
    {"plan", 'p', "FILE", 0, "The plan to run", 0},
    {"job", 'j', "FOLDER", 0, "Where the plan's files are", 0},
    {"work", 'w', "FOLDER", 0, "Where to put what the compiler makes", 0},
    {"cc", 'c', "PATH", 0, "The compiler: clang or gcc (/usr/bin/clang)", 0},
    {"threads", 't', "N", 0, "Operating system threads (1)", 0},
    {"drop-to", 'u', "UID", 0, "Become this user first", 0},
    {"output-fd", 'o', "FD", 0, "Where outputs go (1)", 0},
    {"status-fd", 's', "FD", 0, "Where status lines go (2)", 0},
    {"checkpoint", 'k', "SECONDS", 0, "Send memory to go on from, so often (never)", 0},
    {"resume", 'r', "N", 0, "Go on after N launches: memory is on stdin", 0},
    {"dump", 'd', "N,N,...", 0, "Send memory as it is after N launches; ascending", 0},
    {"audit", 'a', NULL, 0, "Run the blocks that stdin asks for, on memory from there", 0},
    {"check", 'C', NULL, 0, "Say what is wrong with the job, and run nothing", 0},
    {"cuda", 'g', "N", 0, "Run on card N if it can; else on the processor (never)", 0},
    {"arch", 'A', "N", 0, "The card's compute capability: 75 for 7.5", 0},
    {"nvrtc", 'n', "PATH", 0, "NVIDIA's compiler (LEASEHOLD_NVRTC, then the usual places)", 0},
    {"cached", 'x', "PATH", 0, "Machine code of an earlier run, for the card", 0},
    {"artifact", 'X', "PATH", 0, "Where new machine code for the card goes", 0},
    {"print-man", PRINT_MAN, NULL, 0, "Print the manual page (roff), and stop", 0},
    {0}};

/* roff takes '-' as a hyphen. */
static void print_roff(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '-') putchar('\\');
        putchar(*text);
    }
}

static void print_man(void)
{
    printf(".TH LEASEHOLD-RUN 1 \"\" \"leasehold-run %s\" \"Leasehold\"\n.SH NAME\nleasehold\\-run "
           "\\- runs one job inside leasehold\\-worker's sandbox\n.SH SYNOPSIS\n.B "
           "leasehold\\-run\n\\fIOPTION\\fR...\n.SH DESCRIPTION\n" ABOUT
           "\nBy hand it confines the job's code, but not the compiler.\n.SH OPTIONS\n",
           LEASEHOLD_VERSION);
    for (const struct argp_option *o = OPTIONS; o->name != NULL; o++) {
        printf(".TP\n\\fB\\-\\-");
        print_roff(o->name);
        printf(o->arg != NULL ? "\\fR=\\fI%s\\fR\n" : "\\fR\n", o->arg);
        print_roff(o->doc);
        printf("\n");
    }
    printf(".SH EXIT STATUS\nThe reason of the job's end, 0 if it has a result; 64 for a wrong "
           "command line.\n.SH SEE ALSO\nleasehold\\-worker(1)\n");
}

static unsigned number_or_error(const char *text, unsigned max, struct argp_state *state)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value > max) argp_error(state, "bad number: %s", text);
    return (unsigned)value;
}

static void read_dumps(struct runner_options *o, char *text, struct argp_state *state)
{
    char *rest = NULL;
    for (char *word = strtok_r(text, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
        if (o->dump_count == TRACE_DUMPS_MAX) argp_error(state, "too many dumps");
        o->dumps[o->dump_count++] = number_or_error(word, TRACE_STEPS_MAX, state);
    }
}

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct runner_options *o = state->input;
    switch (key) {
    case 'p': o->plan_path = value; break;
    case 'j': o->job_folder = value; break;
    case 'w': o->work_folder = value; break;
    case 'c': o->cc = value; break;
    case 't': o->threads = number_or_error(value, RUN_THREADS_MAX, state); break;
    case 'u': o->drop_to = number_or_error(value, 0x7fffffff, state); break;
    case 'o': o->output_fd = (int)number_or_error(value, 1023, state); break;
    case 's': o->status_fd = (int)number_or_error(value, 1023, state); break;
    case 'k': o->checkpoint_seconds = number_or_error(value, JOB_SECONDS_MAX, state); break;
    case 'r': o->resume_step = number_or_error(value, UINT32_MAX, state); break;
    case 'd': read_dumps(o, value, state); break;
    case 'a': o->audit = true; break;
    case 'C': o->check = true; break;
    case 'g':
        o->cuda = true;
        o->device = number_or_error(value, 255, state);
        break;
    case 'A': o->arch = number_or_error(value, 999, state); break;
    case 'n': o->nvrtc_path = value; break;
    case 'x': o->cached_path = value; break;
    case 'X': o->artifact_path = value; break;
    case PRINT_MAN: print_man(); exit(0);
    case ARGP_KEY_END:
        if (!o->plan_path || !o->job_folder || !o->work_folder || o->threads == 0) {
            argp_error(state, "--plan, --job and --work are needed");
        }
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct plan *read_plan(const char *path)
{
    char error[PLAN_ERROR_SIZE];
    char *text = malloc(PLAN_BYTES_MAX + 1);
    struct plan *plan = malloc(sizeof *plan);
    FILE *in = fopen(path, "r");
    if (text == NULL || plan == NULL) give_up(REASON_MEMORY, "no memory for the plan");
    if (in == NULL) give_up(REASON_BAD_JOB, "cannot open %s: %s", path, strerror(errno));
    size_t size = fread(text, 1, PLAN_BYTES_MAX + 1, in);
    fclose(in);
    if (size > PLAN_BYTES_MAX) give_up(REASON_BAD_JOB, "the plan is too long");
    if (plan_parse(plan, error, text, size) != OK) give_up(REASON_BAD_JOB, "%s", error);
    free(text);
    return plan;
}

static enum reason reason_of_status(int status)
{
    if (WIFEXITED(status)) {
        int code = WEXITSTATUS(status);
        return code < REASON_COUNT ? (enum reason)code : REASON_NO_OUTPUT;
    }
    switch (WTERMSIG(status)) {
    case SIGXCPU: return REASON_TIME;
    case SIGXFSZ: return REASON_DISK;
    case SIGSYS: return REASON_SYSCALL;
    case SIGSEGV:
    case SIGBUS: return REASON_FAULT;
    case SIGFPE: return REASON_ARITHMETIC;
    default: return REASON_SIGNAL; /* a number from outside, not an enum */
    }
}

static enum reason run_child(const struct runner_options *options, const struct plan *plan)
{
    int status;
    pid_t child = fork();
    if (child < 0) give_up(REASON_PROCESSES, "cannot start a process: %s", strerror(errno));
    if (child == 0) {
        if (options->status_fd > STDERR_FILENO) close(options->status_fd);
        execute_job(options, plan);
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) give_up(REASON_SIGNAL, "lost the job's process");
    }
    return reason_of_status(status);
}

struct outcome {
    enum reason reason;
    uint64_t compile_ms;
    uint64_t run_ms;
};

static struct outcome run_on_processor(const struct runner_options *options,
                                       const struct plan *plan)
{
    struct outcome out;
    uint64_t start = now_ms();
    out.reason = compile_job(options, plan, COMPILE_MODULE);
    uint64_t compiled = now_ms();
    if (out.reason == REASON_OK) out.reason = run_child(options, plan);
    out.compile_ms = compiled - start;
    out.run_ms = now_ms() - compiled;
    return out;
}

/* What clang refuses has no result anywhere, so it is asked before NVRTC, unless it was before. */
static bool run_on_card(const struct runner_options *options, const struct plan *plan,
                        struct outcome *out)
{
    double kernel_ms = 0;
    uint64_t start = now_ms();
    *out = (struct outcome){.reason = REASON_OK};
    if (options->cached_path == NULL) out->reason = compile_job(options, plan, COMPILE_ERRORS);
    if (out->reason == REASON_OK && !cuda_run(options, plan, &out->reason, &kernel_ms)) {
        return false;
    }
    out->run_ms = (uint64_t)(kernel_ms + 0.5);
    uint64_t spent = now_ms() - start;
    out->compile_ms = spent > out->run_ms ? spent - out->run_ms : 0;
    return true;
}

static struct outcome work(const struct runner_options *options, const struct plan *plan)
{
    struct outcome out = {.reason = REASON_OK};
    if (options->check) {
        out.reason = compile_job(options, plan, COMPILE_WARNINGS);
        if (out.reason == REASON_OK) out.reason = cuda_check(options, plan);
        return out;
    }
    if (options->cuda && !options->audit && run_on_card(options, plan, &out)) return out;
    return run_on_processor(options, plan);
}

int main(int argc, char **argv)
{
    static const struct argp ARGP = {OPTIONS, on_option, NULL, ABOUT, NULL, NULL, NULL};
    struct runner_options options = {.cc = "/usr/bin/clang",
                                     .threads = 1,
                                     .checkpoint_seconds = -1,
                                     .output_fd = STDOUT_FILENO,
                                     .status_fd = STDERR_FILENO};
    argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    become_nobody(options.drop_to);
    signal(SIGPIPE, SIG_IGN);
    dprintf(options.status_fd, "ready\n");
    struct plan *plan = read_plan(options.plan_path);
    struct outcome outcome = work(&options, plan);
    dprintf(options.status_fd, "end %d %llu %llu\n", (int)outcome.reason,
            (unsigned long long)outcome.compile_ms, (unsigned long long)outcome.run_ms);
    free(plan);
    return (int)outcome.reason;
}
