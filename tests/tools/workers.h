/* workers.h - jobs done by several processes: each takes the next one, and one that dies costs its
 * job and nothing else.
 *
 * Whatever jobs count must lie in memory from workers_shared. A job's output should be flushed by
 * the job, so that lines of two processes do not mix. */
#ifndef LEASEHOLD_TESTS_TOOLS_WORKERS_H
#define LEASEHOLD_TESTS_TOOLS_WORKERS_H

#include "base/fatal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 64

struct workers {
    size_t job_count;
    void *context;
    void (*run)(void *context, size_t job);
    /* In the first process. `status` is waitpid's. */
    void (*died)(void *context, size_t job, int status);
};

struct worker_board {
    _Atomic size_t next;
    _Atomic size_t job[WORKERS_MAX]; /* what each is at */
    pid_t pid[WORKERS_MAX];          /* the first process's; 0: gone */
};

/* Zeroed memory that forked processes have in common. It stays until the end. */
static inline void *workers_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fatal("making %zu bytes of shared memory", size);
    return memory;
}

static inline void workers_start(const struct workers *w, struct worker_board *board, size_t place)
{
    fflush(NULL); /* or the child would print it again */
    board->job[place] = w->job_count;
    pid_t pid = fork();
    if (pid < 0) fatal("starting a process");
    if (pid > 0) {
        board->pid[place] = pid;
        return;
    }
    for (;;) {
        size_t job = atomic_fetch_add(&board->next, 1);
        if (job >= w->job_count) break;
        board->job[place] = job;
        w->run(w->context, job);
    }
    fflush(NULL);
    _exit(0);
}

static inline size_t workers_place_of(const struct worker_board *board, pid_t pid)
{
    size_t place = 0;
    while (place < WORKERS_MAX && board->pid[place] != pid)
        place++;
    assert(place < WORKERS_MAX);
    return place;
}

/* With one process the jobs run in this one, where a debugger finds them. */
static inline void workers_run(const struct workers *w, size_t processes)
{
    assert(processes >= 1 && processes <= WORKERS_MAX);
    for (size_t job = 0; processes == 1 && job < w->job_count; job++)
        w->run(w->context, job);
    if (processes == 1) return;
    struct worker_board *board = workers_shared(sizeof(*board));
    for (size_t place = 0; place < processes; place++)
        workers_start(w, board, place);
    int status;
    for (pid_t pid = wait(&status); pid > 0; pid = wait(&status)) {
        size_t place = workers_place_of(board, pid);
        board->pid[place] = 0;
        if (status == 0) continue;
        if (board->job[place] < w->job_count) w->died(w->context, board->job[place], status);
        if (board->next < w->job_count) workers_start(w, board, place);
    }
}

#endif
