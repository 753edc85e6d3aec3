/* leaf_file.h - a content's leaf level kept in a file beside it, so that a transfer that goes on
 * after an interruption, or to another worker, need neither hash nor fetch it again.
 *
 * Checked against the root when it is read, so it is neither synced nor believed. Any thread. */
#ifndef LEASEHOLD_CLIENT_LEAF_FILE_H
#define LEASEHOLD_CLIENT_LEAF_FILE_H

#include "client/leaf_tree.h"

/* PATH.leaves into a tree that was made for the size; false: not there, or of another content. */
MUST_CHECK bool leaf_file_load(struct leaf_tree *t, const char *path, const struct hash *root);
/* Writes PATH.leaves; if that fails there is none. */
void leaf_file_save(const struct leaf_tree *t, const char *path);
void leaf_file_remove(const char *path);

#endif
