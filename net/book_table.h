/* book_table.h - the inside of an address book: buckets, placement, draws. For book*.c only.
 *
 * Buckets 0 to BOOK_NEW_BUCKETS - 1 hold what was heard of, those behind hold what was connected.
 * An address is in at most one bucket; a bucket's entries stand together at its front. */
#ifndef LEASEHOLD_NET_BOOK_TABLE_H
#define LEASEHOLD_NET_BOOK_TABLE_H

#include "net/book.h"

#define BOOK_BUCKETS (BOOK_NEW_BUCKETS + BOOK_TRIED_BUCKETS)

struct book_entry {
    struct wire_peer peer;
    uint64_t heard_s;
    uint64_t connected_s; /* 0: never */
    uint64_t attempted_s; /* 0: not since the start; not in the file */
    uint8_t failures;     /* in a row */
};

struct book_bucket {
    uint32_t count;
    struct book_entry entries[BOOK_BUCKET_SIZE];
};

/* What a source may still add: seconds saved up, BOOK_SOURCE_RATE_S an addition. */
struct book_source {
    struct net_group who;
    uint64_t seen_s;
    uint64_t saved_s;
};

struct book {
    uint8_t placement_key[32]; /* from the file, so that entries keep their buckets */
    uint8_t draw_key[32];      /* of this start, so that no start repeats another's draws */
    uint64_t draw_count;
    struct hash draws; /* the four that draw_count / 4 gives */
    bool allow_private;
    struct book_bucket buckets[BOOK_BUCKETS];
    uint32_t fixed_count, anchor_count, pending_count;
    struct book_entry fixed[BOOK_FIXED_MAX];
    struct wire_peer anchors[BOOK_ANCHORS]; /* for the next start */
    struct wire_peer pending[BOOK_ANCHORS]; /* of the last one, not dialled yet */
    uint32_t source_count;
    struct book_source sources[BOOK_SOURCES_MAX];
};

/* Where an address belongs. */
uint32_t book_new_bucket(const struct book *b, const struct net_address *a,
                         const struct net_address *source);
uint32_t book_tried_bucket(const struct book *b, const struct net_address *a);
static inline bool book_bucket_is_tried(uint32_t bucket)
{
    return bucket >= BOOK_NEW_BUCKETS;
}

/* NULL: not in a bucket. *out_bucket is set if it is found. */
struct book_entry *book_find(struct book *b, const struct net_address *a, uint32_t *out_bucket);
struct book_entry *book_find_fixed(struct book *b, const struct net_address *a);
/* Takes the place of the worst hopeless one if the bucket is full. NULL: there is none. */
struct book_entry *book_put(struct book *b, uint32_t bucket, const struct book_entry *e,
                            uint64_t now_s);
void book_remove(struct book *b, uint32_t bucket, struct book_entry *e);

/* Not worth its place, nor telling others about. */
bool book_is_hopeless(const struct book_entry *e, uint64_t now_s);

uint64_t book_draw(struct book *b, uint64_t bound); /* below bound, which is not 0 */
/* The buckets `from` to `from + count - 1` in random order. */
void book_shuffle(struct book *b, uint32_t *out, uint32_t from, uint32_t count);

#endif
