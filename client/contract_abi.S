/* The compiled contracts' ABIs, as they are in contracts/artifacts (contracts.c declares them). */
    .section .rodata

.macro embed symbol, path
    .global contract_abi_\symbol
    .global contract_abi_\symbol\()_end
contract_abi_\symbol:
    .incbin "\path"
contract_abi_\symbol\()_end:
    .byte 0
.endm

    embed STAKING, "contracts/artifacts/Staking.abi.json"
    embed PROVIDERS, "contracts/artifacts/Providers.abi.json"
    embed JOBS, "contracts/artifacts/Jobs.abi.json"
    embed SCHEDULER, "contracts/artifacts/Scheduler.abi.json"
    embed DISPUTES, "contracts/artifacts/Disputes.abi.json"
    embed CUSTODY, "contracts/artifacts/Custody.abi.json"

    .section .note.GNU-stack, "", @progbits
