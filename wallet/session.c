#include "wallet/session.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/units.h"
#include "client/password.h"
#include "wallet/hints.h"
#include "wallet/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 5000u

int fail(const struct session *s, enum exit_code code, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f) *c = '?';
    bool terminal = isatty(STDERR_FILENO) == 1; /* where a live line may stand */
    fprintf(stderr, "%sleasehold: %s\n", terminal ? "\r\033[K" : "", text);
    if (s->json) print_json(json_pack("{s:s,s:i}", "error", text, "exitCode", (int)code));
    return (int)code;
}

int fail_rpc(const struct session *s, enum status status, const char *what)
{
    enum exit_code code = CODE_FAILED;
    if (status == E_IO || status == E_TIMEOUT) code = CODE_UNREACHABLE;
    if (status == E_DENIED || status == E_STATE) code = CODE_REFUSED;
    if (rpc_stopped(s->rpc) && s->tells_stop) return CODE_STOPPED;
    if (rpc_stopped(s->rpc)) return fail(s, CODE_STOPPED, "%s: stopped", what);
    const char *hint = code == CODE_REFUSED ? hint_for(rpc_revert_name(s->rpc)) : "";
    if (code == CODE_UNREACHABLE && status == E_IO) hint = "is it running? --rpc names another";
    return fail(s, code, "%s: %s%s%s", what, rpc_problem(s->rpc), *hint != '\0' ? "; " : "", hint);
}

static const char *setting(const struct invocation *in, enum wallet_option id, const char *variable)
{
    if (in->values[id] != NULL) return in->values[id];
    const char *value = getenv(variable);
    return value != NULL && *value != '\0' ? value : NULL;
}

int session_init(struct session *s, const struct invocation *in)
{
    *s = (struct session){.in = in, .json = option_on(in, OPTION_JSON)};
    const char *home = getenv("LEASEHOLD_HOME");
    const char *user = getenv("HOME");
    int size = home != NULL ? snprintf(s->home, sizeof s->home, "%s", home)
                            : snprintf(s->home, sizeof s->home, "%s/.leasehold", user ? user : ".");
    const char *keystore = setting(in, OPTION_KEYSTORE, "LEASEHOLD_KEYSTORE");
    int more = keystore != NULL
                   ? snprintf(s->keystore, sizeof s->keystore, "%s", keystore)
                   : snprintf(s->keystore, sizeof s->keystore, "%.4000s/keystore", s->home);
    if (size >= PATH_MAX || more >= PATH_MAX) return fail(s, CODE_USAGE, "a path is too long");
    return CODE_DONE;
}

void session_finish(struct session *s)
{
    if (s->unlocked) sender_finish(&s->sender);
    rpc_destroy(s->rpc);
    s->rpc = NULL;
}

int session_connect(struct session *s)
{
    if (s->rpc != NULL) return CODE_DONE;
    char error[JSON_ERROR_SIZE] = "";
    struct rpc_options options = {.urls = setting(s->in, OPTION_RPC, "LEASEHOLD_RPC"),
                                  .patience_ms = PATIENCE_MS,
                                  .stop = stop_flag()};
    if (rpc_create(&s->rpc, &options, error) != OK) return fail(s, CODE_USAGE, "--rpc: %s", error);
    return CODE_DONE;
}

static int only_account(struct session *s, struct keystore_account *out)
{
    struct keystore_list list;
    if (keystore_list(&list, s->keystore) != OK)
        return fail(s, CODE_FAILED, "cannot read %s: %s", s->keystore, strerror(errno));
    int code = CODE_DONE;
    size_t count = list.count;
    if (count == 1) *out = list.accounts[0];
    keystore_list_finish(&list);
    if (count == 0)
        code = fail(s, CODE_USAGE, "no account in %s; make one: leasehold account new --name ME",
                    s->keystore);
    if (count > 1)
        code = fail(s, CODE_USAGE,
                    "which of the %zu accounts? give --from NAME; see: leasehold "
                    "account list",
                    count);
    return code;
}

static int find_own(struct session *s, struct keystore_account *out)
{
    char error[JSON_ERROR_SIZE] = "";
    const char *from = setting(s->in, OPTION_FROM, "LEASEHOLD_FROM");
    if (from == NULL) return only_account(s, out);
    if (keystore_find(out, error, s->keystore, from) != OK)
        return fail(s, CODE_USAGE, "--from: %s", error);
    return CODE_DONE;
}

int session_own_address(struct session *s, struct address *out)
{
    const char *from = setting(s->in, OPTION_FROM, "LEASEHOLD_FROM");
    if (from != NULL && address_from_text(out, bytes_of_text(from)) == OK) return CODE_DONE;
    struct keystore_account account;
    int code = find_own(s, &account);
    if (code == CODE_DONE) *out = account.address;
    return code;
}

static int open_key(struct session *s, struct key *key, const struct keystore_account *account)
{
    char error[JSON_ERROR_SIZE] = "";
    char password[PASSWORD_SIZE];
    char prompt[120];
    struct password_source source = {s->in->values[OPTION_PASSWORD_FILE], prompt, false};
    snprintf(prompt, sizeof prompt, "Password of %s", session_name(s, &account->address));
    if (password_read(password, error, &source) != OK) return fail(s, CODE_PASSWORD, "%s", error);
    enum status status = keystore_load(key, error, account->path, password);
    password_wipe(password);
    if (status == E_DENIED)
        return fail(s, CODE_PASSWORD, "wrong password for %s", session_name(s, &account->address));
    if (status != OK) return fail(s, CODE_FAILED, "%s", error);
    return CODE_DONE;
}

int session_unlock(struct session *s)
{
    if (s->unlocked) return CODE_DONE;
    struct keystore_account account;
    struct key key;
    int code = find_own(s, &account);
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE) code = open_key(s, &key, &account);
    if (code != CODE_DONE) return code;
    enum status status = sender_init(&s->sender, s->rpc, &key);
    key_finish(&key);
    if (status != OK) return fail_rpc(s, status, "asking for the chain's id");
    s->unlocked = true;
    return CODE_DONE;
}

int session_address(struct session *s, struct address *out, const char *who)
{
    struct keystore_account account;
    char error[JSON_ERROR_SIZE] = "";
    if (address_from_text(out, bytes_of_text(who)) == OK) return CODE_DONE;
    if (strncmp(who, "0x", 2) == 0)
        return fail(s, CODE_USAGE,
                    "%.60s is no address: 0x and 40 hex digits, and with mixed "
                    "case the right checksum",
                    who);
    if (keystore_find(&account, error, s->keystore, who) != OK)
        return fail(s, CODE_USAGE, "%s", error);
    *out = account.address;
    return CODE_DONE;
}

const char *session_name(struct session *s, const struct address *a)
{
    static char text[KEYSTORE_NAME_MAX + 1];
    struct keystore_account account;
    char error[JSON_ERROR_SIZE];
    address_to_text(text, a);
    if (keystore_find(&account, error, s->keystore, text) == OK && account.name[0] != '\0')
        snprintf(text, sizeof text, "%s", account.name);
    return text;
}

int option_number(struct session *s, uint64_t *out, enum wallet_option id, uint64_t preset,
                  uint64_t max)
{
    const char *text = s->in->values[id];
    struct u256 n;
    *out = preset;
    if (text == NULL) return CODE_DONE;
    if (u256_from_decimal(&n, bytes_of_text(text)) != OK || !u256_fits_u64(n) ||
        u256_to_u64(n) > max)
        return fail(s, CODE_USAGE, "--%s must be a whole number up to %llu, not %.60s",
                    OPTION_TABLE[id].flag, (unsigned long long)max, text);
    *out = u256_to_u64(n);
    return CODE_DONE;
}

int option_amount(struct session *s, struct u256 *out, enum wallet_option id)
{
    char copy[AMOUNT_TEXT_SIZE] = "";
    const char *text = s->in->values[id];
    if (text == NULL)
        return fail(s, CODE_USAGE, "--%s %s is needed", OPTION_TABLE[id].flag,
                    OPTION_TABLE[id].argument);
    int size = (int)strnlen(text, sizeof copy);
    if (size > 2 && strcmp(text + size - 2, "/s") == 0) size -= 2; /* a price of a second */
    snprintf(copy, sizeof copy, "%.*s", size, text);
    if (size >= (int)sizeof copy || amount_from_text(out, copy) != OK)
        return fail(s, CODE_USAGE, "--%s: %.60s is no amount; write 1.5 LSH, 3 gwei or 7 wei",
                    OPTION_TABLE[id].flag, text);
    if (u256_is_zero(*out))
        return fail(s, CODE_USAGE, "--%s must be above 0, not %.60s", OPTION_TABLE[id].flag, text);
    return CODE_DONE;
}

int word_number(struct session *s, uint64_t *out, size_t index, const char *what)
{
    struct u256 n;
    const char *text = s->in->words[index];
    if (u256_from_decimal(&n, bytes_of_text(text)) != OK || !u256_fits_u64(n))
        return fail(s, CODE_USAGE, "%s must be a number, not %.60s", what, text);
    *out = u256_to_u64(n);
    return CODE_DONE;
}

int session_confirm(struct session *s, const char *text)
{
    if (option_on(s->in, OPTION_YES)) return CODE_DONE;
    if (!isatty(STDIN_FILENO))
        return fail(s, CODE_USAGE, "%s - give --yes to agree where nobody can be asked", text);
    char answer[16] = "";
    fprintf(stderr, "%s [y/N] ", text);
    if (fgets(answer, sizeof answer, stdin) == NULL || (answer[0] != 'y' && answer[0] != 'Y'))
        return fail(s, CODE_FAILED, "nothing was sent");
    return CODE_DONE;
}

int session_send(struct session *s, struct tx_receipt *out, enum contract_id id,
                 const char *function, json_t *args, struct u256 value)
{
    enum status status = contract_send(&s->sender, out, id, function, args, value);
    char what[120];
    if (status == OK) return CODE_DONE;
    snprintf(what, sizeof what, "%s.%s", contract_name(id), function);
    if (status == E_TIMEOUT && !hash_is_zero(&out->hash))
        return fail(s, CODE_NOT_FINAL, "%s: %s", what, rpc_problem(s->rpc));
    return fail_rpc(s, status, what);
}

void session_report(const struct session *s, const struct tx_receipt *r, const char *done,
                    json_t *more)
{
    char hash[67];
    hash_to_text(hash, &r->hash);
    if (s->json) {
        json_t *o = json_pack("{s:s,s:s,s:I,s:I,s:o}", "done", done, "transactionHash", hash,
                              "blockNumber", (json_int_t)r->block_number, "gasUsed",
                              (json_int_t)r->gas_used, "events", contract_receipt_events(r));
        if (more != NULL) json_object_update(o, more);
        print_json(o);
    } else {
        printf("%s (block %llu, tx %s)\n", done, (unsigned long long)r->block_number, hash);
    }
    json_decref(more);
}

int session_act(struct session *s, enum contract_id id, const char *function, json_t *args,
                struct u256 value, const char *done)
{
    struct tx_receipt r = {0};
    int code = session_unlock(s);
    if (code == CODE_DONE) {
        code = session_send(s, &r, id, function, args, value);
    } else {
        json_decref(args);
    }
    if (code == CODE_DONE) session_report(s, &r, done, NULL);
    tx_receipt_finish(&r);
    return code;
}

int session_call(struct session *s, json_t **out, enum contract_id id, const char *function,
                 json_t *args)
{
    char what[120];
    enum status status = contract_call(s->rpc, out, id, function, args);
    snprintf(what, sizeof what, "%s.%s", contract_name(id), function);
    return status == OK ? CODE_DONE : fail_rpc(s, status, what);
}

int session_call_u256(struct session *s, struct u256 *out, enum contract_id id,
                      const char *function, json_t *args)
{
    json_t *answer = NULL;
    int code = session_call(s, &answer, id, function, args);
    if (code == CODE_DONE) *out = abi_get_u256(answer, "0");
    json_decref(answer);
    return code;
}
