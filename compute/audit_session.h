/* audit_session.h - one audit under way: what audit.c prepares and audit_talk.c goes through.
 *
 * Not for others. One thread. */
#ifndef LEASEHOLD_COMPUTE_AUDIT_SESSION_H
#define LEASEHOLD_COMPUTE_AUDIT_SESSION_H

#include "compute/audit_check.h"

enum phase {
    PHASE_FIRST, /* the block alone */
    PHASE_AGAIN, /* once more, on what others are claimed to have written */
    PHASE_WHOLE  /* all blocks of the launch */
};

struct mirror { /* of a buffer, as it was in the image before the launch */
    uint8_t *pages;
    uint8_t *present; /* a flag a page */
    uint64_t count;
};

struct written {
    uint32_t buffer;
    uint64_t page;
    bool again;                     /* in the second run too */
    uint8_t next[IMAGE_PAGE_BYTES]; /* as claimed */
    uint8_t base[IMAGE_PAGE_BYTES]; /* what the second run finds there */
};

struct session {
    const struct audit_options *options;
    struct audit_result result;
    const struct plan *plan;
    struct trace trace;
    struct inputs inputs;
    struct audit_draw *draws;
    size_t draw_count;
    size_t at; /* the draw under way */
    enum phase phase;
    struct mirror mirrors[JOB_BUFFERS_MAX];
    struct written *written[AUDIT_WRITTEN_MAX];
    size_t written_count;
    size_t again_count; /* of them, in the second run */
    bool overlaid;      /* the second run will find other pages than the first */
    bool doubtful;      /* a page was not as claimed: the whole launch must be run */
    uint64_t served;    /* pages, for the sake of the limit */
    uint64_t start_ms;  /* of the first block */
    bool over;          /* there is a verdict */
    bool io_failed;
    struct frame frame;
    size_t head_used;
    size_t body_used;
    uint8_t body[IMAGE_PAGE_BYTES];
};

/* The verdict; what comes after it changes nothing. */
enum sandbox_next audit_conclude(struct session *s, enum audit_verdict verdict, const char *format,
                                 ...) __attribute__((format(printf, 3, 4)));
/* A sandbox_talk; the context is the session. */
enum sandbox_next audit_hear(void *session, struct buffer *reply, struct bytes said);
void audit_forget_written(struct session *s);
uint64_t audit_now_ms(void);

#endif
