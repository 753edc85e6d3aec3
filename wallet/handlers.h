/* handlers.h - the functions behind the command table. Each returns an exit code. */
#ifndef LEASEHOLD_WALLET_HANDLERS_H
#define LEASEHOLD_WALLET_HANDLERS_H

#include "wallet/session.h"

int account_new(struct session *s);
int account_import(struct session *s);
int account_export(struct session *s);
int account_list(struct session *s);
int show_balance(struct session *s);
int send_money(struct session *s);
int provider_register(struct session *s);
int provider_set_gpu(struct session *s);
int provider_offer(struct session *s);
int provider_stake(struct session *s);
int provider_status(struct session *s);
int provider_unregister(struct session *s);
int provider_withdraw(struct session *s);
int stake_join(struct session *s);
int stake_change_key(struct session *s);
int stake_delegate(struct session *s);
int stake_undelegate(struct session *s);
int stake_redelegate(struct session *s);
int stake_withdraw(struct session *s);
int stake_unjail(struct session *s);
int stake_status(struct session *s);
int list_validators(struct session *s);
int gpu_list(struct session *s);
int job_run(struct session *s);
int job_check(struct session *s);
int job_resume(struct session *s);
int job_list(struct session *s);
int job_show(struct session *s);
int job_fetch(struct session *s);
int job_cancel(struct session *s);
int job_challenge(struct session *s);
int job_appeal(struct session *s);
int job_accept(struct session *s);
int job_object(struct session *s);
int job_demand(struct session *s);
int provider_queue(struct session *s);
int devnet_up(struct session *s);
int devnet_down(struct session *s);
int devnet_status(struct session *s);
int devnet_env(struct session *s);
int devnet_kill(struct session *s);
int devnet_restart(struct session *s);
int devnet_partition(struct session *s);
int devnet_heal(struct session *s);
int devnet_fault(struct session *s);
int show_completion(struct session *s);
int show_version(struct session *s);
int show_help(struct session *s);

#endif
