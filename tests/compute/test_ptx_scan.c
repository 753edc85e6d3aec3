/* What the scan of PTX lets pass and what it refuses: from fixed texts, and, where NVRTC can be
 * opened, from CUDA source through the real compiler. Run from the top of the tree. */
#include "base/file.h"
#include "compute/runner/nvrtc.h"
#include "compute/runner/ptx_rewrite.h"
#include "compute/runner/ptx_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCS_BYTES_MAX (1u << 20)

/* ---- fixed texts ----------------------------------------------------------------------------- */

static enum status scan_text(struct ptx_report *report, const char *text)
{
    return ptx_scan(report, text, strlen(text), "prelude");
}

/* A kernel around `body`, with lines as NVRTC gives them. */
static char *module_around(char *out, size_t size, const char *body)
{
    snprintf(
        out, size,
        ".version 7.8\n.target sm_75\n.address_size 64\n\n"
        ".visible .entry k(\n\t.param .u64 k_param_0\n)\n{\n"
        "\t.reg .pred %%p<2>;\n\t.reg .f32 %%f<4>;\n\t.reg .b32 %%r<4>;\n\t.reg .b64 %%rd<4>;\n"
        "\t.loc\t1 900 3, function_name $L__info_string0, inlined_at 2 7 5\n"
        "\tld.param.u64 \t%%rd1, [k_param_0];\n\t.loc\t2 8 1\n\t%s\n\tret;\n}\n"
        "\t.file\t1 \"/tmp/prelude\"\n\t.file\t2 \"/tmp/job.cu\"\n",
        body);
    return out;
}

static void expect_allowed(const char *body)
{
    struct ptx_report report;
    char text[4096];
    enum status status = scan_text(&report, module_around(text, sizeof text, body));
    if (status != OK) fail_msg("%s: %s: %s", body, report.findings[0].what, report.findings[0].why);
}

static void expect_refused(const char *body, const char *what, const char *why)
{
    struct ptx_report report;
    char text[4096];
    if (scan_text(&report, module_around(text, sizeof text, body)) == OK) fail_msg("%s", body);
    assert_true(report.total >= 1 && report.count >= 1);
    assert_string_equal(report.findings[0].what, what);
    if (strstr(report.findings[0].why, why) == NULL)
        fail_msg("%s: %s", body, report.findings[0].why);
}

static void what_has_one_result_passes(void **state)
{
    static const char *const BODIES[] = {
        "add.rn.f32 %f1, %f2, %f3;",
        "fma.rn.f64 %fd1, %fd2, %fd3, %fd4;",
        "div.rn.f32 %f1, %f2, 0f3F800000;",
        "sqrt.rn.f32 %f1, %f2;",
        "add.rz.f32 %f1, %f2, %f3;", /* truncation is exact too */
        "cvt.rzi.s32.f32 %r1, %f1;",
        "cvt.rn.f32.f64 %f1, %fd1;",
        "@!%p1 bra $L__BB0_2;\n$L__BB0_2:",
        "setp.lt.and.s32 %p1|%p0, %r1, %r2, %p1;",
        "ld.global.v4.f32 {%f1, %f2, %f3, %f0}, [%rd1+16];",
        "atom.global.add.u32 %r1, [%rd1], 1;",
        "atom.relaxed.gpu.global.cas.b64 %rd1, [%rd2], %rd3, %rd0;",
        "red.shared.max.s32 [%rd1], %r1;",
        "bar.sync 0;",
        "barrier.cta.red.popc.aligned.u32 %r1, 0, %p1;",
        "shfl.sync.idx.b32 %r1|%p1, %r2, %r3, 31, -1;",
        "vote.sync.ballot.b32 %r1, %p1, -1;",
        "mov.u32 %r1, %tid.x;",
        "mov.u32 %r1, %laneid;",
        "mad.lo.cc.u32 %r1, %r2, %r3, %r0;",
        "{ // a comment\n.reg .b32 t; /* another */ mov.u32 t, %ctaid.y;\n}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++)
        expect_allowed(BODIES[i]);
}

static void what_may_have_several_is_refused(void **state)
{
    static const char *const CASES[][3] = {
        {"div.approx.f32 %f1, %f2, %f3;", "div.approx.f32", "approximation"},
        {"div.full.f32 %f1, %f2, %f3;", "div.full.f32", "approximation"},
        {"ex2.approx.ftz.f32 %f1, %f2;", "ex2.approx.ftz.f32", "approximation"},
        {"rsqrt.approx.f32 %f1, %f2;", "rsqrt.approx.f32", "approximation"},
        {"add.rn.ftz.f32 %f1, %f2, %f3;", "add.rn.ftz.f32", "denormal"},
        {"mul.f32 %f1, %f2, %f3;", "mul.f32", "contract"},
        {"add.f64 %fd1, %fd2, %fd3;", "add.f64", "contract"},
        {"atom.global.add.f32 %f1, [%rd1], %f2;", "atom.global.add.f32", "order of the threads"},
        {"red.global.add.f64 [%rd1], %fd2;", "red.global.add.f64", "order of the threads"},
        {"tex.2d.v4.f32.f32 {%f1,%f2,%f3,%f0}, [%rd1, {%f1,%f2}];", "tex.2d.v4.f32.f32",
         "textures"},
        {"suld.b.2d.b32.trap {%r1}, [%rd1, {%r1,%r2}];", "suld.b.2d.b32.trap", "surfaces"},
        {"mov.u64 %rd1, %clock64;", "%clock64", "time, place"},
        {"mov.u32 %r1, %clock;", "%clock", "time, place"},
        {"mov.u64 %rd1, %globaltimer;", "%globaltimer", "time, place"},
        {"mov.u32 %r1, %smid;", "%smid", "time, place"},
        {"mov.u32 %r1, %warpid;", "%warpid", "time, place"},
        {"mov.u32 %r1, %nsmid;", "%nsmid", "time, place"},
        {"mov.u32 %r1, %pm0;", "%pm0", "time, place"},
        {"mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 {%f1}, {%r1}, {%r2}, {%f2};",
         "mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32", "tensor"},
        {"cp.async.bulk.commit_group;", "cp.async.bulk.commit_group", "copies"},
        {"activemask.b32 %r1;", "activemask.b32", "which lanes"},
        {"nanosleep.u32 100;", "nanosleep.u32", "time"},
        {"add.rn.f16 %rs1, %rs2, %rs3;", "add.rn.f16", "half"},
        {"vote.all.pred %p1, %p1;", "vote.all.pred", "list"},
        {"shfl.up.b32 %r1, %r2, 1, 0;", "shfl.up.b32", "list"},
        {"frobnicate.u32 %r1;", "frobnicate.u32", "list"},
        {"add.s32. %r1, %r2, %r3;", "add.s32.", "list"},
        {"add..s32 %r1, %r2, %r3;", "add..s32", "list"},
        {"mov.u32 %r1, clock.x;", "clock.x", "operand"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        expect_refused(CASES[i][0], CASES[i][1], CASES[i][2]);
}

static void nothing_hides_behind_what_the_reader_skips(void **state)
{
    struct ptx_report report;
    char text[4096];
    static const char *const BODIES[] = {
        ".loc 2 9 1 mov.u32 %r1, %clock;",
        ".loc 2 9 1 s",
        ".pragma \"nounroll\"; mov.u32 %r1, %clock;",
        "/* */ mov.u32 /* %tid.x */ %r1, %clock;",
        "mov.u32 %r1,\n%clock;",
        "@%clock bra $L__BB0_2;",
        ".file 3 \"a\"; mov.u32 %r1, %clock;",
        ".callprototype ()_ ();",
        ".branchtargets a, b;",
        "ret { mov.u32 %r1, %clock; }",
        "mov.u32 %r1, \x01%clock;",
        "\"",
        "/* no end",
        "}",
        "{",
    };
    (void)state;
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
        if (scan_text(&report, module_around(text, sizeof text, BODIES[i])) == OK)
            fail_msg("%s", BODIES[i]);
    }
    assert_int_equal(scan_text(&report, ""), E_MALFORMED);
    assert_int_equal(scan_text(&report, "not PTX at all"), E_MALFORMED);
    assert_int_equal(scan_text(&report, ".version 7.8\n.target sm_75\n.extern .func printf;\n"),
                     E_MALFORMED);
    assert_int_equal(scan_text(&report, ".version 7.8\n.target sm_75\n.global .texref t;\n"),
                     E_MALFORMED);
}

static void a_finding_names_the_line_of_the_job_and_not_of_the_prelude(void **state)
{
    struct ptx_report report;
    char text[4096];
    (void)state;
    module_around(text, sizeof text, "mul.f32 %f1, %f2, %f3;");
    assert_int_equal(scan_text(&report, text), E_MALFORMED);
    assert_string_equal(report.findings[0].file, "job.cu");
    assert_int_equal(report.findings[0].line, 8);
    module_around(text, sizeof text,
                  ".loc\t1 950 2, function_name $L__info_string0, inlined_at 2 77 5\n"
                  "\tmul.f32 %f1, %f2, %f3;");
    assert_int_equal(scan_text(&report, text), E_MALFORMED);
    assert_string_equal(report.findings[0].file, "job.cu");
    assert_int_equal(report.findings[0].line, 77);
}

static void findings_are_counted_beyond_what_is_kept(void **state)
{
    struct ptx_report report;
    char text[4096], body[2048] = "";
    (void)state;
    for (size_t i = 0; i < 40; i++) {
        size_t used = strlen(body);
        snprintf(body + used, sizeof body - used, "%s", "ex2.approx.f32 %f1, %f2;\n");
    }
    assert_int_equal(scan_text(&report, module_around(text, sizeof text, body)), E_MALFORMED);
    assert_int_equal(report.total, 40);
    assert_int_equal(report.count, PTX_FINDINGS_MAX);
}

static void every_row_of_the_list_is_in_the_documentation(void **state)
{
    struct buffer docs = {0};
    (void)state;
    assert_int_equal(file_read(&docs, "docs/compute.md", DOCS_BYTES_MAX), OK);
    buffer_append_byte(&docs, 0);
    for (size_t i = 0; ptx_allowed_row(i) != NULL; i++) {
        char line[256];
        snprintf(line, sizeof line, "\n%s\n", ptx_allowed_row(i));
        if (strstr((const char *)docs.data, line) == NULL)
            fail_msg("docs/compute.md does not have the line: %s", ptx_allowed_row(i));
    }
    for (size_t i = 0; ptx_register_row(i) != NULL; i++) {
        if (strstr((const char *)docs.data, ptx_register_row(i)) == NULL)
            fail_msg("docs/compute.md does not have %s", ptx_register_row(i));
    }
    buffer_finish(&docs);
}

/* ---- what is added --------------------------------------------------------------------------- */

static char *rewrite(const char *body, enum status wanted)
{
    char text[4096], *out = NULL;
    const char *const NAMES[] = {"k"};
    const unsigned THREADS[] = {192};
    struct ptx_kernels kernels = {NAMES, THREADS, 1};
    struct ptx_report report;
    module_around(text, sizeof text, body);
    assert_int_equal(scan_text(&report, text), OK);
    assert_int_equal(ptx_rewrite(&out, text, strlen(text), &kernels), wanted);
    return out;
}

static void kernels_get_their_name_and_the_size_of_their_blocks(void **state)
{
    char *out = rewrite("bar.sync 0;", OK);
    (void)state;
    assert_non_null(strstr(out, ".visible .entry lh_kernel_0("));
    assert_non_null(strstr(out, ".maxntid 192, 1, 1"));
    assert_null(strstr(out, "LH_ZERO"));
    free(out);
}

static void shared_memory_is_zeroed_where_it_is_used(void **state)
{
    char *out = rewrite(".shared .align 4 .b8 tile[1024];\n\tmov.u64 %rd2, tile;", OK);
    (void)state;
    const char *zero = strstr(out, "mov.u64 %lhd0, tile;");
    assert_non_null(zero);
    assert_non_null(strstr(out, "mov.u32 %lhz3, 1024;"));
    assert_non_null(strstr(zero, "bar.sync 0;"));
    free(out);
    out = rewrite(".shared .align 1 .b8 odd[7];\n\tmov.u64 %rd2, odd;", OK);
    assert_non_null(strstr(out, "st.shared.u8"));
    assert_non_null(strstr(out, "mov.u32 %lhz3, 7;"));
    free(out);
}

static void divisions_by_what_may_be_zero_are_tested(void **state)
{
    char *out = rewrite("div.s32 %r1, %r2, %r3;", OK);
    (void)state;
    assert_non_null(strstr(out, "setp.eq.s32 %lhq0, %r3, 0;"));
    assert_non_null(strstr(out, "setp.eq.s32 %lhq2, %r2, -2147483648;"));
    assert_non_null(strstr(out, "@%lhq0 call lh_divided_by_zero;"));
    free(out);
    out = rewrite("@!%p1 rem.u64 %rd1, %rd2, %rd3;", OK);
    assert_non_null(strstr(out, "not.pred %lhq1, %p1;"));
    free(out);
    out = rewrite("div.u32 %r1, %r2, 10;\n\tdiv.rn.f32 %f1, %f2, %f3;", OK);
    assert_null(strstr(out, "lh_divided_by_zero"));
    free(out);
}

static void functions_that_call_themselves_are_left_to_the_processor(void **state)
{
    static const char TEXT[] = ".version 7.8\n.target sm_75\n.address_size 64\n.func g();\n"
                               ".func f()\n{\n\tcall.uni g, ();\n\tret;\n}\n"
                               ".func g()\n{\n\tcall.uni f, ();\n\tret;\n}\n"
                               ".visible .entry k()\n{\n\tcall.uni f, ();\n\tret;\n}\n";
    const char *const NAMES[] = {"k"};
    const unsigned THREADS[] = {32};
    struct ptx_kernels kernels = {NAMES, THREADS, 1};
    char *out = NULL;
    (void)state;
    assert_int_equal(ptx_rewrite(&out, TEXT, strlen(TEXT), &kernels), E_UNSUPPORTED);
    kernels.names = (const char *const[]){"another"};
    static const char PLAIN[] = ".version 7.8\n.target sm_75\n.visible .entry k()\n{\n\tret;\n}\n";
    assert_int_equal(ptx_rewrite(&out, PLAIN, strlen(PLAIN), &kernels), E_NOT_FOUND);
}

/* ---- through the real compiler --------------------------------------------------------------- */

static struct nvrtc nvrtc;

static bool nvrtc_is_there(void)
{
    char error[LIBRARY_ERROR_SIZE] = "";
    if (nvrtc.nvrtcVersion != NULL) return true;
    if (nvrtc_open(&nvrtc, error, NULL) == OK) return true;
    print_message("# left out: %s\n", error);
    return false;
}

/* Compiles plain CUDA C, without the prelude, and scans it. */
static enum status scan_source(struct ptx_report *report, const char *source)
{
    struct nvrtc_source *s = calloc(1, sizeof *s);
    struct nvrtc_result result;
    assert_non_null(s);
    *s = (struct nvrtc_source){.name = "job.cu", .text = source, .arch = NVRTC_ARCH_PLAIN};
    enum status compiled = nvrtc_compile(&nvrtc, &result, s);
    if (compiled != OK) fail_msg("%s\n%s", source, result.log);
    enum status status = ptx_scan(report, result.ptx, strlen(result.ptx), "prelude");
    nvrtc_result_finish(&result);
    free(s);
    return status;
}

static void cuda_source_with_many_results_is_refused_with_its_line(void **state)
{
    static const char *const CASES[][2] = {
        {"__global__ void k(float *a)\n{\n    atomicAdd(a, 1.0f);\n}\n", "order of the threads"},
        {"__global__ void k(double *a)\n{\n    atomicAdd(a, 1.0);\n}\n", "order of the threads"},
        {"__global__ void k(long long *a)\n{\n    *a = clock64();\n}\n", "time, place"},
        {"__global__ void k(int *a)\n{\n    *a = clock();\n}\n", "time, place"},
        {"__global__ void k(float *a)\n{\n    *a = __expf(*a);\n}\n", "approximation"},
        {"__global__ void k(float *a)\n{\n    *a = __fdividef(*a, a[1]);\n}\n", "approximation"},
        {"__global__ void k(float *a)\n{\n    *a = __sinf(*a);\n}\n", "approximation"},
        {"__global__ void k(float *a)\n{\n    asm(\"rsqrt.approx.ftz.f32 %0, %0;\" : "
         "\"+f\"(*a));\n}\n",
         "approximation"},
        {"__global__ void k(unsigned *a)\n{\n    asm volatile(\"mov.u32 %0, %%smid;\" : "
         "\"=r\"(*a));"
         "\n}\n",
         "time, place"},
        {"__global__ void k(float *a)\n{\n    asm(\"mul.f32 %0, %0, %0;\" : \"+f\"(*a));\n}\n",
         "contract"},
        {"__global__ void k(unsigned *a)\n{\n    *a = __activemask();\n}\n", "which lanes"},
        {"__global__ void k(float *a, cudaTextureObject_t t)\n{\n    *a = tex2D<float>(t, 1, "
         "2);\n}\n",
         "textures"},
    };
    struct ptx_report report;
    (void)state;
    if (!nvrtc_is_there()) skip();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        if (scan_source(&report, CASES[i][0]) == OK) fail_msg("%s", CASES[i][0]);
        bool named = strstr(report.findings[0].why, CASES[i][1]) != NULL;
        bool placed = strcmp(report.findings[0].file, "job.cu") == 0;
        if (!named || !placed || report.findings[0].line != 3)
            fail_msg("%s%s:%u: %s: %s", CASES[i][0], report.findings[0].file,
                     report.findings[0].line, report.findings[0].what, report.findings[0].why);
    }
}

static void printing_and_other_functions_from_outside_are_refused(void **state)
{
    struct ptx_report report;
    (void)state;
    if (!nvrtc_is_there()) skip();
    assert_int_equal(scan_source(&report, "__global__ void k(int *a) { printf(\"%d\", *a); }"),
                     E_MALFORMED);
    assert_non_null(strstr(report.findings[0].why, "outside"));
}

static void plain_cuda_source_passes(void **state)
{
    struct ptx_report report;
    (void)state;
    if (!nvrtc_is_there()) skip();
    assert_int_equal(
        scan_source(
            &report,
            "__global__ void k(float *a, int n)\n{\n"
            "    __shared__ float t[64];\n    t[threadIdx.x] = a[n] * a[1] + a[2] / a[3];\n"
            "    __syncthreads();\n    a[n] = sqrtf(t[63 - threadIdx.x]) + (float)(n / 7);\n"
            "    atomicAdd((int *)a, __shfl_xor_sync(~0u, n, 1));\n}\n"),
        OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_one_result_passes),
        cmocka_unit_test(what_may_have_several_is_refused),
        cmocka_unit_test(nothing_hides_behind_what_the_reader_skips),
        cmocka_unit_test(a_finding_names_the_line_of_the_job_and_not_of_the_prelude),
        cmocka_unit_test(findings_are_counted_beyond_what_is_kept),
        cmocka_unit_test(every_row_of_the_list_is_in_the_documentation),
        cmocka_unit_test(kernels_get_their_name_and_the_size_of_their_blocks),
        cmocka_unit_test(shared_memory_is_zeroed_where_it_is_used),
        cmocka_unit_test(divisions_by_what_may_be_zero_are_tested),
        cmocka_unit_test(functions_that_call_themselves_are_left_to_the_processor),
        cmocka_unit_test(cuda_source_with_many_results_is_refused_with_its_line),
        cmocka_unit_test(printing_and_other_functions_from_outside_are_refused),
        cmocka_unit_test(plain_cuda_source_passes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
