/* ptx_scan.h - does a kernel's PTX have one result on every card?
 *
 * The deterministic profile is enforced by a list: every instruction with all its modifiers must
 * match a row of PTX_ALLOWED, every register that a card fills must be in PTX_REGISTERS, and what
 * is unknown is refused. Words come from NVIDIA's "PTX ISA"; docs/compute.md prints the same rows
 * (a test compares them). A row is segments divided by dots: a|b are choices, and a segment that
 * ends with ? may be missing. libc only, allocates nothing. Any thread. */
#ifndef LEASEHOLD_RUNNER_PTX_SCAN_H
#define LEASEHOLD_RUNNER_PTX_SCAN_H

#include "base/status.h"

#include <stddef.h>

#define PTX_INTS  "u16|s16|u32|s32|u64|s64"
#define PTX_BITS  "b8|u8|s8|b16|u16|s16|b32|u32|s32|b64|u64|s64|f32|f64"
#define PTX_WORDS "b32|u32|s32|b64|u64|s64"
#define PTX_TESTS "eq|ne|lt|le|gt|ge|lo|ls|hi|hs|equ|neu|ltu|leu|gtu|geu|num|nan"
#define PTX_PLACE "const|global|local|param|shared"

/* Each has exactly one result. Rounding must be written down: without it the driver may contract a
 * product and a sum, and what it makes of them differs from card to card. */
#define PTX_ALLOWED(X)                                                                             \
    /* whole numbers */                                                                            \
    X("add|sub.cc?." PTX_INTS)                                                                     \
    X("addc|subc.cc?.u32|s32|u64|s64")                                                             \
    X("mul|mad.lo|hi|wide." PTX_INTS)                                                              \
    X("mad|madc.lo|hi.cc?.u32|s32|u64|s64")                                                        \
    X("mul24|mad24.lo|hi.u32|s32")                                                                 \
    X("div|rem." PTX_INTS)                                                                         \
    X("abs|neg.s16|s32|s64")                                                                       \
    X("min|max." PTX_INTS)                                                                         \
    X("sad." PTX_INTS)                                                                             \
    X("dp4a|dp2a.lo|hi?.u32|s32.u32|s32")                                                          \
    X("and|or|xor|not.pred|b16|b32|b64")                                                           \
    X("cnot.b16|b32|b64")                                                                          \
    X("lop3.b32")                                                                                  \
    X("shl.b16|b32|b64")                                                                           \
    X("shr.b16|b32|b64|" PTX_INTS)                                                                 \
    X("shf.l|r.wrap|clamp.b32")                                                                    \
    X("popc|clz|brev.b32|b64")                                                                     \
    X("bfind.shiftamt?.u32|s32|u64|s64")                                                           \
    X("fns.b32")                                                                                   \
    X("bfe.u32|s32|u64|s64")                                                                       \
    X("bfi.b32|b64")                                                                               \
    X("prmt.b32")                                                                                  \
    X("szext|bmsk.clamp|wrap.b32|u32|s32")                                                         \
    /* floating point: one rounding, named */                                                      \
    X("add|sub|mul|fma|div.rn|rz|rm|rp.f32|f64")                                                   \
    X("sqrt|rcp.rn|rz|rm|rp.f32|f64")                                                              \
    X("abs|neg|min|max.f32|f64")                                                                   \
    X("copysign.f32|f64")                                                                          \
    X("testp.finite|infinite|number|notanumber|normal|subnormal.f32|f64")                          \
    /* comparing and choosing */                                                                   \
    X("setp." PTX_TESTS ".and|or|xor?.b16|b32|b64|" PTX_INTS "|f32|f64")                           \
    X("selp.b16|b32|b64|" PTX_INTS "|f32|f64")                                                     \
    X("slct.b16|b32|b64|" PTX_INTS "|f32|f64.s32|f32")                                             \
    /* moving and converting */                                                                    \
    X("mov.pred|b16|b32|b64|b128|" PTX_INTS "|f32|f64")                                            \
    X("cvt.u8|s8|" PTX_INTS ".u8|s8|" PTX_INTS)                                                    \
    X("cvt.rni|rzi|rmi|rpi.u8|s8|" PTX_INTS ".f32|f64")                                            \
    X("cvt.rn|rz|rm|rp.f32|f64.u8|s8|" PTX_INTS)                                                   \
    X("cvt.rn|rz|rm|rp.f32.f64")                                                                   \
    X("cvt.f64.f32")                                                                               \
    X("cvt.rni|rzi|rmi|rpi.f32.f32")                                                               \
    X("cvt.rni|rzi|rmi|rpi.f64.f64")                                                               \
    X("cvta.to?.const|global|local|param|shared?.u32|u64")                                         \
    /* memory */                                                                                   \
    X("ld.volatile?." PTX_PLACE "?.nc?.v2|v4?." PTX_BITS)                                          \
    X("ld.relaxed|acquire.cta|gpu|sys.global|shared?.v2|v4?." PTX_BITS)                            \
    X("ldu.global?.v2|v4?." PTX_BITS)                                                              \
    X("st.volatile?." PTX_PLACE "?.v2|v4?." PTX_BITS)                                              \
    X("st.relaxed|release.cta|gpu|sys.global|shared?.v2|v4?." PTX_BITS)                            \
    X("atom|red.relaxed|acquire|release|acq_rel?.cta|gpu|sys?.global|shared?"                      \
      ".add|min|max|inc|dec|and|or|xor|exch|cas." PTX_WORDS)                                       \
    X("membar.cta|gl|sys")                                                                         \
    X("fence.sc|acq_rel.cta|gpu|sys")                                                              \
    /* threads together */                                                                         \
    X("bar|barrier.cta?.sync|arrive.aligned?")                                                     \
    X("bar|barrier.cta?.red.aligned?.popc.aligned?.u32")                                           \
    X("bar|barrier.cta?.red.aligned?.and|or.aligned?.pred")                                        \
    X("bar.warp.sync")                                                                             \
    X("shfl.sync.up|down|bfly|idx.b32")                                                            \
    X("vote.sync.all|any|uni.pred")                                                                \
    X("vote.sync.ballot.b32")                                                                      \
    X("match.any|all.sync.b32|b64")                                                                \
    X("redux.sync.add|min|max|and|or|xor.b32|u32|s32")                                             \
    /* the way through the program */                                                              \
    X("bra.uni?")                                                                                  \
    X("call.uni?")                                                                                 \
    X("ret.uni?")                                                                                  \
    X("exit")                                                                                      \
    X("trap")

/* What a card fills in that depends on the launch alone. */
#define PTX_REGISTERS(X)                                                                           \
    X("%tid.x")                                                                                    \
    X("%tid.y")                                                                                    \
    X("%tid.z")                                                                                    \
    X("%ntid.x")                                                                                   \
    X("%ntid.y")                                                                                   \
    X("%ntid.z")                                                                                   \
    X("%ctaid.x")                                                                                  \
    X("%ctaid.y")                                                                                  \
    X("%ctaid.z")                                                                                  \
    X("%nctaid.x")                                                                                 \
    X("%nctaid.y")                                                                                 \
    X("%nctaid.z")                                                                                 \
    X("%laneid")                                                                                   \
    X("%lanemask_eq")                                                                              \
    X("%lanemask_le")                                                                              \
    X("%lanemask_lt")                                                                              \
    X("%lanemask_ge")                                                                              \
    X("%lanemask_gt")

#define PTX_BYTES_MAX    (32u << 20)
#define PTX_FINDINGS_MAX 16
#define PTX_FILES_MAX    64
#define PTX_TEXT_SIZE    80

struct ptx_finding {
    char what[PTX_TEXT_SIZE]; /* the opcode, register or directive */
    const char *why;          /* a sentence, static */
    char file[PTX_TEXT_SIZE]; /* of the job, or "" if the PTX has no line information */
    unsigned line;            /* of that file */
    unsigned ptx_line;
};

struct ptx_report {
    size_t count; /* kept in findings */
    size_t total; /* may be more */
    struct ptx_finding findings[PTX_FINDINGS_MAX];
};

/* Lines of `prelude` (the name that the compiler was told) are reported where they were called.
 * OK: nothing was found. E_MALFORMED: see *out, which holds at least one finding. */
MUST_CHECK enum status ptx_scan(struct ptx_report *out, const char *text, size_t size,
                                const char *prelude);

/* The rows, for documentation and tests; NULL behind the last. */
const char *ptx_allowed_row(size_t index);
const char *ptx_register_row(size_t index);

#endif
