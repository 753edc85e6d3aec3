/* The preludes as the compilers will read them, carried inside the runner. */
    .section .rodata
    .globl  prelude_text
prelude_text:
    .incbin "compute/runner/abi.h"
    .incbin "compute/runner/prelude.h"
    .incbin "compute/runner/prelude_math.h"
    .byte   0
    .globl  prelude_cuda_text
prelude_cuda_text:
    .incbin "compute/runner/prelude_cuda.h"
    .incbin "compute/runner/prelude_math.h"
    .byte   0
    .section .note.GNU-stack,"",@progbits
