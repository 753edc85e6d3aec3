#include "node/progress_line.h"

#include "base/fatal.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RATE_MS 5000 /* the rate is that of the last so many */

struct progress_line {
    bool terminal;
    bool shown; /* something is said that has no end yet */
    uint64_t said_ms;
    uint64_t start;     /* block number when it was first shown */
    uint64_t mark;      /* block number ... */
    uint64_t mark_ms;   /* ... at this time */
    double rate_per_ms; /* 0: not known yet */
};

struct progress_line *progress_line_create(void)
{
    struct progress_line *p = must_alloc(sizeof *p);
    p->terminal = isatty(STDERR_FILENO) == 1;
    return p;
}

void progress_line_destroy(struct progress_line *p)
{
    if (p != NULL && p->shown && p->terminal) fputc('\n', stderr);
    free(p);
}

static void measure(struct progress_line *p, const struct sync_progress *now, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - p->mark_ms;
    if (passed_ms < RATE_MS && p->rate_per_ms > 0) return;
    if (passed_ms < 1000 || now->current < p->mark) return;
    p->rate_per_ms = (double)(now->current - p->mark) / (double)passed_ms;
    p->mark = now->current;
    p->mark_ms = now_ms;
}

static uint64_t left_s(const struct progress_line *p, const struct sync_progress *now)
{
    uint64_t blocks = now->target > now->current ? now->target - now->current : 0;
    return p->rate_per_ms > 0 ? (uint64_t)((double)blocks / p->rate_per_ms / 1000) : 0;
}

static void say(struct progress_line *p, const struct sync_progress *now)
{
    unsigned long long current = now->current, target = now->target, left = left_s(p, now);
    double rate = p->rate_per_ms * 1000;
    if (p->terminal)
        fprintf(stderr, "\rcatching up: block %llu of %llu, %.0f blocks/s, %llu:%02llu left \033[K",
                current, target, rate, left / 60, left % 60);
    else
        log_info("sync", "catching up number=%llu target=%llu rate=%.0f left_s=%llu", current,
                 target, rate, left);
}

static void end(struct progress_line *p, const struct sync_progress *now)
{
    if (p->terminal) fputs("\r\033[K", stderr);
    log_info("sync", "caught up number=%llu blocks=%llu", (unsigned long long)now->current,
             (unsigned long long)(now->current - p->start));
    p->shown = false;
}

void progress_line_turn(struct progress_line *p, const struct sync_progress *now, uint64_t now_ms)
{
    bool far = now->active && now->target > now->current + PROGRESS_LEAST;
    if (p->shown && !now->active) end(p, now);
    if (!p->shown && !far) return;
    if (!p->shown) {
        *p = (struct progress_line){.terminal = p->terminal,
                                    .shown = true,
                                    .start = now->current,
                                    .mark = now->current,
                                    .mark_ms = now_ms};
    }
    measure(p, now, now_ms);
    if (now_ms - p->said_ms < (p->terminal ? PROGRESS_TERMINAL_MS : PROGRESS_LOG_MS)) return;
    p->said_ms = now_ms;
    say(p, now);
}
