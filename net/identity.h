/* identity.h - who this node is to its peers: a TLS key and the id that follows from it.
 *
 * Node id = SHA-256 of the TLS public key (its SubjectPublicKeyInfo, DER). The key is Ed25519, kept
 * in a PEM file of mode 0600 and made when missing; the certificate around it is self-signed, made
 * at each start, and nobody believes anything in it but the key. */
#ifndef LEASEHOLD_NET_IDENTITY_H
#define LEASEHOLD_NET_IDENTITY_H

#include "base/bytes.h"

#define IDENTITY_ERROR_SIZE 256

struct identity;
struct ssl_ctx_st;
struct ssl_st;

/* On failure `error` says what to change. E_DENIED: others may read the file; E_MALFORMED: it holds
 * no Ed25519 key; E_IO. */
MUST_CHECK enum status identity_open(struct identity **out, char error[IDENTITY_ERROR_SIZE],
                                     const char *path);
struct identity *identity_create(void);    /* a fresh one that is nowhere saved */
void identity_destroy(struct identity *i); /* wipes; takes NULL */
struct hash identity_id(const struct identity *i);
/* For both sides: TLS 1.3 only, certificates asked for and taken as keys, no tickets, no session
 * cache, no early data, no compression. Lives as long as the identity. */
struct ssl_ctx_st *identity_context(const struct identity *i);
/* The id of the other end, once the handshake is done. E_NOT_FOUND: it showed no certificate. */
MUST_CHECK enum status identity_of_peer(struct hash *out, const struct ssl_st *ssl);

#endif
