#include "compute/lint.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char APPROXIMATE[] = "is an approximation with other bits on other cards; leave out "
                                  "the underscores: the profile's functions are exact to 0.51 ulp";
static const char CLOCK[] = "is a clock: its value differs from run to run";
static const char TEXTURE[] = "textures and surfaces are not in the profile; read the buffer";
static const char TENSOR[] = "tensor cores add up in an order of their own";
static const char OLD_WARP[] = "has no mask; write the form that ends in _sync";
static const char ASSEMBLY[] = "assembly means something else on every kind of machine";
static const char HOST[] = "belongs to the host; job.json says what is launched with what";
static const char HALF[] = "half precision is not in the profile; use float";
static const char OUTSIDE[] = "is not there: kernels reach nothing but their buffers";
static const char COMPILER[] = "tells compilers apart: honest workers would run different programs";
static const char CPU_ONLY[] = "is there on the cpu executor alone: cards decline the job";

/* A star at the end stands for any rest. word, hint, fatal */
#define LINT_WORDS(X)                                                                              \
    X("__expf", APPROXIMATE, true)                                                                 \
    X("__exp10f", APPROXIMATE, true)                                                               \
    X("__logf", APPROXIMATE, true)                                                                 \
    X("__log2f", APPROXIMATE, true)                                                                \
    X("__log10f", APPROXIMATE, true)                                                               \
    X("__powf", APPROXIMATE, true)                                                                 \
    X("__sinf", APPROXIMATE, true)                                                                 \
    X("__cosf", APPROXIMATE, true)                                                                 \
    X("__tanf", APPROXIMATE, true)                                                                 \
    X("__sincosf", APPROXIMATE, true)                                                              \
    X("__tanhf", APPROXIMATE, true)                                                                \
    X("__fdividef", "is an approximation with other bits on other cards; write a division", true)  \
    X("clock", CLOCK, true)                                                                        \
    X("clock64", CLOCK, true)                                                                      \
    X("__globaltimer", CLOCK, true)                                                                \
    X("__nanosleep", CLOCK, true)                                                                  \
    X("tex1D*", TEXTURE, true)                                                                     \
    X("tex2D*", TEXTURE, true)                                                                     \
    X("tex3D*", TEXTURE, true)                                                                     \
    X("surf1D*", TEXTURE, true)                                                                    \
    X("surf2D*", TEXTURE, true)                                                                    \
    X("surf3D*", TEXTURE, true)                                                                    \
    X("cudaTextureObject_t", TEXTURE, true)                                                        \
    X("cudaSurfaceObject_t", TEXTURE, true)                                                        \
    X("wmma", TENSOR, true)                                                                        \
    X("nvcuda", TENSOR, true)                                                                      \
    X("__shfl", OLD_WARP, true)                                                                    \
    X("__shfl_up", OLD_WARP, true)                                                                 \
    X("__shfl_down", OLD_WARP, true)                                                               \
    X("__shfl_xor", OLD_WARP, true)                                                                \
    X("__ballot", OLD_WARP, true)                                                                  \
    X("__any", OLD_WARP, true)                                                                     \
    X("__all", OLD_WARP, true)                                                                     \
    X("asm", ASSEMBLY, true)                                                                       \
    X("__asm", ASSEMBLY, true)                                                                     \
    X("__asm__", ASSEMBLY, true)                                                                   \
    X("cudaMalloc*", HOST, true)                                                                   \
    X("cudaMemcpy*", HOST, true)                                                                   \
    X("cudaDeviceSynchronize", HOST, true)                                                         \
    X("__half", HALF, true)                                                                        \
    X("__half2", HALF, true)                                                                       \
    X("__nv_bfloat16", HALF, true)                                                                 \
    X("printf", OUTSIDE, true)                                                                     \
    X("malloc", OUTSIDE, true)                                                                     \
    X("curand*", "is not there; make randomness from integers, as the examples do", true)          \
    X("cooperative_groups", "is not there; the barriers and warp functions are", true)             \
    X("__clang__", COMPILER, true)                                                                 \
    X("__clang_major__", COMPILER, true)                                                           \
    X("__GNUC__", COMPILER, true)                                                                  \
    X("__GNUG__", COMPILER, true)                                                                  \
    X("__VERSION__", COMPILER, true)                                                               \
    X("__NVCC__", COMPILER, true)                                                                  \
    X("__CUDACC*", COMPILER, true)                                                                 \
    X("__EDG__", COMPILER, true)                                                                   \
    X("__x86_64__", COMPILER, true)                                                                \
    X("__aarch64__", COMPILER, true)                                                               \
    X("__AVX*", COMPILER, true)                                                                    \
    X("__FMA__", COMPILER, true)                                                                   \
    X("__FAST_MATH__", COMPILER, true)                                                             \
    X("__has_builtin", COMPILER, true)                                                             \
    X("__has_feature", COMPILER, true)                                                             \
    X("__has_extension", COMPILER, true)                                                           \
    X("__has_attribute", COMPILER, true)                                                           \
    X("__has_include", COMPILER, true)                                                             \
    X("__is_identifier", COMPILER, true)                                                           \
    X("__DATE__", CLOCK, true)                                                                     \
    X("__TIME__", CLOCK, true)                                                                     \
    X("__TIMESTAMP__", CLOCK, true)                                                                \
    X("__builtin_readcyclecounter", CLOCK, true)                                                   \
    X("__builtin_ia32*", ASSEMBLY, true)                                                           \
    X("__builtin*", CPU_ONLY, false)                                                               \
    X("__activemask", CPU_ONLY, false)                                                             \
    X("lh_now", CPU_ONLY, false)

static const char PRAGMA[] = "a pragma that compilers obey in different ways, or not at all";
static const char DYNAMIC[] = "write DYNAMIC_SHARED(type, name); inside the kernel";

struct lexer {
    const char *at;
    const char *end;
    const char *file;
    unsigned line;
    struct lint *lint;
    char before[LINT_WORD_SIZE]; /* the word before */
    bool in_pragma;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static char peek(const struct lexer *x, size_t ahead)
{
    return (size_t)(x->end - x->at) > ahead ? x->at[ahead] : '\0';
}

static void step(struct lexer *x)
{
    if (*x->at == '\n') x->line++;
    x->at++;
}

/* A backslash at a line's end joins it to the next, in the middle of a word too. */
static bool skip_joint(struct lexer *x)
{
    size_t size = peek(x, 1) == '\r' ? 3 : 2;
    if (peek(x, 0) != '\\' || peek(x, size - 1) != '\n') return false;
    x->at += size;
    x->line++;
    return true;
}

static void find(struct lexer *x, unsigned line, const char *word, const char *hint, bool fatal)
{
    struct lint *l = x->lint;
    l->total++;
    if (fatal) l->fatal++;
    if (l->count == LINT_FINDINGS_MAX) return;
    struct lint_finding *f = &l->findings[l->count++];
    *f = (struct lint_finding){.file = x->file, .line = line, .hint = hint, .fatal = fatal};
    snprintf(f->word, sizeof f->word, "%s", word);
}

static bool fits(const char *pattern, const char *word)
{
    size_t size = strlen(pattern);
    if (pattern[size - 1] != '*') return strcmp(pattern, word) == 0;
    return strncmp(pattern, word, size - 1) == 0;
}

static void judge_word(struct lexer *x, unsigned line, const char *word)
{
    static const struct {
        const char *pattern, *hint;
        bool fatal;
    } WORDS[] = {
#define X(pattern, hint, fatal) {pattern, hint, fatal},
        LINT_WORDS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (!fits(WORDS[i].pattern, word)) continue;
        find(x, line, word, WORDS[i].hint, WORDS[i].fatal);
        return;
    }
    if (strcmp(x->before, "extern") == 0 && strcmp(word, "__shared__") == 0)
        find(x, line, "extern __shared__", DYNAMIC, true);
    bool harmless = strcmp(word, "unroll") == 0 || strcmp(word, "once") == 0;
    bool first = strcmp(x->before, "pragma") == 0 || strcmp(x->before, "_Pragma") == 0;
    if (x->in_pragma && first && !harmless) find(x, line, word, PRAGMA, true);
}

static void read_word(struct lexer *x)
{
    char word[LINT_WORD_SIZE];
    size_t size = 0;
    unsigned line = x->line;
    while (x->at < x->end && (is_letter(*x->at) || skip_joint(x))) {
        if (x->at == x->end || !is_letter(*x->at)) continue;
        if (size + 1 < sizeof word) word[size++] = *x->at;
        x->at++;
    }
    word[size] = '\0';
    if (strcmp(word, "pragma") == 0 || strcmp(word, "_Pragma") == 0) x->in_pragma = true;
    judge_word(x, line, word);
    memcpy(x->before, word, size + 1);
}

static void skip_quoted(struct lexer *x, char quote)
{
    step(x);
    while (x->at < x->end && *x->at != quote && *x->at != '\n') {
        if (*x->at == '\\' && x->at + 1 < x->end) step(x);
        step(x);
    }
    if (x->at < x->end) step(x);
}

static void skip_comment(struct lexer *x, bool line_only)
{
    while (x->at < x->end) {
        if (skip_joint(x)) continue;
        if (line_only && *x->at == '\n') return;
        if (!line_only && peek(x, 0) == '*' && peek(x, 1) == '/') break;
        step(x);
    }
    for (int i = 0; i < 2 && x->at < x->end; i++)
        step(x);
}

void lint_text(struct lint *l, const char *file, struct bytes text)
{
    struct lexer x = {.at = (const char *)text.data, .file = file, .line = 1, .lint = l};
    x.end = x.at + text.size;
    while (x.at < x.end) {
        char c = *x.at;
        if (skip_joint(&x)) continue;
        if (is_letter(c)) {
            read_word(&x);
        } else if (c == '/' && (peek(&x, 1) == '/' || peek(&x, 1) == '*')) {
            x.at++;
            skip_comment(&x, *x.at++ == '/');
        } else if (c == '"' && !x.in_pragma) {
            skip_quoted(&x, '"');
        } else if (c == '\'') {
            skip_quoted(&x, '\'');
        } else {
            if (c == '\n') x.in_pragma = false;
            if (c != ' ' && c != '\t' && c != '(' && c != '"') x.before[0] = '\0';
            step(&x);
        }
    }
    assert(l->count <= l->total && l->fatal <= l->total);
}
