/* tls.h - one TLS connection over a socket that never waits.
 *
 * OpenSSL does the talking and libevent none of it: whoever calls watches the socket and asks again
 * when it is ready. There is no closing handshake: frames carry their lengths, and an end of the
 * stream is an abort. Sending never raises SIGPIPE. One thread. */
#ifndef LEASEHOLD_NET_TLS_H
#define LEASEHOLD_NET_TLS_H

#include "net/identity.h"

#define TLS_RECORD_BYTES_MAX 16384

struct tls;

enum tls_result {
    TLS_DONE,
    TLS_WANTS_READ,  /* again when the socket can be read */
    TLS_WANTS_WRITE, /* again when it can be written */
    TLS_GONE         /* closed, broken or refused: only tls_close may follow */
};

/* Takes the socket over, which is non-blocking. Keeps the identity. */
struct tls *tls_open(const struct identity *identity, int fd, bool outgoing);
void tls_close(struct tls *t); /* closes the socket; takes NULL */
int tls_socket(const struct tls *t);

MUST_CHECK enum tls_result tls_handshake(struct tls *t);
/* At most one record. size_max of TLS_RECORD_BYTES_MAX or more leaves nothing behind in OpenSSL. */
MUST_CHECK enum tls_result tls_read(struct tls *t, uint8_t *out, size_t *out_size, size_t size_max);
/* *out_size of the bytes were taken. After TLS_WANTS_*, at least the same bytes must come again. */
MUST_CHECK enum tls_result tls_write(struct tls *t, size_t *out_size, struct bytes bytes);
/* After the handshake: who is at the other end, and the secret name of this very connection (RFC
 * 8446 section 7.5; label "EXPORTER-leasehold-peer-v1", no context). */
MUST_CHECK enum status tls_peer_id(struct hash *out, const struct tls *t);
MUST_CHECK enum status tls_exporter(uint8_t out[32], const struct tls *t);
uint64_t tls_bytes_in(const struct tls *t); /* on the wire */
uint64_t tls_bytes_out(const struct tls *t);

#endif
