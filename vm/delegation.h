/* vm/delegation.h - the code of an account that lets another one's code act for it (EIP-7702).
 *
 * Such an account holds 0xef0100 and the delegate's address, 23 bytes: its own code as EXTCODESIZE,
 * EXTCODECOPY and EXTCODEHASH see it, while calls run the delegate's. No contract can begin with
 * 0xef (EIP-3541), so the form is unmistakable. Pure functions; any thread. */
#ifndef LEASEHOLD_VM_DELEGATION_H
#define LEASEHOLD_VM_DELEGATION_H

#include "base/bytes.h"

#define DELEGATION_SIZE 23

struct delegation {
    uint8_t code[DELEGATION_SIZE];
};

struct delegation delegation_to(const struct address *delegate);
/* True if the code is a delegation; *out is then whose code runs. */
bool delegation_decode(struct address *out, struct bytes code);

#endif
