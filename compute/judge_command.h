/* judge_command.h - `leasehold-worker judge`: reads its command line, judges until it is told to
 * stop. */
#ifndef LEASEHOLD_COMPUTE_JUDGE_COMMAND_H
#define LEASEHOLD_COMPUTE_JUDGE_COMMAND_H

/* argv as the program got it, with "judge" among the words. Returns the exit status. */
int judge_command(int argc, char **argv);

#endif
