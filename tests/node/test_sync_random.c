/* Catching up in hostile networks: peers of every manner come and go, messages are lost and late,
 * the honest chain grows, consensus moves the head itself, the node is killed. Whatever happens,
 * nothing but the honest chain is committed and no honest peer is charged (sync_sim.h asserts
 * both); and with one honest peer the end is reached. A failure prints its seed: `SYNC_SEED=n
 * test_sync_random` replays it; SYNC_SEEDS=n tries n of them. */
#include "tests/node/sync_sim.h"

#define SEEDS    150
#define LIFE_MS  (30 * 60000)
#define TROUBLES 12 /* things that happen meanwhile, at most */

static struct finality finality;
static struct sim_source sources[2];

/* Some blocks become final by consensus. */
static void consensus_moves(struct sim *sim)
{
    uint64_t count = 1 + sim_random(sim, 3);
    struct store_snapshot *view = store_snapshot_create(sources[0].store);
    for (uint64_t i = 0; i < count && sim_head(sim) < SIM_WHOLE; i++) {
        struct buffer bytes = {0};
        char error[LEDGER_ERROR_SIZE];
        struct hash hash = sim_hash(sim, sim_head(sim) + 1);
        assert_true(store_block_by_number(view, sim_head(sim) + 1, &bytes));
        enum status held = ledger_hold(sim->ledger, &hash, buffer_bytes(&bytes));
        assert_true(held == OK || held == E_EXISTS);
        assert_int_equal(ledger_verify(sim->ledger, error, &hash, 1), OK);
        struct ledger_commit commit = {.chain = &hash, .count = 1};
        ledger_commit(sim->ledger, &commit);
        buffer_finish(&commit.spenders);
        buffer_finish(&bytes);
    }
    store_snapshot_destroy(view);
}

/* Blocks that came by gossip lie in the ledger for a while. */
static void gossip_holds(struct sim *sim)
{
    struct store_snapshot *view = store_snapshot_create(sources[0].store);
    for (uint64_t n = sim_head(sim) + 1; n <= sim_head(sim) + 20 && n <= SIM_WHOLE; n++) {
        struct buffer bytes = {0};
        struct hash hash = sim_hash(sim, n);
        assert_true(store_block_by_number(view, n, &bytes));
        enum status held = ledger_hold(sim->ledger, &hash, buffer_bytes(&bytes));
        assert_true(held == OK || held == E_EXISTS);
        buffer_finish(&bytes);
    }
    store_snapshot_destroy(view);
}

static bool unwanted(void *context, const struct hash *hash)
{
    (void)context;
    (void)hash;
    return false;
}

static void peer_leaves(struct sim *sim)
{
    struct sim_peer *p = &sim->peers[sim_random(sim, sim->peer_count)];
    if (p->manner == HONEST || p->gone) return; /* one that has everything stays */
    sim_close_peer(sim, p);
}

static void trouble(struct sim *sim)
{
    switch (sim_random(sim, 8)) {
    case 0: sim_kill(sim); break;
    case 1: consensus_moves(sim); break;
    case 2: peer_leaves(sim); break;
    case 3:
        if (sim->peer_count < SIM_PEERS_MAX) sim_add(sim, (enum manner)sim_random(sim, MANNERS));
        break;
    case 6: gossip_holds(sim); break;
    case 7: ledger_sweep(sim->ledger, unwanted, NULL); break;
    case 4: sync_want(sim->sync, NULL, sim->peers[0].id, sim->now_ms); break;
    case 5:
        for (size_t i = 0; i < sim->peer_count; i++)
            if (sim->peers[i].manner == BEHIND) sim->peers[i].source = 0;
        break;
    }
}

static void live(uint64_t seed)
{
    static const char *const froms[] = {NULL, NULL, "tiny", "even", "short"};
    struct sim *sim = sim_create(&finality, sources, froms[seed % 5], seed);
    sim->loss = (uint32_t)sim_random(sim, 3) * 20;
    sim->delay_ms = sim_random(sim, 2) ? 20 : 500;
    size_t count = 1 + sim_random(sim, 6), honest = sim_random(sim, count);
    for (size_t i = 0; i < count; i++)
        sim_add(sim, i == honest ? HONEST : (enum manner)sim_random(sim, MANNERS));
    uint64_t end_ms = sim->now_ms + LIFE_MS;
    for (uint64_t left = TROUBLES; sim_head(sim) < SIM_WHOLE;) {
        sim_step(sim);
        if (left > 0 && sim_random(sim, 60) == 0) {
            trouble(sim);
            left--;
        }
        if (sim->now_ms < end_ms) continue;
        fail_msg("SYNC_SEED=%llu: stuck at %llu", (unsigned long long)seed,
                 (unsigned long long)sim_head(sim));
    }
    sim_destroy(sim);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void reaches_the_honest_end_and_nothing_else(void **state)
{
    uint64_t one = number_from("SYNC_SEED", 0);
    uint64_t count = one ? 1 : number_from("SYNC_SEEDS", SEEDS);
    (void)state;
    for (uint64_t i = 0; i < count; i++) {
        sim_running_seed = one ? one : i + 1;
        live(sim_running_seed);
    }
}

static int make_chain(void **state)
{
    (void)state;
    sim_make_chain(&finality);
    sources[0] = (struct sim_source){finality.store, finality.ledger};
    sources[1] = sim_source_open(&finality, "short");
    return 0;
}

static int remove_chain(void **state)
{
    (void)state;
    sim_source_close(&sources[1]);
    finality_remove(&finality);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reaches_the_honest_end_and_nothing_else),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_chain, remove_chain);
}
