/* net_address.h - where a node can be dialled: kinds of addresses, groups, text.
 *
 * An address's group is what one owner gets cheaply many of: /16 of IPv4, /32 of IPv6. Limits
 * against one attacker count groups and not addresses. Pure; any thread. */
#ifndef LEASEHOLD_NET_NET_ADDRESS_H
#define LEASEHOLD_NET_NET_ADDRESS_H

#include "net/wire.h"

#define NET_ADDRESS_TEXT_SIZE 64
#define NET_GROUP_SIZE        17

bool net_address_is_ipv4(const struct net_address *a); /* ::ffff:0:0/96 */
bool net_address_is_loopback(const struct net_address *a);
/* Can be dialled from anywhere: a port and a global unicast address. Not loopback, private, shared,
 * link-local, documentation, multicast, reserved or tunnelled ones (IANA's special-purpose
 * registries, RFC 6890). With allow_private all but port 0, "any", multicast and reserved ones. */
bool net_address_is_routable(const struct net_address *a, bool allow_private);

/* Inline, since every look-up in a table asks. */
static inline bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
    return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 && a->port == b->port;
}

/* The first bits of the address, the rest zero, behind the number of bits. */
struct net_group {
    uint8_t b[NET_GROUP_SIZE];
};
struct net_group net_address_group(const struct net_address *a);
/* bits4 of an IPv4 address, bits6 of another: for other limits than the group's. */
struct net_group net_address_prefix(const struct net_address *a, unsigned bits4, unsigned bits6);
bool net_group_equal(const struct net_group *a, const struct net_group *b);

/* "1.2.3.4:30333", "[::1]:30333"; with an id in front: "<64 hex>@1.2.3.4:30333"; without: id zero.
 * Port 1 to 65535. Names are not resolved. E_MALFORMED. */
MUST_CHECK enum status wire_peer_from_text(struct wire_peer *out, const char *text);
void net_address_to_text(char out[NET_ADDRESS_TEXT_SIZE], const struct net_address *a);

#endif
