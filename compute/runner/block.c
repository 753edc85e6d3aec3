/* block.c - one thread block: its threads are fibers of one operating system thread.
 *
 * Threads start in order. A thread that never waits needs no switch: the kernel's own loop
 * (lh_entry::run in prelude.h) goes on with the next one on the same fiber. Only when a thread
 * waits for others does the next one get a fiber of its own. When all that live have arrived, the
 * last one goes on and the others follow in the ring's order, so a block's course depends on
 * nothing but its own data. */
#include "compute/runner/runner.h"

#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RUNNABLE    0
#define NEVER       UINT64_MAX /* until a warp operation is complete */
#define FIBERS_MAX  JOB_BLOCK_THREADS_MAX
#define LANES       32
#define GUARD_BYTES 4096

struct fiber {
    void *sp;
    struct fiber *next; /* ring of fibers that hold a thread */
    struct fiber *prev;
    uint64_t wait; /* runnable when the block's generation has come this far */
    struct lh_index thread;
    unsigned linear;
};

struct lane { /* of a warp operation under way */
    uint64_t value;
    uint64_t result;
    struct fiber *fiber;
    unsigned mask;
    unsigned param;
    enum lh_warp_kind kind;
};

struct block {
    struct fiber *current;
    uint64_t generation; /* of the barrier */
    unsigned waiting;    /* threads at the barrier */
    unsigned site;
    unsigned votes;
    unsigned vote_result[2];
    void *main_sp;
    unsigned fiber_count; /* ever made */
    unsigned free_count;
    unsigned warp_waiting[LANES]; /* lanes waiting, a word a warp */
    char *shared;                 /* this thread's copy of the module's __shared__ */
    size_t shared_bytes;
    char *dynamic;
    size_t dynamic_bytes;
    struct lane *lanes;
    struct fiber *free[FIBERS_MAX];
    struct fiber fibers[FIBERS_MAX];
};

__thread struct lh_now lh_now;
static __thread struct block *here;

/* The kernels' way in; the declarations that they see are in prelude.h. */
void lh_barrier(unsigned site);
unsigned lh_barrier_vote(unsigned site, unsigned add);
unsigned long long lh_warp(unsigned kind, unsigned mask, unsigned long long value, unsigned param);
void lh_thread_done(void);
_Noreturn void lh_trap(const char *what);

static void *map_or_give_up(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) give_up(REASON_MEMORY, "no memory for the threads of a block");
    return at;
}

static struct block *block_of_thread(void)
{
    if (here == NULL) {
        here = map_or_give_up(sizeof *here);
        here->lanes = map_or_give_up(sizeof *here->lanes * FIBERS_MAX);
    }
    return here;
}

_Noreturn static void diverged(const char *what)
{
    give_up(REASON_BARRIER, "block (%u,%u,%u), thread (%u,%u,%u): %s", lh_now.block.x,
            lh_now.block.y, lh_now.block.z, lh_now.thread.x, lh_now.thread.y, lh_now.thread.z,
            what);
}

static void fiber_main(void);

/* Frames of neighbours would fall into the same cache sets if all stacks began alike. */
static struct fiber *fiber_make(struct block *b)
{
    if (b->fiber_count >= FIBERS_MAX) diverged("too many threads wait");
    unsigned number = b->fiber_count++;
    struct fiber *f = &b->fibers[number];
    size_t colour = (size_t)(number % 64) * 320;
    char *low = map_or_give_up(FIBER_STACK_BYTES + GUARD_BYTES);
    if (mprotect(low, GUARD_BYTES, PROT_NONE) != 0) give_up(REASON_MEMORY, "no guard page");
    f->sp = fiber_prepare(low + GUARD_BYTES, FIBER_STACK_BYTES - colour, fiber_main);
    return f;
}

static struct fiber *fiber_fresh(struct block *b)
{
    struct fiber *f = b->free_count > 0 ? b->free[--b->free_count] : fiber_make(b);
    f->wait = RUNNABLE;
    if (b->current == NULL) {
        f->next = f->prev = f;
    } else { /* last in the ring: just before the one that has waited longest */
        struct fiber *last = b->current;
        f->prev = last;
        f->next = last->next;
        f->next->prev = f;
        last->next = f;
    }
    return f;
}

/* Makes `to` the running fiber. A waiting fiber's place in its block is put back before the switch,
 * so that nothing is left to do behind it and callers can end with it. */
static inline void take_over(struct block *b, struct fiber *to)
{
    b->current = to;
    lh_now.thread = to->thread;
    lh_now.linear = to->linear;
}

/* The stacks of a block do not fit the first cache: the one after next is called for in time. */
static inline void call_for(const struct fiber *f)
{
    const char *sp = f->sp;
    __builtin_prefetch(f->next);
    __builtin_prefetch(sp);
    __builtin_prefetch(sp + 64);
    __builtin_prefetch(sp + 128);
    __builtin_prefetch(sp + 192);
}

__attribute__((noinline)) static void start_another(struct block *b, struct fiber *me)
{
    struct fiber *to = fiber_fresh(b);
    lh_now.suspended++;
    b->current = to;
    fiber_switch(&me->sp, to->sp);
}

__attribute__((noinline)) static struct fiber *search_runnable(struct block *b, struct fiber *from)
{
    struct fiber *f = from;
    do {
        f = f->next;
        if (f->wait <= b->generation) return f;
    } while (f != from);
    diverged("waits for threads of its block that wait elsewhere");
}

/* Goes on with whoever can run; comes back when `me` can. */
static inline void suspend(struct block *b, struct fiber *me)
{
    me->thread = lh_now.thread;
    me->linear = lh_now.linear;
    if (lh_now.started < lh_now.thread_count) {
        start_another(b, me);
        return;
    }
    struct fiber *to = me->next;
    if (to->wait > b->generation) to = search_runnable(b, me);
    if (to == me) return;
    call_for(to->next);
    take_over(b, to);
    fiber_switch(&me->sp, to->sp);
}

static void release_barrier(struct block *b)
{
    b->waiting = 0;
    b->vote_result[b->generation & 1] = b->votes;
    b->votes = 0;
    b->generation++;
}

void lh_barrier(unsigned site)
{
    struct block *b = here;
    unsigned arrived = ++b->waiting;
    if (arrived == 1) b->site = site;
    if (b->site != site) diverged("is at another barrier than the threads before it");
    if (arrived == lh_now.alive) {
        release_barrier(b);
        return;
    }
    b->current->wait = b->generation + 1;
    suspend(b, b->current);
}

unsigned lh_barrier_vote(unsigned site, unsigned add)
{
    struct block *b = here;
    uint64_t generation = b->generation;
    b->votes += add;
    lh_barrier(site);
    return b->vote_result[generation & 1];
}

static unsigned long long shuffled(const struct lane *warp, unsigned mask, unsigned self)
{
    const struct lane *me = &warp[self];
    unsigned width = me->param >> 8;
    unsigned delta = me->param & 255;
    unsigned base = self & ~(width - 1);
    unsigned from = self;
    if (me->kind == LH_WARP_SHFL) from = base + (delta & (width - 1));
    if (me->kind == LH_WARP_SHFL_XOR) from = self ^ delta;
    if (me->kind == LH_WARP_SHFL_DOWN) from = self + delta;
    if (me->kind == LH_WARP_SHFL_UP) from = self - delta; /* wraps below the base */
    if (from < base || from >= base + width || (mask >> from & 1) == 0) from = self;
    return warp[from].value;
}

static unsigned ballot(const struct lane *warp, unsigned mask)
{
    unsigned votes = 0;
    for (unsigned i = 0; i < LANES; i++) {
        if ((mask >> i & 1) && warp[i].value != 0) votes |= 1u << i;
    }
    return votes;
}

/* All lanes of `mask` have arrived: gives each its result and lets it go on. */
static void complete(struct block *b, unsigned warp_number, unsigned mask, unsigned first)
{
    struct lane *warp = b->lanes + (size_t)warp_number * LANES;
    enum lh_warp_kind kind = warp[first].kind;
    unsigned votes = kind == LH_WARP_BALLOT ? ballot(warp, mask) : 0;
    for (unsigned i = 0; i < LANES; i++) {
        if ((mask >> i & 1) == 0) continue;
        if (warp[i].kind != kind || (warp[i].mask & mask) != mask) {
            diverged("makes another warp operation than the lanes that it names");
        }
        warp[i].result = votes;
        if (kind >= LH_WARP_SHFL) warp[i].result = shuffled(warp, mask, i);
        warp[i].fiber->wait = RUNNABLE;
    }
    b->warp_waiting[warp_number] &= ~mask;
}

/* True, and all done, if the operation that lane `first` waits in has all its lanes. */
static bool try_complete(struct block *b, unsigned warp_number, unsigned first)
{
    struct lane *warp = b->lanes + (size_t)warp_number * LANES;
    unsigned mask = warp[first].mask & lh_now.warp_live[warp_number];
    if ((b->warp_waiting[warp_number] & mask) != mask) return false;
    complete(b, warp_number, mask, first);
    return true;
}

unsigned long long lh_warp(unsigned kind, unsigned mask, unsigned long long value, unsigned param)
{
    struct block *b = here;
    unsigned warp_number = lh_now.linear / LANES;
    unsigned self = lh_now.linear % LANES;
    struct lane *lane = &b->lanes[lh_now.linear];
    if ((mask >> self & 1) == 0) diverged("is not in the mask of its own warp operation");
    *lane = (struct lane){value, 0, b->current, mask, param, (enum lh_warp_kind)kind};
    b->warp_waiting[warp_number] |= 1u << self;
    if (!try_complete(b, warp_number, self)) {
        b->current->wait = NEVER;
        suspend(b, b->current);
    }
    return lane->result;
}

/* A thread has ended while others wait: it may have been the last that they waited for. */
void lh_thread_done(void)
{
    struct block *b = here;
    unsigned warp_number = lh_now.linear / LANES;
    unsigned waiting = b->warp_waiting[warp_number];
    if (b->waiting > 0 && b->waiting == lh_now.alive) release_barrier(b);
    for (unsigned i = 0; i < LANES; i++) {
        if ((waiting & b->warp_waiting[warp_number]) >> i & 1) {
            (void)try_complete(b, warp_number, i);
        }
    }
}

_Noreturn void lh_trap(const char *what)
{
    give_up(REASON_TRAP, "block (%u,%u,%u), thread (%u,%u,%u): %s", lh_now.block.x, lh_now.block.y,
            lh_now.block.z, lh_now.thread.x, lh_now.thread.y, lh_now.thread.z, what);
}

static __thread void (*entry_of_launch)(void);

/* No thread is left to start: the fiber leaves the ring and waits for another block. */
static void retire(struct block *b)
{
    struct fiber *me = b->current;
    struct fiber *next = me->next;
    b->free[b->free_count++] = me;
    if (next == me) {
        b->current = NULL;
        fiber_switch(&me->sp, b->main_sp);
        return;
    }
    next->prev = me->prev;
    me->prev->next = next;
    struct fiber *to = next->wait <= b->generation ? next : search_runnable(b, me->prev);
    lh_now.suspended--;
    take_over(b, to);
    fiber_switch(&me->sp, to->sp);
}

static void fiber_main(void)
{
    for (;;) {
        entry_of_launch();
        retire(here);
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
    lh_now.started = 0;
    lh_now.suspended = 0;
    lh_now.thread_count = lh_now.alive = count;
    for (unsigned w = 0; w * LANES < count; w++) {
        unsigned left = count - w * LANES;
        lh_now.warp_live[w] = left >= LANES ? UINT32_MAX : (1u << left) - 1;
        b->warp_waiting[w] = 0;
    }
    b->waiting = b->votes = 0;
    b->generation = 1;
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
    struct block *b = block_of_thread();
    if (l->shared_bytes > 0) provide_dynamic(b, l->shared_bytes);
    lh_now.block_size = (struct lh_index){l->block[0], l->block[1], l->block[2]};
    lh_now.grid_size = (struct lh_index){l->grid[0], l->grid[1], l->grid[2]};
    lh_now.args = launch->args;
    entry_of_launch = launch->kernel->run;
    start_block(b, launch, number);
    struct fiber *first = fiber_fresh(b);
    b->current = first;
    fiber_switch(&b->main_sp, first->sp);
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
    struct block *b = block_of_thread();
    dl_iterate_phdr(look_at_module, &s);
    if (s.tls_bytes > SHARED_STATIC_BYTES_MAX) {
        give_up(REASON_LAUNCH, "%zu bytes of __shared__ are more than %u", s.tls_bytes,
                SHARED_STATIC_BYTES_MAX);
    }
    b->shared_bytes = s.module == 0 ? 0 : s.tls_bytes;
    if (b->shared_bytes == 0) return;
    struct tls_index start = {s.module, 0};
    b->shared = __tls_get_addr(&start);
}
