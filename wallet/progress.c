#include "wallet/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TEXT_COLUMNS 44 /* most stages' text, so that their blocks stand in a column */

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void progress_init(struct progress *p, bool json)
{
    const char *terminal = getenv("TERM");
    bool dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
    *p = (struct progress){.json = json, .start_ms = now_ms(), .stages = json_array()};
    p->live = !json && !dumb && isatty(STDERR_FILENO) == 1;
    struct winsize size;
    p->columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void clear_live(const struct progress *p)
{
    if (p->live) fprintf(stderr, "\r\033[K");
}

void progress_finish(struct progress *p)
{
    clear_live(p);
    json_decref(p->stages);
    p->stages = NULL;
}

double progress_seconds(const struct progress *p)
{
    return (double)(now_ms() - p->start_ms) / 1000;
}

/* "  block 24  tx 0x..."; the transaction whole, or on a terminal as much of it as has room. */
static void print_where(const struct progress *p, const struct stage *stage, size_t used)
{
    char text[120];
    bool short_of_it = p->live && stage->transaction_hash != NULL;
    int size = snprintf(text, sizeof text, "  block %llu", (unsigned long long)stage->block_number);
    if (stage->transaction_hash != NULL)
        snprintf(text + size, sizeof text - (size_t)size, "  tx %.*s%s", short_of_it ? 10 : 66,
                 stage->transaction_hash, short_of_it ? "..." : "");
    if (p->live && used + strlen(text) > p->columns) text[size] = '\0';
    fputs(text, stderr);
}

void progress_stage(struct progress *p, const struct stage *stage, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    double seconds = progress_seconds(p);
    json_array_append_new(p->stages, json_pack("{s:s,s:s,s:f,s:I,s:s*}", "stage", stage->name,
                                               "text", text, "seconds", seconds, "blockNumber",
                                               (json_int_t)stage->block_number, "transactionHash",
                                               stage->transaction_hash));
    if (p->json) return;
    clear_live(p);
    int used = fprintf(stderr, "%7.2f s  %-11s %-*s", seconds, stage->name,
                       stage->block_number != 0 ? TEXT_COLUMNS : 0, text);
    if (stage->block_number != 0) print_where(p, stage, used > 0 ? (size_t)used : 0);
    fprintf(stderr, "\n");
    progress_tick(p);
}

void progress_waiting(struct progress *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->waiting, sizeof p->waiting, format, arguments);
    va_end(arguments);
    if (p->waiting[0] == '\0') clear_live(p);
}

void progress_tick(struct progress *p)
{
    static const char wheel[] = "|/-\\";
    if (!p->live || p->waiting[0] == '\0') return;
    fprintf(stderr, "\r\033[K%7.1f s  %c %s", progress_seconds(p), wheel[p->spin++ % 4],
            p->waiting);
    fflush(stderr);
}
