/* vm/limits.h - the EVM's bounds. */
#ifndef LEASEHOLD_VM_LIMITS_H
#define LEASEHOLD_VM_LIMITS_H

#define STACK_ITEMS_MAX     1024
#define CALL_DEPTH_MAX      1024  /* the outermost frame is at depth 0, the last at 1024 */
#define CODE_BYTES_MAX      24576 /* EIP-170 */
#define INIT_CODE_BYTES_MAX 49152 /* EIP-3860 */
/* Offsets and sizes from here on cost more than any gas limit pays for (2^45 gas). */
#define MEMORY_BYTES_MAX       0xffffffffu
#define BLOCK_HASHES_MAX       256
#define PROGRAM_CACHE_MAX      1024 /* analysed contracts kept by one evm, at most 28 MiB */
#define PROGRAM_BUCKETS        4096 /* to find them by */
#define PROGRAM_FAST_BYTES_MAX ((size_t)32 << 20) /* their translations, all together */
/* Zero bytes (STOP) behind the code: a PUSH32 at the end and running off it need no check. */
#define CODE_PADDING_BYTES 40

#endif
