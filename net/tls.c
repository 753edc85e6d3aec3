#include "net/tls.h"

#include "base/fatal.h"
#include "net/limits.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORTER_LABEL "EXPORTER-leasehold-peer-v1"

struct tls {
    SSL *ssl;
    BIO_METHOD *method;
    int fd;
    bool established;
    uint32_t key_updates;
};

/* Handshake messages after the handshake can only be key updates: we never ask for one, and each
 * costs its sender 27 bytes and us some hashing.
 * NOLINTNEXTLINE(readability-function-size): OpenSSL says what it takes */
static void on_tls_message(int is_written, int version, int content, const void *data, size_t size,
                           SSL *ssl, void *context)
{
    struct tls *t = context;
    (void)version;
    (void)data;
    (void)size;
    (void)ssl;
    if (!is_written && t->established && content == SSL3_RT_HANDSHAKE) t->key_updates++;
}

/* OpenSSL's own socket BIO writes without MSG_NOSIGNAL. */
static int bio_write(BIO *bio, const char *data, int size)
{
    const struct tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t put = send(t->fd, data, (size_t)size, MSG_NOSIGNAL);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return (int)put;
}

static int bio_read(BIO *bio, char *data, int size)
{
    const struct tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got = recv(t->fd, data, (size_t)size, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    return (int)got;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

struct tls *tls_open(const struct identity *identity, int fd, bool outgoing)
{
    struct tls *t = must_alloc(sizeof *t);
    t->fd = fd;
    t->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "peer's socket");
    t->ssl = SSL_new(identity_context(identity));
    if (t->method == NULL || t->ssl == NULL) fatal("no memory for a TLS connection");
    BIO_meth_set_write(t->method, bio_write);
    BIO_meth_set_read(t->method, bio_read);
    BIO_meth_set_ctrl(t->method, bio_control);
    BIO *bio = BIO_new(t->method);
    if (bio == NULL) fatal("no memory for a TLS connection");
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_msg_callback(t->ssl, on_tls_message);
    SSL_set_msg_callback_arg(t->ssl, t);
    if (outgoing)
        SSL_set_connect_state(t->ssl);
    else
        SSL_set_accept_state(t->ssl);
    return t;
}

void tls_close(struct tls *t)
{
    if (t == NULL) return;
    SSL_free(t->ssl);
    BIO_meth_free(t->method);
    close(t->fd);
    free(t);
}

int tls_socket(const struct tls *t)
{
    return t->fd;
}

static enum tls_result result_of(struct tls *t, int answer)
{
    int error = SSL_get_error(t->ssl, answer);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return TLS_WANTS_READ;
    if (error == SSL_ERROR_WANT_WRITE) return TLS_WANTS_WRITE;
    return TLS_GONE;
}

enum tls_result tls_handshake(struct tls *t)
{
    ERR_clear_error();
    int answer = SSL_do_handshake(t->ssl);
    t->established = answer == 1;
    return answer == 1 ? TLS_DONE : result_of(t, answer);
}

enum tls_result tls_read(struct tls *t, uint8_t *out, size_t *out_size, size_t size_max)
{
    assert(size_max > 0);
    ERR_clear_error();
    int answer = SSL_read_ex(t->ssl, out, size_max, out_size);
    if (t->key_updates > PEER_KEY_UPDATES_MAX) return TLS_GONE;
    return answer == 1 ? TLS_DONE : result_of(t, answer);
}

enum tls_result tls_write(struct tls *t, size_t *out_size, struct bytes bytes)
{
    assert(bytes.size > 0);
    ERR_clear_error();
    int answer = SSL_write_ex(t->ssl, bytes.data, bytes.size, out_size);
    return answer == 1 ? TLS_DONE : result_of(t, answer);
}

enum status tls_peer_id(struct hash *out, const struct tls *t)
{
    return identity_of_peer(out, t->ssl);
}

enum status tls_exporter(uint8_t out[32], const struct tls *t)
{
    int made = SSL_export_keying_material(t->ssl, out, 32, EXPORTER_LABEL,
                                          sizeof EXPORTER_LABEL - 1, NULL, 0, 0);
    ERR_clear_error();
    return made == 1 ? OK : E_STATE;
}

uint64_t tls_bytes_in(const struct tls *t)
{
    return BIO_number_read(SSL_get_rbio(t->ssl));
}

uint64_t tls_bytes_out(const struct tls *t)
{
    return BIO_number_written(SSL_get_wbio(t->ssl));
}
