#include "chain/consensus/signer.h"

static enum status recover_low_s(struct address *out, const struct signature *signature,
                                 const struct hash *digest)
{
    return signature_recover(out, signature, digest, true);
}

const struct signer SIGNER_SECP256K1 = {.sign = key_sign, .recover = recover_low_s};
