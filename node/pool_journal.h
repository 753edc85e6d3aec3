/* pool_journal.h - transactions that wait for a block, kept across a crash.
 *
 * An append-only file; each entry is  size 4 | wire bytes | check 4  (integers big-endian, the
 * check is the first 4 bytes of keccak256 of the wire bytes). A torn or damaged tail ends the
 * reading. Written without waiting for the disk: it survives the death of the process, not of the
 * machine, and a client that must be sure sends again. When the file has outgrown what still waits
 * it is written anew. Not thread-safe: the caller holds the pool's lock. */
#ifndef LEASEHOLD_NODE_POOL_JOURNAL_H
#define LEASEHOLD_NODE_POOL_JOURNAL_H

#include "base/bytes.h"

struct pool_journal;

/* Calls `each` for every whole entry; then opens for appending. E_IO, E_LIMIT. */
MUST_CHECK enum status pool_journal_open(struct pool_journal **out, const char *path,
                                         void (*each)(void *context, struct bytes wire),
                                         void *context);
void pool_journal_close(struct pool_journal *j); /* takes NULL */
void pool_journal_append(struct pool_journal *j, struct bytes wire);
size_t pool_journal_size(const struct pool_journal *j); /* bytes */
/* Replaces the content. */
void pool_journal_rewrite(struct pool_journal *j, const struct bytes *wires, size_t count);

#endif
