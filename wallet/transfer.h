/* transfer.h - how fast a transfer is and how long it will still take, in words.
 *
 * The rate is that of the last seconds: what an earlier try brought does not count. One thread a
 * transfer. */
#ifndef LEASEHOLD_WALLET_TRANSFER_H
#define LEASEHOLD_WALLET_TRANSFER_H

#include <stdint.h>

#define TRANSFER_TEXT_SIZE 96

struct transfer {
    uint64_t from_ms, from_bytes; /* where the rate is counted from; 0 ms: not begun */
    uint64_t next_ms, next_bytes; /* where it will be counted from */
};

/* "12.5 MB of 1.0 GB, 98.1 MB/s, 10 s left"; the last two once they are known. */
void transfer_text(char out[TRANSFER_TEXT_SIZE], struct transfer *t, uint64_t done_bytes,
                   uint64_t size_bytes, uint64_t now_ms);

#endif
