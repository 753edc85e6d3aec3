/* fiber.c - where a fiber's first switch lands; and ucontext where there is no assembly. */
#include "compute/runner/runner.h"

#include <assert.h>
#include <string.h>

#if defined(__x86_64__)

/* As if `entry` had just been called; it never returns. */
void fiber_prepare(struct lh_fiber *f, void *stack_low, size_t stack_bytes, void (*entry)(void))
{
    void **top = (void **)(void *)((char *)stack_low + stack_bytes);
    assert(((uintptr_t)top & 15) == 0);
    *--top = NULL;
    f->sp = top;
    f->bp = NULL;
    memcpy(&f->pc, &entry, sizeof entry);
}

#else

#include <stdlib.h>
#include <ucontext.h>

/* A fiber's "stack pointer" is here the address of a context. */
void fiber_switch(struct lh_fiber *from, struct lh_fiber *to)
{
    ucontext_t self;
    // cppcheck-suppress autoVariables ; it lives until the switch back
    from->sp = &self;
    if (swapcontext(&self, to->sp) != 0) abort();
}

void fiber_prepare(struct lh_fiber *f, void *stack_low, size_t stack_bytes, void (*entry)(void))
{
    ucontext_t *context = stack_low;
    size_t used = (sizeof *context + 63) & ~(size_t)63;
    if (getcontext(context) != 0) abort();
    context->uc_stack.ss_sp = (char *)stack_low + used;
    context->uc_stack.ss_size = stack_bytes - used;
    context->uc_link = NULL;
    makecontext(context, entry, 0);
    f->sp = context;
}

#endif
