/* frame_stream.h - gateway frames over a blocking TLS 1.3 socket with time limits; both sides.
 *
 * A stream owns its SSL object and socket. Every read and write has a deadline; a peer that sends
 * one byte a minute does not hold a thread. One thread a stream. */
#ifndef LEASEHOLD_CLIENT_FRAME_STREAM_H
#define LEASEHOLD_CLIENT_FRAME_STREAM_H

#include "base/json.h"
#include "client/gateway_wire.h"

#include <openssl/ssl.h>

struct frame_stream {
    SSL *ssl;
    int fd;
    uint32_t timeout_ms; /* for one whole frame, either way */
    uint64_t end_ms;     /* of the monotonic clock: nothing lasts beyond it; 0: no such end */
    struct buffer in;    /* the last frame read; may be exchanged for another between reads */
    uint64_t waited_ns;  /* in all, for the other side or the link between */
    uint64_t sent_bytes; /* of frames */
};

/* TLS 1.3 only, no tickets, no early data, no compression. Server: certificate and key are given
 * to it by the caller (SSL_CTX_use_...). Client: verification is by pin, see tls_peer_key_hash. */
SSL_CTX *tls_context_create(bool server);
/* Handshake over a connected socket; takes `fd` in every case. E_TIMEOUT, E_IO. */
MUST_CHECK enum status frame_stream_open(struct frame_stream *out, SSL_CTX *context, int fd,
                                         bool server, uint32_t timeout_ms);
void frame_stream_close(struct frame_stream *s); /* takes zeroed ones too */
/* From now on the stream is good for so long, and then times out. */
void frame_stream_end_after(struct frame_stream *s, uint32_t ms);

/* *body is borrowed until the next read. E_LIMIT: longer than GATEWAY_FRAME_MAX. E_IO: the peer is
 * gone. E_TIMEOUT. */
MUST_CHECK enum status frame_stream_read(struct frame_stream *s, uint8_t *out_type,
                                         struct bytes *body);
/* True if something of a frame is here: then a read waits for no more than the frame's rest. */
bool frame_stream_has_input(const struct frame_stream *s);
/* Bytes of one or several whole frames, as gateway_put_... made them. */
MUST_CHECK enum status frame_stream_write(struct frame_stream *s, struct bytes frames);

/* SHA-256 of a certificate's SubjectPublicKeyInfo (DER): the tlsKeyHash on the chain. */
struct hash tls_key_hash(X509 *certificate);
/* The same of the peer's certificate; zero when it showed none. */
struct hash tls_peer_key_hash(const struct frame_stream *s);
/* The exporter value of this very connection (GATEWAY_EXPORTER_LABEL, no context). */
MUST_CHECK enum status tls_exporter(uint8_t out[GATEWAY_EXPORTER_BYTES],
                                    const struct frame_stream *s);

/* A new P-256 key and a self-signed certificate for it, as PEM files (key 0600). E_IO. */
MUST_CHECK enum status tls_identity_create(const char *key_path, const char *certificate_path);
/* Loads them into a server's context and tells the key's hash. E_NOT_FOUND, E_MALFORMED. */
MUST_CHECK enum status tls_identity_load(SSL_CTX *context, struct hash *out_key_hash,
                                         const char *key_path, const char *certificate_path);

/* A connected socket to "host:port" or "[v6]:port". E_MALFORMED, E_NOT_FOUND (no such host), E_IO,
 * E_TIMEOUT. */
MUST_CHECK enum status socket_connect(int *out_fd, const char *endpoint, uint32_t timeout_ms);

#endif
