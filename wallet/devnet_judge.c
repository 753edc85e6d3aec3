/* The judges that sit beside the network's validators. */
#include "wallet/devnet.h"

#include "base/hex.h"
#include "wallet/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define START_MS 20000u
#define STEP_MS  20u
#define END_MS   8000u

/* Ready once the chain has named its key. */
static int await_judge(struct session *s, struct devnet *d, size_t index)
{
    struct process *p = &d->nodes[index].judge.process;
    char ready[PATH_MAX], log[PATH_MAX];
    devnet_path(ready, d, "judge-%zu/judge.json", index + 1);
    devnet_path(log, d, "judge-%zu.log", index + 1);
    for (uint32_t waited = 0; waited < START_MS; waited += STEP_MS) {
        if (!process_alive(p)) break;
        if (access(ready, R_OK) == 0) return CODE_DONE;
        if (!devnet_wait_a_step()) break;
    }
    process_end(p, END_MS);
    return devnet_log_tail(s, "leasehold-worker judge", log);
}

static int launch_judge(struct session *s, struct devnet *d, size_t index)
{
    struct devnet_judge *j = &d->nodes[index].judge;
    char program[PATH_MAX], data[PATH_MAX], key[PATH_MAX], password[PATH_MAX], log[PATH_MAX];
    char ready[PATH_MAX], urls[DEVNET_URLS_SIZE], operator_text[43], name[24];
    int code = devnet_key_path(s, key, d, &j->key);
    if (code == CODE_DONE) code = devnet_find_program(s, program, "leasehold-worker");
    if (code != CODE_DONE) return code;
    snprintf(name, sizeof name, "judge-%zu", index + 1);
    devnet_path(data, d, "%s", name);
    devnet_path(log, d, "%s.log", name);
    devnet_path(ready, d, "%s/judge.json", name);
    devnet_path(password, d, "password");
    devnet_urls(urls, d, index); /* its own validator's node first */
    address_to_text(operator_text, &d->nodes[index].operator_address);
    char *argv[] = {program,
                    (char[]){"judge"},
                    (char[]){"--data-dir"},
                    data,
                    (char[]){"--rpc"},
                    urls,
                    (char[]){"--operator"},
                    operator_text,
                    (char[]){"--judge-key"},
                    key,
                    (char[]){"--password-file"},
                    password,
                    (char[]){"--fault"},
                    j->fault,
                    NULL};
    unlink(ready);
    if (process_start(&j->process, name, argv, log) != OK)
        return fail(s, CODE_FAILED, "cannot start %s: %s", program, strerror(errno));
    return CODE_DONE;
}

int devnet_start_judges(struct session *s, struct devnet *d)
{
    int code = CODE_DONE;
    for (size_t i = 0; i < d->node_count && code == CODE_DONE; i++) {
        struct devnet_judge *j = &d->nodes[i].judge;
        if (!address_is_zero(&j->key) && !process_alive(&j->process)) code = launch_judge(s, d, i);
    }
    if (code == CODE_DONE) code = devnet_save(s, d);
    for (size_t i = 0; i < d->node_count && code == CODE_DONE; i++)
        if (!address_is_zero(&d->nodes[i].judge.key)) code = await_judge(s, d, i);
    return code;
}

int devnet_start_judge(struct session *s, struct devnet *d, size_t index)
{
    int code = launch_judge(s, d, index);
    if (code == CODE_DONE) code = devnet_save(s, d);
    return code == CODE_DONE ? await_judge(s, d, index) : code;
}
