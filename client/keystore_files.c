#include "client/keystore.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

bool keystore_name_ok(const char *name)
{
    size_t size = strlen(name);
    struct address a;
    if (size == 0 || size > KEYSTORE_NAME_MAX || name[0] == '-' || name[0] == '.') return false;
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-_.", *c) == NULL) return false;
    return address_from_text(&a, bytes_of_text(name)) != OK;
}

static enum status account_of_file(struct keystore_account *out, const json_t *file,
                                   const char *path)
{
    const char *text = json_string_value(json_object_get(file, "address"));
    const char *name =
        json_string_value(json_object_get(json_object_get(file, "x-leasehold"), "name"));
    bool has_crypto = json_is_object(json_object_get(file, "crypto")) ||
                      json_is_object(json_object_get(file, "Crypto"));
    if (text == NULL || !has_crypto || strlen(text) > 42) return E_MALFORMED;
    struct keystore_account a = {0};
    char lower[45];
    snprintf(lower, sizeof lower, "0x%s", strncasecmp(text, "0x", 2) == 0 ? text + 2 : text);
    for (char *c = lower; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c); /* checksums are not the point here */
    if (address_from_text(&a.address, bytes_of_text(lower)) != OK) return E_MALFORMED;
    if (name != NULL && keystore_name_ok(name)) snprintf(a.name, sizeof a.name, "%s", name);
    if (snprintf(a.path, sizeof a.path, "%s", path) >= (int)sizeof a.path) return E_LIMIT;
    *out = a;
    return OK;
}

enum status keystore_inspect(struct keystore_account *out, char error[JSON_ERROR_SIZE],
                             const char *path)
{
    json_t *file = NULL;
    enum status status = json_load_path(&file, error, path, KEYSTORE_FILE_BYTES_MAX);
    if (status != OK) return status;
    status = account_of_file(out, file, path);
    if (status != OK) snprintf(error, JSON_ERROR_SIZE, "%.180s is not a key file", path);
    json_decref(file);
    return status;
}

enum status keystore_load(struct key *out, char error[JSON_ERROR_SIZE], const char *path,
                          const char *password)
{
    json_t *file = NULL;
    enum status status = json_load_path(&file, error, path, KEYSTORE_FILE_BYTES_MAX);
    if (status != OK) return status;
    status = keystore_decrypt(out, error, file, password);
    json_decref(file);
    return status;
}

static int by_name(const void *a, const void *b)
{
    const struct keystore_account *x = a;
    const struct keystore_account *y = b;
    int order = (x->name[0] == '\0') - (y->name[0] == '\0'); /* the nameless last */
    if (order == 0) order = strcmp(x->name, y->name);
    return order != 0 ? order : memcmp(x->address.b, y->address.b, sizeof x->address.b);
}

static void append_account(struct keystore_list *l, const struct keystore_account *a)
{
    if (l->count % 16 == 0) {
        size_t bytes = (l->count + 16) * sizeof *l->accounts;
        l->accounts = must_realloc(l->accounts, bytes);
    }
    l->accounts[l->count++] = *a;
}

enum status keystore_list(struct keystore_list *out, const char *dir)
{
    *out = (struct keystore_list){0};
    DIR *d = opendir(dir);
    if (d == NULL) return errno == ENOENT ? OK : E_IO;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[PATH_MAX];
        char error[JSON_ERROR_SIZE];
        struct keystore_account a;
        struct stat info;
        if (e->d_name[0] == '.' || out->count == KEYSTORE_ACCOUNTS_MAX) continue;
        if (snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= (int)sizeof path) continue;
        if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) continue;
        if (keystore_inspect(&a, error, path) == OK) append_account(out, &a);
    }
    closedir(d);
    if (out->count > 0) qsort(out->accounts, out->count, sizeof *out->accounts, by_name);
    return OK;
}

void keystore_list_finish(struct keystore_list *l)
{
    free(l->accounts);
    *l = (struct keystore_list){0};
}

enum status keystore_find(struct keystore_account *out, char error[JSON_ERROR_SIZE],
                          const char *dir, const char *who)
{
    struct keystore_list list;
    struct address wanted;
    bool by_address = address_from_text(&wanted, bytes_of_text(who)) == OK;
    enum status status = keystore_list(&list, dir);
    if (status != OK) {
        snprintf(error, JSON_ERROR_SIZE, "cannot read the folder %.200s", dir);
        return status;
    }
    status = E_NOT_FOUND;
    for (size_t i = 0; i < list.count && status != OK; i++) {
        const struct keystore_account *a = &list.accounts[i];
        bool fits = by_address ? address_equal(&a->address, &wanted)
                               : a->name[0] != '\0' && strcmp(a->name, who) == 0;
        if (!fits) continue;
        *out = *a;
        status = OK;
    }
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "no account %.60s in %.120s; see: leasehold account list",
                 who, dir);
    keystore_list_finish(&list);
    return status;
}

static bool taken(char *error, const char *dir, const struct keystore_account *new_one)
{
    struct keystore_list list;
    bool found = false;
    if (keystore_list(&list, dir) != OK) return false;
    for (size_t i = 0; i < list.count && !found; i++) {
        const struct keystore_account *a = &list.accounts[i];
        bool same_name = new_one->name[0] != '\0' && strcmp(a->name, new_one->name) == 0;
        bool same_address = address_equal(&a->address, &new_one->address);
        found = same_name || same_address;
        if (same_name)
            snprintf(error, JSON_ERROR_SIZE, "an account named %s is there already", a->name);
        if (same_address)
            snprintf(error, JSON_ERROR_SIZE, "this account is there already: %.200s", a->path);
    }
    keystore_list_finish(&list);
    return found;
}

static enum status path_of_new(char out[PATH_MAX], const char *dir, const struct address *a)
{
    struct timespec now;
    struct tm utc;
    char when[32];
    char who[43];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H-%M-%S", &utc);
    address_to_text(who, a);
    for (char *c = who; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    int size = snprintf(out, PATH_MAX, "%s/UTC--%s.%09ldZ--%s", dir, when, now.tv_nsec, who + 2);
    return size < PATH_MAX ? OK : E_LIMIT;
}

enum status keystore_save(char out_path[PATH_MAX], char error[JSON_ERROR_SIZE], const char *dir,
                          const json_t *file)
{
    struct keystore_account a;
    char path[PATH_MAX];
    if (account_of_file(&a, file, "") != OK) {
        snprintf(error, JSON_ERROR_SIZE, "not a key file");
        return E_MALFORMED;
    }
    if (directory_make(dir, 0700) != OK) {
        snprintf(error, JSON_ERROR_SIZE, "cannot make the folder %.150s: %s", dir, strerror(errno));
        return E_IO;
    }
    if (taken(error, dir, &a)) return E_EXISTS;
    enum status status = path_of_new(path, dir, &a.address);
    if (status == OK) status = json_save_path(file, path, 0600);
    if (status != OK) {
        snprintf(error, JSON_ERROR_SIZE, "cannot write into %.150s: %s", dir, strerror(errno));
        return E_IO;
    }
    memcpy(out_path, path, sizeof path);
    return OK;
}
