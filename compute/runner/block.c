/* block.c - one thread block: threads that wait are fibers of one operating system thread.
 *
 * Threads start in order. A thread that never waits needs no switch, and the runner never hears of
 * it: the kernel's own loop (lh_entry::run in prelude_entry.h) goes on with the next one on the
 * same fiber. Only when a thread waits for others does the next one get a fiber of its own. When
 * all that live have arrived, the last one goes on and the others follow in the ring's order, so a
 * block's course depends on nothing but its own data.
 *
 * Most switches at barriers happen in the kernel itself (lh_barrier in prelude_threads.h): from one
 * thread that is not the first to arrive to the next that has not arrived, once all have started.
 * */
#include "compute/runner/block.h"

#include <assert.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD_BYTES       4096
#define PRELUDE_TLS_BYTES 512 /* the prelude's own variables, beside the job's __shared__ */

__thread struct lh_now lh_now;
static __thread struct block *here;
static __thread void (*entry_of_launch)(void);

/* The kernels' way in; the declarations that they see are in prelude.h. */
void lh_wait(unsigned site);
int lh_thread_end(void);
_Noreturn void lh_trap(const char *what);

static void *map_or_give_up(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) give_up(REASON_MEMORY, "no memory for the threads of a block");
    return at;
}

struct block *block_here(void)
{
    if (here == NULL) {
        here = map_or_give_up(sizeof *here);
        here->lanes = map_or_give_up(sizeof *here->lanes * FIBERS_MAX);
    }
    return here;
}

_Noreturn static void give_up_in_thread(enum reason reason, const char *what)
{
    struct lh_index block = lh_now.block, thread = lh_now.current->thread;
    give_up(reason, "block (%u,%u,%u), thread (%u,%u,%u): %s", block.x, block.y, block.z, thread.x,
            thread.y, thread.z, what);
}

_Noreturn void block_diverged(const char *what)
{
    give_up_in_thread(REASON_BARRIER, what);
}

_Noreturn void lh_trap(const char *what)
{
    give_up_in_thread(REASON_TRAP, what);
}

/* ---- who has started, who has ended ---- */

static unsigned linear_of(struct lh_index thread)
{
    return thread.x + lh_now.block_size.x * (thread.y + lh_now.block_size.y * thread.z);
}

static void end_threads(struct block *b, unsigned first, unsigned end)
{
    assert(first <= end && end <= b->thread_count);
    b->alive -= end - first;
    for (unsigned at = first; at < end;) {
        unsigned warp = at / LANES, low = at % LANES;
        unsigned count = end - at < LANES - low ? end - at : LANES - low;
        b->warp_live[warp] &= ~(UINT32_MAX >> (LANES - count) << low);
        warp_settle(b, warp);
        at += count;
    }
}

unsigned block_pass(struct block *b)
{
    struct lh_fiber *f = lh_now.current;
    if (f->linear != LH_UNHEARD) return f->linear;
    f->linear = linear_of(f->thread);
    assert(f->linear >= b->started && f->linear < b->thread_count);
    end_threads(b, b->started, f->linear);
    b->started = f->linear;
    return f->linear;
}

static struct lh_index after(struct lh_index thread)
{
    if (++thread.x < lh_now.block_size.x) return thread;
    thread.x = 0;
    if (++thread.y < lh_now.block_size.y) return thread;
    thread.y = 0;
    thread.z++;
    return thread;
}

unsigned block_arrive(struct block *b)
{
    unsigned linear = block_pass(b);
    if (linear == b->started) {
        b->started++;
        lh_now.next = after(lh_now.current->thread);
    }
    return linear;
}

/* ---- fibers ---- */

static void fiber_main(void);

/* Frames of neighbours would fall into the same cache sets if all stacks began alike. */
static struct lh_fiber *fiber_make(struct block *b)
{
    if (b->fiber_count >= FIBERS_MAX) block_diverged("too many threads wait");
    unsigned number = b->fiber_count++;
    struct lh_fiber *f = &b->fibers[number];
    size_t colour = (size_t)(number % 64) * 320;
    char *low = map_or_give_up(FIBER_STACK_BYTES + GUARD_BYTES);
    if (mprotect(low, GUARD_BYTES, PROT_NONE) != 0) give_up(REASON_MEMORY, "no guard page");
    fiber_prepare(f, low + GUARD_BYTES, FIBER_STACK_BYTES - colour, fiber_main);
    return f;
}

static struct lh_fiber *fiber_fresh(struct block *b)
{
    struct lh_fiber *f = b->free_count > 0 ? b->free[--b->free_count] : fiber_make(b);
    f->wait = RUNNABLE;
    if (lh_now.current == NULL) {
        f->next = f->prev = f;
    } else { /* last in the ring: just before the one that has waited longest */
        struct lh_fiber *last = lh_now.current;
        f->prev = last;
        f->next = last->next;
        f->next->prev = f;
        last->next = f;
    }
    return f;
}

static void go_on_with(struct lh_fiber *me, struct lh_fiber *to)
{
    lh_now.current = to;
    fiber_switch(me, to);
}

static struct lh_fiber *search_runnable(struct lh_fiber *from)
{
    struct lh_fiber *f = from;
    do {
        f = f->next;
        if (f->wait <= lh_now.generation) return f;
    } while (f != from);
    block_diverged("waits for threads of its block that wait elsewhere");
}

void block_suspend(struct block *b)
{
    struct lh_fiber *me = lh_now.current;
    struct lh_fiber *to = b->started < b->thread_count ? fiber_fresh(b) : search_runnable(me);
    if (to != me) go_on_with(me, to);
}

/* No thread is left to start: the fiber leaves the ring and waits for another block. */
static void retire(struct block *b)
{
    struct lh_fiber *me = lh_now.current;
    struct lh_fiber *next = me->next;
    b->free[b->free_count++] = me;
    if (next == me) {
        lh_now.current = NULL;
        fiber_switch(me, &b->main);
        return;
    }
    next->prev = me->prev;
    me->prev->next = next;
    go_on_with(me, search_runnable(me->prev));
}

/* ---- barriers ---- */

static void release_barrier(void)
{
    lh_now.waiting = 0;
    lh_now.site = 0;
    lh_now.vote_result[lh_now.generation & 1] = lh_now.votes;
    lh_now.votes = 0;
    lh_now.generation++;
}

/* A thread that has ended may have been the last that those at the barrier waited for. */
static void end_and_release(struct block *b, unsigned first, unsigned end)
{
    end_threads(b, first, end);
    if (lh_now.waiting > 0 && lh_now.waiting == b->alive) release_barrier();
}

/* What lh_barrier cannot do by itself: the first and the last to arrive, and threads to start. */
void lh_wait(unsigned site)
{
    struct block *b = here;
    (void)block_arrive(b);
    if (lh_now.waiting == 0) b->site = site;
    if (b->site != site) block_diverged("is at another barrier than the threads before it");
    if (++lh_now.waiting == b->alive) {
        release_barrier();
        return;
    }
    lh_now.current->wait = lh_now.generation + 1;
    if (b->started == b->thread_count) lh_now.site = site;
    block_suspend(b);
}

/* A thread that has waited is at its end; whether its fiber shall start lh_now.next. */
int lh_thread_end(void)
{
    struct block *b = here;
    unsigned linear = lh_now.current->linear;
    assert(linear < b->started);
    end_and_release(b, linear, linear + 1);
    return b->started < b->thread_count;
}

/* ---- a block from its start to its end ---- */

static void fiber_main(void)
{
    for (;;) {
        struct block *b = here;
        entry_of_launch();
        if (b->started < b->thread_count && b->started > 0) {
            end_and_release(b, b->started, b->thread_count);
            b->started = b->thread_count;
        }
        retire(b);
    }
}

static void start_block(struct block *b, const struct launch *launch, unsigned long long number)
{
    const struct plan_launch *l = launch->plan;
    unsigned count = l->block[0] * l->block[1] * l->block[2];
    unsigned long long row = number / l->grid[0];
    lh_now.block = (struct lh_index){(unsigned)(number % l->grid[0]), (unsigned)(row % l->grid[1]),
                                     (unsigned)(row / l->grid[1])};
    lh_now.next = (struct lh_index){0, 0, 0};
    b->started = 0;
    b->thread_count = b->alive = count;
    for (unsigned w = 0; w * LANES < count; w++) {
        unsigned left = count - w * LANES;
        b->warp_live[w] = left >= LANES ? UINT32_MAX : (1u << left) - 1;
        b->warp_waiting[w] = 0;
    }
    lh_now.waiting = lh_now.votes = lh_now.site = 0;
    lh_now.generation = 1;
    if (b->shared_bytes > 0) memset(b->shared, 0, b->shared_bytes);
    if (l->shared_bytes > 0) memset(b->dynamic, 0, b->dynamic_bytes);
}

/* Dynamic shared memory ends where a page ends, with a guard page behind. */
static void provide_dynamic(struct block *b, size_t size)
{
    size_t pages = (JOB_SHARED_BYTES_MAX + 4095) & ~(size_t)4095;
    if (b->dynamic == NULL) {
        b->dynamic = map_or_give_up(pages + GUARD_BYTES);
        if (mprotect(b->dynamic + pages, GUARD_BYTES, PROT_NONE) != 0) {
            give_up(REASON_MEMORY, "no guard page");
        }
        b->dynamic_bytes = pages;
    }
    lh_now.dynamic_shared = b->dynamic + pages - ((size + 15) & ~(size_t)15);
}

void block_run(const struct launch *launch, unsigned long long number)
{
    const struct plan_launch *l = launch->plan;
    struct block *b = block_here();
    if (l->shared_bytes > 0) provide_dynamic(b, l->shared_bytes);
    lh_now.block_size = (struct lh_index){l->block[0], l->block[1], l->block[2]};
    lh_now.grid_size = (struct lh_index){l->grid[0], l->grid[1], l->grid[2]};
    lh_now.args = launch->args;
    entry_of_launch = launch->kernel->run;
    start_block(b, launch, number);
    go_on_with(&b->main, fiber_fresh(b));
}

struct search {
    const void *base;
    size_t module; /* 0: it has no variables of threads */
    size_t tls_bytes;
};

/* The loader's own way to a thread's copy of a module's variables. What dl_iterate_phdr says may
 * still be nothing in threads that are older than the module. */
struct tls_index {
    size_t module;
    size_t offset;
};
void *__tls_get_addr(struct tls_index *index);

static int look_at_module(struct dl_phdr_info *info, size_t size, void *context)
{
    struct search *s = context;
    (void)size;
    if ((const void *)info->dlpi_addr != s->base) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_TLS) continue;
        s->module = info->dlpi_tls_modid;
        s->tls_bytes = info->dlpi_phdr[i].p_memsz;
    }
    return 1;
}

void block_bind_module(const void *module_base)
{
    struct search s = {module_base, 0, 0};
    struct block *b = block_here();
    dl_iterate_phdr(look_at_module, &s);
    if (s.tls_bytes > SHARED_STATIC_BYTES_MAX + PRELUDE_TLS_BYTES) {
        give_up(REASON_LAUNCH, "%zu bytes of __shared__ are more than %u", s.tls_bytes,
                SHARED_STATIC_BYTES_MAX);
    }
    b->shared_bytes = s.module == 0 ? 0 : s.tls_bytes;
    if (b->shared_bytes == 0) return;
    struct tls_index start = {s.module, 0};
    b->shared = __tls_get_addr(&start);
}
