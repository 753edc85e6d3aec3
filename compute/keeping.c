#include "compute/keeping.h"

static void forget(const struct keeping *k, const struct journal_entry *e)
{
    if (!known_jobs_uses(k->known, e->job, &e->root)) blobs_remove(k->blobs, &e->root);
    known_jobs_remove(k->known, e->job);
}

static size_t expire_before(const struct keeping *k, uint64_t before_s)
{
    static struct journal_entry entries[JOURNAL_JOBS_MAX];
    size_t count = journal_list(k->journal, entries, JOURNAL_JOBS_MAX), expired = 0;
    for (size_t i = 0; i < count; i++) {
        const struct journal_entry *e = &entries[i];
        if (e->stage != JOURNAL_ENDED || e->ended_at_s >= before_s) continue;
        forget(k, e);
        expired++;
    }
    if (expired > 0) journal_forget_ended(k->journal, before_s);
    return expired;
}

bool keeping_expire_oldest(const struct keeping *k)
{
    static struct journal_entry entries[JOURNAL_JOBS_MAX];
    size_t count = journal_list(k->journal, entries, JOURNAL_JOBS_MAX);
    uint64_t oldest_s = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct journal_entry *e = &entries[i];
        if (e->stage == JOURNAL_ENDED && e->ended_at_s < oldest_s) oldest_s = e->ended_at_s;
    }
    return oldest_s < UINT64_MAX && expire_before(k, oldest_s + 1) > 0;
}

static bool is_short(const struct keeping *k)
{
    struct journal_entry none[1];
    size_t jobs = journal_list(k->journal, none, 0);
    uint64_t quota = blobs_quota(k->blobs);
    return blobs_used(k->blobs) > quota - quota / 4 || jobs > JOURNAL_JOBS_MAX / 4 * 3;
}

void keeping_expire(const struct keeping *k, uint64_t before_s)
{
    (void)expire_before(k, before_s);
    while (is_short(k) && keeping_expire_oldest(k)) {
    }
}

enum status keeping_adopt(const struct keeping *k, const struct hash *root, const char *path)
{
    enum status status = blobs_adopt(k->blobs, root, path);
    while (status == E_LIMIT && keeping_expire_oldest(k))
        status = blobs_adopt(k->blobs, root, path);
    return status;
}

static bool holds(const uint64_t *ids, size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

void keeping_drop_strangers(const struct keeping *k, const uint64_t *active, size_t active_count)
{
    static struct known_job jobs[KNOWN_JOBS_MAX];
    size_t count = known_jobs_list(k->known, jobs);
    for (size_t i = 0; i < count; i++) {
        struct journal_entry entry;
        uint64_t id = jobs[i].id;
        if (holds(active, active_count, id)) continue;
        if (journal_find(k->journal, &entry, id, 0) == OK) continue;
        known_jobs_remove(k->known, id);
        keeping_drop_bundle(k, id, &jobs[i].bundle_root);
    }
}

void keeping_drop_bundle(const struct keeping *k, uint64_t job, const struct hash *root)
{
    if (!known_jobs_uses(k->known, job, root)) blobs_remove(k->blobs, root);
}
