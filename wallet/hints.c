#include "wallet/hints.h"

#include <stddef.h>
#include <string.h>

static const struct hint {
    const char *revert_name;
    const char *text;
} HINTS[] = {
    {"AlreadyRegistered", "it is a provider already; see: leasehold provider status"},
    {"NotRegistered", "first: leasehold provider register"},
    {"NotActive",
     "it is leaving; take the stake out with leasehold provider withdraw, then register"},
    {"NotLeaving", "first: leasehold provider unregister"},
    {"StillBusy", "wait until its jobs have ended; see: leasehold provider status"},
    {"WorkerTaken", "a worker key serves one provider; make another: leasehold account new"},
    {"BadIndex", "entries count from 0 without gaps; first: leasehold provider set-gpu"},
    {"BadPrice", "a price must be above 0 and below 2^96 wei a second"},
    {"BadSeconds", "--max-seconds must be 1 or more, and --min-seconds not above it"},
    {"BadSecondsLimit", "lower limits.seconds in job.json"},
    {"BadStartWindow", "lower --start-window"},
    {"BadProviders", "name each --provider once"},
    {"UnknownJob", "see: leasehold job list"},
    {"NotRenter", "give the renter's account with --from"},
    {"WrongState", "see: leasehold job show"},
    {"AlreadyValidator",
     "it is a validator; add stake with leasehold stake delegate, come back with stake unjail"},
    {"NotValidator", "first: leasehold stake join; a convicted validator is out for good"},
    {"ConsensusKeyTaken", "a consensus key serves once; make a new one on the validator's machine"},
    {"BadConsensusProof", "the validator file is for another operator or chain; print it again"},
    {"StakeTooSmall", "an operator's own stake must reach the minimum"},
    {"CandidatesFull",
     "the list of candidates is full; it takes more stake than the least of them"},
    {"NotAccepting", "it is no validator, or a convicted one; see: leasehold validators"},
    {"NotJailed", "it is a candidate already; see: leasehold stake status"},
    {"NotMature", "see: leasehold stake status"},
    {"UnknownUnbonding", "see: leasehold stake status"},
    {"TooManyUnbondings", "take out what is ready: leasehold stake withdraw"},
    {"TooManyDelegations", "leave one of them first, or use another account"},
    {"NothingToWithdraw", "nothing is ready; see: leasehold stake status"},
};

const char *hint_for(const char *revert_name)
{
    if (revert_name == NULL) return "";
    for (size_t i = 0; i < sizeof HINTS / sizeof *HINTS; i++)
        if (strcmp(HINTS[i].revert_name, revert_name) == 0) return HINTS[i].text;
    return "";
}
