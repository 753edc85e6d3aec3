#include "compute/keeping.h"

static void forget(const struct keeping *k, uint64_t job)
{
    blobs_remove_job(k->blobs, job);
    known_jobs_remove(k->known, job);
}

static size_t list_journal(const struct keeping *k, struct journal_entry **out)
{
    static struct journal_entry entries[JOURNAL_JOBS_MAX];
    *out = entries;
    return journal_list(k->journal, entries, JOURNAL_JOBS_MAX);
}

static size_t list_blobs(const struct keeping *k, struct blob_info **out)
{
    static struct blob_info blobs[BLOBS_MAX];
    *out = blobs;
    return blobs_list(k->blobs, blobs, BLOBS_MAX);
}

/* When the job ended, in whatever seat; 0: it has not in some, or is not known. */
static uint64_t ended_at(const struct journal_entry *entries, size_t count, uint64_t job)
{
    uint64_t ended_at_s = 0;
    for (size_t i = 0; i < count; i++) {
        const struct journal_entry *e = &entries[i];
        if (e->job != job) continue;
        if (e->stage != JOURNAL_ENDED) return 0;
        if (e->ended_at_s > ended_at_s) ended_at_s = e->ended_at_s;
    }
    return ended_at_s;
}

struct candidate {
    uint64_t job;
    uint64_t burden; /* what its owner has here; nobody's is nobody's burden */
    uint64_t ended_at_s;
};

static bool goes_before(const struct candidate *a, const struct candidate *b)
{
    if (a->burden != b->burden) return a->burden > b->burden;
    return a->ended_at_s < b->ended_at_s;
}

bool keeping_make_room(const struct keeping *k)
{
    struct journal_entry *entries;
    struct blob_info *blobs;
    struct candidate chosen = {0};
    size_t count = list_journal(k, &entries), blob_count = list_blobs(k, &blobs);
    for (size_t i = 0; i < blob_count; i++) {
        struct candidate c = {.job = blobs[i].key.job};
        c.ended_at_s = ended_at(entries, count, c.job);
        if (c.ended_at_s == 0) continue;
        bool owned = !address_is_zero(&blobs[i].owner);
        c.burden = owned ? blobs_used_by(k->blobs, &blobs[i].owner) : 0;
        if (chosen.ended_at_s == 0 || goes_before(&c, &chosen)) chosen = c;
    }
    if (chosen.ended_at_s > 0) forget(k, chosen.job);
    return chosen.ended_at_s > 0;
}

static void expire_before(const struct keeping *k, uint64_t before_s)
{
    struct journal_entry *entries;
    size_t count = list_journal(k, &entries), expired = 0;
    for (size_t i = 0; i < count; i++) {
        const struct journal_entry *e = &entries[i];
        if (e->stage != JOURNAL_ENDED || e->ended_at_s >= before_s) continue;
        if (ended_at(entries, count, e->job) > 0) forget(k, e->job);
        expired++;
    }
    if (expired > 0) journal_forget_ended(k->journal, before_s);
}

/* False: none has ended. */
static bool expire_oldest(const struct keeping *k)
{
    struct journal_entry *entries;
    size_t count = list_journal(k, &entries);
    uint64_t oldest_s = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct journal_entry *e = &entries[i];
        if (e->stage == JOURNAL_ENDED && e->ended_at_s < oldest_s) oldest_s = e->ended_at_s;
    }
    if (oldest_s == UINT64_MAX) return false;
    expire_before(k, oldest_s + 1);
    return true;
}

static bool lacks_space(const struct keeping *k)
{
    uint64_t quota = blobs_quota(k->blobs);
    return blobs_used(k->blobs) > quota - quota / 4;
}

static bool lacks_entries(const struct keeping *k)
{
    struct journal_entry none[1];
    return journal_list(k->journal, none, 0) > JOURNAL_JOBS_MAX / 4 * 3;
}

void keeping_expire(const struct keeping *k, uint64_t before_s)
{
    expire_before(k, before_s);
    while (lacks_space(k) && keeping_make_room(k)) {
    }
    while (lacks_entries(k) && expire_oldest(k)) {
    }
}

enum status keeping_adopt(const struct keeping *k, const struct blob_key *key, const char *path)
{
    struct known_job known = {0};
    (void)known_jobs_find(k->known, &known, key->job);
    enum status status = blobs_adopt(k->blobs, key, &known.renter, path);
    while (status == E_LIMIT && keeping_make_room(k))
        status = blobs_adopt(k->blobs, key, &known.renter, path);
    return status;
}

static bool is_journaled(const struct keeping *k, uint64_t job)
{
    struct journal_entry *entries;
    size_t count = list_journal(k, &entries);
    for (size_t i = 0; i < count; i++)
        if (entries[i].job == job) return true;
    return false;
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
    struct blob_info *blobs;
    size_t count = known_jobs_list(k->known, jobs);
    for (size_t i = 0; i < count; i++) {
        if (holds(active, active_count, jobs[i].id) || is_journaled(k, jobs[i].id)) continue;
        forget(k, jobs[i].id);
    }
    count = list_blobs(k, &blobs); /* a worker that was away may have missed a job's end */
    for (size_t i = 0; i < count; i++) {
        uint64_t job = blobs[i].key.job;
        if (!holds(active, active_count, job) && !is_journaled(k, job))
            blobs_remove_job(k->blobs, job);
    }
}

void keeping_drop_bundle(const struct keeping *k, uint64_t job, const struct hash *root)
{
    blobs_remove(k->blobs, &(struct blob_key){job, *root});
}
