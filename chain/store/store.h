/* store.h - what is final, on disk: LevelDB, one synced write batch a finalized block.
 *
 * A crash leaves block N or block N+1, never a mixture. Disk errors and corruption end the process
 * (fatal). keys.h has the table of key prefixes and value formats. One thread writes
 * (store_commit); any thread may read through its own snapshot. */
#ifndef LEASEHOLD_CHAIN_STORE_STORE_H
#define LEASEHOLD_CHAIN_STORE_STORE_H

#include "chain/build.h"

#define STORE_SCHEMA     1
#define STORE_ERROR_SIZE 256

struct store;

/* Makes the directory if need be; map_key as in state_base.h. E_EXISTS: another process has it
 * open. E_UNSUPPORTED: written by another schema version. `error` says what and what to do. */
MUST_CHECK enum status store_open(struct store **out, char error[STORE_ERROR_SIZE],
                                  const char *path, const uint64_t map_key[2]);
void store_close(struct store *s);

struct store_head {
    uint64_t number;
    struct hash hash;
    struct hash state_root;
};
/* False: nothing stored yet (before genesis). */
bool store_head(const struct store *s, struct store_head *out);

/* The last final state. Valid while the store is open; follows every commit. Writer's thread only.
 */
const struct state_base *store_base(const struct store *s);

/* ---- writing: collect, then commit ---- */
struct store_write;
struct store_write *store_write_create(void);
void store_write_destroy(struct store_write *w);

struct store_block {
    uint64_t number;
    struct hash hash;
    struct hash state_root;
    struct bytes block;              /* rlp of the whole block */
    struct bytes receipts;           /* rlp list, see chain/build.h */
    struct bytes system_logs;        /* rlp list of logs of the system calls */
    struct bytes epoch_record;       /* of the state after this block; replaces the one before */
    struct bytes certificate;        /* finality certificate, opaque here; may be empty */
    struct bytes bloom;              /* 256 bytes: of receipts and system logs */
    const struct hash *transactions; /* hashes in block order */
    size_t transaction_count;
};
/* Blocks in order of number; the last becomes the head. */
void store_write_block(struct store_write *w, const struct store_block *b);
void store_write_layer(struct store_write *w, const struct layer *l); /* in the same order */
/* By epoch, the record with which it started (epoch_record_encode): the set, for those who check
 * old certificates. */
void store_write_set(struct store_write *w, uint64_t epoch, struct bytes set);
/* Block, layer, and at an epoch's start the set: all of the above for one executed block. The
 * certificate may be empty. */
void store_write_executed(struct store_write *w, const struct executed *e,
                          struct bytes certificate);
/* Synced; afterwards `w` is empty again. The base then reads the new head. */
void store_commit(struct store *s, struct store_write *w);
/* A certificate that came later than its block (any earlier block). Synced. */
void store_put_certificate(struct store *s, uint64_t number, struct bytes certificate);

/* ---- reading: a frozen view, cheap to make; destroy it soon, it keeps old data on disk ---- */
struct store_snapshot;
struct store_snapshot *store_snapshot_create(struct store *s);
void store_snapshot_destroy(struct store_snapshot *v);
const struct state_base *store_snapshot_base(const struct store_snapshot *v);
bool store_snapshot_head(const struct store_snapshot *v, struct store_head *out);

/* Each appends to `out`; false: not there. */
bool store_block_by_number(const struct store_snapshot *v, uint64_t number, struct buffer *out);
/* The header's RLP: what those who catch up ask for by the thousand. */
bool store_header(const struct store_snapshot *v, uint64_t number, struct buffer *out);
bool store_number_of_hash(const struct store_snapshot *v, const struct hash *h, uint64_t *out);
bool store_hash_of_number(const struct store_snapshot *v, uint64_t number, struct hash *out);
bool store_receipts(const struct store_snapshot *v, uint64_t number, struct buffer *out);
bool store_system_logs(const struct store_snapshot *v, uint64_t number, struct buffer *out);
bool store_certificate(const struct store_snapshot *v, uint64_t number, struct buffer *out);
bool store_bloom(const struct store_snapshot *v, uint64_t number, uint8_t out[256]);
bool store_set(const struct store_snapshot *v, uint64_t epoch, struct buffer *out);
bool store_epoch_record(const struct store_snapshot *v, struct buffer *out);
struct tx_location {
    uint64_t number;
    uint32_t index;
};
bool store_transaction(const struct store_snapshot *v, const struct hash *h,
                       struct tx_location *out);

#endif
