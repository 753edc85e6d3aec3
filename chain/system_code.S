/* The compiled system contracts, as text: see system_code.h. */
    .section .rodata

    .macro carry name
    .global system_code_\name
    .global system_code_\name\()_end
system_code_\name:
    .incbin "contracts/artifacts/\name\().runtime.hex"
system_code_\name\()_end:
    .endm

    carry Staking
    carry Providers
    carry Jobs
    carry Scheduler
    carry Disputes
    carry Custody
    carry JobsCourt

    .section .note.GNU-stack, "", %progbits
