#include "compute/reason.h"

const char *reason_name(unsigned reason)
{
    switch (reason) {
#define X(number, name, short_name, sentence)                                                      \
    case number: return short_name;
        REASONS(X)
#undef X
    }
    return "unknown";
}

const char *reason_text(unsigned reason)
{
    switch (reason) {
#define X(number, name, short_name, sentence)                                                      \
    case number: return sentence;
        REASONS(X)
#undef X
    }
    return "ended for a reason that this program does not know";
}
