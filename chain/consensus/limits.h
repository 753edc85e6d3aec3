/* limits.h - every bound of the consensus floor in one place. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_LIMITS_H
#define LEASEHOLD_CHAIN_CONSENSUS_LIMITS_H

#define VALIDATORS_MAX            128          /* in one epoch's set */
#define SIGNER_BITMAP_BYTES       16           /* VALIDATORS_MAX / 8 */
#define WEIGHT_TOTAL_MAX          (1ULL << 60) /* so that 3 * weight cannot overflow */
#define VIEWS_MAX                 512 /* views held at once: retained, unfinalized, the next one */
#define VIEWS_MIN                 96  /* the least that consensus_create accepts */
#define RETENTION_VIEWS           64  /* kept below the last finalized view: late votes, evidence */
#define INACTIVE_VIEWS            16  /* a leader silent for so many views is skipped at once */
#define PROPOSAL_CERTIFICATES_MAX 17  /* the parent's and up to 16 nullifications */
#define FETCHES_MAX               8   /* fetch actions one step may ask for */
#define EVIDENCE_QUEUE_MAX        64  /* found, not yet handed out */
#define EVIDENCE_STEP_MAX         8   /* handed out by one step */
#define RETRANSMIT_MAX            48  /* messages of one catch-up round */
#define ACTIONS_MAX               512 /* of one step */
#define STALL_MS                  10000 /* standing still for so long starts a catch-up round */
#define TIMER_CAP_MS              16000 /* no timer grows beyond, unless delta itself is larger */
#define DELTA_MS_MAX              60000
#define IDLE_MS_MAX               3600000

#endif
