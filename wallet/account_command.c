#include "base/file.h"
#include "base/hex.h"
#include "client/password.h"
#include "wallet/handlers.h"
#include "wallet/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IMPORT_BYTES_MAX KEYSTORE_FILE_BYTES_MAX

static int check_name(struct session *s)
{
    const char *name = s->in->values[OPTION_NAME];
    if (name == NULL || keystore_name_ok(name)) return CODE_DONE;
    return fail(s, CODE_USAGE, "--name: letters, digits, '-', '_' and '.', at most %d, not %.80s",
                KEYSTORE_NAME_MAX, name);
}

static int report_account(struct session *s, const struct address *a, const char *path)
{
    const char *name = s->in->values[OPTION_NAME];
    char text[43];
    address_to_text(text, a);
    if (s->json) {
        print_json(json_pack("{s:s,s:s,s:s}", "name", name != NULL ? name : "", "address", text,
                             "path", path));
    } else {
        printf("%s\nkey file: %s\n", text, path);
    }
    return CODE_DONE;
}

static int lock_and_save(struct session *s, const struct key *key, const char *password)
{
    char error[JSON_ERROR_SIZE] = "";
    char path[PATH_MAX];
    json_t *file = NULL;
    struct address address = key_address(key);
    enum keystore_strength strength =
        option_on(s->in, OPTION_LIGHT) ? KEYSTORE_LIGHT : KEYSTORE_STANDARD;
    keystore_encrypt(&file, key, password, s->in->values[OPTION_NAME], strength);
    enum status status = keystore_save(path, error, s->keystore, file);
    json_decref(file);
    if (status != OK) return fail(s, CODE_FAILED, "%s", error);
    return report_account(s, &address, path);
}

static int ask_password(struct session *s, char out[PASSWORD_SIZE], const char *prompt,
                        bool confirm)
{
    char error[JSON_ERROR_SIZE] = "";
    struct password_source source = {s->in->values[OPTION_PASSWORD_FILE], prompt, confirm};
    if (password_read(out, error, &source) != OK) return fail(s, CODE_PASSWORD, "%s", error);
    return CODE_DONE;
}

int account_new(struct session *s)
{
    char password[PASSWORD_SIZE];
    int code = check_name(s);
    if (code == CODE_DONE) code = ask_password(s, password, "Password for the new account", true);
    if (code != CODE_DONE) return code;
    struct key key;
    key_generate(&key);
    code = lock_and_save(s, &key, password);
    key_finish(&key);
    password_wipe(password);
    return code;
}

static enum status read_input(struct buffer *out, const char *path)
{
    if (strcmp(path, "-") != 0) return file_read(out, path, IMPORT_BYTES_MAX);
    for (;;) {
        char part[4096];
        ssize_t got = read(STDIN_FILENO, part, sizeof part);
        if (got < 0) return E_IO;
        if (got == 0) return OK;
        if (out->size + (size_t)got > IMPORT_BYTES_MAX) return E_LIMIT;
        buffer_append(out, bytes_of(part, (size_t)got));
    }
}

/* A private key as 64 hex digits, with or without 0x, alone in its file. */
static bool bare_key(struct key *out, struct buffer *content)
{
    char text[70];
    const char *given = buffer_text(content);
    uint8_t secret[32];
    size_t size = strcspn(given, " \t\r\n");
    bool prefixed = strncmp(given, "0x", 2) == 0;
    if (size > 66 || strspn(given + size, " \t\r\n") != strlen(given + size)) return false;
    snprintf(text, sizeof text, "%s%.*s", prefixed ? "" : "0x", (int)size, given);
    bool ok = hex_decode_exact(secret, 32, bytes_of_text(text)) == OK &&
              key_from_bytes(out, bytes_of(secret, 32)) == OK;
    memset(secret, 0, sizeof secret);
    return ok;
}

static int open_imported(struct session *s, struct key *key, struct buffer *content,
                         const char *password)
{
    char error[JSON_ERROR_SIZE] = "";
    json_t *file = NULL;
    if (bare_key(key, content)) return CODE_DONE;
    if (json_parse(&file, error, buffer_bytes(content)) != OK)
        return fail(s, CODE_USAGE, "%s is neither a key file nor a private key", s->in->words[0]);
    enum status status = keystore_decrypt(key, error, file, password);
    json_decref(file);
    if (status == E_DENIED) return fail(s, CODE_PASSWORD, "wrong password for %s", s->in->words[0]);
    if (status != OK) return fail(s, CODE_FAILED, "%s: %s", s->in->words[0], error);
    return CODE_DONE;
}

int account_import(struct session *s)
{
    struct buffer content = {0};
    struct key key = {0};
    char password[PASSWORD_SIZE] = "";
    int code = check_name(s);
    if (code == CODE_DONE && read_input(&content, s->in->words[0]) != OK)
        code = fail(s, CODE_FAILED, "cannot read %s: %s", s->in->words[0], strerror(errno));
    if (code == CODE_DONE) {
        bool bare = bare_key(&key, &content);
        code = ask_password(s, password, bare ? "Password for the new key file" : "Password of it",
                            bare);
    }
    if (code == CODE_DONE) code = open_imported(s, &key, &content, password);
    if (code == CODE_DONE) code = lock_and_save(s, &key, password);
    if (content.size > 0) memset(content.data, 0, content.size);
    buffer_finish(&content);
    key_finish(&key);
    password_wipe(password);
    return code;
}

static int write_out(struct session *s, struct bytes content)
{
    const char *path = s->in->values[OPTION_OUTPUT];
    if (path == NULL) {
        fwrite(content.data, 1, content.size, stdout);
        return CODE_DONE;
    }
    if (file_write_atomic(path, content, 0600) != OK)
        return fail(s, CODE_FAILED, "cannot write %s: %s", path, strerror(errno));
    return CODE_DONE;
}

static int export_secret(struct session *s, const struct keystore_account *account)
{
    char password[PASSWORD_SIZE];
    char error[JSON_ERROR_SIZE] = "";
    char text[70];
    struct key key;
    int code = ask_password(s, password, "Password", false);
    if (code != CODE_DONE) return code;
    enum status status = keystore_load(&key, error, account->path, password);
    password_wipe(password);
    if (status == E_DENIED) return fail(s, CODE_PASSWORD, "wrong password");
    if (status != OK) return fail(s, CODE_FAILED, "%s", error);
    hex_encode(text, bytes_of(key.secret, 32));
    text[66] = '\n';
    text[67] = '\0';
    code = write_out(s, bytes_of_text(text));
    key_finish(&key);
    memset(text, 0, sizeof text);
    return code;
}

int account_export(struct session *s)
{
    struct keystore_account account;
    struct buffer content = {0};
    char error[JSON_ERROR_SIZE] = "";
    if (keystore_find(&account, error, s->keystore, s->in->words[0]) != OK)
        return fail(s, CODE_USAGE, "%s", error);
    if (option_on(s->in, OPTION_SECRET)) return export_secret(s, &account);
    if (file_read(&content, account.path, KEYSTORE_FILE_BYTES_MAX) != OK)
        return fail(s, CODE_FAILED, "cannot read %s: %s", account.path, strerror(errno));
    int code = write_out(s, buffer_bytes(&content));
    buffer_finish(&content);
    return code;
}

int account_list(struct session *s)
{
    struct keystore_list list;
    if (keystore_list(&list, s->keystore) != OK)
        return fail(s, CODE_FAILED, "cannot read %s: %s", s->keystore, strerror(errno));
    json_t *all = json_array();
    struct table t;
    table_init(&t, 2, (const char *const[]){"NAME", "ADDRESS"});
    for (size_t i = 0; i < list.count; i++) {
        const struct keystore_account *a = &list.accounts[i];
        char text[43];
        address_to_text(text, &a->address);
        table_add(&t, (const char *const[]){a->name[0] != '\0' ? a->name : "-", text});
        json_array_append_new(
            all, json_pack("{s:s,s:s,s:s}", "name", a->name, "address", text, "path", a->path));
    }
    if (s->json) {
        print_json(json_incref(all));
        json_decref(t.rows);
    } else if (list.count > 0) {
        table_print(&t);
    } else {
        json_decref(t.rows);
        fprintf(stderr, "leasehold: no account in %s; make one: leasehold account new --name ME\n",
                s->keystore);
    }
    json_decref(all);
    keystore_list_finish(&list);
    return CODE_DONE;
}
