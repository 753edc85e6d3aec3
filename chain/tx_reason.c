#include "chain/tx_reason.h"

#include <assert.h>

const char *tx_reason_text(enum tx_reason reason)
{
    static const char *const texts[] = {
#define X(name, text) text,
        TX_REASONS(X)
#undef X
    };
    assert(reason < TX_REASON_COUNT);
    return texts[reason];
}
