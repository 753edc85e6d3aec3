/* Many seeded lives of a cluster: loss, delay, duplicates, partitions, crashes of any number
 * of nodes, short epochs, and in every other life one node that signs contradictions. The bus
 * checks safety on every step; after the faults stop, every node must go on. A failure prints its
 * seed: `CONSENSUS_SEED=n test_consensus_random` replays it. CONSENSUS_SEEDS=n lives n of them
 * instead of LIVES: a campaign of 10,000 takes a quarter of an hour. */
#include "tests/chain/bus.h"

#include <setjmp.h>
#include <stdarg.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

#define FAULT_ROUNDS 30
#ifdef SANITIZED
#define LIVES 25 /* each costs five to ten times as much */
#else
#define LIVES 100
#endif
#define HEAL_MS 120000

static void heal(struct bus *b)
{
    b->loss_percent = 0;
    b->duplicate = false;
    b->delay_min_ms = 5;
    b->delay_max_ms = 20;
    memset(b->cut, 0, sizeof(b->cut));
    for (uint32_t i = 0; i < b->node_count; i++)
        if (!b->nodes[i].core) bus_start(b, i);
}

static void one_fault(struct bus *b)
{
    uint32_t node = bus_random(b, b->node_count);
    switch (bus_random(b, 8)) {
    case 0:
    case 1:
        if (b->nodes[node].core) bus_crash(b, node);
        break;
    case 2:
    case 3:
        for (uint32_t i = 0; i < b->node_count; i++)
            if (!b->nodes[i].core && bus_random(b, 2)) bus_start(b, i);
        break;
    case 4: bus_partition(b, bus_random(b, 1u << b->node_count), true); break;
    case 5: memset(b->cut, 0, sizeof(b->cut)); break;
    case 6: b->loss_percent = bus_random(b, 40); break;
    case 7: b->delay_max_ms = b->delay_min_ms + bus_random(b, 300); break;
    default: break;
    }
}

static void live(uint64_t seed)
{
    const uint32_t sizes[] = {4, 5, 7};
    struct bus *b = bus_create(sizes[seed % 3], seed, &SIGNER_STUB);
    b->duplicate = bus_random(b, 2) != 0;
    b->epoch_blocks = bus_random(b, 2) ? 1000 : 2 + bus_random(b, 8);
    b->nodes[1].equivocates = seed % 2 == 1;
    b->loss_percent = bus_random(b, 20);
    bus_begin(b);
    for (int i = 0; i < FAULT_ROUNDS; i++) {
        one_fault(b);
        bus_run_until(b, b->now_ms + 1 + bus_random(b, 300));
    }
    heal(b);
    uint64_t height = 0;
    for (uint32_t i = 0; i < b->node_count; i++)
        if (b->nodes[i].final.number > height) height = b->nodes[i].final.number;
    if (!bus_run_to_height(b, height + 5, HEAL_MS)) {
        for (uint32_t i = 0; i < b->node_count; i++)
            fprintf(stderr, "node %u: epoch %llu view %llu final view %llu height %llu\n", i,
                    (unsigned long long)b->nodes[i].epoch.number,
                    (unsigned long long)consensus_view(b->nodes[i].core),
                    (unsigned long long)b->nodes[i].final.view,
                    (unsigned long long)b->nodes[i].final.number);
        fail_msg("seed %llu: no progress after the faults healed", (unsigned long long)seed);
    }
    bus_destroy(b);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void stays_safe_under_faults_and_lives_on_after_them(void **state)
{
    uint64_t first = number_from("CONSENSUS_SEED", 0);
    uint64_t count = first ? 1 : number_from("CONSENSUS_SEEDS", LIVES);
    (void)state;
    for (uint64_t i = 0; i < count; i++)
        live(first ? first : i + 1);
}

static void replays_a_seed_step_by_step(void **state)
{
    uint64_t steps[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bus *b = bus_create(4, 77, &SIGNER_STUB);
        b->loss_percent = 20;
        bus_begin(b);
        bus_run_until(b, 5000);
        steps[i] = b->steps * 1000 + bus_lowest_final(b);
        bus_destroy(b);
    }
    assert_int_equal(steps[0], steps[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_safe_under_faults_and_lives_on_after_them),
        cmocka_unit_test(replays_a_seed_step_by_step),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
