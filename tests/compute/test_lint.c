/* Which words of a source are found, and which are none. */
#include "compute/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void expect_lint(const char *text, const char *word, unsigned line)
{
    static struct lint lint;
    lint = (struct lint){.count = 0};
    lint_text(&lint, "k.cu", bytes_of(text, strlen(text)));
    if (word == NULL) {
        if (lint.total != 0) fail_msg("%s: %s", text, lint.findings[0].word);
        return;
    }
    if (lint.total == 0) fail_msg("%s: nothing was found", text);
    assert_string_equal(lint.findings[0].word, word);
    assert_int_equal(lint.findings[0].line, line);
}

static void words_are_found_where_they_are_words(void **state)
{
    (void)state;
    expect_lint("int a;\nfloat b = __expf(a);", "__expf", 2);
    expect_lint("// clock\n/* asm\n */ x = \"__expf\"; int clocks, my_clock, clock_;", NULL, 0);
    expect_lint("as\\\nm(\"\");", "asm", 1);
    expect_lint("#pragma unroll 4\n#pragma once\nint x;", NULL, 0);
    expect_lint("\n#pragma clang fp contract(fast)", "clang", 2);
    expect_lint("_Pragma(\"STDC FP_CONTRACT ON\")", "STDC", 1);
    expect_lint("extern __shared__ float t[];", "extern __shared__", 1);
    expect_lint("extern int a; __shared__ float t[4];", NULL, 0);
    expect_lint("#ifdef __clang__", "__clang__", 1);
    expect_lint("#if __has_builtin(x)", "__has_builtin", 1);
    expect_lint("tex2DLod<float>(t, 1)", "tex2DLod", 1);
    expect_lint("__shfl(a, 1); __shfl_sync(~0u, a, 1);", "__shfl", 1);
    expect_lint("char c = '\"'; clock64();", "clock64", 1);
    expect_lint("\"no end\nclock()", "clock", 2);
    expect_lint("/* no end clock()", NULL, 0);
    expect_lint("\\", NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_where_they_are_words),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
