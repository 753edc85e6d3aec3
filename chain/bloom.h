/* bloom.h - the 2048-bit log filter of receipts and headers (Yellow Paper, section 4.3.1). */
#ifndef LEASEHOLD_CHAIN_BLOOM_H
#define LEASEHOLD_CHAIN_BLOOM_H

#include "base/bytes.h"
#include "vm/host.h"

struct bloom {
    uint8_t b[256];
};

void bloom_add(struct bloom *bloom, struct bytes item);
void bloom_add_log(struct bloom *bloom, const struct log_entry *entry); /* address and topics */
void bloom_merge(struct bloom *bloom, const struct bloom *more);
/* False: surely never added. */
bool bloom_may_hold(const struct bloom *bloom, struct bytes item);

#endif
