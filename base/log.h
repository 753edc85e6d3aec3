/* log.h - one `key=value` line on stderr: time level area message.
 *
 * Any thread. Lines that an outsider can cause use log_limited: at most ten a second a call site,
 * the rest counted and told in the next line. Messages are "what happened key=value ...". */
#ifndef LEASEHOLD_BASE_LOG_H
#define LEASEHOLD_BASE_LOG_H

#include "base/status.h"

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level lowest);
MUST_CHECK enum status log_level_from_text(enum log_level *out, const char *text);

void log_line(enum log_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct log_limit {
    uint64_t window_s;
    uint32_t count;
    uint32_t dropped;
};
/* False when this call site's second is used up. */
int log_admit(struct log_limit *limit);

#define log_debug(area, ...) log_line(LOG_DEBUG, area, __VA_ARGS__)
#define log_info(area, ...)  log_line(LOG_INFO, area, __VA_ARGS__)
#define log_warn(area, ...)  log_line(LOG_WARN, area, __VA_ARGS__)
#define log_error(area, ...) log_line(LOG_ERROR, area, __VA_ARGS__)
#define log_limited(level, area, ...)                                                              \
    do {                                                                                           \
        static struct log_limit limit_;                                                            \
        if (log_admit(&limit_)) log_line(level, area, __VA_ARGS__);                                \
    } while (0)

#endif
