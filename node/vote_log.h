/* vote_log.h - the append-only log that lets a validator crash without ever voting twice.
 *
 * Records (chain/consensus/record.h) are appended to memory and reach the disk with one write and
 * one fdatasync for each vote_log_sync; only then may the votes leave. Any disk error is fatal: a
 * node that cannot remember must not vote.
 *
 * File: header, then records, integers big-endian.
 *   header  "LHVOTES1" 8 | salt 16 (random, for this file) | checksum 8
 *   record  "LHRC" 4 | kind 1 | payload size 4 | synced 8 | head checksum 8 | payload | checksum 8
 * A header's checksum is the first 8 bytes of keccak256 of the 24 bytes before it. A record's head
 * checksum: of keccak256(salt | the record's offset 8 | its first 17 bytes); its checksum: of
 * keccak256(salt | the record's offset 8 | the record up to the checksum). `synced` is the size of
 * the file that was known durable when the record was written. The salt keeps block bytes, which
 * strangers choose, from posing as records.
 *
 * Opening: records are read up to the first that is cut off or fails its checksum. If any whole
 * record behind that place claims a `synced` beyond it, durable bytes are damaged: E_MALFORMED, and
 * the caller must not sign until the next epoch. Else the rest is a torn tail, lawful after a
 * crash: it is cut off.
 *
 * One thread. The file is locked (E_EXISTS if another process has it). */
#ifndef LEASEHOLD_NODE_VOTE_LOG_H
#define LEASEHOLD_NODE_VOTE_LOG_H

#include "chain/consensus/record.h"

#define VOTE_LOG_SIZE_MAX (1u << 30) /* a longer file is refused with E_LIMIT */

struct vote_log;

/* What a replay hands over, in order; pointers are good for the call. A status other than OK stops
 * the replay and is what vote_log_open returns. */
typedef enum status (*vote_log_replay)(void *context, const struct record *record,
                                       struct bytes block_bytes);

/* Opens or creates (mode 0600). *out_created tells a new, empty log from an old one: a node that
 * has voted before and finds a new log must not sign until the next epoch. Statuses: E_MALFORMED,
 * E_EXISTS, E_LIMIT, E_IO (cannot open or read at all), or the replay's. */
MUST_CHECK enum status vote_log_open(struct vote_log **out, bool *out_created, const char *path,
                                     vote_log_replay replay, void *context);
void vote_log_close(struct vote_log *log); /* what was not synced is dropped; takes NULL */
void vote_log_append(struct vote_log *log, const struct record *record,
                     struct bytes block_bytes);     /* memory only */
void vote_log_sync(struct vote_log *log);           /* returns only when all is durable */
uint64_t vote_log_size(const struct vote_log *log); /* bytes, unsynced ones included */

/* Replaces the whole log: begin, append what must stay (consensus_records), commit. The new file is
 * written aside, synced, renamed over the old one, and the directory synced. Nothing may be
 * unsynced when it begins (asserted). */
void vote_log_rewrite_begin(struct vote_log *log);
void vote_log_rewrite_commit(struct vote_log *log);

#endif
