/* book.h - whom this node could dial: addresses in buckets, so that no attacker fills them all.
 *
 * As Bitcoin's and its followers' (Heilman et al., "Eclipse Attacks on Bitcoin's Peer-to-Peer
 * Network", 2015): heard-of addresses ("new") and those once connected ("tried") live in two tables
 * of buckets; the bucket is a keyed hash of the address's group (/16 of IPv4, /32 of IPv6) and, for
 * new ones, of the group of who told us. A full bucket gives up only what is hopeless: long
 * unheard, or failed again and again. So one source or subnet reaches a bounded part of the tables
 * only, and nothing that works is ever pushed out. Additions are rate-limited by source. A few
 * anchors (outgoing peers that were connected last) are kept over restarts. Choosing is random,
 * half tried and half new, by bucket before entry, so that filling buckets does not pay. Saved as
 * one file, atomically; a damaged file is put aside and begun anew.
 *
 * An id that was only heard of is a hint; whoever answers there is who it is (book_connected
 * corrects it). Only a fixed peer's id is to be demanded.
 *
 * Time (seconds of the wall clock) is an argument, randomness is seeded: tests can replay. One
 * thread. About 450 KiB; bounds in net/limits.h (BOOK_*). */
#ifndef LEASEHOLD_NET_BOOK_H
#define LEASEHOLD_NET_BOOK_H

#include "net/net_address.h"

struct book;

/* seed: 32 random bytes; kept in the file, so a book that is read back keeps its own. */
struct book *book_create(const uint8_t seed[32]);
void book_destroy(struct book *b); /* takes NULL */

/* E_NOT_FOUND: no file (a new book is fine); E_MALFORMED or E_LIMIT: damaged, now at PATH.damaged;
 * E_IO. The fixed ones are not kept in it. Here `seed` is for the draws only. */
MUST_CHECK enum status book_load(struct book **out, const char *path, const uint8_t seed[32]);
MUST_CHECK enum status book_save(const struct book *b, const char *path);
/* The file's content; what decodes encodes to the same bytes. */
void book_encode(struct buffer *out, const struct book *b);
MUST_CHECK enum status book_decode(struct book **out, struct bytes input, const uint8_t seed[32]);

/* Heard of: `source` told us; an id of zero is unknown. False: not kept (not routable, over the
 * source's rate, which known ones use up too, already known, lost against its bucket). */
bool book_add(struct book *b, const struct wire_peer *peer, const struct net_address *source,
              uint64_t now_s);
void book_allow_private(struct book *b, bool allow); /* loopback, RFC 1918 ...; devnets */
/* Never evicted, never expired: from --peers and the genesis file. */
void book_add_fixed(struct book *b, const struct wire_peer *peer);
bool book_is_fixed(const struct book *b, const struct net_address *a);

void book_attempted(struct book *b, const struct net_address *a, uint64_t now_s);
/* A connection that we dialled is open: into tried, with the id that it proved. */
void book_connected(struct book *b, const struct wire_peer *peer, uint64_t now_s);
void book_failed(struct book *b, const struct net_address *a, uint64_t now_s);

/* Whom to dial next: due by its cool-down (60 s, doubled by each failure up to an hour; 1 s to 30 s
 * for fixed ones), for which `skip` is false, anchors and fixed ones first. False: nobody. */
bool book_choose(struct book *b, struct wire_peer *out,
                 bool (*skip)(void *context, const struct wire_peer *peer), void *context,
                 uint64_t now_s);
/* A random sample of fresh ones for PEERS; returns how many (at most count_max). */
size_t book_sample(struct book *b, struct wire_peer *out, size_t count_max, uint64_t now_s);
/* The present outgoing peers, at most BOOK_ANCHORS: dialled first after a restart. */
void book_set_anchors(struct book *b, const struct wire_peer *peers, size_t count);
size_t book_count(const struct book *b);       /* all, fixed ones too */
size_t book_tried_count(const struct book *b); /* those of the tried table */

#endif
