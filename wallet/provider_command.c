#include "base/hex.h"
#include "base/units.h"
#include "wallet/handlers.h"
#include "wallet/offers.h"
#include "wallet/output.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct u256 ZERO = {{0, 0, 0, 0}};

int provider_register(struct session *s)
{
    const char *endpoint = s->in->values[OPTION_ENDPOINT];
    const char *hash_text = s->in->values[OPTION_TLS_KEY_HASH];
    const char *worker_text = s->in->values[OPTION_WORKER_KEY];
    const char *region = s->in->values[OPTION_REGION];
    struct hash tls_key_hash;
    struct address worker;
    struct u256 stake;
    if (endpoint == NULL || strchr(endpoint, ':') == NULL)
        return fail(s, CODE_USAGE,
                    "--endpoint HOST:PORT is needed: where renters reach the worker; not %.60s",
                    endpoint != NULL ? endpoint : "nothing");
    if (hash_text == NULL || hash_from_text(&tls_key_hash, bytes_of_text(hash_text)) != OK)
        return fail(s, CODE_USAGE,
                    "--tls-key-hash 0x... (64 digits) is needed, not %.80s; leasehold-worker "
                    "init prints it",
                    hash_text != NULL ? hash_text : "nothing");
    if (worker_text == NULL)
        return fail(s, CODE_USAGE, "--worker-key ADDRESS is needed: the hot key's account");
    int code = session_address(s, &worker, worker_text);
    if (code == CODE_DONE) code = option_amount(s, &stake, OPTION_STAKE);
    if (code != CODE_DONE) return code;
    json_t *args = json_pack("[s,o,s,o]", endpoint, abi_hash(&tls_key_hash),
                             region != NULL ? region : "", abi_address(&worker));
    return session_act(s, CONTRACT_PROVIDERS, "register", args, stake, "registered");
}

int provider_set_gpu(struct session *s)
{
    const char *model = s->in->values[OPTION_MODEL];
    const char *runtime = s->in->values[OPTION_RUNTIME];
    uint64_t index, vram, count, capability;
    uint8_t runtimes = runtimes_from_text(runtime != NULL ? runtime : "cuda-c");
    if (model == NULL) return fail(s, CODE_USAGE, "--model is needed: the GPU's name, or cpu");
    if (runtimes == 0)
        return fail(s, CODE_USAGE, "--runtime: cuda-c, cuda-c-fast and exec are known, not %.40s",
                    runtime);
    int code = option_number(s, &index, OPTION_INDEX, 0, UINT8_MAX);
    if (code == CODE_DONE) code = option_number(s, &vram, OPTION_VRAM, 0, UINT32_MAX);
    if (code == CODE_DONE) code = option_number(s, &count, OPTION_SLOTS, 1, UINT16_MAX);
    if (code == CODE_DONE) code = option_capability(s, &capability);
    if (code != CODE_DONE) return code;
    json_t *args = json_pack("[o,s,o,o,o,i]", abi_u64(index), model, abi_u64(vram), abi_u64(count),
                             abi_u64(capability), (int)runtimes);
    return session_act(s, CONTRACT_PROVIDERS, "setGpu", args, ZERO, "GPU entry set");
}

int provider_offer(struct session *s)
{
    uint64_t index, least, most;
    struct u256 price = ZERO;
    bool open = !option_on(s->in, OPTION_CLOSED);
    struct address me;
    int code = option_number(s, &index, OPTION_INDEX, 0, UINT8_MAX);
    if (code == CODE_DONE) code = option_number(s, &least, OPTION_MIN_SECONDS, 1, UINT32_MAX);
    if (code == CODE_DONE) code = option_number(s, &most, OPTION_MAX_SECONDS, 3600, UINT32_MAX);
    if (code == CODE_DONE && (open || s->in->values[OPTION_PRICE] != NULL))
        code = option_amount(s, &price, OPTION_PRICE);
    if (code == CODE_DONE) code = session_own_address(s, &me);
    if (code == CODE_DONE && u256_is_zero(price)) { /* closing keeps the price that stands there */
        json_t *gpu = NULL;
        code = session_connect(s);
        if (code == CODE_DONE)
            code = session_call(s, &gpu, CONTRACT_PROVIDERS, "gpu",
                                json_pack("[o,o]", abi_address(&me), abi_u64(index)));
        if (code == CODE_DONE) price = abi_get_u256(gpu, "pricePerSecond");
        json_decref(gpu);
    }
    if (code != CODE_DONE) return code;
    json_t *args = json_pack("[o,o,o,o,b]", abi_u64(index), abi_u256(price), abi_u64(least),
                             abi_u64(most), open ? 1 : 0);
    return session_act(s, CONTRACT_PROVIDERS, "setOffer", args, ZERO,
                       open ? "offer open" : "offer closed");
}

int provider_stake(struct session *s)
{
    struct u256 amount;
    if (amount_from_text(&amount, s->in->words[0]) != OK)
        return fail(s, CODE_USAGE, "%.60s is no amount; write 100 LSH", s->in->words[0]);
    return session_act(s, CONTRACT_PROVIDERS, "addStake", json_array(), amount, "stake added");
}

int provider_unregister(struct session *s)
{
    return session_act(s, CONTRACT_PROVIDERS, "unregister", json_array(), ZERO,
                       "leaving; after the unbonding time: leasehold provider withdraw");
}

/* ---- withdraw ---- */

static int complete_if_mature(struct session *s, json_t *done)
{
    json_t *provider = NULL;
    struct tx_receipt r = {0};
    int code = session_call(s, &provider, CONTRACT_PROVIDERS, "provider",
                            json_pack("[o]", abi_address(&s->sender.address)));
    if (code != CODE_DONE) return code;
    uint64_t leaves_at = abi_get_u64(provider, "leavesAt");
    bool mature = abi_get_u64(provider, "status") == 2 && leaves_at <= (uint64_t)time(NULL) &&
                  u256_is_zero(abi_get_u256(provider, "reserved"));
    json_decref(provider);
    if (!mature) return CODE_DONE;
    code = session_send(s, &r, CONTRACT_PROVIDERS, "complete",
                        json_pack("[o]", abi_address(&s->sender.address)), ZERO);
    if (code == CODE_DONE) json_array_append_new(done, json_string("unbonding completed"));
    tx_receipt_finish(&r);
    return code;
}

static int withdraw_from(struct session *s, json_t *done, enum contract_id id)
{
    struct u256 credit;
    struct tx_receipt r = {0};
    char line[200];
    char amount[AMOUNT_TEXT_SIZE];
    int code = session_call_u256(s, &credit, id, "credit",
                                 json_pack("[o]", abi_address(&s->sender.address)));
    if (code != CODE_DONE || u256_is_zero(credit)) return code;
    code = session_send(s, &r, id, "withdraw", json_array(), ZERO);
    tx_receipt_finish(&r);
    if (code != CODE_DONE) return code;
    amount_to_text(amount, credit);
    snprintf(line, sizeof line, "%s from %s", amount, contract_name(id));
    json_array_append_new(done, json_string(line));
    return CODE_DONE;
}

int provider_withdraw(struct session *s)
{
    json_t *done = json_array();
    int code = session_unlock(s);
    if (code == CODE_DONE) code = complete_if_mature(s, done);
    if (code == CODE_DONE) code = withdraw_from(s, done, CONTRACT_JOBS);
    if (code == CODE_DONE) code = withdraw_from(s, done, CONTRACT_PROVIDERS);
    if (code == CODE_DONE && s->json) print_json(json_pack("{s:O}", "withdrawn", done));
    if (code == CODE_DONE && !s->json) {
        for (size_t i = 0; i < json_array_size(done); i++)
            printf("%s\n", json_string_value(json_array_get(done, i)));
        if (json_array_size(done) == 0) printf("nothing to withdraw yet\n");
    }
    json_decref(done);
    return code;
}

/* ---- status ---- */

static int fetch_gpus(struct session *s, json_t *provider, const struct address *a)
{
    uint64_t count = abi_get_u64(provider, "gpus");
    json_t *list = json_array();
    int code = CODE_DONE;
    for (uint64_t i = 0; i < count && code == CODE_DONE; i++) {
        json_t *gpu = NULL;
        code = session_call(s, &gpu, CONTRACT_PROVIDERS, "gpu",
                            json_pack("[o,o]", abi_address(a), abi_u64(i)));
        if (code == CODE_DONE) json_array_append_new(list, gpu);
    }
    json_object_set_new(provider, "gpuEntries", list);
    return code;
}

static int fetch_jobs(struct session *s, json_t *provider, const struct address *a)
{
    json_t *answer = NULL;
    int code =
        session_call(s, &answer, CONTRACT_JOBS, "activeJobs", json_pack("[o]", abi_address(a)));
    if (code == CODE_DONE) json_object_set(provider, "activeJobs", json_object_get(answer, "0"));
    json_decref(answer);
    return code;
}

static int fetch_credit(struct session *s, json_t *provider, const struct address *a)
{
    struct u256 earned;
    struct u256 back;
    int code =
        session_call_u256(s, &earned, CONTRACT_JOBS, "credit", json_pack("[o]", abi_address(a)));
    if (code == CODE_DONE)
        code = session_call_u256(s, &back, CONTRACT_PROVIDERS, "credit",
                                 json_pack("[o]", abi_address(a)));
    if (code == CODE_DONE) json_set_amount(provider, "credit", u256_add(earned, back));
    return code;
}

static void print_gpus(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *g = json_array_get(list, i);
        char price[AMOUNT_TEXT_SIZE];
        char runtimes[40];
        amount_to_short(price, abi_get_u256(g, "pricePerSecond"));
        runtimes_to_text(runtimes, (uint8_t)abi_get_u64(g, "runtimes"));
        printf("GPU %zu      %s, %llu MiB, %llu of %llu busy, %s, %s/s, %s\n", i,
               abi_get_text(g, "model"), (unsigned long long)abi_get_u64(g, "vramMiB"),
               (unsigned long long)abi_get_u64(g, "busy"),
               (unsigned long long)abi_get_u64(g, "count"), runtimes, price,
               abi_get_bool(g, "open") ? "open" : "closed");
    }
}

static void print_provider(const json_t *p, const char *name)
{
    static const char *const statuses[] = {"not registered", "active", "leaving"};
    const json_t *r = abi_get(p, "record");
    char stake[AMOUNT_TEXT_SIZE];
    char reserved[AMOUNT_TEXT_SIZE];
    char earned[AMOUNT_TEXT_SIZE];
    uint64_t status = abi_get_u64(p, "status");
    amount_to_short(stake, abi_get_u256(p, "stake"));
    amount_to_short(reserved, abi_get_u256(p, "reserved"));
    amount_to_short(earned, abi_get_u256(r, "earned"));
    if (status == 0) {
        printf("provider   %s (not registered)\n", name);
        return;
    }
    char leaving[64] = "";
    char when[32];
    time_to_text(when, abi_get_u64(p, "leavesAt"), (uint64_t)time(NULL));
    if (status == 2) snprintf(leaving, sizeof leaving, "; its stake is free %s", when);
    printf(
        "provider   %s (%s%s)\nworker key %s\nendpoint   %s\nstake      %s, of it %s at risk now\n",
        name, status < 3 ? statuses[status] : "?", leaving, abi_get_text(p, "worker"),
        abi_get_text(p, "endpoint"), stake, reserved);
    print_gpus(abi_get(p, "gpuEntries"));
    char credit[AMOUNT_TEXT_SIZE];
    amount_to_short(credit, abi_get_u256(p, "creditWei"));
    printf("running    %zu jobs\nto take    %s\n", json_array_size(abi_get(p, "activeJobs")),
           credit);
    printf("record     %llu completed, %llu agreed, %llu faulted, %llu timed out, %llu declined; "
           "%llu s served, %s earned\n",
           (unsigned long long)abi_get_u64(r, "completed"),
           (unsigned long long)abi_get_u64(r, "agreed"),
           (unsigned long long)abi_get_u64(r, "faulted"),
           (unsigned long long)abi_get_u64(r, "timedOut"),
           (unsigned long long)abi_get_u64(r, "declined"),
           (unsigned long long)abi_get_u64(r, "secondsServed"), earned);
}

int provider_status(struct session *s)
{
    struct address a;
    json_t *provider = NULL;
    int code = s->in->word_count > 0 ? session_address(s, &a, s->in->words[0])
                                     : session_own_address(s, &a);
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE)
        code = session_call(s, &provider, CONTRACT_PROVIDERS, "provider",
                            json_pack("[o]", abi_address(&a)));
    if (code != CODE_DONE) return code;
    json_object_set_new(provider, "address", abi_address(&a));
    code = fetch_gpus(s, provider, &a);
    if (code == CODE_DONE) code = fetch_jobs(s, provider, &a);
    if (code == CODE_DONE) code = fetch_credit(s, provider, &a);
    if (code == CODE_DONE && s->json) print_json(json_incref(provider));
    if (code == CODE_DONE && !s->json) print_provider(provider, session_name(s, &a));
    json_decref(provider);
    return code;
}
