/* fiber_switch(struct lh_fiber *from, struct lh_fiber *to): sp, pc and bp go into the fiber, the
 * other registers that a call keeps onto its stack. prelude_threads.h has the same switch inline.
 * All calls of this one come from few places, so that `ret` finds what the predictor expects. */
#if defined(__x86_64__)
    .text
    .globl  fiber_switch
    .type   fiber_switch, @function
    .p2align 5
fiber_switch:
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    leaq    1f(%rip), %rcx
    movq    %rsp, (%rdi)
    movq    %rcx, 8(%rdi)
    movq    %rbp, 16(%rdi)
    movq    (%rsi), %rsp
    movq    16(%rsi), %rbp
    jmpq    *8(%rsi)
1:
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    ret
    .size   fiber_switch, .-fiber_switch

/* gate_call(number, a, b, c, d, e, f): the one place from which a confined job's own handler may
 * make a call that the filter stops elsewhere. */
    .globl  gate_call
    .type   gate_call, @function
    .p2align 5
gate_call:
    movq    %rdi, %rax
    movq    %rsi, %rdi
    movq    %rdx, %rsi
    movq    %rcx, %rdx
    movq    %r8, %r10
    movq    %r9, %r8
    movq    8(%rsp), %r9
    syscall
    .globl  gate_return
gate_return:
    ret
    .size   gate_call, .-gate_call
#endif
    .section .note.GNU-stack,"",@progbits
