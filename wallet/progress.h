/* progress.h - the stages of a job as they happen.
 *
 * People get one line a stage (on a terminal with the transaction's first digits only, so that it
 * fits), and on a terminal a live line below them; with --json nothing until
 * the end, when the stages are part of the printed object. The main thread only. */
#ifndef LEASEHOLD_WALLET_PROGRESS_H
#define LEASEHOLD_WALLET_PROGRESS_H

#include "base/json.h"

struct progress {
    bool json;
    bool live;         /* stderr is a terminal */
    unsigned columns;  /* of that terminal */
    uint64_t start_ms; /* seconds count from here */
    json_t *stages;    /* array of {"stage", "text", "seconds", "blockNumber", "transactionHash"} */
    char waiting[120];
    unsigned spin;
};

void progress_init(struct progress *p, bool json);
void progress_finish(struct progress *p);

struct stage {
    const char *name;             /* "sealed" */
    uint64_t block_number;        /* 0: none */
    const char *transaction_hash; /* NULL: none */
};
void progress_stage(struct progress *p, const struct stage *stage, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The live line: what is being waited for. Redrawn by progress_tick; "" takes it away. */
void progress_waiting(struct progress *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void progress_tick(struct progress *p);
double progress_seconds(const struct progress *p);

#endif
