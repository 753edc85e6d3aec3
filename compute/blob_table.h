/* blob_table.h - what the store's own files share: blob_table.c (the table, start and end),
 * blob_arrival.c (taking in), blobs.c (the rest of blobs.h). Nobody else includes it.
 *
 * Every function here wants the lock held. A blob that is busy is worked on without it by one
 * thread: it is neither freed nor changed meanwhile, only doomed. */
#ifndef LEASEHOLD_COMPUTE_BLOB_TABLE_H
#define LEASEHOLD_COMPUTE_BLOB_TABLE_H

#include "compute/blob_files.h"

#include <pthread.h>

struct blob {
    struct blob_key key;
    struct address owner;
    uint64_t number; /* none has it twice: tells it from a later one of the same key */
    uint64_t size;   /* of the content: what counts against the quota */
    uint64_t offered;
    enum blob_stage stage;
    bool checked;        /* arriving: `map` is true; whole: the tree is there */
    bool busy;           /* a thread works on its files without the lock */
    bool doomed;         /* to be dropped when that thread is done */
    struct leaf_map map; /* arriving and checked */
};

struct blobs {
    pthread_mutex_t lock;
    pthread_cond_t idle; /* some blob is not busy any more */
    char folder[PATH_MAX - 160];
    uint64_t quota_bytes;
    uint64_t used_bytes; /* sum of sizes */
    uint64_t numbers;
    struct blob *entries[BLOBS_MAX];
    size_t count;
};

struct blob *blob_table_find(struct blobs *b,
                             const struct blob_key *key); /* or NULL, as all of these */
struct blob *blob_table_find_idle(struct blobs *b, const struct blob_key *key); /* waits */
struct blob *blob_table_find_number(struct blobs *b, uint64_t number);
/* Not busy, and its map known: what the disk holds is checked at first use. */
struct blob *blob_table_find_checked(struct blobs *b, const struct blob_key *key);
struct blob *blob_table_add(struct blobs *b, const struct blob_key *key,
                            const struct address *owner);
void blob_table_drop(struct blobs *b,
                     struct blob *blob); /* at once, or when it is no longer busy */
/* False: over a quota; nothing was changed. */
MUST_CHECK bool blob_table_set_size(struct blobs *b, struct blob *blob, uint64_t size);

/* Gives the lock up, and takes it again; NULL when the blob was removed meanwhile. */
void blob_table_begin_work(struct blobs *b, struct blob *blob);
struct blob *blob_table_end_work(struct blobs *b, struct blob *blob);
/* All leaves are here: it gets its name. */
MUST_CHECK enum status blob_table_publish(struct blobs *b, struct blob *blob);

struct blob_state blob_table_state(const struct blob *blob);
int blob_table_open_file(const struct blobs *b, const struct blob_key *key, enum blob_file kind);

#endif
