/* planted.h - bugs on purpose, to see that the simulator finds them (docs/simulator.md).
 *
 * Each names one check of the core and leaves it out. Only a build with PLANTED_BUILD (make
 * sim-planted) has them, chosen at run time; anywhere else PLANTED(x) is false and folds away. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_PLANTED_H
#define LEASEHOLD_CHAIN_CONSENSUS_PLANTED_H

#ifdef PLANTED_BUILD

/* Columns: name, what is left out. */
#define PLANTED_BUGS(X) X(NOTARIZE_INVALID, "rule 3: the block is valid")

#define PLANTED_NAME(name, text) PLANTED_##name,
enum planted { PLANTED_NONE, PLANTED_BUGS(PLANTED_NAME) PLANTED_COUNT };
extern enum planted planted_bug;
#define PLANTED(name) (planted_bug == PLANTED_##name)

#else
#define PLANTED(name) 0
#endif

#endif
