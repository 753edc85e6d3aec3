/* tx-maker - signed transfers for measuring nodes: the same file for every node that is compared.
 *
 *   tx-maker CHAIN_ID ACCOUNTS EACH DIR
 *
 * DIR/alloc.json    the accounts with a balance, as a genesis file's "alloc"
 * DIR/addresses     one address a line
 * DIR/transactions  ACCOUNTS * EACH raw transactions, hex, one a line: everybody's first, then
 *                   everybody's second ...; 1 wei each, to an address of its own, type 2
 *
 * The keys follow from their number, so the same call makes the same files. */
#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "chain/tx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNTS_MAX 16000
#define EACH_MAX     64
#define MAX_FEE_WEI  100000000000 /* 100 gwei: good for a while of full blocks */
#define TIP_WEI      1000000000

struct maker {
    uint64_t chain_id, accounts, each;
    const char *dir;
    struct key *keys;
};

static struct key key_of(uint64_t number)
{
    uint8_t text[16] = "transfers";
    struct key key;
    store_be32(text + 12, (uint32_t)number);
    struct hash secret = keccak256(bytes_of(text, sizeof text));
    if (key_from_bytes(&key, hash_bytes(&secret)) != OK) fatal("making a key");
    return key;
}

static FILE *open_file(const struct maker *m, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", m->dir, name);
    FILE *file = fopen(path, "w");
    if (file == NULL) fatal("writing %s: %s", path, strerror(errno));
    return file;
}

static void close_file(FILE *file)
{
    if (fclose(file) != 0) fatal("writing: %s", strerror(errno));
}

static void write_accounts(const struct maker *m)
{
    FILE *alloc = open_file(m, "alloc.json");
    FILE *list = open_file(m, "addresses");
    fprintf(alloc, "{");
    for (uint64_t i = 0; i < m->accounts; i++) {
        char text[43];
        struct address a = key_address(&m->keys[i]);
        address_to_text(text, &a);
        fprintf(alloc, "%s\"%s\":{\"balance\":\"100000000000000000000\"}", i > 0 ? "," : "", text);
        fprintf(list, "%s\n", text);
    }
    fprintf(alloc, "}\n");
    close_file(alloc);
    close_file(list);
}

static void write_one(const struct maker *m, FILE *file, uint64_t account, uint64_t nonce)
{
    struct tx tx = {.type = TX_DYNAMIC_FEE,
                    .has_chain_id = true,
                    .chain_id = m->chain_id,
                    .nonce = nonce,
                    .gas_limit = 21000,
                    .max_fee_per_gas = u256_from_u64(MAX_FEE_WEI),
                    .max_priority_fee_per_gas = u256_from_u64(TIP_WEI),
                    .value = u256_from_u64(1)};
    struct buffer wire = {0}, text = {0};
    store_be64(tx.to.b + 12, 0x100000000 + account * EACH_MAX + nonce);
    tx_sign(&tx, &m->keys[account]);
    tx_encode(&wire, &tx);
    hex_append(&text, buffer_bytes(&wire));
    fprintf(file, "%s\n", buffer_text(&text));
    buffer_finish(&wire);
    buffer_finish(&text);
}

static uint64_t number_of(const char *text, uint64_t most)
{
    char *end;
    uint64_t n = strtoull(text, &end, 10);
    if (*end == 0 && n > 0 && n <= most) return n;
    fprintf(stderr, "tx-maker: want a number from 1 to %llu, not \"%s\"\n",
            (unsigned long long)most, text);
    exit(64);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: tx-maker CHAIN_ID ACCOUNTS EACH DIR\n");
        return 64;
    }
    struct maker m = {number_of(argv[1], INT64_MAX), number_of(argv[2], ACCOUNTS_MAX),
                      number_of(argv[3], EACH_MAX), argv[4], NULL};
    m.keys = must_alloc(m.accounts * sizeof *m.keys);
    for (uint64_t i = 0; i < m.accounts; i++)
        m.keys[i] = key_of(i);
    write_accounts(&m);
    FILE *file = open_file(&m, "transactions");
    for (uint64_t nonce = 0; nonce < m.each; nonce++)
        for (uint64_t i = 0; i < m.accounts; i++)
            write_one(&m, file, i, nonce);
    close_file(file);
    free(m.keys);
    return 0;
}
