#include "wallet/job_submit.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/units.h"
#include "wallet/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SUBMIT_GAS_EXTRA 1500000u /* a worker may come free after the estimate */

int submit_check_funds(struct session *s, struct progress *p, struct u256 total)
{
    struct u256 balance;
    char have[AMOUNT_TEXT_SIZE];
    char need[AMOUNT_TEXT_SIZE];
    enum status status =
        rpc_call_u256(s->rpc, &balance, "eth_getBalance",
                      json_pack("[o,s]", abi_address(&s->sender.address), "latest"));
    if (status != OK) return fail_rpc(s, status, "asking for the balance");
    amount_to_text(have, balance);
    amount_to_text(need, total);
    if (u256_compare(balance, total) < 0)
        return fail(s, CODE_REFUSED,
                    "%s has %s and the job locks %s, plus fees; send money there, "
                    "or lower --replicas, --max-price or the seconds in job.json",
                    session_name(s, &s->sender.address), have, need);
    amount_to_short(have, balance);
    amount_to_short(need, total);
    progress_stage(p, &(struct stage){.name = "funded"}, "%s has %s, the job locks %s",
                   session_name(s, &s->sender.address), have, need);
    return CODE_DONE;
}

int submit_order(struct session *s, struct progress *p, const struct job_order *o,
                 struct job_record *record)
{
    struct tx_receipt receipt = {0};
    char hash[67];
    char total[AMOUNT_TEXT_SIZE];
    progress_waiting(p, "submitting");
    progress_tick(p);
    s->sender.gas_extra = SUBMIT_GAS_EXTRA;
    int code = session_send(s, &receipt, CONTRACT_JOBS, "submit",
                            json_pack("[o]", order_spec(s, o)), o->total);
    s->sender.gas_extra = 0;
    if (code == CODE_DONE) {
        json_t *events = contract_receipt_events(&receipt);
        const json_t *args = contract_event_args(events, "JobSubmitted");
        record->job = abi_get_u64(args, "job");
        record->submitted_block = receipt.block_number;
        json_decref(events);
        hash_to_text(hash, &receipt.hash);
        amount_to_short(total, o->total);
        progress_stage(p, &(struct stage){"submitted", receipt.block_number, hash},
                       "job %llu, %s locked", (unsigned long long)record->job, total);
    }
    tx_receipt_finish(&receipt);
    return code;
}

int submit_keep(struct session *s, struct job_order *o, struct job_record *record,
                const char *records)
{
    char tar[PATH_MAX];
    record->bundle_root = o->bundle.root;
    record->bundle_size = o->bundle.size_bytes;
    snprintf(record->folder, sizeof record->folder, "%s", o->folder);
    int size = snprintf(record->directory, sizeof record->directory, "%.4000s/%llu", records,
                        (unsigned long long)record->job);
    int more = snprintf(tar, sizeof tar, "%.4060s/bundle.tar", record->directory);
    if (size >= PATH_MAX || more >= PATH_MAX) return fail(s, CODE_FAILED, "the path is too long");
    if (directory_make(record->directory, 0700) != OK || rename(o->tar_path, tar) != 0)
        return fail(s, CODE_FAILED, "cannot write %s: %s", record->directory, strerror(errno));
    snprintf(o->tar_path, sizeof o->tar_path, "%s", "");
    return CODE_DONE;
}
