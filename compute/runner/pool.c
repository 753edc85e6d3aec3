/* pool.c - spreads a launch's blocks over operating system threads, one a core.
 *
 * All threads are made before the job's code is loaded, since a confined job can make none. A
 * launch is an epoch: the threads wake, take runs of blocks from one counter and report back.
 * Which thread runs a block changes nothing in its result. */
#include "compute/runner/runner.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPINS 4000

struct pool {
    unsigned threads; /* with the one that launches */
    pool_item *item;  /* NULL: bind the module */
    void *context;
    unsigned long long count;
    const void *module_base;
    unsigned long long run_length;
    _Atomic unsigned long long next_block;
    _Atomic unsigned epoch;
    _Atomic unsigned working;
};

static struct pool pool; /* the runner's child has exactly one */

static void futex_wait(_Atomic unsigned *word, unsigned value)
{
    syscall(SYS_futex, (uintptr_t)word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake_all(_Atomic unsigned *word)
{
    syscall(SYS_futex, (uintptr_t)word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Waits until the word has another value than `value`. */
static unsigned await_change(_Atomic unsigned *word, unsigned value)
{
    for (;;) {
        for (int i = 0; i < SPINS; i++) {
            unsigned now = atomic_load_explicit(word, memory_order_acquire);
            if (now != value) return now;
            relax();
        }
        futex_wait(word, value);
    }
}

static void work(void)
{
    if (pool.item == NULL) {
        block_bind_module(pool.module_base);
        return;
    }
    for (;;) {
        unsigned long long first = atomic_fetch_add(&pool.next_block, pool.run_length);
        if (first >= pool.count) return;
        unsigned long long end = first + pool.run_length;
        if (end > pool.count) end = pool.count;
        for (unsigned long long i = first; i < end; i++)
            pool.item(pool.context, i);
    }
}

static void *thread_main(void *unused)
{
    unsigned seen = 0;
    (void)unused;
    prepare_thread_for_faults();
    for (;;) { /* the first report says that the thread stands */
        if (atomic_fetch_sub(&pool.working, 1) == 1) futex_wake_all(&pool.working);
        seen = await_change(&pool.epoch, seen);
        work();
    }
    return NULL;
}

static void await_the_others(void)
{
    for (;;) {
        unsigned left = atomic_load(&pool.working);
        if (left == 0) return;
        (void)await_change(&pool.working, left);
    }
}

static void everybody_works(void)
{
    atomic_store(&pool.next_block, 0);
    atomic_store(&pool.working, pool.threads - 1);
    atomic_fetch_add(&pool.epoch, 1);
    if (pool.threads > 1) futex_wake_all(&pool.epoch);
    work();
    await_the_others();
}

void pool_start(unsigned threads)
{
    pthread_attr_t attributes;
    pool.threads = threads;
    if (pthread_attr_init(&attributes) != 0) abort();
    pthread_attr_setstacksize(&attributes, 1024 * 1024);
    for (unsigned i = 1; i < threads; i++) {
        pthread_t thread;
        atomic_fetch_add(&pool.working, 1);
        if (pthread_create(&thread, &attributes, thread_main, NULL) != 0) {
            atomic_fetch_sub(&pool.working, 1);
            pool.threads = i; /* fewer cores, the same result */
            break;
        }
    }
    pthread_attr_destroy(&attributes);
    await_the_others(); /* a thread that is still starting would trip over the filter */
}

void pool_bind_module(const void *module_base)
{
    pool.item = NULL;
    pool.module_base = module_base;
    everybody_works();
}

void pool_each(unsigned long long count, pool_item *item, void *context)
{
    pool.item = item;
    pool.context = context;
    pool.count = count;
    pool.run_length = count / (pool.threads * 16ull);
    if (pool.run_length == 0) pool.run_length = 1;
    if (pool.run_length > 256) pool.run_length = 256;
    if (count == 1) {
        item(context, 0); /* not worth waking anybody */
        return;
    }
    everybody_works();
}

static void run_block(void *launch, unsigned long long number)
{
    block_run(launch, number);
}

void pool_run(struct launch *launch)
{
    pool_each(launch->block_count, run_block, launch);
}
