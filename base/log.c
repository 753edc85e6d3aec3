#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_SIZE      2048
#define LINES_A_SECOND 10

static const char *const LEVELS[] = {"debug", "info", "warn", "error"};
static _Atomic int lowest_level = LOG_INFO;

void log_set_level(enum log_level lowest)
{
    atomic_store(&lowest_level, (int)lowest);
}

enum status log_level_from_text(enum log_level *out, const char *text)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        if (strcmp(text, LEVELS[i]) != 0) continue;
        *out = (enum log_level)i;
        return OK;
    }
    return E_MALFORMED;
}

/* A log line is one line: what an outsider put into it must not forge another. */
static void flatten(char *line)
{
    for (; *line; line++) {
        if ((unsigned char)*line < 0x20 || *line == 0x7f) *line = '?';
    }
}

void log_line(enum log_level level, const char *area, const char *format, ...)
{
    if ((int)level < atomic_load(&lowest_level)) return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    char when[32];
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
    char message[LINE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    flatten(message);
    fprintf(stderr, "%s.%03ldZ %s %s: %s\n", when, now.tv_nsec / 1000000, LEVELS[level], area,
            message);
}

int log_admit(struct log_limit *limit)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t second = (uint64_t)now.tv_sec;
    uint64_t window = __atomic_load_n(&limit->window_s, __ATOMIC_RELAXED);
    if (window != second && __atomic_compare_exchange_n(&limit->window_s, &window, second, 0,
                                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        __atomic_store_n(&limit->count, 0, __ATOMIC_RELAXED);
        uint32_t dropped = __atomic_exchange_n(&limit->dropped, 0, __ATOMIC_RELAXED);
        if (dropped) log_line(LOG_WARN, "log", "like lines dropped count=%u", dropped);
    }
    if (__atomic_fetch_add(&limit->count, 1, __ATOMIC_RELAXED) < LINES_A_SECOND) return 1;
    __atomic_fetch_add(&limit->dropped, 1, __ATOMIC_RELAXED);
    return 0;
}
