/* image_maker.h - container images for tests: root tars and OCI layouts, good ones and others. */
#ifndef LEASEHOLD_TESTS_COMPUTE_IMAGE_MAKER_H
#define LEASEHOLD_TESTS_COMPUTE_IMAGE_MAKER_H

#include "base/bytes.h"
#include "base/sha256.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define IMAGE_ROOM (96u << 20) /* of a tar in memory */

enum image_packing { IMAGE_PLAIN, IMAGE_GZIP, IMAGE_ZSTD, IMAGE_GZIP_TWICE };

struct image { /* one tar, in memory */
    struct archive *archive;
    uint8_t *data;
    size_t size;
};

static inline void image_begin(struct image *m, enum image_packing packing)
{
    *m = (struct image){.archive = archive_write_new(), .data = malloc(IMAGE_ROOM)};
    assert_non_null(m->data);
    archive_write_set_format_pax_restricted(m->archive);
    if (packing == IMAGE_GZIP || packing == IMAGE_GZIP_TWICE) {
        archive_write_add_filter_gzip(m->archive);
    }
    if (packing == IMAGE_GZIP_TWICE) archive_write_add_filter_gzip(m->archive);
    if (packing == IMAGE_ZSTD) archive_write_add_filter_zstd(m->archive);
    archive_write_set_bytes_in_last_block(m->archive, 1);
    assert_int_equal(archive_write_open_memory(m->archive, m->data, IMAGE_ROOM, &m->size), 0);
}

/* `type` as AE_IF...; `link` for links, NULL else; hard links have type 0. */
static inline void image_entry(struct image *m, const char *path, unsigned type, unsigned mode,
                               const char *link, struct bytes content)
{
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, path);
    archive_entry_set_perm(e, (mode_t)mode);
    if (type != 0) archive_entry_set_filetype(e, type);
    if (type == AE_IFLNK) archive_entry_set_symlink(e, link);
    if (type == 0) archive_entry_set_hardlink(e, link);
    archive_entry_set_size(e, (la_int64_t)content.size);
    archive_entry_set_mtime(e, 1000000000, 0);
    assert_int_equal(archive_write_header(m->archive, e), ARCHIVE_OK);
    archive_entry_free(e);
    if (content.size == 0) return;
    la_ssize_t put = archive_write_data(m->archive, content.data, content.size);
    assert_int_equal(put, (la_ssize_t)content.size);
}

static inline void image_file(struct image *m, const char *path, unsigned mode, const char *text)
{
    image_entry(m, path, AE_IFREG, mode, NULL, bytes_of_text(text));
}

static inline void image_folder(struct image *m, const char *path)
{
    image_entry(m, path, AE_IFDIR, 0755, NULL, bytes_of(NULL, 0));
}

static inline void image_link(struct image *m, const char *path, const char *target)
{
    image_entry(m, path, AE_IFLNK, 0777, target, bytes_of(NULL, 0));
}

static inline void image_hard_link(struct image *m, const char *path, const char *target)
{
    image_entry(m, path, 0, 0644, target, bytes_of(NULL, 0));
}

static inline struct bytes image_end(struct image *m)
{
    assert_int_equal(archive_write_close(m->archive), ARCHIVE_OK);
    archive_write_free(m->archive);
    m->archive = NULL;
    return bytes_of(m->data, m->size);
}

static inline void image_drop(struct image *m)
{
    free(m->data);
    m->data = NULL;
}

/* ---- OCI layouts --------------------------------------------------------------------------- */

static inline void oci_digest(char out[72], struct bytes content)
{
    struct hash h = sha256(content);
    memcpy(out, "sha256:", 7);
    for (size_t i = 0; i < sizeof h.b; i++)
        snprintf(out + 7 + 2 * i, 3, "%02x", h.b[i]);
}

static inline void oci_blob(struct image *m, struct bytes content)
{
    char path[96], digest[72];
    oci_digest(digest, content);
    snprintf(path, sizeof path, "blobs/sha256/%s", digest + 7);
    image_entry(m, path, AE_IFREG, 0644, NULL, content);
}

/* What tests make different. */
struct oci {
    const char *config;   /* NULL: {} */
    const char *manifest; /* NULL: the right one */
    const char *index;    /* likewise */
    bool wrong_digest;    /* the first layer's is another's */
    bool no_layer;        /* it is not in the tar */
};

/* A layout of these layers as a tar in memory, as skopeo's oci-archive is one. */
static inline struct bytes oci_make(struct image *m, const struct bytes *layers, size_t count,
                                    const struct oci *o)
{
    struct buffer manifest = {0}, index = {0};
    char digest[72];
    const char *text = o->config != NULL ? o->config : "{}";
    struct bytes config = bytes_of_text(text);
    oci_digest(digest, config);
    buffer_print(&manifest,
                 "{\"schemaVersion\": 2, \"config\": {\"digest\": \"%s\"}, \"layers\": [", digest);
    for (size_t i = 0; i < count; i++) {
        oci_digest(digest, layers[i]);
        if (o->wrong_digest && i == 0) digest[70] = digest[70] == '0' ? '1' : '0';
        buffer_print(&manifest, "%s{\"digest\": \"%s\", \"size\": %zu}", i > 0 ? ", " : "", digest,
                     layers[i].size);
    }
    buffer_print(&manifest, "]}");
    struct bytes said = o->manifest != NULL ? bytes_of_text(o->manifest) : buffer_bytes(&manifest);
    oci_digest(digest, said);
    buffer_print(&index, "{\"schemaVersion\": 2, \"manifests\": [{\"digest\": \"%s\"}]}", digest);
    image_begin(m, IMAGE_PLAIN);
    image_file(m, "oci-layout", 0644, "{\"imageLayoutVersion\": \"1.0.0\"}");
    image_file(m, "index.json", 0644, o->index != NULL ? o->index : buffer_text(&index));
    oci_blob(m, config);
    oci_blob(m, said);
    for (size_t i = 0; i < count && !o->no_layer; i++) {
        char path[96];
        oci_digest(digest, layers[i]);
        if (o->wrong_digest && i == 0) digest[70] = digest[70] == '0' ? '1' : '0';
        snprintf(path, sizeof path, "blobs/sha256/%s", digest + 7);
        image_entry(m, path, AE_IFREG, 0644, NULL, layers[i]);
    }
    buffer_finish(&manifest);
    buffer_finish(&index);
    return image_end(m);
}

#endif
