#include "vm/delegation.h"

#include <string.h>

static const uint8_t PREFIX[] = {0xef, 0x01, 0x00};

struct delegation delegation_to(const struct address *delegate)
{
    struct delegation d;
    memcpy(d.code, PREFIX, sizeof PREFIX);
    memcpy(d.code + sizeof PREFIX, delegate->b, sizeof delegate->b);
    return d;
}

bool delegation_decode(struct address *out, struct bytes code)
{
    if (code.size != DELEGATION_SIZE || memcmp(code.data, PREFIX, sizeof PREFIX) != 0) return false;
    memcpy(out->b, code.data + sizeof PREFIX, sizeof out->b);
    return true;
}
