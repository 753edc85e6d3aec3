/* fiber.c - where a fiber's first switch lands; and ucontext where there is no assembly. */
#include "compute/runner/runner.h"

#include <assert.h>
#include <string.h>

#if defined(__x86_64__)

/* The stack that fiber_switch expects: six registers, then the address to return to. The entry
 * never returns; above it one word keeps the stack aligned as after a call. */
void *fiber_prepare(void *stack_low, size_t stack_bytes, void (*entry)(void))
{
    void **top = (void **)(void *)((char *)stack_low + stack_bytes);
    assert(((uintptr_t)top & 15) == 0);
    *--top = NULL;
    memcpy(--top, &entry, sizeof entry);
    for (int i = 0; i < 6; i++)
        *--top = NULL;
    return top;
}

#else

#include <stdlib.h>
#include <ucontext.h>

/* A "stack pointer" is here the address of a context. */
void fiber_switch(void **save_sp, void *load_sp)
{
    ucontext_t self;
    // cppcheck-suppress autoVariables ; it lives until the switch back
    *save_sp = &self;
    if (swapcontext(&self, load_sp) != 0) abort();
}

void *fiber_prepare(void *stack_low, size_t stack_bytes, void (*entry)(void))
{
    ucontext_t *context = stack_low;
    size_t used = (sizeof *context + 63) & ~(size_t)63;
    if (getcontext(context) != 0) abort();
    context->uc_stack.ss_sp = (char *)stack_low + used;
    context->uc_stack.ss_size = stack_bytes - used;
    context->uc_link = NULL;
    makecontext(context, entry, 0);
    return context;
}

#endif
