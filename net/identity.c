#include "net/identity.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/sha256.h"
#include "net/limits.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define KEY_FILE_BYTES_MAX 4096
#define YEARS_100_S        (100L * 365 * 24 * 3600)

struct identity {
    EVP_PKEY *key;
    SSL_CTX *context;
    struct hash id;
};

static enum status id_of_key(struct hash *out, const EVP_PKEY *key)
{
    uint8_t *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    if (size <= 0) return E_MALFORMED;
    *out = sha256(bytes_of(der, (size_t)size));
    OPENSSL_free(der);
    return OK;
}

/* Of the certificate only the key counts, and that its holder has it is proved by TLS itself. */
static int accept_key(X509_STORE_CTX *store, void *context)
{
    (void)context;
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
    if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *c = X509_new();
    X509_NAME *name = c ? X509_get_subject_name(c) : NULL;
    bool made = name != NULL && X509_set_version(c, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(c), 1) == 1 &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                           (const unsigned char *)"leasehold", -1, -1, 0) == 1 &&
                X509_set_issuer_name(c, name) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(c), -24 * 3600L) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(c), YEARS_100_S) != NULL &&
                X509_set_pubkey(c, key) == 1 && X509_sign(c, key, NULL) > 0;
    if (!made) fatal("making a TLS certificate");
    return c;
}

static void set_policy(SSL_CTX *c)
{
    char signatures[] = "ed25519"; /* OpenSSL's macros want them writable */
    char groups[] = "X25519";
    bool set = SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 &&
               SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1 &&
               SSL_CTX_set1_sigalgs_list(c, signatures) == 1 &&
               SSL_CTX_set1_groups_list(c, groups) == 1 && SSL_CTX_set_num_tickets(c, 0) == 1 &&
               SSL_CTX_set_max_early_data(c, 0) == 1;
    if (!set) fatal("setting up TLS");
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(c, PEER_CERTIFICATE_BYTES_MAX);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(c, accept_key, NULL);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* One call handles one record, whatever comes: no stream of key updates can hold it. */
    SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_quiet_shutdown(c, 1);
}

static struct identity *identity_of_key(EVP_PKEY *key)
{
    struct identity *i = must_alloc(sizeof *i);
    i->key = key;
    i->context = SSL_CTX_new(TLS_method());
    if (i->context == NULL) fatal("setting up TLS");
    set_policy(i->context);
    X509 *certificate = make_certificate(key);
    if (SSL_CTX_use_certificate(i->context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(i->context, key) != 1)
        fatal("giving TLS its key");
    X509_free(certificate);
    if (id_of_key(&i->id, key) != OK) fatal("encoding the TLS key");
    return i;
}

struct identity *identity_create(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (key == NULL) fatal("making a TLS key");
    return identity_of_key(key);
}

static enum status save_key(EVP_PKEY *key, const char *path)
{
    BIO *text = BIO_new(BIO_s_secmem());
    char *data = NULL;
    if (text == NULL || PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) != 1)
        fatal("encoding the TLS key");
    long size = BIO_get_mem_data(text, &data);
    assert(size > 0);
    enum status status = file_write_atomic(path, bytes_of(data, (size_t)size), 0600);
    OPENSSL_cleanse(data, (size_t)size);
    BIO_free(text);
    return status;
}

static enum status check_mode(char *error, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) return errno == ENOENT ? E_NOT_FOUND : E_IO;
    if ((info.st_mode & 077) == 0) return OK;
    snprintf(error, IDENTITY_ERROR_SIZE,
             "the node's TLS key %.150s may be read by others (mode %03o): chmod 600 it", path,
             (unsigned)info.st_mode & 0777);
    return E_DENIED;
}

/* Without one OpenSSL would ask the terminal. */
static int no_passphrase(char *out, int size_max, int writing, void *context)
{
    (void)out;
    (void)size_max;
    (void)writing;
    (void)context;
    return -1;
}

static EVP_PKEY *key_of_text(struct bytes text)
{
    if (text.size == 0) return NULL;
    BIO *from = BIO_new_mem_buf(text.data, (int)text.size);
    if (from == NULL) fatal("no memory for a TLS key");
    EVP_PKEY *key = PEM_read_bio_PrivateKey(from, NULL, no_passphrase, NULL);
    BIO_free(from);
    if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) return key;
    EVP_PKEY_free(key);
    return NULL;
}

static enum status load_key(EVP_PKEY **out, char *error, const char *path)
{
    struct buffer text = {0};
    enum status status = check_mode(error, path);
    if (status != OK) return status;
    status = file_read(&text, path, KEY_FILE_BYTES_MAX);
    EVP_PKEY *key = status == OK ? key_of_text(buffer_bytes(&text)) : NULL;
    if (text.data != NULL) explicit_bzero(text.data, text.size);
    buffer_finish(&text);
    if (key != NULL) {
        *out = key;
        return OK;
    }
    if (status != OK && status != E_LIMIT) return status;
    snprintf(error, IDENTITY_ERROR_SIZE,
             "%.150s holds no Ed25519 key in PEM: move it away, and a new one is made", path);
    return E_MALFORMED;
}

enum status identity_open(struct identity **out, char error[IDENTITY_ERROR_SIZE], const char *path)
{
    EVP_PKEY *key = NULL;
    error[0] = 0;
    enum status status = load_key(&key, error, path);
    if (status == OK) {
        *out = identity_of_key(key);
        return OK;
    }
    if (status == E_NOT_FOUND) {
        struct identity *fresh = identity_create();
        status = save_key(fresh->key, path);
        if (status == OK) {
            *out = fresh;
            return OK;
        }
        identity_destroy(fresh);
    }
    if (error[0] == 0)
        snprintf(error, IDENTITY_ERROR_SIZE, "cannot read or make the node's TLS key %.150s: %s",
                 path, strerror(errno));
    return status;
}

void identity_destroy(struct identity *i)
{
    if (i == NULL) return;
    SSL_CTX_free(i->context);
    EVP_PKEY_free(i->key); /* OpenSSL clears what it frees */
    free(i);
}

struct hash identity_id(const struct identity *i)
{
    return i->id;
}

struct ssl_ctx_st *identity_context(const struct identity *i)
{
    return i->context;
}

enum status identity_of_peer(struct hash *out, const struct ssl_st *ssl)
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
    return key ? id_of_key(out, key) : E_NOT_FOUND;
}
