/* journal.h - what a worker or judge must not forget: an append-only file, one record a change.
 *
 * A record is the whole knowledge about one seat in one job; the last one counts. A worker's own
 * replica is seat 0; a judge may sit in several cases of a job, each a seat of its own. It is on
 * disk (fsync) when journal_put returns, so a salt is never used before it is safe. Format,
 * big-endian:
 *
 *   "LHJ2" | u32 size of payload | payload | first 8 bytes of keccak256(payload)
 *   payload: u64 job | u8 seat | u8 stage | u8 exitReason | u32 seconds | u64 outputSize | root |
 *            trace | salt | u64 endedAt
 *
 * A torn tail (a crash in mid-write) is cut off at open and told in *out_torn; anything else that
 * is wrong is E_MALFORMED. The file is rewritten at open, and whenever most of it no longer counts,
 * with one record a job that still matters. Any thread: guarded by a lock of its own. Not more than
 * JOURNAL_JOBS_MAX jobs: beyond, the one that ended first is forgotten. */
#ifndef LEASEHOLD_COMPUTE_JOURNAL_H
#define LEASEHOLD_COMPUTE_JOURNAL_H

#include "base/bytes.h"

#define JOURNAL_JOBS_MAX 4096

enum journal_stage {
    JOURNAL_STARTED,  /* assigned and taken up */
    JOURNAL_RAN,      /* result, reason, seconds and salt are fixed: from here on never run again */
    JOURNAL_SEALED,   /* the seal is final on the chain */
    JOURNAL_REVEALED, /* the reveal is final on the chain */
    JOURNAL_SETTLED,  /* the job ended, but may be challenged yet: its data is still answered for */
    JOURNAL_ENDED,    /* nothing more can come; endedAt tells when its blobs may go */
    JOURNAL_STAGE_COUNT
};

struct journal_entry {
    uint64_t job;
    uint8_t seat; /* 0: a worker's replica; else as its judge numbers it */
    enum journal_stage stage;
    uint8_t exit_reason;
    uint32_t seconds;
    uint64_t output_size;
    struct hash root;
    struct hash trace;
    struct hash salt;
    uint64_t ended_at_s; /* 0 until JOURNAL_ENDED */
};

void journal_encode(struct buffer *out, const struct journal_entry *entry); /* a whole record */
/* One record at the start of `input`; *out_size is how much it takes. E_LIMIT: cut short. */
MUST_CHECK enum status journal_decode(struct journal_entry *out, size_t *out_size,
                                      struct bytes input);

struct journal;

MUST_CHECK enum status journal_open(struct journal **out, const char *path, bool *out_torn);
void journal_close(struct journal *j);
/* Fatal when the disk fails: going on would risk a second seal. */
void journal_put(struct journal *j, const struct journal_entry *entry);
/* E_NOT_FOUND: nothing is known of that seat. */
MUST_CHECK enum status journal_find(struct journal *j, struct journal_entry *out, uint64_t job,
                                    uint8_t seat);
/* Copies up to `max` entries, by job number, then seat; returns how many there are. */
size_t journal_list(struct journal *j, struct journal_entry *out, size_t max);
/* Forgets jobs that ended before `before_s` (in memory now, on disk at the next open). */
void journal_forget_ended(struct journal *j, uint64_t before_s);

#endif
