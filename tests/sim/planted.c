#include "tests/sim/planted.h"

#include "chain/consensus/planted.h"

#include <assert.h>
#include <string.h>

struct bug {
    const char *name;
    const char *text;
};

static const struct bug BUGS[] = {{"NONE", "nothing"},
#ifdef PLANTED_BUILD
#define BUG(name, text) {#name, text},
                                  PLANTED_BUGS(BUG)
#undef BUG
#endif
};

#ifdef PLANTED_BUILD
enum planted planted_bug;
#endif

uint32_t planted_count(void)
{
    return sizeof(BUGS) / sizeof(*BUGS);
}

void planted_choose(uint32_t bug)
{
    assert(bug < planted_count());
#ifdef PLANTED_BUILD
    planted_bug = (enum planted)bug;
#endif
}

const char *planted_name(uint32_t bug)
{
    assert(bug < planted_count());
    return BUGS[bug].name;
}

const char *planted_text(uint32_t bug)
{
    assert(bug < planted_count());
    return BUGS[bug].text;
}

bool planted_find(const char *name)
{
    for (uint32_t i = 1; i < planted_count(); i++) {
        if (strcmp(BUGS[i].name, name) != 0) continue;
        planted_choose(i);
        return true;
    }
    return false;
}
