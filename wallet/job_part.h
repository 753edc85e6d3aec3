/* job_part.h - one part of a split job: its order, its job on the chain, its result.
 *
 * A part lives in the split's work folder: jobs/N is its job folder, notes/N.json says which job on
 * the chain it became, results/N its outputs. So the same command goes on after an interruption:
 * what was fetched stays, what was submitted is followed. One thread. */
#ifndef LEASEHOLD_WALLET_JOB_PART_H
#define LEASEHOLD_WALLET_JOB_PART_H

#include "wallet/job_follow.h"
#include "wallet/job_submit.h"

enum part_stage { PART_WAITING, PART_UNDER_WAY, PART_DONE };

/* What all parts share; made by job_split.c. */
struct split_job {
    struct session *session;
    struct progress progress; /* what people see; parts have quiet ones */
    struct job *whole;
    char folder[PATH_MAX];
    char work[PATH_MAX];
    char records[PATH_MAX];
    uint32_t parts;
    uint64_t start_window_s; /* 0: as the options say */
    struct u256 price;       /* ceiling for each replica; 0 until the first order */
};

struct part {
    uint32_t number;
    enum part_stage stage;
    unsigned tries;
    struct progress progress;
    struct job_order order;
    struct job_record record;
    struct uploads uploads;
    struct follow follow;
};

/* "WORK/KIND/N" with what is made for the part; false: too long. */
bool part_path(char out[PATH_MAX], const struct split_job *j, const char *kind, uint32_t number);
/* Packs and prices the part; nothing is sent. */
MUST_CHECK int part_order(struct split_job *j, struct part *p);
/* Sends the order, or takes up the job that the note names, or finds the result there already. */
MUST_CHECK int part_begin(struct split_job *j, struct part *p);
/* One look at a part under way. At its end: the result is fetched; or, if it was refunded, it is
 * waiting again, until it was tried often enough. */
MUST_CHECK int part_look(struct split_job *j, struct part *p);
/* Adds what the part's job paid and gave back. */
void part_add_money(const struct part *p, struct u256 *paid, struct u256 *refunded);
void part_finish(struct part *p);

#endif
