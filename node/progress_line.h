/* progress_line.h - tells people how far catching up is: on a terminal one line that is rewritten
 * in place, elsewhere a log line each ten seconds, and in both cases one at the end.
 *
 *   catching up 184,210 of 1,204,331 blocks (15 %), 1,240 a second, 13 min left
 *   sync catching up number=184210 target=1204331 rate=1240 left_s=822
 *
 * The rate is that of the last ten seconds or so. Call it a few times a second or once in a
 * while; it keeps its own pace. One thread. */
#ifndef LEASEHOLD_NODE_PROGRESS_LINE_H
#define LEASEHOLD_NODE_PROGRESS_LINE_H

#include "node/sync.h"

#define PROGRESS_SAMPLES 10 /* one a second */
#define PROGRESS_LOG_MS  10000
#define PROGRESS_SIZE    192

struct progress_line {
    bool terminal;
    bool shown; /* something was told since catching up began */
    uint64_t told_ms;
    uint64_t sample_ms[PROGRESS_SAMPLES], sample_number[PROGRESS_SAMPLES]; /* a ring */
    size_t sample_count;
};

struct progress_line *progress_line_create(void);    /* for stderr */
void progress_line_destroy(struct progress_line *l); /* takes NULL */
void progress_line_turn(struct progress_line *l, const struct sync_progress *progress,
                        uint64_t now_ms);

/* What a turn prints: "" for nothing. On a terminal it begins by clearing the line and leaves the
 * cursor at its front; else it is the message of a log line. */
void progress_line_next(struct progress_line *l, char out[PROGRESS_SIZE],
                        const struct sync_progress *progress, uint64_t now_ms);

#endif
