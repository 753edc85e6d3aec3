#include "client/leaf_tree.h"

#include "base/fatal.h"
#include "base/sha256.h"
#include "client/leaf_pair.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAVES_PER_RUN (LEAF_RUN_BYTES_MAX / MERKLE_LEAF_BYTES)

uint64_t leaf_count(uint64_t size_bytes)
{
    return size_bytes / MERKLE_LEAF_BYTES + (size_bytes % MERKLE_LEAF_BYTES != 0 ? 1 : 0);
}

unsigned leaf_levels(uint64_t size_bytes)
{
    unsigned levels = 0;
    uint64_t width = leaf_count(size_bytes);
    if (width == 0) return 0;
    for (levels = 1; width > 1; levels++)
        width = (width + 1) / 2;
    return levels;
}

uint64_t leaf_width(uint64_t size_bytes, unsigned level)
{
    assert(level < leaf_levels(size_bytes));
    uint64_t width = leaf_count(size_bytes);
    for (; level > 0; level--)
        width = (width + 1) / 2;
    return width;
}

uint64_t leaf_level_start(uint64_t size_bytes, unsigned level)
{
    assert(level <= leaf_levels(size_bytes));
    uint64_t start = 0;
    for (unsigned i = 0; i < level; i++)
        start += leaf_width(size_bytes, i);
    return start;
}

void leaf_tree_init(struct leaf_tree *t, uint64_t size_bytes)
{
    uint64_t nodes = leaf_level_start(size_bytes, leaf_levels(size_bytes));
    *t = (struct leaf_tree){.size_bytes = size_bytes, .leaf_count = leaf_count(size_bytes)};
    if (nodes > 0) t->nodes = must_alloc((size_t)nodes * sizeof *t->nodes);
}

void leaf_tree_finish(struct leaf_tree *t)
{
    free(t->nodes);
    *t = (struct leaf_tree){0};
}

/* Fetching the algorithm costs as much as hashing a kilobyte: once is enough. */
static EVP_MD *sha256_algorithm;
static bool has_pairs;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void)
{
    sha256_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256_algorithm) fatal("SHA-256: the crypto library has none");
    has_pairs = leaf_pair_is_there();
}

static void hash_one_by_one(struct hash *out, struct bytes run)
{
    static const uint8_t leaf_domain = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context) fatal("SHA-256: out of memory");
    int good = 1;
    for (size_t at = 0; at < run.size; at += MERKLE_LEAF_BYTES, out++) {
        size_t left = run.size - at;
        good &= EVP_DigestInit_ex2(context, sha256_algorithm, NULL);
        good &= EVP_DigestUpdate(context, &leaf_domain, 1);
        good &= EVP_DigestUpdate(context, run.data + at,
                                 left < MERKLE_LEAF_BYTES ? left : MERKLE_LEAF_BYTES);
        good &= EVP_DigestFinal_ex(context, out->b, NULL);
    }
    EVP_MD_CTX_free(context);
    if (!good) fatal("SHA-256: the crypto library refused");
}

void leaf_hashes(struct hash *out, struct bytes run)
{
    size_t pairs_end = 0;
    pthread_once(&sha256_once, fetch_sha256);
    if (has_pairs) pairs_end = run.size / (2 * MERKLE_LEAF_BYTES) * (2 * MERKLE_LEAF_BYTES);
    for (size_t at = 0; at < pairs_end; at += 2 * MERKLE_LEAF_BYTES)
        leaf_pair_hash(&out[at / MERKLE_LEAF_BYTES], run.data + at);
    if (pairs_end == run.size) return;
    hash_one_by_one(out + pairs_end / MERKLE_LEAF_BYTES,
                    bytes_slice(run, pairs_end, run.size - pairs_end));
}

bool leaf_hashes_match(const struct hash *expected, struct bytes run)
{
    struct hash found[LEAVES_PER_RUN];
    assert(run.size <= LEAF_RUN_BYTES_MAX);
    leaf_hashes(found, run);
    return memcmp(found, expected, (size_t)leaf_count(run.size) * sizeof *found) == 0;
}

static bool read_all(int fd, uint8_t *out, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, out + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

enum status leaf_tree_hash_file(struct leaf_tree *t, int fd)
{
    uint8_t *run = must_alloc(LEAF_RUN_BYTES_MAX);
    enum status status = OK;
    for (uint64_t at = 0; at < t->size_bytes && status == OK; at += LEAF_RUN_BYTES_MAX) {
        uint64_t left = t->size_bytes - at;
        size_t size = left < LEAF_RUN_BYTES_MAX ? (size_t)left : LEAF_RUN_BYTES_MAX;
        if (read_all(fd, run, size, at))
            leaf_hashes(&t->nodes[at / MERKLE_LEAF_BYTES], bytes_of(run, size));
        else
            status = E_IO;
    }
    free(run);
    return status;
}

static struct hash node_of(const struct hash *left, const struct hash *right)
{
    static const uint8_t node_domain = 1;
    struct bytes parts[3] = {bytes_of(&node_domain, 1), hash_bytes(left), hash_bytes(right)};
    return sha256_parts(parts, 3);
}

struct hash leaf_root(uint64_t size_bytes, const struct hash *top)
{
    static const uint8_t root_domain = 2;
    static const struct hash none = {0};
    uint8_t size[8];
    store_be64(size, size_bytes);
    struct bytes parts[3] = {bytes_of(&root_domain, 1), bytes_of(size, 8),
                             hash_bytes(size_bytes == 0 ? &none : top)};
    return sha256_parts(parts, 3);
}

/* One level of `width` nodes into the next; they may be the same memory. */
static void fold_level(struct hash *above, const struct hash *level, uint64_t width)
{
    for (uint64_t i = 0; i + 1 < width; i += 2)
        above[i / 2] = node_of(&level[i], &level[i + 1]);
    if (width % 2 == 1) above[width / 2] = level[width - 1];
}

struct hash leaf_fold(struct hash *nodes, uint64_t count, unsigned levels)
{
    assert(count > 0);
    for (; levels > 0; levels--, count = (count + 1) / 2)
        fold_level(nodes, nodes, count);
    assert(count == 1);
    return nodes[0];
}

struct hash leaf_tree_join(struct leaf_tree *t)
{
    struct hash *level = t->nodes;
    for (uint64_t width = t->leaf_count; width > 1; width = (width + 1) / 2) {
        fold_level(level + width, level, width);
        level += width;
    }
    return leaf_root(t->size_bytes, level);
}

static void check_run(const struct leaf_tree *t, struct leaf_map *map, uint64_t first,
                      struct bytes run)
{
    struct hash found[LEAVES_PER_RUN];
    uint64_t count = leaf_count(run.size);
    leaf_hashes(found, run);
    for (uint64_t i = 0; i < count; i++)
        if (hash_equal(&found[i], &t->nodes[first + i])) leaf_map_add(map, first + i, 1);
}

void leaf_tree_scan(const struct leaf_tree *t, struct leaf_map *map, int fd)
{
    uint8_t *run = must_alloc(LEAF_RUN_BYTES_MAX);
    uint64_t at = 0;
    while (at < t->size_bytes) {
        off_t data = lseek(fd, (off_t)at, SEEK_DATA);
        if (data < 0 || (uint64_t)data >= t->size_bytes) break;
        at = (uint64_t)data / MERKLE_LEAF_BYTES * MERKLE_LEAF_BYTES;
        uint64_t left = t->size_bytes - at;
        size_t size = left < LEAF_RUN_BYTES_MAX ? (size_t)left : LEAF_RUN_BYTES_MAX;
        ssize_t got = pread(fd, run, size, (off_t)at); /* an interrupted part may be short */
        if (got <= 0) break;
        size_t whole =
            (size_t)got == size ? size : (size_t)got / MERKLE_LEAF_BYTES * MERKLE_LEAF_BYTES;
        if (whole == 0) break;
        check_run(t, map, at / MERKLE_LEAF_BYTES, bytes_of(run, whole));
        at += whole;
    }
    free(run);
}
