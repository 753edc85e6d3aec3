/* progress_line.h - tells people how far the node has caught up.
 *
 * On a terminal one line on stderr, written over itself; elsewhere a log line now and then, and in
 * either case one at the end. One thread. */
#ifndef LEASEHOLD_NODE_PROGRESS_LINE_H
#define LEASEHOLD_NODE_PROGRESS_LINE_H

#include "node/sync.h"

#define PROGRESS_TERMINAL_MS 500
#define PROGRESS_LOG_MS      10000
#define PROGRESS_LEAST       32 /* blocks: a shorter way is not worth a line */

struct progress_line;

struct progress_line *progress_line_create(void);
void progress_line_destroy(struct progress_line *p); /* takes NULL */
void progress_line_turn(struct progress_line *p, const struct sync_progress *now, uint64_t now_ms);

#endif
