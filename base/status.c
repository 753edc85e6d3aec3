#include "base/status.h"

const char *status_text(enum status status)
{
    static const char *const texts[] = {
#define X(name, text) text,
        STATUSES(X)
#undef X
    };
    if ((unsigned)status >= STATUS_COUNT) return "unknown status";
    return texts[status];
}
