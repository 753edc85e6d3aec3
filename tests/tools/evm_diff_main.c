/* evm-diff [--seed N] [--count M] [--seconds S] [--show] - generated programs under each of the
 * EVM's interpreters.
 *
 * Runs the trials of the seeds N, N + 1, ... and prints each on which interpreters differ: the
 * seed, what differs, and the smallest program that tools could make of it. The last line is
 * "N trials, M runs, D differences"; exit status 1 if any. With --seconds it goes on from seed N
 * until the time is up. --show prints the programs of one seed and runs nothing. */
#include "base/hex.h"
#include "tests/vm/trial_shrink.h"

#include <getopt.h>
#include <time.h>

#define SHOWN_MAX 5 /* differences that are made small; the others are only counted */

struct settings {
    uint64_t seed, count, seconds;
    bool show;
};

static void print_code(const struct trial *t, int contract)
{
    struct buffer code = {.size = 0};
    struct buffer hex = {.size = 0};
    trial_code(&code, t, contract, no_twist);
    hex_append(&hex, buffer_bytes(&code));
    printf("contract %d: %s\n", contract, buffer_text(&hex));
    for (size_t i = 0; i < t->texts[contract].count; i++)
        item_print(stdout, &t->texts[contract].items[i]);
    buffer_finish(&code);
    buffer_finish(&hex);
}

static void print_message(const struct evm_message *m, int64_t gas)
{
    struct buffer hex = {.size = 0};
    hex_append(&hex, m->input);
    printf("%s%s, gas %lld, value %llu, input %s\n", m->kind == EVM_CREATE ? "create" : "call",
           m->is_static ? ", static" : "", (long long)gas,
           (unsigned long long)u256_to_u64(m->value), buffer_text(&hex));
    buffer_finish(&hex);
}

static void print_trial(const struct trial *t)
{
    printf("%s\n", t->revision == EVM_CANCUN ? "Cancun" : "Prague");
    for (int i = 0; i < TRIAL_MESSAGES; i++)
        print_message(&t->messages[i], t->messages[i].gas);
    for (int i = 0; i < MAKER_CONTRACTS; i++) {
        if (t->texts[i].count > 0) print_code(t, i);
    }
}

static void print_observation(const char *name, const struct observation *o)
{
    char output[67], state[67];
    hash_to_text(output, &o->output);
    hash_to_text(state, &o->state);
    printf("  %s: %s, gas left %lld, refund %lld, output hash %.10s, state %.10s\n", name,
           evm_result_text(o->result), (long long)o->gas_left, (long long)o->gas_refund, output,
           state);
}

static void print_difference(const struct difference *d)
{
    printf("  differs: %s, message %d, gas %lld\n", d->what, d->at.message, (long long)d->at.gas);
    print_observation("plain", &d->expected);
    print_observation(d->contender->name, &d->seen);
}

static void make_small(uint64_t seed, struct trial_try at)
{
    struct trial t;
    struct choices c = choices_from_seed(seed);
    trial_make(&t, &c, WITH_KZG);
    if (still_differs(&t, at)) {
        trial_shrink(&t, at);
        struct difference d = compare_fresh(&t, at);
        printf("made small:\n");
        print_difference(&d);
        print_trial(&t);
    } else
        printf("  fresh interpreters agree: it needs what they kept from seeds before\n");
    trial_finish(&t);
}

static void show(uint64_t seed)
{
    struct trial t;
    struct choices c = choices_from_seed(seed);
    trial_make(&t, &c, WITH_KZG);
    print_trial(&t);
    trial_finish(&t);
}

static uint64_t compare_seeds(struct tier_check *k, const struct settings *s)
{
    uint64_t differences = 0;
    time_t end = time(NULL) + (time_t)s->seconds;
    for (uint64_t seed = s->seed;; seed++) {
        if (s->seconds == 0 && seed == s->seed + s->count) break;
        if (s->seconds != 0 && seed % 64 == 0 && time(NULL) >= end) break;
        struct difference d = compare_seed(k, seed);
        if (d.what == NULL) continue;
        differences++;
        printf("seed %llu\n", (unsigned long long)seed);
        print_difference(&d);
        if (differences <= SHOWN_MAX) make_small(seed, d.at);
        fflush(stdout);
    }
    return differences;
}

static bool parse(struct settings *s, int argc, char **argv)
{
    static const struct option flags[] = {
        {"seed", required_argument, NULL, 's'},
        {"count", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 't'},
        {"show", no_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    int flag;
    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
        if (flag == '?') return false;
        if (flag == 's') s->seed = strtoull(optarg, NULL, 10);
        if (flag == 'c') s->count = strtoull(optarg, NULL, 10);
        if (flag == 't') s->seconds = strtoull(optarg, NULL, 10);
        if (flag == 'w') s->show = true;
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    struct settings s = {.count = 10000};
    struct tier_check k;
    if (!parse(&s, argc, argv)) {
        fprintf(stderr, "usage: evm-diff [--seed N] [--count M | --seconds S] [--show]\n");
        return 2;
    }
    if (s.show) {
        show(s.seed);
        return 0;
    }
    tier_check_open(&k);
    uint64_t differences = compare_seeds(&k, &s);
    printf("first seed %llu: %llu success, %llu revert, %llu fail; %llu name another failure\n",
           (unsigned long long)s.seed, (unsigned long long)k.successes,
           (unsigned long long)k.reverts, (unsigned long long)k.failures,
           (unsigned long long)k.kinds_differ);
    printf("%llu trials, %llu runs, %llu differences\n", (unsigned long long)k.trials,
           (unsigned long long)k.runs, (unsigned long long)differences);
    tier_check_close(&k);
    return differences == 0 ? 0 : 1;
}
