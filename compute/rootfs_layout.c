#include "compute/rootfs_layout.h"

#include "base/json.h"
#include "compute/rootfs_tree.h"

#include <archive_entry.h>
#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK_BYTES      (64u * 1024u)
#define OUTER_MAX        4096u /* entries of the outer tar */
#define MANIFESTS_MAX    64u
#define INDEX_DEPTH_MAX  2u
#define DIGEST_PREFIX    "sha256:"
#define DIGEST_HEX       64u
#define BLOB_PATH_SIZE   96
#define TYPE_INDEX       "application/vnd.oci.image.index.v1+json"
#define TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"

#if defined(__x86_64__)
#define MACHINE "amd64"
#elif defined(__aarch64__)
#define MACHINE "arm64"
#else
#define MACHINE "unknown"
#endif

struct layout {
    struct unpacking *unpacking;
    const struct rootfs_source *source;
    struct exec_plan *defaults;
};

struct blob { /* one file of the outer tar, read and hashed from its start to its end */
    struct archive *outer;
    EVP_MD_CTX *hash;
    uint64_t left;
    char name[BLOB_PATH_SIZE];
    uint8_t chunk[CHUNK_BYTES];
};

#define SAY(l, status, ...) unpacking_say((l)->unpacking, status, __VA_ARGS__)

/* ---- blobs --------------------------------------------------------------------------------- */

static bool is_named(struct archive_entry *e, const char *name)
{
    char path[ROOTFS_PATH_SIZE];
    const char *raw = archive_entry_pathname(e);
    return raw != NULL && tree_clean_path(path, raw) == OK && strcmp(path, name) == 0;
}

static enum status seek_blob(struct layout *l, struct blob *b)
{
    for (unsigned i = 0; i < OUTER_MAX; i++) {
        struct archive_entry *e;
        int result = archive_read_next_header(b->outer, &e);
        if (result == ARCHIVE_EOF) {
            return SAY(l, E_MALFORMED, "the OCI layout has no %s", b->name);
        }
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) break;
        if (!is_named(e, b->name)) continue;
        if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) != NULL) {
            return SAY(l, E_MALFORMED, "%s is no plain file of the OCI layout", b->name);
        }
        b->left = archive_entry_size(e) > 0 ? (uint64_t)archive_entry_size(e) : 0;
        return OK;
    }
    return SAY(l, E_MALFORMED, "the OCI layout is no good tar, or has more than %u files",
               OUTER_MAX);
}

static void close_blob(struct blob *b)
{
    archive_read_free(b->outer);
    EVP_MD_CTX_free(b->hash);
    free(b);
}

static enum status open_blob(struct layout *l, struct blob **out, const char *name)
{
    struct blob *b = calloc(1, sizeof *b);
    if (b == NULL) return SAY(l, E_IO, "no memory to unpack");
    snprintf(b->name, sizeof b->name, "%s", name);
    b->hash = EVP_MD_CTX_new();
    b->outer = archive_read_new();
    enum status status = OK;
    if (b->outer == NULL || b->hash == NULL || !EVP_DigestInit_ex(b->hash, EVP_sha256(), NULL)) {
        status = SAY(l, E_IO, "no memory to unpack");
    }
    if (status == OK) {
        archive_read_support_format_tar(b->outer); /* the outer tar is plain */
        if (rootfs_open_source(b->outer, l->source) != ARCHIVE_OK) {
            status = SAY(l, E_MALFORMED, "the OCI layout is no good tar");
        }
    }
    if (status == OK) status = seek_blob(l, b);
    if (status == OK) {
        *out = b;
    } else {
        close_blob(b);
    }
    return status;
}

/* libarchive's reader of an inner tar: the outer one's data, hashed as it passes. */
static la_ssize_t read_blob(struct archive *inner, void *context, const void **out)
{
    struct blob *b = context;
    ssize_t got = (ssize_t)archive_read_data(b->outer, b->chunk, sizeof b->chunk);
    if (got < 0 || (uint64_t)got > b->left || !EVP_DigestUpdate(b->hash, b->chunk, (size_t)got)) {
        if (inner != NULL) archive_set_error(inner, ARCHIVE_FATAL, "%s is cut off", b->name);
        return ARCHIVE_FATAL;
    }
    b->left -= (uint64_t)got;
    *out = b->chunk;
    return got;
}

/* Reads what is left, and compares the whole with the digest's hex digits. */
static enum status check_blob(struct layout *l, struct blob *b, const char *hex)
{
    const void *data;
    la_ssize_t got;
    uint8_t digest[32];
    char found[DIGEST_HEX + 1];
    while ((got = read_blob(NULL, b, &data)) > 0) {
    }
    if (got < 0 || b->left != 0) return SAY(l, E_MALFORMED, "%s is cut off", b->name);
    if (!EVP_DigestFinal_ex(b->hash, digest, NULL)) return SAY(l, E_IO, "cannot hash");
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(found + 2 * i, 3, "%02x", digest[i]);
    if (strcmp(found, hex) == 0) return OK;
    return SAY(l, E_MALFORMED, "%s has another digest: sha256:%s", b->name, found);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

/* {"digest": "sha256:...", ...} as the blob's path and the digest's digits. */
static enum status read_descriptor(struct layout *l, char path[BLOB_PATH_SIZE],
                                   const char **out_hex, const json_t *descriptor, const char *what)
{
    const char *digest = json_string_value(json_object_get(descriptor, "digest"));
    if (digest == NULL || strncmp(digest, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) != 0) {
        return SAY(l, E_MALFORMED, "the %s of the image has no sha256 digest", what);
    }
    const char *hex = digest + strlen(DIGEST_PREFIX);
    if (strlen(hex) != DIGEST_HEX || strspn(hex, "0123456789abcdef") != DIGEST_HEX) {
        return SAY(l, E_MALFORMED, "%.100s is no sha256 digest", digest);
    }
    snprintf(path, BLOB_PATH_SIZE, "blobs/sha256/%s", hex);
    *out_hex = hex;
    return OK;
}

static enum status collect(struct layout *l, struct buffer *out, struct blob *b)
{
    const void *data;
    la_ssize_t got;
    if (b->left > ROOTFS_JSON_BYTES_MAX) {
        return SAY(l, E_LIMIT, "%s is JSON of more than %u bytes", b->name, ROOTFS_JSON_BYTES_MAX);
    }
    while ((got = read_blob(NULL, b, &data)) > 0)
        buffer_append(out, bytes_of(data, (size_t)got));
    return got == 0 ? OK : SAY(l, E_MALFORMED, "%s is cut off", b->name);
}

/* hex NULL: index.json, which nothing vouches for but the job's own root. */
static enum status read_json(struct layout *l, json_t **out, const char *path, const char *hex)
{
    struct blob *b = NULL;
    struct buffer text = {0};
    char error[JSON_ERROR_SIZE] = "";
    enum status status = open_blob(l, &b, path);
    if (status != OK) return status;
    assert(b != NULL);
    status = collect(l, &text, b);
    if (status == OK && hex != NULL) status = check_blob(l, b, hex);
    close_blob(b);
    if (status == OK && json_parse(out, error, buffer_bytes(&text)) != OK) {
        status = SAY(l, E_MALFORMED, "%s: %.200s", path, error);
    }
    buffer_finish(&text);
    return status;
}

static enum status follow(struct layout *l, json_t **out, const json_t *descriptor,
                          const char *what)
{
    char path[BLOB_PATH_SIZE];
    const char *hex = NULL;
    enum status status = read_descriptor(l, path, &hex, descriptor, what);
    if (status != OK) return status;
    assert(hex != NULL); /* else nothing would be checked */
    return read_json(l, out, path, hex);
}

static bool has_text(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL && strcmp(value, text) == 0;
}

/* A manifest that says no platform may be for any. */
static bool is_for_here(const json_t *descriptor)
{
    const json_t *platform = json_object_get(descriptor, "platform");
    return platform == NULL ||
           (has_text(platform, "os", "linux") && has_text(platform, "architecture", MACHINE));
}

static enum status choose_manifest(struct layout *l, const json_t **out, const json_t *index)
{
    const json_t *manifests = json_object_get(index, "manifests");
    size_t count = json_array_size(manifests), fitting = 0;
    if (count > MANIFESTS_MAX) {
        return SAY(l, E_LIMIT, "the index names more than %u images", MANIFESTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_for_here(json_array_get(manifests, i))) continue;
        *out = json_array_get(manifests, i);
        fitting++;
    }
    if (fitting == 1) return OK;
    return SAY(l, E_MALFORMED, "the OCI layout holds %zu images for linux/" MACHINE ", not one",
               fitting);
}

static enum status find_manifest(struct layout *l, json_t **out)
{
    const json_t *chosen = NULL;
    json_t *index;
    enum status status = read_json(l, &index, "index.json", NULL);
    for (unsigned depth = 0; status == OK; depth++) {
        json_t *next = NULL;
        status = choose_manifest(l, &chosen, index);
        if (status == OK) status = follow(l, &next, chosen, "manifest");
        bool is_index = status == OK && (has_text(chosen, "mediaType", TYPE_INDEX) ||
                                         has_text(chosen, "mediaType", TYPE_DOCKER_LIST));
        json_decref(index);
        if (status == OK && !is_index) {
            *out = next;
            return OK;
        }
        index = next;
        if (status == OK && depth + 1 == INDEX_DEPTH_MAX) {
            json_decref(index);
            status = SAY(l, E_LIMIT, "the index names indexes of indexes");
        }
    }
    return status;
}

/* ---- config ---------------------------------------------------------------------------------- */

typedef enum status add_text(struct exec_plan *plan, const char *text);

/* An array of texts, or null, or nothing. */
static enum status read_texts(struct layout *l, const json_t *config, const char *key,
                              add_text *add)
{
    const json_t *array = json_object_get(config, key);
    enum status status = OK;
    if (array == NULL || json_is_null(array)) return OK;
    if (!json_is_array(array)) return SAY(l, E_MALFORMED, "config: %s is no array", key);
    for (size_t i = 0; i < json_array_size(array) && status == OK; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        status = text == NULL ? E_MALFORMED : add(l->defaults, text);
    }
    if (status == OK) return OK;
    return SAY(l, status, "config: %s holds too much, or what makes no sense", key);
}

static enum status read_config(struct layout *l, const json_t *root)
{
    const json_t *config = json_object_get(root, "config");
    const char *machine = json_string_value(json_object_get(root, "architecture"));
    if (machine != NULL && strcmp(machine, MACHINE) != 0) {
        return SAY(l, E_UNSUPPORTED, "the image is for %.40s, this machine is " MACHINE, machine);
    }
    const char *folder = json_string_value(json_object_get(config, "WorkingDir"));
    enum status status = read_texts(l, config, "Env", exec_plan_set_env);
    if (status == OK) status = read_texts(l, config, "Entrypoint", exec_plan_add_arg);
    if (status == OK) status = read_texts(l, config, "Cmd", exec_plan_add_arg);
    if (status == OK && folder != NULL && folder[0] != '\0' &&
        exec_plan_set_workdir(l->defaults, folder) != OK) {
        status = SAY(l, E_MALFORMED, "config: WorkingDir is no absolute path");
    }
    return status;
}

/* ---- layers ---------------------------------------------------------------------------------- */

static enum status unpack_open_layer(struct layout *l, struct blob *b)
{
    enum status status;
    struct archive *inner = layer_reader();
    if (inner == NULL) return SAY(l, E_IO, "no memory to unpack");
    if (archive_read_open(inner, b, NULL, read_blob, NULL) == ARCHIVE_OK) {
        status = layer_unpack(l->unpacking, inner);
    } else {
        const char *why = archive_error_string(inner);
        status = SAY(l, E_MALFORMED, "%s is no good tar: %.200s", b->name, why ? why : "damaged");
    }
    archive_read_free(inner);
    return status;
}

static enum status unpack_layer(struct layout *l, const json_t *descriptor)
{
    char path[BLOB_PATH_SIZE];
    const char *hex = NULL;
    struct blob *b = NULL;
    enum status status = read_descriptor(l, path, &hex, descriptor, "layer");
    if (status == OK) status = open_blob(l, &b, path);
    if (status != OK) return status;
    assert(b != NULL && hex != NULL);
    status = unpack_open_layer(l, b);
    if (status == OK) status = check_blob(l, b, hex);
    close_blob(b);
    return status;
}

static enum status unpack_manifest(struct layout *l, const json_t *manifest)
{
    json_t *config;
    const json_t *layers = json_object_get(manifest, "layers");
    size_t count = json_array_size(layers);
    if (count == 0) return SAY(l, E_MALFORMED, "the manifest names no layers");
    if (count > ROOTFS_LAYERS_MAX) {
        return SAY(l, E_LIMIT, "%zu layers are more than %u", count, ROOTFS_LAYERS_MAX);
    }
    enum status status = follow(l, &config, json_object_get(manifest, "config"), "config");
    if (status != OK) return status;
    status = read_config(l, config);
    json_decref(config);
    for (size_t i = 0; i < count && status == OK; i++)
        status = unpack_layer(l, json_array_get(layers, i));
    return status;
}

enum status layout_unpack(struct unpacking *u, struct exec_plan *defaults,
                          const struct rootfs_source *source)
{
    json_t *manifest;
    struct layout l = {.unpacking = u, .source = source, .defaults = defaults};
    enum status status = find_manifest(&l, &manifest);
    if (status != OK) return status;
    status = unpack_manifest(&l, manifest);
    json_decref(manifest);
    return status;
}
