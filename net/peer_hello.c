#include "base/keccak.h"
#include "net/monotonic.h"
#include "net/peer.h"

#include <assert.h>

#define PROOF_DOMAIN "Leasehold peer v1"

struct hash peers_proof_digest(uint64_t chain_id, const struct hash *id, const uint8_t exporter[32])
{
    struct keccak k;
    uint8_t chain[8];
    store_be64(chain, chain_id);
    keccak_init(&k);
    keccak_update(&k, bytes_of_text(PROOF_DOMAIN));
    keccak_update(&k, bytes_of(chain, sizeof chain));
    keccak_update(&k, hash_bytes(id));
    keccak_update(&k, bytes_of(exporter, 32));
    return keccak_finish(&k);
}

/* False: TLS has no exporter to give, which only a broken connection explains. */
static bool digest_of(struct hash *out, const struct peer *p, const struct hash *signer)
{
    uint8_t exporter[32];
    if (tls_exporter(exporter, p->tls) != OK) return false;
    *out = peers_proof_digest(p->owner->chain_id, signer, exporter);
    return true;
}

static void send_hello(struct peer *p)
{
    const struct peers *owner = p->owner;
    struct wire_hello hello = {.version = WIRE_VERSION,
                               .chain_id = owner->chain_id,
                               .genesis = owner->genesis,
                               .address = owner->advertised};
    struct hash digest;
    struct buffer payload = {0};
    if (owner->handlers.head != NULL)
        owner->handlers.head(owner->handlers.context, &hello.epoch, &hello.number);
    if (owner->has_key && digest_of(&digest, p, &owner->own_id))
        hello.proof = key_sign(&owner->key, &digest);
    wire_hello_encode(&payload, &hello);
    (void)peer_send_bytes(p, WIRE_HELLO, buffer_bytes(&payload));
    buffer_finish(&payload);
}

static void close_self(struct peer *p)
{
    if (p->info.outgoing) peers_remember_own(p->owner, &p->info.dial);
    peer_close(p, NULL);
}

/* TLS has proved who is there; now whether to talk to them. */
void peer_greet(struct peer *p)
{
    struct peers *owner = p->owner;
    if (tls_peer_id(&p->info.id, p->tls) != OK) {
        peer_close(p, "no certificate");
        return;
    }
    bool expected = !p->demands_id || hash_equal(&p->expected_id, &p->info.id);
    if (hash_equal(&p->info.id, &owner->own_id)) {
        close_self(p);
    } else if (!expected) {
        peer_close(p, "another node id than expected");
    } else if (peers_refuses(owner, &p->info.id)) {
        p->settled = true; /* it is not the address's fault */
        peer_close(p, "refused by the operator");
    } else if (bans_has_id(owner->bans, &p->info.id, monotonic_ms())) {
        peer_close(p, "banned before");
    } else {
        p->phase = PEER_HELLO;
        send_hello(p);
    }
}

static const char *check_network(const struct peers *owner, const struct wire_hello *hello)
{
    if (hello->chain_id != owner->chain_id) return "another chain id";
    if (!hash_equal(&hello->genesis, &owner->genesis)) return "another genesis";
    return NULL;
}

/* False: it claims a proof, and that is none. */
static bool take_proof(struct peer *p, const struct signature *proof)
{
    static const struct signature NONE;
    struct hash digest;
    if (memcmp(proof->b, NONE.b, sizeof NONE.b) == 0) return true;
    if (!digest_of(&digest, p, &p->info.id)) return false;
    if (signature_recover(&p->info.validator, proof, &digest, true) != OK) return false;
    p->info.is_validator = true;
    return true;
}

static void take_address(struct peer *p, const struct net_address *claimed)
{
    static const uint8_t UNKNOWN[16];
    if (p->info.outgoing) return; /* known better: it was dialled */
    p->info.dial = *claimed;
    if (memcmp(claimed->ip, UNKNOWN, sizeof UNKNOWN) == 0)
        memcpy(p->info.dial.ip, p->info.remote.ip, sizeof UNKNOWN);
}

/* Where one that came by itself says it can be dialled. */
static void tell_book(const struct peer *p)
{
    struct wire_peer entry = {p->info.dial, p->info.id};
    if (p->info.outgoing || p->info.dial.port == 0) return;
    (void)book_add(p->owner->book, &entry, &p->info.remote, calendar_s());
}

static void open_peer(struct peer *p)
{
    static struct log_limit limit;
    struct peers *owner = p->owner;
    uint64_t now = monotonic_ms();
    p->phase = PEER_OPEN;
    p->opened = true;
    p->info.open_since_ms = now;
    p->ping_due_ms = now;
    p->ask_due_ms = now;
    if (log_admit(&limit))
        peer_log(p, LOG_INFO, p->info.is_validator ? "connected validator" : "connected", NULL);
    peers_set_anchors(owner);
    peers_tell_closed(owner); /* one node's end comes before its new beginning */
    owner->handlers.on_open(owner->handlers.context, &p->info);
    if (p->phase == PEER_OPEN) peer_check_time(p, monotonic_ms());
}

void peer_on_hello(struct peer *p, struct bytes payload)
{
    struct wire_hello hello;
    assert(p->phase == PEER_HELLO);
    enum status status = wire_hello_decode(&hello, payload);
    if (status == E_UNSUPPORTED) {
        peer_close(p, "another version of the protocol");
        return;
    }
    if (status != OK) {
        peer_charge(p, OFFENCE_MALFORMED, "malformed HELLO");
        return;
    }
    const char *problem = check_network(p->owner, &hello);
    if (problem != NULL) {
        peer_close(p, problem);
        return;
    }
    if (!take_proof(p, &hello.proof)) {
        peer_charge(p, OFFENCE_FORGED, "its validator proof does not hold");
        return;
    }
    p->info.claimed_epoch = hello.epoch;
    p->info.claimed_number = hello.number;
    take_address(p, &hello.address);
    tell_book(p);
    if (!peers_settle_duplicate(p->owner, p)) return;
    if (peers_make_place(p->owner, p))
        open_peer(p);
    else
        peer_close(p, "no place is free");
}
