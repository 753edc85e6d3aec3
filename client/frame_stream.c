#include "client/frame_stream.h"

#include "base/file.h"
#include "base/sha256.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_STEP_BYTES   (64u << 10) /* memory follows what has arrived, not what was announced */
#define CERTIFICATE_DAYS  36500
#define READ_BUFFER_BYTES (128u << 10) /* several records a system call */

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t now_ms(void)
{
    return now_ns() / 1000000;
}

/* A peer that is gone must be an error and not a signal. */
static void ignore_broken_pipes(void)
{
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) != 0 || action.sa_handler != SIG_DFL) return;
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

SSL_CTX *tls_context_create(bool server)
{
    ignore_broken_pipes();
    SSL_CTX *context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    bool ok = context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_num_tickets(context, 0) == 1;
    if (!ok) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_options(context,
                        SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_read_ahead(context, 1); /* else each record's five bytes of head are a call */
    SSL_CTX_set_default_read_buffer_len(context, READ_BUFFER_BYTES);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); /* by pin, after the handshake */
    return context;
}

static enum status wait_for(int fd, short events, uint64_t deadline_ms)
{
    for (;;) {
        uint64_t now = now_ms();
        if (now >= deadline_ms) return E_TIMEOUT;
        struct pollfd p = {.fd = fd, .events = events};
        int ready = poll(&p, 1, (int)(deadline_ms - now));
        if (ready > 0) return OK;
        if (ready < 0 && errno != EINTR) return E_IO;
    }
}

/* What an SSL call that did not succeed waits for. OK: call it again. */
static enum status settle(struct frame_stream *s, int result, uint64_t deadline_ms)
{
    int error = SSL_get_error(s->ssl, result);
    enum status status = E_IO;
    uint64_t start_ns = now_ns();
    if (error == SSL_ERROR_WANT_READ) status = wait_for(s->fd, POLLIN, deadline_ms);
    if (error == SSL_ERROR_WANT_WRITE) status = wait_for(s->fd, POLLOUT, deadline_ms);
    s->waited_ns += now_ns() - start_ns;
    ERR_clear_error();
    return status;
}

static enum status handshake(struct frame_stream *s, bool server, uint64_t deadline_ms)
{
    for (;;) {
        ERR_clear_error();
        int result = server ? SSL_accept(s->ssl) : SSL_connect(s->ssl);
        if (result == 1) return OK;
        enum status status = settle(s, result, deadline_ms);
        if (status != OK) return status;
    }
}

enum status frame_stream_open(struct frame_stream *out, SSL_CTX *context, int fd, bool server,
                              uint32_t timeout_ms)
{
    assert(context != NULL && fd >= 0 && timeout_ms > 0);
    struct frame_stream s = {.fd = fd, .timeout_ms = timeout_ms};
    int one = 1;
    int flags = fcntl(fd, F_GETFL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    s.ssl = SSL_new(context);
    bool ready = s.ssl != NULL && flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
                 SSL_set_fd(s.ssl, fd) == 1;
    enum status status = ready ? handshake(&s, server, now_ms() + timeout_ms) : E_IO;
    if (status != OK) {
        frame_stream_close(&s);
        return status;
    }
    *out = s;
    return OK;
}

void frame_stream_close(struct frame_stream *s)
{
    if (s->ssl != NULL) {
        SSL_free(s->ssl); /* frames carry lengths, so no closing handshake is needed */
        close(s->fd);
    } else if (s->fd > 0) {
        close(s->fd);
    }
    ERR_clear_error();
    buffer_finish(&s->in);
    *s = (struct frame_stream){0};
}

static enum status read_exact(struct frame_stream *s, uint8_t *out, size_t size,
                              uint64_t deadline_ms)
{
    for (size_t done = 0; done < size;) {
        size_t got = 0;
        ERR_clear_error();
        int result = SSL_read_ex(s->ssl, out + done, size - done, &got);
        done += got;
        if (result == 1) continue;
        enum status status = settle(s, result, deadline_ms);
        if (status != OK) return status;
    }
    return OK;
}

void frame_stream_end_after(struct frame_stream *s, uint32_t ms)
{
    s->end_ms = now_ms() + ms;
}

static uint64_t deadline_of(const struct frame_stream *s)
{
    uint64_t deadline_ms = now_ms() + s->timeout_ms;
    return s->end_ms != 0 && s->end_ms < deadline_ms ? s->end_ms : deadline_ms;
}

enum status frame_stream_read(struct frame_stream *s, uint8_t *out_type, struct bytes *body)
{
    uint8_t head[4];
    uint64_t deadline_ms = deadline_of(s);
    enum status status = read_exact(s, head, sizeof head, deadline_ms);
    if (status != OK) return status;
    size_t size = load_be32(head);
    if (size == 0) return E_MALFORMED;
    if (size > GATEWAY_FRAME_MAX) return E_LIMIT;
    buffer_clear(&s->in);
    while (s->in.size < size) {
        size_t step = size - s->in.size < READ_STEP_BYTES ? size - s->in.size : READ_STEP_BYTES;
        status = read_exact(s, buffer_extend(&s->in, step), step, deadline_ms);
        if (status != OK) return status;
    }
    *out_type = s->in.data[0];
    *body = bytes_of(s->in.data + 1, size - 1);
    return OK;
}

bool frame_stream_has_input(const struct frame_stream *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    return SSL_has_pending(s->ssl) == 1 || poll(&p, 1, 0) > 0;
}

enum status frame_stream_write(struct frame_stream *s, struct bytes frames)
{
    s->sent_bytes += frames.size;
    uint64_t deadline_ms = deadline_of(s);
    for (size_t done = 0; done < frames.size;) {
        size_t written = 0;
        ERR_clear_error();
        int result = SSL_write_ex(s->ssl, frames.data + done, frames.size - done, &written);
        done += written;
        if (result == 1) continue;
        enum status status = settle(s, result, deadline_ms);
        if (status != OK) return status;
    }
    return OK;
}

struct hash tls_key_hash(X509 *certificate)
{
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    assert(size > 0);
    struct hash h = sha256(bytes_of(der, (size_t)size));
    OPENSSL_free(der);
    return h;
}

struct hash tls_peer_key_hash(const struct frame_stream *s)
{
    struct hash h = {0};
    X509 *certificate = SSL_get1_peer_certificate(s->ssl);
    if (certificate != NULL) h = tls_key_hash(certificate);
    X509_free(certificate);
    return h;
}

enum status tls_exporter(uint8_t out[GATEWAY_EXPORTER_BYTES], const struct frame_stream *s)
{
    int ok = SSL_export_keying_material(s->ssl, out, GATEWAY_EXPORTER_BYTES, GATEWAY_EXPORTER_LABEL,
                                        strlen(GATEWAY_EXPORTER_LABEL), NULL, 0, 0);
    return ok == 1 ? OK : E_IO;
}

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = x != NULL ? X509_get_subject_name(x) : NULL;
    bool ok =
        x != NULL && X509_set_version(x, 2) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(x), -86400) != NULL &&
        X509_time_adj_ex(X509_getm_notAfter(x), CERTIFICATE_DAYS, 0, NULL) != NULL &&
        X509_set_pubkey(x, key) == 1 &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   (const unsigned char *)"leasehold-worker", -1, -1, 0) == 1 &&
        X509_set_issuer_name(x, name) == 1 && X509_sign(x, key, EVP_sha256()) > 0;
    if (ok) return x;
    X509_free(x);
    return NULL;
}

static enum status write_pem(const char *path, BIO *pem, unsigned mode)
{
    char *text = NULL;
    long size = BIO_get_mem_data(pem, &text);
    if (size <= 0) return E_IO;
    return file_write_atomic(path, bytes_of(text, (size_t)size), mode);
}

enum status tls_identity_create(const char *key_path, const char *certificate_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key != NULL ? self_signed(key) : NULL;
    BIO *key_pem = BIO_new(BIO_s_mem());
    BIO *certificate_pem = BIO_new(BIO_s_mem());
    bool ok = certificate != NULL && key_pem != NULL && certificate_pem != NULL &&
              PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) == 1 &&
              PEM_write_bio_X509(certificate_pem, certificate) == 1;
    enum status status = ok ? write_pem(key_path, key_pem, 0600) : E_IO;
    if (status == OK) status = write_pem(certificate_path, certificate_pem, 0644);
    BIO_free(key_pem);
    BIO_free(certificate_pem);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return status;
}

enum status tls_identity_load(SSL_CTX *context, struct hash *out_key_hash, const char *key_path,
                              const char *certificate_path)
{
    if (access(key_path, R_OK) != 0 || access(certificate_path, R_OK) != 0) return E_NOT_FOUND;
    bool ok = SSL_CTX_use_certificate_file(context, certificate_path, SSL_FILETYPE_PEM) == 1 &&
              SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) == 1 &&
              SSL_CTX_check_private_key(context) == 1;
    ERR_clear_error();
    if (!ok) return E_MALFORMED;
    *out_key_hash = tls_key_hash(SSL_CTX_get0_certificate(context));
    return OK;
}

static enum status split_endpoint(char host[256], char port[8], const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');
    bool bracketed = endpoint[0] == '[';
    if (colon == NULL || colon == endpoint) return E_MALFORMED;
    const char *start = bracketed ? endpoint + 1 : endpoint;
    size_t size = (size_t)(colon - start);
    if (bracketed && (size < 2 || colon[-1] != ']')) return E_MALFORMED;
    if (bracketed) size--;
    size_t digits = strspn(colon + 1, "0123456789");
    if (size == 0 || size > 255 || digits == 0 || digits > 5 || colon[1 + digits] != '\0')
        return E_MALFORMED;
    memcpy(host, start, size);
    host[size] = '\0';
    memcpy(port, colon + 1, digits + 1);
    return OK;
}

static enum status connect_one(int *out_fd, const struct addrinfo *a, uint64_t deadline_ms)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return E_IO;
    enum status status = OK;
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        int error = 0;
        socklen_t size = sizeof error;
        status = errno == EINPROGRESS ? wait_for(fd, POLLOUT, deadline_ms) : E_IO;
        if (status == OK && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = EIO;
        if (error != 0) {
            errno = error;
            status = E_IO;
        }
    }
    if (status != OK) {
        close(fd);
        return status;
    }
    *out_fd = fd;
    return OK;
}

enum status socket_connect(int *out_fd, const char *endpoint, uint32_t timeout_ms)
{
    char host[256];
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    enum status status = split_endpoint(host, port, endpoint);
    if (status != OK) return status;
    if (getaddrinfo(host, port, &hints, &found) != 0) return E_NOT_FOUND;
    uint64_t deadline_ms = now_ms() + timeout_ms;
    status = E_IO;
    for (struct addrinfo *a = found; a != NULL && status != OK; a = a->ai_next)
        status = connect_one(out_fd, a, deadline_ms);
    freeaddrinfo(found);
    return status;
}
