/* vm/gas.h - prices that are not in the opcode table because they depend on operands or state. */
#ifndef LEASEHOLD_VM_GAS_H
#define LEASEHOLD_VM_GAS_H

#define GAS_WARM_ACCESS       100 /* EIP-2929 */
#define GAS_COLD_ACCOUNT      2600
#define GAS_COLD_SLOT         2100
#define GAS_MEMORY_WORD       3
#define GAS_COPY_WORD         3
#define GAS_KECCAK_WORD       6
#define GAS_EXP_BYTE          50 /* EIP-160 */
#define GAS_LOG_BYTE          8
#define GAS_SSTORE_SET        20000
#define GAS_SSTORE_RESET      2900 /* 5000 without the cold access it once held */
#define GAS_SSTORE_SENTRY     2300 /* EIP-2200: refused with no more than this left */
#define GAS_SSTORE_CLEAR      4800 /* the refund, EIP-3529 */
#define GAS_CALL_VALUE        9000
#define GAS_CALL_STIPEND      2300
#define GAS_NEW_ACCOUNT       25000
#define GAS_INIT_CODE_WORD    2 /* EIP-3860 */
#define GAS_CODE_DEPOSIT_BYTE 200

#endif
