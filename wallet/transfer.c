#include "wallet/transfer.h"

#include "wallet/output.h"

#include <stdio.h>
#include <string.h>

#define SPAN_MS  4000u /* the rate is of one to two of these */
#define FIRST_MS 500u  /* before, any rate would be a guess */

static void note(struct transfer *t, uint64_t done_bytes, uint64_t now_ms)
{
    if (t->from_ms == 0 || done_bytes < t->from_bytes) {
        *t = (struct transfer){now_ms, done_bytes, now_ms, done_bytes};
    } else if (now_ms - t->next_ms >= SPAN_MS) {
        t->from_ms = t->next_ms;
        t->from_bytes = t->next_bytes;
        t->next_ms = now_ms;
        t->next_bytes = done_bytes;
    }
}

static void time_text(char out[24], uint64_t seconds)
{
    if (seconds < 120)
        snprintf(out, 24, "%u s", (unsigned)seconds);
    else if (seconds < 7200)
        snprintf(out, 24, "%u min", (unsigned)(seconds / 60));
    else
        snprintf(out, 24, "%u h", (unsigned)(seconds / 3600 < 9999 ? seconds / 3600 : 9999));
}

void transfer_text(char out[TRANSFER_TEXT_SIZE], struct transfer *t, uint64_t done_bytes,
                   uint64_t size_bytes, uint64_t now_ms)
{
    char done[32], size[32], speed[32], left[24];
    note(t, done_bytes, now_ms);
    size_to_text(done, done_bytes);
    size_to_text(size, size_bytes);
    int used = snprintf(out, TRANSFER_TEXT_SIZE, "%s of %s", done, size);
    uint64_t took_ms = now_ms - t->from_ms, moved = done_bytes - t->from_bytes;
    uint64_t rate = took_ms >= FIRST_MS ? moved * 1000 / took_ms : 0;
    if (rate == 0 || used < 0) return;
    size_to_text(speed, rate);
    time_text(left, (size_bytes - done_bytes) / rate);
    snprintf(out + used, TRANSFER_TEXT_SIZE - (size_t)used, ", %s/s, %s left", speed, left);
}
