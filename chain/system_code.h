/* system_code.h - the system contracts' runtime code as it lies in contracts/artifacts: text, 0x
 * and hex digits, one line. Included into the program by system_code.S. */
#ifndef LEASEHOLD_CHAIN_SYSTEM_CODE_H
#define LEASEHOLD_CHAIN_SYSTEM_CODE_H

#define SYSTEM_CODE(name) extern const char system_code_##name[], system_code_##name##_end[]

SYSTEM_CODE(Staking);
SYSTEM_CODE(Providers);
SYSTEM_CODE(Jobs);
SYSTEM_CODE(Scheduler);
SYSTEM_CODE(Disputes);
SYSTEM_CODE(Custody);
SYSTEM_CODE(JobsCourt);

#endif
