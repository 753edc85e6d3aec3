#include "node/progress_line.h"

#include "base/fatal.h"
#include "base/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SAMPLE_MS   1000
#define TERMINAL_MS 500
#define CLEAR_LINE  "\r\033[K"

struct progress_line *progress_line_create(void)
{
    struct progress_line *l = must_alloc(sizeof *l);
    l->terminal = isatty(STDERR_FILENO) == 1;
    return l;
}

void progress_line_destroy(struct progress_line *l)
{
    if (l != NULL && l->terminal && l->shown) fputs("\n", stderr);
    free(l);
}

/* ---- the rate ---- */

static void take_sample(struct progress_line *l, uint64_t number, uint64_t now_ms)
{
    size_t last = (l->sample_count + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
    if (l->sample_count > 0 && now_ms < l->sample_ms[last] + SAMPLE_MS) return;
    size_t at = l->sample_count++ % PROGRESS_SAMPLES;
    l->sample_ms[at] = now_ms;
    l->sample_number[at] = number;
}

/* Blocks a second since the oldest sample; 0: cannot tell yet. */
static uint64_t rate_of(const struct progress_line *l, uint64_t number, uint64_t now_ms)
{
    if (l->sample_count == 0) return 0;
    size_t oldest = l->sample_count < PROGRESS_SAMPLES ? 0 : l->sample_count % PROGRESS_SAMPLES;
    uint64_t passed_ms = now_ms - l->sample_ms[oldest];
    assert(number >= l->sample_number[oldest]);
    if (passed_ms == 0) return 0;
    return (number - l->sample_number[oldest]) * 1000 / passed_ms;
}

/* ---- words ---- */

/* With commas: 1,204,331. */
static void print_number(char out[32], uint64_t number)
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%" PRIu64, number);
    int at = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
}

static void print_left(char out[32], uint64_t left, uint64_t rate)
{
    uint64_t s = rate == 0 ? 0 : (left + rate - 1) / rate;
    if (rate == 0)
        snprintf(out, 32, "time left unknown");
    else if (s < 120)
        snprintf(out, 32, "%" PRIu64 " s left", s);
    else if (s < 7200)
        snprintf(out, 32, "%" PRIu64 " min left", s / 60);
    else
        snprintf(out, 32, "%" PRIu64 " h %" PRIu64 " min left", s / 3600, s / 60 % 60);
}

static void print_terminal(char out[PROGRESS_SIZE], const struct sync_progress *p, uint64_t rate)
{
    char current[32], target[32], speed[32], left[32];
    print_number(current, p->current);
    print_number(target, p->target);
    print_number(speed, rate);
    print_left(left, p->target - p->current, rate);
    snprintf(out, PROGRESS_SIZE,
             CLEAR_LINE "catching up %s of %s blocks (%d %%), %s a second, %s\r", current, target,
             (int)(p->current / ((p->target + 99) / 100)), speed, left);
}

static void print_log(char out[PROGRESS_SIZE], const struct sync_progress *p, uint64_t rate)
{
    int size = snprintf(out, PROGRESS_SIZE,
                        "catching up number=%" PRIu64 " target=%" PRIu64 " rate=%" PRIu64,
                        p->current, p->target, rate);
    if (rate == 0) return;
    snprintf(out + size, PROGRESS_SIZE - (size_t)size, " left_s=%" PRIu64,
             (p->target - p->current + rate - 1) / rate);
}

static void print_end(char out[PROGRESS_SIZE], const struct progress_line *l,
                      const struct sync_progress *p, uint64_t now_ms)
{
    snprintf(out, PROGRESS_SIZE,
             "%scaught up number=%" PRIu64 " blocks=%" PRIu64 " took_s=%" PRIu64 "%s",
             l->terminal ? CLEAR_LINE : "", p->current, p->current - p->start,
             (now_ms - p->since_ms) / 1000, l->terminal ? "\n" : "");
}

/* ---- when ---- */

void progress_line_next(struct progress_line *l, char out[PROGRESS_SIZE],
                        const struct sync_progress *p, uint64_t now_ms)
{
    out[0] = 0;
    if (!p->active || p->target <= p->current) {
        if (!p->active && l->shown) print_end(out, l, p, now_ms);
        if (!p->active) *l = (struct progress_line){.terminal = l->terminal};
        return;
    }
    if (l->sample_count == 0) l->told_ms = now_ms; /* a short one is not worth a word */
    uint64_t rate = rate_of(l, p->current, now_ms);
    take_sample(l, p->current, now_ms);
    if (now_ms < l->told_ms + (l->terminal ? TERMINAL_MS : PROGRESS_LOG_MS)) return;
    if (l->terminal)
        print_terminal(out, p, rate);
    else
        print_log(out, p, rate);
    l->told_ms = now_ms;
    l->shown = true;
}

void progress_line_turn(struct progress_line *l, const struct sync_progress *p, uint64_t now_ms)
{
    char text[PROGRESS_SIZE];
    progress_line_next(l, text, p, now_ms);
    if (text[0] == 0) return;
    if (!l->terminal) {
        log_info("sync", "%s", text);
        return;
    }
    fputs(text, stderr);
    fflush(stderr);
}
