/* The prelude as the compiler will read it, carried inside the runner. */
    .section .rodata
    .globl  prelude_text
prelude_text:
    .incbin "compute/runner/abi.h"
    .incbin "compute/runner/prelude.h"
    .incbin "compute/runner/prelude_math.h"
    .byte   0
    .section .note.GNU-stack,"",@progbits
