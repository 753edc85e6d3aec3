/* hints.h - what to do when a contract refuses. */
#ifndef LEASEHOLD_WALLET_HINTS_H
#define LEASEHOLD_WALLET_HINTS_H

/* What a person can do about the custom error of that name; "" where its arguments say it all. */
const char *hint_for(const char *revert_name);

#endif
