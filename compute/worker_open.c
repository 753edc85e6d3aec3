#include "compute/worker_state.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/log.h"
#include "client/frame_stream.h"
#include "compute/worker_home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RPC_TIMEOUT_MS  5000 /* a node that hangs is left for the next one */
#define RPC_PATIENCE_MS 60000

static void path_in(const struct worker *w, char out[PATH_MAX], const char *name)
{
    snprintf(out, PATH_MAX, "%s/%s", w->data_dir, name);
}

enum status worker_init_directory(struct hash *out, char error[JSON_ERROR_SIZE],
                                  const char *data_dir)
{
    char key_path[PATH_MAX];
    char certificate_path[PATH_MAX];
    enum status status = home_make(error, data_dir);
    if (status != OK) return status;
    snprintf(key_path, sizeof key_path, "%s/tls.key", data_dir);
    snprintf(certificate_path, sizeof certificate_path, "%s/tls.crt", data_dir);
    if (access(key_path, F_OK) != 0) status = tls_identity_create(key_path, certificate_path);
    SSL_CTX *context = tls_context_create(true);
    if (status == OK) status = tls_identity_load(context, out, key_path, certificate_path);
    SSL_CTX_free(context);
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "cannot use the TLS identity %.150s: %s", key_path,
                 status_text(status));
    return status;
}

static enum status open_key(struct worker *w, char error[JSON_ERROR_SIZE])
{
    const struct worker_config *c = w->config;
    struct home_key which = {.flag = "--worker-key",
                             .path = c->worker_key,
                             .password_file = c->password_file,
                             .prompt = "Password of the worker key"};
    enum status status =
        home_read_address(&w->chain.owner, error, "--owner", c->owner, "the provider's address");
    return status == OK ? home_open_key(&w->key, error, &which) : status;
}

static enum status open_stores(struct worker *w, char error[JSON_ERROR_SIZE])
{
    char path[PATH_MAX];
    bool torn = false;
    path_in(w, path, "journal");
    enum status status = journal_open(&w->journal, path, &torn);
    if (torn)
        log_warn(WORKER_AREA, "the journal's last record was torn and is dropped path=%s", path);
    if (status == OK) {
        path_in(w, path, "blobs");
        status = blobs_open(&w->blobs, path, w->config->blob_mib << 20);
    }
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "cannot use %.150s: %s", path, status_text(status));
    return status;
}

static enum status open_gateway(struct worker *w, char error[JSON_ERROR_SIZE])
{
    char key_path[PATH_MAX];
    char certificate_path[PATH_MAX];
    struct hash key_hash;
    enum status status = worker_init_directory(&key_hash, error, w->data_dir);
    if (status != OK) return status;
    path_in(w, key_path, "tls.key");
    path_in(w, certificate_path, "tls.crt");
    struct gateway_server_options options = {.listen = w->config->listen,
                                             .key_path = key_path,
                                             .certificate_path = certificate_path,
                                             .blobs = w->blobs,
                                             .policy = known_jobs_policy,
                                             .context = w->known};
    return gateway_server_start(&w->gateway, error, &options);
}

static enum status open_rpc(struct worker *w, char error[JSON_ERROR_SIZE])
{
    struct rpc_options options = {.urls = w->config->rpc,
                                  .timeout_ms = RPC_TIMEOUT_MS,
                                  .patience_ms = RPC_PATIENCE_MS,
                                  .stop = &w->stop};
    return rpc_create(&w->rpc, &options, error);
}

/* Tells whoever started us where the gateway is. */
static void write_gateway_file(const struct worker *w)
{
    char path[PATH_MAX];
    char hash[67];
    struct hash key_hash = gateway_server_key_hash(w->gateway);
    hash_to_text(hash, &key_hash);
    path_in(w, path, "gateway.json");
    json_t *file = json_pack("{s:s,s:s,s:i}", "listen", gateway_server_endpoint(w->gateway),
                             "tlsKeyHash", hash, "pid", (int)getpid());
    if (json_save_path(file, path, 0644) != OK) log_warn(WORKER_AREA, "cannot write path=%s", path);
    json_decref(file);
}

static enum status choose_executor(struct worker *w, char error[JSON_ERROR_SIZE])
{
    static const char *const WORDS[] = {"auto", "cpu", "cuda"};
    const struct worker_config *c = w->config;
    size_t choice = 0;
    while (choice < 3 && strcmp(c->executor, WORDS[choice]) != 0)
        choice++;
    if (choice == 3) {
        snprintf(error, JSON_ERROR_SIZE, "--executor is \"%.40s\", must be auto, cpu or cuda",
                 c->executor);
        return E_MALFORMED;
    }
    w->executor = (enum run_executor)choice;
    if (w->executor == RUN_CPU) return OK;
    gpus_find(&w->gpus);
    enum status status = gpus_choose(&w->gpus, c->devices);
    if (status == OK && w->executor == RUN_CUDA && w->gpus.count == 0) status = E_NOT_FOUND;
    if (status != OK) snprintf(error, JSON_ERROR_SIZE, "--devices: %.180s", w->gpus.error);
    if (w->gpus.count > 0)
        log_info(WORKER_AREA, "cards found count=%zu first=%s", w->gpus.count,
                 w->gpus.cards[0].model);
    return status;
}

static struct run_pool *make_pool(const struct worker *w)
{
    const struct worker_config *c = w->config;
    struct run_pool_options options = {.slots = c->slots,
                                       .threads = (unsigned)c->threads,
                                       .memory_mib_max = (uint32_t)c->memory_mib,
                                       .runner = c->runner[0] ? c->runner : NULL,
                                       .executor = w->executor,
                                       .gpus = &w->gpus,
                                       .nvrtc = c->nvrtc[0] ? c->nvrtc : NULL,
                                       .folder = w->data_dir,
                                       .keeps = true};
    if (options.memory_mib_max == 0) options.memory_mib_max = home_memory_mib();
    if (w->gpus.count > 0) options.slots = w->gpus.count;
    return run_pool_create(&options);
}

enum status worker_create(struct worker **out, char error[JSON_ERROR_SIZE],
                          const struct worker_config *config)
{
    struct worker *w = must_alloc(sizeof *w);
    w->config = config;
    w->lock_fd = -1;
    w->known = known_jobs_create();
    snprintf(w->data_dir, sizeof w->data_dir, "%s", config->data_dir);
    enum status status = worker_fault_from_text(&w->fault, config->fault);
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE,
                 "--fault is \"%.40s\", must be none, lie, collude, silent, noreveal or withhold",
                 config->fault);
    if (status == OK) status = choose_executor(w, error);
    if (status == OK) status = home_make(error, w->data_dir);
    if (status == OK) status = home_lock(&w->lock_fd, error, w->data_dir, "worker");
    if (status == OK) status = open_key(w, error);
    if (status == OK) status = open_stores(w, error);
    if (status == OK) status = open_rpc(w, error);
    if (status == OK) status = open_gateway(w, error);
    if (status != OK) {
        worker_destroy(w);
        return status;
    }
    w->relay = bundle_relay_create(w->blobs, &w->key);
    w->keeping = (struct keeping){w->journal, w->blobs, w->known};
    w->pool = make_pool(w);
    write_gateway_file(w);
    *out = w;
    return OK;
}

void worker_destroy(struct worker *w)
{
    if (!w) return;
    bundle_relay_destroy(w->relay);
    gateway_server_stop(w->gateway);
    run_pool_destroy(w->pool);
    if (w->sender.rpc) sender_finish(&w->sender);
    rpc_destroy(w->rpc);
    blobs_close(w->blobs);
    journal_close(w->journal);
    known_jobs_destroy(w->known);
    key_finish(&w->key);
    if (w->lock_fd >= 0) close(w->lock_fd);
    free(w);
}
