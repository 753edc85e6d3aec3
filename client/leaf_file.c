#include "client/leaf_file.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static bool name(char out[PATH_MAX], const char *path, const char *suffix)
{
    return snprintf(out, PATH_MAX, "%s.leaves%s", path, suffix) < PATH_MAX;
}

bool leaf_file_load(struct leaf_tree *t, const char *path, const struct hash *root)
{
    char file_path[PATH_MAX];
    FILE *file = name(file_path, path, "") ? fopen(file_path, "rb") : NULL;
    if (!file) return false;
    size_t count = (size_t)t->leaf_count;
    bool good = count > 0 && fread(t->nodes, sizeof *t->nodes, count, file) == count;
    fclose(file);
    if (!good) return false;
    struct hash found = leaf_tree_join(t);
    return hash_equal(&found, root);
}

void leaf_file_save(const struct leaf_tree *t, const char *path)
{
    char file_path[PATH_MAX];
    char new_path[PATH_MAX];
    if (!name(file_path, path, "") || !name(new_path, path, ".new")) return;
    size_t count = (size_t)t->leaf_count;
    FILE *file = count > 0 ? fopen(new_path, "wb") : NULL;
    if (!file) return;
    bool good = fwrite(t->nodes, sizeof *t->nodes, count, file) == count;
    good = fclose(file) == 0 && good;
    if (!good || rename(new_path, file_path) != 0) unlink(new_path);
}

void leaf_file_remove(const char *path)
{
    char file_path[PATH_MAX];
    if (name(file_path, path, "")) unlink(file_path);
}
