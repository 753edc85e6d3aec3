/* planted.h - bugs on purpose, to see that the simulator finds them (docs/simulator.md).
 *
 * Each leaves out one check of the core. Only a build with PLANTED_BUILD (make sim-planted) has
 * them, one at a time, chosen at run time; anywhere else PLANTED(x) is 0 and folds away. While one
 * is chosen, the core's own asserts about its votes are blind, so that others have to find it. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_PLANTED_H
#define LEASEHOLD_CHAIN_CONSENSUS_PLANTED_H

#ifdef PLANTED_BUILD

/* Columns: name, the rule and what is done against it. */
#define PLANTED_BUGS(X)                                                                            \
    X(ENTER_UNUSABLE, "rule 1: enters upon N without having its block")                            \
    X(PROPOSE_AFTER_VOTE, "rule 2: builds in a view that it has voted in")                         \
    X(PROPOSE_UNJUSTIFIED, "rule 2: builds over views that are not nullified")                     \
    X(NOTARIZE_INVALID, "rule 3: notarizes without a verdict")                                     \
    X(NOTARIZE_UNJUSTIFIED, "rule 3: takes blocks over views that are not nullified")              \
    X(NOTARIZE_LAST, "rule 3: takes the leader's last proposal, not the first")                    \
    X(NOTARIZE_TWICE, "rule 3: notarizes after an own notarize")                                   \
    X(NOTARIZE_AFTER_NULLIFY, "rule 3: notarizes after an own nullify")                            \
    X(NOTARIZE_EQUIVOCATOR, "rule 3: notarizes what a leader contradicted")                        \
    X(KEEP_CERTIFICATE, "rule 4: tells nobody of a certificate that it formed")                    \
    X(FINALIZE_UNCERTIFIED, "rule 5: finalizes without N")                                         \
    X(FINALIZE_UNUSABLE, "rule 5: finalizes a block that is not held, valid, durable")             \
    X(FINALIZE_AFTER_NULLIFY, "rule 5: finalizes a view that it nullified")                        \
    X(FINALIZE_OTHER, "rule 5: finalizes another block than it notarized")                         \
    X(FINALIZE_EQUIVOCATOR, "rule 5: finalizes what a leader contradicted")                        \
    X(NULLIFY_AFTER_FINALIZE, "rule 6: nullifies a view that it finalized")                        \
    X(NULLIFY_NEVER, "rule 6: never minds the advance timer")                                      \
    X(NULLIFY_UNCAUSED, "rule 6: nullifies without a cause")                                       \
    X(NULLIFY_LATE, "rule 6: does not follow the leader's own nullify")                            \
    X(RETRY_SILENT, "rule 7: does not send its votes again")                                       \
    X(OWN_UNCOUNTED, "rule 7: does not count its own votes")                                       \
    X(GIVE_UP_ON_X, "rule 8: stops verifying a block once its view is nullified")                  \
    X(TIMERS_FLAT, "rule 9: timers do not grow")                                                   \
    X(TIMERS_UNCAPPED, "rule 9: timers grow without end")                                          \
    X(COMMIT_UNUSABLE, "rule 10: commits blocks that are not held, valid, durable")                \
    X(COMMIT_IN_VIEW, "rule 10: commits only by F of the view just left")                          \
    X(VOTE_UNSIGNED, "rule 11: takes votes without looking at the signature")                      \
    X(CERT_UNVERIFIED, "rule 11: takes certificates without verifying them")                       \
    X(CERT_UNWEIGHED, "rule 11: takes certificates of less than a quorum")                         \
    X(QUORUM_HALF, "a quorum is more than half")                                                   \
    X(VIEW_AHEAD, "rule 11: takes votes of any view in the window")                                \
    X(EPOCH_BANNED, "rule 11: charges the sender for another epoch's message")                     \
    X(EPOCH_MIXED, "rule 11: counts votes of any epoch")                                           \
    X(NO_JUMP, "rule 12: goes from view to view only")                                             \
    X(STALL_SILENT, "rule 12: says nothing while it stands still")                                 \
    X(STALL_UNCAPPED, "rule 12: says all it has while it stands still")                            \
    X(SEND_UNWRITTEN, "persist before send: sends votes before they are durable")                  \
    X(COUNT_UNWRITTEN, "persist before send: counts own votes before they are durable")            \
    X(BLOCK_UNWRITTEN, "persist before send: notarizes a block that is not in the log")            \
    X(FORGET_VOTES, "restart: forgets the votes in the log")                                       \
    X(FORGET_AT_REWRITE, "restart: leaves votes out of a short log")                               \
    X(SIGN_AFTER_LOSS, "restart: votes on in the epoch in which the log was lost")                 \
    X(BLIND_TO_E1, "evidence: does not see E1")                                                    \
    X(BLIND_TO_E2, "evidence: does not see E2")                                                    \
    X(BLIND_TO_E3, "evidence: does not see E3")                                                    \
    X(BLIND_TO_E4, "evidence: does not see E4")                                                    \
    X(ACCUSE_LAWFUL, "evidence: takes notarize with nullify for guilt")                            \
    X(BUILD_ON_BOUNDARY, "epochs: builds upon the boundary block")                                 \
    X(BOUNDARY_LOOSE, "epochs: takes any block upon a boundary block, or one again")               \
    X(EPOCH_KEPT, "epochs: takes the views of one epoch into the next")                            \
    X(EPOCH_UNANSWERED, "epochs: does not tell the old how their epoch ended")

#define PLANTED_NAME(name, text) PLANTED_##name,
enum planted { PLANTED_NONE, PLANTED_BUGS(PLANTED_NAME) PLANTED_COUNT };
extern enum planted planted_bug;
#define PLANTED(name) (planted_bug == PLANTED_##name)
#define PLANTED_ANY   (planted_bug != PLANTED_NONE)

#else
#define PLANTED(name) 0
#define PLANTED_ANY   0
#endif

#endif
