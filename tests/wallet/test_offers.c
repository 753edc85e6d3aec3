#include "wallet/latency.h"
#include "wallet/offers.h"
#include "wallet/output.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void reads_runtimes_by_name(void **state)
{
    (void)state;
    char text[40];
    assert_int_equal(runtimes_from_text("cuda-c"), 1);
    assert_int_equal(runtimes_from_text("exec,cuda-c"), 5);
    assert_int_equal(runtimes_from_text("cuda"), 0);
    assert_int_equal(runtimes_from_text("cuda-c,"), 0);
    assert_int_equal(runtimes_from_text(""), 0);
    runtimes_to_text(text, 5);
    assert_string_equal(text, "cuda-c,exec");
}

static int option_value(const char *flag, const char *value, uint64_t *out)
{
    struct invocation in = {0};
    struct session s = {.in = &in};
    (void)flag;
    in.values[OPTION_CAPABILITY] = value;
    return option_capability(&s, out);
}

static void reads_compute_capabilities(void **state)
{
    (void)state;
    uint64_t n = 0;
    assert_int_equal(option_value("capability", "8.9", &n), CODE_DONE);
    assert_int_equal(n, 89);
    assert_int_equal(option_value("capability", "12.0", &n), CODE_DONE);
    assert_int_equal(n, 120);
    assert_int_equal(option_value("capability", "9", &n), CODE_DONE);
    assert_int_equal(n, 90);
    assert_int_equal(option_value("capability", "86", &n), CODE_DONE);
    assert_int_equal(n, 86);
    assert_int_equal(option_value("capability", "0", &n), CODE_DONE);
    assert_int_equal(n, 0);
    assert_int_equal(option_value("capability", "-1", &n), CODE_USAGE);
    assert_int_equal(option_value("capability", "8.99", &n), CODE_USAGE);
    assert_int_equal(option_value("capability", "ada", &n), CODE_USAGE);
}

static void reads_prices_of_a_second(void **state)
{
    (void)state;
    struct invocation in = {0};
    struct session s = {.in = &in};
    struct u256 wei;
    in.values[OPTION_MAX_PRICE] = "0.001 LSH/s";
    assert_int_equal(option_amount(&s, &wei, OPTION_MAX_PRICE), CODE_DONE);
    assert_true(u256_equal(wei, u256_from_u64(1000000000000000)));
    in.values[OPTION_MAX_PRICE] = "3 gwei";
    assert_int_equal(option_amount(&s, &wei, OPTION_MAX_PRICE), CODE_DONE);
    assert_true(u256_equal(wei, u256_from_u64(3000000000)));
    in.values[OPTION_MAX_PRICE] = "cheap";
    assert_int_equal(option_amount(&s, &wei, OPTION_MAX_PRICE), CODE_USAGE);
    in.values[OPTION_MAX_PRICE] = "-1 LSH";
    assert_int_equal(option_amount(&s, &wei, OPTION_MAX_PRICE), CODE_USAGE);
}

static void refuses_numbers_that_are_none_or_too_large(void **state)
{
    (void)state;
    struct invocation in = {0};
    struct session s = {.in = &in};
    uint64_t n = 0;
    assert_int_equal(option_number(&s, &n, OPTION_REPLICAS, 3, 7), CODE_DONE);
    assert_int_equal(n, 3);
    in.values[OPTION_REPLICAS] = "7";
    assert_int_equal(option_number(&s, &n, OPTION_REPLICAS, 3, 7), CODE_DONE);
    assert_int_equal(n, 7);
    static const char *const bad[] = {"8", "-1", "1.5", "", "0x3", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        in.values[OPTION_REPLICAS] = bad[i];
        assert_int_equal(option_number(&s, &n, OPTION_REPLICAS, 3, 7), CODE_USAGE);
    }
}

static void writes_amounts_for_people_and_for_programs(void **state)
{
    (void)state;
    json_t *o = json_object();
    json_set_amount(o, "paid", u256_from_u64(1500000000000000000));
    assert_string_equal(abi_get_text(o, "paid"), "1.5 LSH");
    assert_string_equal(abi_get_text(o, "paidWei"), "1500000000000000000");
    json_decref(o);
    char text[32];
    size_to_text(text, 1536);
    assert_string_equal(text, "1.5 KiB");
    time_to_text(text, 100, 400);
    assert_string_equal(text, "5 min ago");
    time_to_text(text, 430, 400);
    assert_string_equal(text, "in 30 s");
}

static json_t *an_offer(const char *model, int vram_mib, const char *price, int busy)
{
    return json_pack("{s:{s:s,s:i,s:i,s:i,s:i,s:s,s:i,s:i,s:i},s:s,s:s,s:{s:i},s:s}", "gpu",
                     "model", model, "vramMiB", vram_mib, "count", 2, "busy", busy,
                     "computeCapability", 80, "pricePerSecond", price, "minSeconds", 1,
                     "maxSeconds", 3600, "runtimes", 1, "region", "eu", "freeStake", "1000000",
                     "record", "agreed", 5, "endpoint", "127.0.0.1:1");
}

static unsigned lacks(const struct offer_filter *f, json_t *offer)
{
    unsigned bits = offer_lacks(f, offer);
    json_decref(offer);
    return bits;
}

static void says_what_an_offer_lacks(void **state)
{
    (void)state;
    struct offer_filter f = {.model = "a100",
                             .vram_mib = 40960,
                             .max_price = u256_from_u64(10),
                             .runtimes = 1,
                             .seconds = 60,
                             .free_only = true,
                             .stake_factor = 2};
    assert_int_equal(lacks(&f, an_offer("A100", 40960, "10", 1)), 0);
    assert_int_equal(lacks(&f, an_offer("H100", 40960, "10", 1)), 1u << LACK_MODEL);
    assert_int_equal(lacks(&f, an_offer("A100", 40959, "10", 1)), 1u << LACK_VRAM);
    assert_int_equal(lacks(&f, an_offer("A100", 40960, "11", 1)), 1u << LACK_PRICE);
    assert_int_equal(lacks(&f, an_offer("A100", 40960, "10", 2)), 1u << LACK_SLOT);
    f.agreed = 6;
    assert_int_equal(lacks(&f, an_offer("A100", 40960, "10", 1)), 1u << LACK_RECORD);
    f.region = "us";
    assert_int_equal(lacks(&f, an_offer("A100", 40960, "10", 1)),
                     1u << LACK_RECORD | 1u << LACK_REGION);
    f = (struct offer_filter){.free_only = true, .seconds = 60, .stake_factor = 2000};
    assert_int_equal(lacks(&f, an_offer("A100", 40960, "10", 1)), 1u << LACK_STAKE);
    f = (struct offer_filter){.seconds = 4000, .runtimes = 4};
    assert_int_equal(lacks(&f, an_offer("A100", 40960, "10", 1)),
                     1u << LACK_SECONDS | 1u << LACK_RUNTIME);
}

static void count(struct offer_census *census, const struct offer_filter *f, json_t *offer)
{
    census_add(census, f, offer);
    json_decref(offer);
}

static void says_why_nothing_fits(void **state)
{
    (void)state;
    struct offer_filter f = {
        .model = "A100", .vram_mib = 40960, .max_price = u256_from_u64(2000000000000000000)};
    struct offer_census census = {0};
    struct buffer text = {0};
    census_explain(&text, &census, &f);
    buffer_append_byte(&text, 0);
    assert_string_equal((const char *)text.data, "nobody offers anything on this chain now");
    count(&census, &f, an_offer("A100", 81920, "4000000000000000000", 0));
    count(&census, &f, an_offer("A100", 81920, "3000000000000000000", 0));
    count(&census, &f, an_offer("A100", 20480, "1000000000000000000", 0));
    count(&census, &f, an_offer("T4", 16384, "9000000000000000000", 0));
    text.size = 0;
    census_explain(&text, &census, &f);
    buffer_append_byte(&text, 0);
    assert_string_equal((const char *)text.data,
                        "no open offer of A100 with 40960 MiB or more at 2 LSH/s or less; the "
                        "cheapest otherwise fitting costs 3 LSH/s; the largest otherwise fitting "
                        "has 20480 MiB; 1 with less memory; 2 at a higher price; 1 lack more than "
                        "one thing");
    json_t *json = census_to_json(&census);
    assert_int_equal(json_integer_value(json_object_get(json, "offers")), 4);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "lack"), "price")),
                     2);
    json_decref(json);
    buffer_finish(&text);
}

/* A listening socket on a free port of the loopback. */
static int listen_somewhere(char out[32])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(out, 32, "127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static void measures_who_answers_and_who_does_not(void **state)
{
    (void)state;
    char open_port[32];
    char closed_port[32];
    uint32_t ms[4];
    int open = listen_somewhere(open_port);
    close(listen_somewhere(closed_port));
    const char *const endpoints[] = {open_port, closed_port, "no port", "[::1"};
    latency_measure(ms, endpoints, 4);
    assert_true(ms[0] < LATENCY_WAIT_MS);
    for (int i = 1; i < 4; i++)
        assert_int_equal(ms[i], LATENCY_NONE);
    json_t *offers = json_pack("[{s:s},{s:s},{s:s}]", "endpoint", closed_port, "endpoint",
                               open_port, "endpoint", open_port);
    latency_of_offers(offers);
    assert_int_equal(latency_of(json_array_get(offers, 0)), LATENCY_NONE);
    assert_true(latency_of(json_array_get(offers, 1)) < LATENCY_WAIT_MS);
    assert_true(latency_of(json_array_get(offers, 2)) < LATENCY_WAIT_MS);
    json_decref(offers);
    close(open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_runtimes_by_name),
        cmocka_unit_test(reads_compute_capabilities),
        cmocka_unit_test(reads_prices_of_a_second),
        cmocka_unit_test(refuses_numbers_that_are_none_or_too_large),
        cmocka_unit_test(writes_amounts_for_people_and_for_programs),
        cmocka_unit_test(says_what_an_offer_lacks),
        cmocka_unit_test(says_why_nothing_fits),
        cmocka_unit_test(measures_who_answers_and_who_does_not),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
