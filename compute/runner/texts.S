/* The preludes as the compilers will read them, carried inside the runner. */
    .section .rodata
    .globl  prelude_text
prelude_text:
    .incbin "compute/runner/abi.h"
    .incbin "compute/runner/prelude.h"
    .incbin "compute/runner/prelude_threads.h"
    .incbin "compute/runner/prelude_integers.h"
    .incbin "compute/runner/prelude_math.h"
    .incbin "compute/runner/prelude_exp.h"
    .incbin "compute/runner/prelude_trig.h"
    .incbin "compute/runner/prelude_special.h"
    .incbin "compute/runner/prelude_entry.h"
    .byte   0
    .globl  prelude_cuda_text
prelude_cuda_text:
    .incbin "compute/runner/prelude_cuda.h"
    .incbin "compute/runner/prelude_math.h"
    .incbin "compute/runner/prelude_exp.h"
    .incbin "compute/runner/prelude_trig.h"
    .incbin "compute/runner/prelude_special.h"
    .byte   0
    .section .note.GNU-stack,"",@progbits
