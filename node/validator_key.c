#include "node/validator_key.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/keccak.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_FILE_BYTES_MAX 4096
#define CHECKPOINTS        (HASH_CHAIN_LINKS / HASH_CHAIN_STRIDE)
#define FILE_MAGIC         "LHCHAIN1"
#define FILE_SIZE          (8 + 32 * (size_t)CHECKPOINTS + 64)

static enum status check_mode(char *error, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        snprintf(error, VALIDATOR_ERROR_SIZE, "cannot read the validator key %.150s: %s", path,
                 strerror(errno));
        return E_NOT_FOUND;
    }
    if ((info.st_mode & 077) == 0) return OK;
    snprintf(error, VALIDATOR_ERROR_SIZE,
             "the validator key %.150s may be read by others (mode %03o): chmod 600 it", path,
             (unsigned)info.st_mode & 0777);
    return E_DENIED;
}

/* The hex digits, wherever the file keeps them. */
static enum status secret_from_text(uint8_t out[32], struct bytes text)
{
    while (text.size > 0 && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == '\r'))
        text.size--;
    if (text.size > 0 && text.data[0] != '{') return hex_decode_exact(out, 32, text);
    char error[JSON_ERROR_SIZE];
    json_t *root = NULL;
    enum status status = json_parse(&root, error, text);
    if (status != OK) return status;
    const char *secret = json_string_value(json_object_get(root, "secretKey"));
    status = secret ? hex_decode_exact(out, 32, bytes_of_text(secret)) : E_MALFORMED;
    json_decref(root);
    return status;
}

enum status validator_key_load(struct key *out, char error[VALIDATOR_ERROR_SIZE], const char *path)
{
    struct buffer text = {0};
    uint8_t secret[32] = {0};
    enum status status = check_mode(error, path);
    if (status != OK) return status;
    status = file_read(&text, path, KEY_FILE_BYTES_MAX);
    if (status == OK) status = secret_from_text(secret, buffer_bytes(&text));
    if (status == OK) status = key_from_bytes(out, bytes_of(secret, sizeof secret));
    if (status != OK)
        snprintf(error, VALIDATOR_ERROR_SIZE,
                 "%.150s holds no validator key: want 0x and 64 hex digits, or "
                 "{\"secretKey\": \"0x...\"}",
                 path);
    explicit_bzero(secret, sizeof secret);
    if (text.data) explicit_bzero(text.data, text.size);
    buffer_finish(&text);
    return status;
}

struct signature validator_proof(const struct key *key, uint64_t chain_id,
                                 const struct address *operator_address)
{
    uint8_t words[96] = {0};
    struct hash domain = keccak256(bytes_of_text("Leasehold consensus key v1"));
    memcpy(words, domain.b, 32);
    u256_to_be(words + 32, u256_from_u64(chain_id));
    memcpy(words + 64 + 12, operator_address->b, sizeof operator_address->b);
    struct hash digest = keccak256(bytes_of(words, sizeof words));
    return key_sign(key, &digest);
}

struct hash_chain {
    struct hash end;
    struct hash checkpoints[CHECKPOINTS]; /* links 0, STRIDE, 2 STRIDE ... */
    size_t segment;                       /* whose links are laid out, counted from 0 */
    struct hash links[HASH_CHAIN_STRIDE];
};

static struct hash next_link(const struct hash *link)
{
    return keccak256(hash_bytes(link));
}

static void lay_out(struct hash_chain *c, size_t segment)
{
    c->segment = segment;
    c->links[0] = c->checkpoints[segment];
    for (size_t i = 1; i < HASH_CHAIN_STRIDE; i++)
        c->links[i] = next_link(&c->links[i - 1]);
}

static struct hash seed_of(const struct key *key)
{
    struct buffer seed = {0};
    buffer_append(&seed, bytes_of(key->secret, sizeof key->secret));
    buffer_append(&seed, bytes_of_text("Leasehold randomness v1"));
    struct hash hash = keccak256(buffer_bytes(&seed));
    explicit_bzero(seed.data, seed.size);
    buffer_finish(&seed);
    return hash;
}

struct hash_chain *hash_chain_create(const struct key *key)
{
    struct hash_chain *c = must_alloc(sizeof *c);
    struct hash link = seed_of(key);
    for (size_t i = 0; i < HASH_CHAIN_LINKS; i++) {
        if (i % HASH_CHAIN_STRIDE == 0) c->checkpoints[i / HASH_CHAIN_STRIDE] = link;
        link = next_link(&link);
    }
    c->end = link;
    lay_out(c, CHECKPOINTS - 1);
    return c;
}

static void encode(struct buffer *out, const struct hash_chain *c)
{
    buffer_append(out, bytes_of_text(FILE_MAGIC));
    buffer_append(out, bytes_of(c->checkpoints, sizeof c->checkpoints));
    buffer_append(out, hash_bytes(&c->end));
    struct hash check = keccak256(buffer_bytes(out));
    buffer_append(out, hash_bytes(&check));
}

/* NULL unless the bytes are whole and of this key. */
static struct hash_chain *decode(struct bytes content, const struct key *key)
{
    struct hash seed = seed_of(key);
    struct bytes magic = bytes_of_text(FILE_MAGIC);
    if (content.size != FILE_SIZE) return NULL;
    struct hash check = keccak256(bytes_slice(content, 0, FILE_SIZE - sizeof check));
    if (memcmp(content.data + FILE_SIZE - sizeof check, check.b, sizeof check.b) != 0) return NULL;
    if (!bytes_equal(bytes_slice(content, 0, magic.size), magic)) return NULL;
    if (memcmp(content.data + magic.size, seed.b, sizeof seed.b) != 0) return NULL;
    struct hash_chain *c = must_alloc(sizeof *c);
    memcpy(c->checkpoints, content.data + magic.size, sizeof c->checkpoints);
    memcpy(c->end.b, content.data + magic.size + sizeof c->checkpoints, sizeof c->end.b);
    lay_out(c, CHECKPOINTS - 1);
    return c;
}

struct hash_chain *hash_chain_open(const struct key *key, const char *path)
{
    struct buffer content = {0};
    struct hash_chain *c = NULL;
    if (file_read(&content, path, FILE_SIZE) == OK) c = decode(buffer_bytes(&content), key);
    buffer_clear(&content);
    if (c == NULL) {
        c = hash_chain_create(key);
        encode(&content, c);
        if (file_write_atomic(path, buffer_bytes(&content), 0600) != OK)
            log_warn("consensus", "cannot keep the hash chain path=%s", path);
    }
    if (content.data != NULL) explicit_bzero(content.data, content.capacity);
    buffer_finish(&content);
    return c;
}

void hash_chain_destroy(struct hash_chain *c)
{
    if (c == NULL) return;
    explicit_bzero(c, sizeof *c);
    free(c);
}

struct hash hash_chain_end(const struct hash_chain *c)
{
    return c->end;
}

/* The link after the last one laid out: the next segment's first, or the chain's end. */
static const struct hash *segment_end(const struct hash_chain *c)
{
    return c->segment + 1 == CHECKPOINTS ? &c->end : &c->checkpoints[c->segment + 1];
}

static bool find_in_segment(const struct hash_chain *c, struct hash *out, const struct hash *after)
{
    for (size_t i = HASH_CHAIN_STRIDE; i > 0; i--) {
        const struct hash *link = i == HASH_CHAIN_STRIDE ? segment_end(c) : &c->links[i];
        if (!hash_equal(link, after)) continue;
        *out = c->links[i - 1];
        return true;
    }
    return false;
}

bool hash_chain_before(struct hash_chain *c, struct hash *out, const struct hash *after)
{
    size_t start = c->segment;
    for (size_t tried = 0; tried < CHECKPOINTS; tried++) {
        size_t segment = (start + CHECKPOINTS - tried) % CHECKPOINTS;
        if (segment != c->segment) lay_out(c, segment);
        if (find_in_segment(c, out, after)) return true;
    }
    return false;
}
