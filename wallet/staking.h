/* staking.h - what staking brings and how long it binds: the network's terms, yields, dates, and
 * the file that a validator's machine writes for `stake join`.
 *
 * A yield is an estimate: the issuance of an epoch, shared by proposed views, over the stake of the
 * running set; it changes as others come, go and miss their views. Tips are not in it. */
#ifndef LEASEHOLD_WALLET_STAKING_H
#define LEASEHOLD_WALLET_STAKING_H

#include "wallet/session.h"

#define DATE_TEXT_SIZE  64
#define YIELD_TEXT_SIZE 32
#define BPS_MAX         10000
#define WEIGHT_MAX_GWEI (1ull << 53) /* of one validator: Staking's WEIGHT_MAX */

/* A consensus key's hash chain (leaseholdd's HASH_CHAIN_LINKS), and when to warn of its end. */
#define HASH_CHAIN_REVEALS (1u << 21)
#define HASH_CHAIN_WARNING (HASH_CHAIN_REVEALS / 10 * 9)

struct staking_terms {
    uint64_t now_s;         /* the last final block's time */
    uint64_t head_number;   /* its number */
    uint64_t epoch;         /* that the next block belongs to */
    uint64_t last_number;   /* of that epoch */
    uint64_t epoch_blocks;  /* blocks in an epoch */
    uint64_t unbonding_s;   /* how long stake that leaves is held */
    uint64_t evidence_s;    /* and at least for so long behind its epoch's end */
    uint64_t total_gwei;    /* the running set's weight */
    double block_s;         /* measured over the last epoch's blocks, or what genesis says */
    struct u256 reward_wei; /* issued in an epoch */
    struct u256 min_self_stake_wei;
};

/* From a connected node. *members (an array: operator, consensusAddress, weightGwei, proposed,
 * missed as RPC quantities) is the caller's; NULL if it is not wanted. */
MUST_CHECK int staking_terms_fetch(struct session *s, struct staking_terms *out, json_t **members);

/* A year's yield of a validator's stake in a set of that total weight, after the commission: 0.05
 * is 5 %. What a validator has above WEIGHT_MAX_GWEI earns nothing. 0 when nothing is known of the
 * time or the weight. */
double staking_yield(const struct staking_terms *t, uint64_t total_gwei, struct u256 stake_wei,
                     uint64_t commission_bps);
void yield_to_text(char out[YIELD_TEXT_SIZE], double yield); /* "5.25 %" */
/* "2026-11-22 15:04 UTC, in 3 h" */
void date_to_text(char out[DATE_TEXT_SIZE], uint64_t when_s, uint64_t now_s);
/* "90 s", "36 h", "21 days" */
void duration_to_text(char out[32], uint64_t seconds);

/* "5", "2.5" or "2.5%" to 500, 250, 250. E_MALFORMED, E_RANGE: above 100, or below a hundredth. */
MUST_CHECK enum status percent_to_bps(uint64_t *out_bps, const char *text);

/* How many of the `held` shares are worth the amount, rounded up; E_RANGE if they are not. */
MUST_CHECK enum status shares_of_amount(struct u256 *out, struct u256 amount, struct u256 held,
                                        struct u256 worth);

/* A JSON-RPC quantity in an object; 0 where there is none. */
uint64_t quantity_of(const json_t *object, const char *key);

/* What leaseholdd --print-validator printed. */
struct validator_file {
    struct address consensus_address;
    struct address operator_address;
    struct hash hash_chain_end;
    uint64_t chain_id;
    uint8_t proof[65];
};
/* E_NOT_FOUND, E_MALFORMED: `error` says what to change. */
MUST_CHECK enum status validator_file_read(struct validator_file *out, char error[JSON_ERROR_SIZE],
                                           const char *path);

#endif
