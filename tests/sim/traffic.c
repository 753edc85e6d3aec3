#include "tests/sim/traffic.h"

#include "base/fatal.h"
#include "tests/sim/isolate.h"
#include "tests/sim/keys.h"

#include <inttypes.h>
#include <stdlib.h>

struct theory {
    uint64_t proposal;
    uint64_t votes;
    uint64_t certificates;
};

/* Everybody sends to everybody: a proposal with N of its parent; two votes each, of which the
 * leader's notarize is in the proposal; N and F, which each node that counts a quorum sends on. */
static struct theory theory_of(uint64_t n)
{
    uint64_t quorum = 2 * n / 3 + 1;
    uint64_t certificate = CERTIFICATE_SIZE_MIN + COMPACT_SIGNATURE_SIZE * quorum;
    struct theory t = {
        .proposal = (n - 1) * (VOTE_SIZE + 1 + 4 + certificate + 4 + BLOCK_BYTES_SIZE),
        .votes = (n - 1) * (n - 1 + n) * VOTE_SIZE,
        .certificates = 2 * n * (n - 1) * certificate,
    };
    return t;
}

static void print_row(const char *what, uint64_t bytes, uint64_t count, uint64_t views,
                      uint64_t theory)
{
    printf("  %-13s %9" PRIu64 " messages %12" PRIu64 " bytes  theory %12" PRIu64 "  %6.1f%%\n",
           what, count / views, bytes / views, theory,
           theory ? 100.0 * (double)bytes / (double)views / (double)theory : 0.0);
}

static void measure(uint32_t nodes, uint32_t views, struct plan *plan, struct report *report)
{
    struct theory t = theory_of(nodes);
    plan_make_calm(plan, nodes, views);
    if (!isolate_live(plan, &SIGNER_STUB, report, NULL)) fatal("%s", report->failure);
    uint64_t *bytes = report->sent_bytes, *count = report->sent_count;
    printf("%u validators, %" PRIu64 " views, bytes sent by all in a view:\n", nodes,
           report->views);
    print_row("proposal", bytes[PARCEL_PROPOSAL], count[PARCEL_PROPOSAL], report->views,
              t.proposal);
    print_row("votes", bytes[PARCEL_VOTE], count[PARCEL_VOTE], report->views, t.votes);
    print_row("certificates", bytes[PARCEL_CERTIFICATE], count[PARCEL_CERTIFICATE], report->views,
              t.certificates);
    uint64_t total = 0;
    for (int kind = 0; kind < PARCEL_KIND_COUNT; kind++)
        total += bytes[kind];
    printf("  all: %" PRIu64 " bytes, %" PRIu64 " by each node\n", total / report->views,
           total / report->views / nodes);
}

void traffic_print(uint32_t views)
{
    const uint32_t sizes[] = {4, 21, 100};
    struct plan *plan = must_alloc(sizeof(*plan));
    struct report *report = shared_memory(sizeof(*report));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        measure(sizes[i], views, plan, report);
    free(plan);
}
