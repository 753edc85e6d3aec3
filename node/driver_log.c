/* The vote log: written before votes leave, read back at the start; and what happens when it is
 * not what it was. */
#include "node/driver_core.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LOG_REWRITE_BYTES (16u << 20)

static struct bytes record_block_bytes(const struct driver *d, const struct record *record)
{
    if (record->kind != RECORD_BLOCK) return (struct bytes){0};
    return ledger_bytes(d->ledger, &record->block.block);
}

void driver_log_persist(struct driver *d, uint64_t sequence, const struct record *record)
{
    assert(sequence > d->unsynced);
    vote_log_append(d->log, record, record_block_bytes(d, record));
    if (d->unsynced == 0) loop_timer_set(d->sync_timer, 0);
    d->unsynced = sequence;
}

static void append_kept(void *context, const struct record *record)
{
    struct driver *d = context;
    vote_log_append(d->log, record, record_block_bytes(d, record));
}

static void shorten_log(struct driver *d)
{
    if (d->unsynced != 0 || vote_log_size(d->log) < LOG_REWRITE_BYTES + d->log_kept) return;
    vote_log_rewrite_begin(d->log);
    consensus_records(d->consensus, append_kept, d);
    vote_log_rewrite_commit(d->log);
    d->log_kept = vote_log_size(d->log);
    log_debug("consensus", "vote log shortened size_bytes=%llu",
              (unsigned long long)vote_log_size(d->log));
}

void driver_log_fired(void *context)
{
    struct driver *d = context;
    assert(d->unsynced != 0);
    vote_log_sync(d->log);
    d->counters->log_syncs++;
    struct event event = {.kind = EVENT_DURABLE, .durable_sequence = d->unsynced};
    d->unsynced = 0;
    driver_feed(d, &event);
    shorten_log(d);
}

/* ---- opening ---- */

/* How the last epoch ended, for those who lag. False: not known (genesis, or caught up oddly). */
static bool boundary_kept(const struct driver *d, struct certificate *out)
{
    const struct epoch *e = &ledger_head(d->ledger)->record->epoch;
    struct buffer encoded = {0};
    bool found = e->number > 0 && ledger_certificate(d->ledger, &encoded, e->start_number) &&
                 certificate_decode(out, buffer_bytes(&encoded)) == OK &&
                 out->kind == VOTE_FINALIZE && out->epoch + 1 == e->number &&
                 hash_equal(&out->block, &e->start_block);
    buffer_finish(&encoded);
    return found;
}

static void create_consensus(struct driver *d, const struct key *key, uint64_t sign_from_epoch)
{
    struct certificate *boundary = must_alloc(sizeof *boundary);
    const struct ledger_head *head = ledger_head(d->ledger);
    struct consensus_config *config = must_alloc(sizeof *config);
    config->epoch = head->record->epoch;
    config->final = (struct final_point){head->record->last_view, head->hash, head->header.number};
    config->key = key;
    config->signer = &SIGNER_SECP256K1;
    config->timing.delta_ms = (uint32_t)d->config->delta_ms;
    config->timing.idle_interval_ms = (uint32_t)d->config->idle_interval_ms;
    config->sign_from_epoch = sign_from_epoch;
    config->boundary = boundary_kept(d, boundary) ? boundary : NULL;
    d->consensus = consensus_create(config);
    free(boundary);
    free(config);
}

static enum status replay(void *context, const struct record *record, struct bytes block)
{
    struct driver *d = context;
    if (record->kind == RECORD_VOTE) d->remembers = true;
    if (record->kind == RECORD_BLOCK && block.size > 0) {
        enum status held = ledger_hold(d->ledger, &record->block.block, block);
        if (held != OK && held != E_EXISTS)
            log_warn("consensus", "a logged block was not kept reason=%s", status_text(held));
    }
    return consensus_restore(d->consensus, record);
}

static enum status refuse_log(char *error, const char *path, enum status status)
{
    snprintf(error, DRIVER_ERROR_SIZE, "cannot open the vote log %.200s: %s", path,
             status_text(status));
    return status;
}

/* ---- silence: without its log nothing is signed before the next epoch, restarts included ---- */

/* An epoch's end that came by catching up does not count: we may have voted in the one after it. */

static void silence_path(struct buffer *out, const struct driver *d)
{
    buffer_print(out, "%s.silent", d->vote_log_path);
}

/* The first epoch in which votes may be signed; 0: any. */
static enum status silence_read(uint64_t *out, const struct driver *d)
{
    struct buffer path = {0}, text = {0};
    silence_path(&path, d);
    enum status status = file_read(&text, buffer_text(&path), 32);
    *out = status == OK ? strtoull(buffer_text(&text), NULL, 10) : 0;
    if (status == OK && *out == 0) status = E_MALFORMED;
    buffer_finish(&path);
    buffer_finish(&text);
    return status == E_NOT_FOUND ? OK : status;
}

/* On disk before there is a fresh log, which would look like one that forgot nothing. */
static void silence_write(const struct driver *d, uint64_t epoch)
{
    struct buffer path = {0}, text = {0};
    silence_path(&path, d);
    buffer_print(&text, "%llu\n", (unsigned long long)epoch);
    if (file_write_atomic(buffer_text(&path), buffer_bytes(&text), 0600) != OK)
        fatal("writing %s", buffer_text(&path));
    buffer_finish(&path);
    buffer_finish(&text);
}

static uint64_t silence_begin(const struct driver *d, const char *what)
{
    uint64_t epoch = ledger_head(d->ledger)->record->epoch.number + 1;
    silence_write(d, epoch);
    log_error("consensus", "the vote log is %s: nothing is signed before epoch %llu path=%s", what,
              (unsigned long long)epoch, d->vote_log_path);
    return epoch;
}

void driver_log_stay_silent(struct driver *d, uint64_t sign_from_epoch)
{
    silence_write(d, sign_from_epoch);
    if (consensus_is_validator(d->consensus))
        log_limited(LOG_WARN, "consensus",
                    "catching up without memory of own votes: nothing is signed before epoch %llu",
                    (unsigned long long)sign_from_epoch);
    consensus_stay_silent(d->consensus, sign_from_epoch);
}

/* A damaged log is kept beside a fresh one. */
static enum status replace_log(struct driver *d, char *error, const struct driver_setup *setup)
{
    const char *path = setup->vote_log_path;
    bool created = false;
    struct buffer aside = {0};
    uint64_t sign_from = silence_begin(d, "damaged");
    consensus_destroy(d->consensus);
    create_consensus(d, setup->key, sign_from);
    buffer_print(&aside, "%s.damaged", path);
    int moved = rename(path, buffer_text(&aside));
    buffer_finish(&aside);
    if (moved != 0) return refuse_log(error, path, E_IO);
    d->remembers = false;
    d->unsure = true;
    enum status status = vote_log_open(&d->log, &created, path, replay, d);
    return status == OK ? OK : refuse_log(error, path, status);
}

/* A log without a vote in epoch 0 is that of a new network, or of a node that lost everything. */
static bool may_have_forgotten(const struct driver *d, uint64_t sign_from)
{
    uint64_t epoch = ledger_head(d->ledger)->record->epoch.number;
    return sign_from > epoch || (epoch == 0 && !d->remembers);
}

enum status driver_log_open(struct driver *d, char *error, const struct driver_setup *setup)
{
    const char *path = setup->vote_log_path;
    uint64_t sign_from = 0;
    bool created = false;
    bool voted = setup->key != NULL && ledger_head(d->ledger)->header.number > 0;
    d->vote_log_path = must_strdup(path); /* silence is written later, too */
    enum status status = silence_read(&sign_from, d);
    if (status != OK) return refuse_log(error, path, status);
    if (voted && access(path, F_OK) != 0) sign_from = silence_begin(d, "gone");
    create_consensus(d, setup->key, sign_from);
    status = vote_log_open(&d->log, &created, path, replay, d);
    if (status == E_MALFORMED) return replace_log(d, error, setup);
    if (status != OK) return refuse_log(error, path, status);
    d->unsure = may_have_forgotten(d, sign_from);
    return OK;
}

/* ---- one key, one node ---- */

/* An abstract socket is the machine's own list of names: it goes with the process, however that
 * ends. Nodes on other machines are seen by the proof they give to peers. */
enum status driver_log_guard_key(struct driver *d, char *error)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char address[43];
    address_to_text(address, &d->own_address);
    int size =
        snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "leasehold-validator-%s", address);
    d->key_guard = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (d->key_guard < 0) fatal("making a socket: %s", strerror(errno));
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size);
    if (bind(d->key_guard, (struct sockaddr *)&name, length) == 0) return OK;
    snprintf(error, DRIVER_ERROR_SIZE,
             "another process on this machine signs with the key of %s: two nodes with one key "
             "contradict each other and lose the stake; stop the other one",
             address);
    return E_EXISTS;
}
