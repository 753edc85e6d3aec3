/* rpc_filters.h - eth_newFilter and its kin: what a client asked to be told about, kept between
 * calls.
 *
 * At most FILTERS_MAX; one not asked for FILTER_LIFETIME_MS is forgotten, and when all are in use
 * the one not asked for the longest gives way. Ids are random. Any thread. */
#ifndef LEASEHOLD_NODE_RPC_FILTERS_H
#define LEASEHOLD_NODE_RPC_FILTERS_H

#include "base/bytes.h"

#include <jansson.h>

#define FILTERS_MAX        256
#define FILTER_LIFETIME_MS (5 * 60 * 1000)
#define FILTER_BYTES_MAX   16384 /* of a log filter's JSON */

enum filter_kind { FILTER_LOGS, FILTER_BLOCKS, FILTER_PENDING };

struct filter {
    uint64_t id; /* never 0 */
    enum filter_kind kind;
    uint64_t position; /* the last block told of, or the pool's sequence */
    uint64_t asked_ms;
    char *criteria; /* a log filter's JSON as text; NULL for the others */
};

struct filters;

struct filters *filters_create(void);
void filters_destroy(struct filters *f); /* takes NULL */
/* Returns the id. `criteria` is copied and may be NULL. */
uint64_t filters_add(struct filters *f, enum filter_kind kind, uint64_t position,
                     const char *criteria);
/* A copy, criteria included (the caller frees it). False: no such filter. */
bool filters_find(struct filters *f, struct filter *out, uint64_t id);
void filters_move(struct filters *f, uint64_t id, uint64_t position);
bool filters_remove(struct filters *f, uint64_t id);

#endif
