/* bench_gateway [MIB [FOLDER]] - moves a random content of MIB (1024) MiB through the gateway, both
 * ways, and the same file by curl from and to nginx (TLS 1.3, the same cipher; Debian packages curl
 * and nginx-light) on the same link, loopback, in turns. Then cuts a transfer by killing either
 * process at its middle, and counts what the whole transfer took beyond the content.
 *
 * FOLDER (/dev/shm) holds all files: by default memory, so that the disk is not what is measured.
 * */
#include "base/fatal.h"
#include "base/file.h"
#include "client/gateway.h"
#include "compute/gateway_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOB    1
#define ROUNDS 3

static char folder[200];
static struct gateway_content content = {.job = JOB};
static struct key renter;
static struct hash key_hash;
static char endpoint[64];
static uint64_t uncut_up, uncut_down; /* bytes that an undisturbed transfer moves */

static const char *in_folder(const char *name)
{
    static char paths[8][300];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run(const char *command)
{
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static enum gateway_result allow(void *context, struct gateway_right *out,
                                 const struct gateway_name *name, const struct address *who)
{
    (void)context;
    (void)name;
    *out = (struct gateway_right){true, true, content.size, *who};
    return GATEWAY_RESULT_OK;
}

/* A worker's gateway in a process of its own; tells where it listens through a file. */
static pid_t start_server(void)
{
    unlink(in_folder("endpoint"));
    pid_t pid = fork();
    if (pid == 0) {
        char error[JSON_ERROR_SIZE] = "";
        struct gateway_server *server;
        struct gateway_server_options o = {.listen = endpoint[0] ? endpoint : "127.0.0.1:0",
                                           .key_path = in_folder("tls.key"),
                                           .certificate_path = in_folder("tls.crt"),
                                           .policy = allow};
        if (blobs_open(&o.blobs, in_folder("blobs"), 64ull << 30) != OK) fatal("the blobs");
        if (gateway_server_start(&server, error, &o) != OK) fatal("%s", error);
        const char *where = gateway_server_endpoint(server);
        if (file_write_atomic(in_folder("endpoint"), bytes_of_text(where), 0600) != OK)
            fatal("writing the endpoint");
        for (;;)
            pause();
    }
    while (access(in_folder("endpoint"), F_OK) != 0)
        usleep(1000);
    struct buffer text = {0};
    if (file_read(&text, in_folder("endpoint"), 60) != OK) fatal("reading the endpoint");
    snprintf(endpoint, sizeof endpoint, "%s", buffer_text(&text));
    buffer_finish(&text);
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static struct gateway *open_client(void)
{
    char error[JSON_ERROR_SIZE] = "";
    struct gateway *g;
    struct gateway_peer peer = {endpoint, key_hash, 60000, 0};
    if (gateway_open(&g, error, &peer, &renter) != OK) fatal("%s", error);
    return g;
}

static void report(const char *what, double seconds)
{
    printf("%-34s %7.3f s  %7.1f MB/s\n", what, seconds, (double)content.size / seconds / 1e6);
    fflush(stdout);
}

static double upload(void)
{
    double start = now_s();
    struct gateway *g = open_client();
    if (gateway_put(g, &content, in_folder("content"), NULL) != OK) fatal("%s", gateway_problem(g));
    uncut_up = gateway_traffic(g);
    gateway_close(g);
    return now_s() - start;
}

static double download(void)
{
    unlink(in_folder("back"));
    double start = now_s();
    struct gateway *g = open_client();
    if (gateway_get(g, &content, in_folder("back"), NULL) != OK) fatal("%s", gateway_problem(g));
    uncut_down = gateway_traffic(g);
    gateway_close(g);
    double seconds = now_s() - start;
    unlink(in_folder("back"));
    return seconds;
}

static pid_t start_nginx(void)
{
    char config[2000];
    snprintf(
        config, sizeof config,
        "daemon off; worker_processes 2; pid %s/nginx.pid; error_log %s/nginx.err; user root;\n"
        "events { worker_connections 64; }\n"
        "http { access_log off; sendfile on; tcp_nodelay on; client_max_body_size 0;\n"
        " client_body_temp_path %s/nginx-tmp; client_body_buffer_size 256k;\n"
        " server { listen 127.0.0.1:8643 ssl; ssl_certificate %s/tls.crt;\n"
        " ssl_certificate_key %s/tls.key; ssl_protocols TLSv1.3;\n"
        " location / { root %s; dav_methods PUT; } } }\n",
        folder, folder, folder, folder, folder, folder);
    if (file_write_atomic(in_folder("nginx.conf"), bytes_of_text(config), 0600) != OK)
        fatal("writing nginx.conf");
    pid_t pid = fork();
    if (pid == 0) {
        execlp("nginx", "nginx", "-c", in_folder("nginx.conf"), (char *)NULL);
        _exit(127);
    }
    usleep(500000);
    return pid;
}

static double curl(const char *arguments)
{
    char command[1000];
    snprintf(command, sizeof command, "curl -sk --fail --tlsv1.3 %s", arguments);
    double start = now_s();
    if (run(command) != 0) fatal("curl failed: %s", command);
    return now_s() - start;
}

static double curl_download(void)
{
    char arguments[600];
    snprintf(arguments, sizeof arguments, "https://127.0.0.1:8643/content -o %s",
             in_folder("curl-back"));
    unlink(in_folder("curl-back"));
    double seconds = curl(arguments);
    unlink(in_folder("curl-back"));
    return seconds;
}

static double curl_upload(void)
{
    char arguments[600];
    snprintf(arguments, sizeof arguments, "-H Expect: -T %s https://127.0.0.1:8643/curl-up",
             in_folder("content"));
    double seconds = curl(arguments);
    unlink(in_folder("curl-up"));
    return seconds;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static void forget_blobs(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", in_folder("blobs"));
    if (run(command) != 0) fatal("removing the blobs");
}

static pid_t start_clean(void)
{
    forget_blobs();
    return start_server();
}

static void compare(void)
{
    double first_up = 1e9, up = 1e9, down = 1e9, curl_up = 1e9, curl_down = 1e9;
    bool has_curl = run("command -v curl >/dev/null && command -v nginx >/dev/null") == 0;
    pid_t nginx = has_curl ? start_nginx() : 0;
    for (int i = 0; i < ROUNDS; i++) {
        unlink(in_folder("content.leaves"));
        pid_t server = start_clean();
        first_up = least(first_up, upload());
        stop(server);
        server = start_clean();
        up = least(up, upload());
        if (has_curl) curl_up = least(curl_up, curl_upload());
        down = least(down, download());
        if (has_curl) curl_down = least(curl_down, curl_download());
        stop(server);
    }
    report("gateway upload, hashing included", first_up);
    report("gateway upload, hashes known", up);
    report("gateway download", down);
    if (!has_curl) {
        printf("no curl or no nginx: nothing to compare with\n");
        return;
    }
    kill(nginx, SIGTERM);
    waitpid(nginx, NULL, 0);
    report("curl upload to nginx", curl_up);
    report("curl download from nginx", curl_down);
    printf("gateway / curl: upload %.2f (hashing included %.2f), download %.2f\n", curl_up / up,
           curl_up / first_up, curl_down / down);
}

/* ---- cuts ---- */

struct cut {
    uint64_t at_bytes;
    pid_t victim; /* 0: this process itself */
    uint64_t *traffic;
    struct gateway *g;
};

static bool on_step(void *context, uint64_t done, uint64_t size)
{
    struct cut *c = context;
    (void)size;
    *c->traffic = gateway_traffic(c->g);
    if (done < c->at_bytes) return true;
    kill(c->victim ? c->victim : getpid(), SIGKILL);
    c->at_bytes = UINT64_MAX;
    return true;
}

/* A client in its own process, killed or cut off in the middle; what it moved lies in *traffic. */
static void half(bool up, pid_t victim, uint64_t *traffic)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct cut cut = {content.size / 2, victim, traffic, open_client()};
        struct gateway_progress p = {on_step, &cut};
        enum status status = up ? gateway_put(cut.g, &content, in_folder("content"), &p)
                                : gateway_get(cut.g, &content, in_folder("back"), &p);
        *traffic = gateway_traffic(cut.g);
        _exit(status == OK ? 0 : 1);
    }
    waitpid(pid, NULL, 0);
}

static void measure_cut(const char *what, bool up, bool kill_server)
{
    uint64_t *first =
        mmap(NULL, sizeof *first, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    forget_blobs();
    unlink(in_folder("back"));
    pid_t server = start_server();
    if (!up) (void)upload();
    half(up, kill_server ? server : 0, first);
    if (kill_server) {
        waitpid(server, NULL, 0);
        server = start_server();
    }
    struct gateway *g = open_client();
    enum status status = up ? gateway_put(g, &content, in_folder("content"), NULL)
                            : gateway_get(g, &content, in_folder("back"), NULL);
    if (status != OK) fatal("%s", gateway_problem(g));
    uint64_t second = gateway_traffic(g);
    uint64_t uncut = up ? uncut_up : uncut_down;
    printf("%-34s %.1f + %.1f MiB, uncut %.1f: %.2f %% sent again\n", what,
           (double)*first / 1048576, (double)second / 1048576, (double)uncut / 1048576,
           100 * ((double)(*first + second) - (double)uncut) / (double)content.size);
    fflush(stdout);
    gateway_close(g);
    stop(server);
    munmap(first, sizeof *first);
}

static void make_content(uint64_t mib)
{
    int fd = open(in_folder("content"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    uint8_t *block = must_alloc(1 << 20);
    for (uint64_t i = 0; i < mib; i++) {
        random_bytes(block, 1 << 20);
        if (write(fd, block, 1 << 20) != 1 << 20) fatal("writing the content");
    }
    free(block);
    close(fd);
    if (merkle_root_of_path(&content.root, &content.size, in_folder("content")) != OK)
        fatal("hashing the content");
}

int main(int argc, char **argv)
{
    snprintf(folder, sizeof folder, "%s/leasehold-bench-XXXXXX", argc > 2 ? argv[2] : "/dev/shm");
    if (!mkdtemp(folder)) fatal("making a folder in %s", folder);
    make_content(argc > 1 ? strtoull(argv[1], NULL, 10) : 1024);
    key_generate(&renter);
    if (tls_identity_create(in_folder("tls.key"), in_folder("tls.crt")) != OK) fatal("the key");
    SSL_CTX *tls = tls_context_create(true);
    if (tls_identity_load(tls, &key_hash, in_folder("tls.key"), in_folder("tls.crt")) != OK)
        fatal("loading the key");
    SSL_CTX_free(tls);
    compare();
    measure_cut("upload, client killed", true, false);
    measure_cut("upload, worker killed", true, true);
    measure_cut("download, client killed", false, false);
    measure_cut("download, worker killed", false, true);
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return run(command);
}
