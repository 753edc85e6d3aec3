#include "net/net_address.h"

#include "base/hex.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define IPV4_BITS_BEFORE 96 /* ::ffff:0:0/96 */
#define ID_DIGITS        64

static const uint8_t IPV4_PREFIX[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool net_address_is_ipv4(const struct net_address *a)
{
    return memcmp(a->ip, IPV4_PREFIX, sizeof(IPV4_PREFIX)) == 0;
}

static bool in_prefix(const uint8_t ip[16], const uint8_t prefix[16], unsigned bits)
{
    assert(bits <= 128);
    if (memcmp(ip, prefix, bits / 8) != 0) return false;
    return bits % 8 == 0 || (ip[bits / 8] ^ prefix[bits / 8]) >> (8 - bits % 8) == 0;
}

bool net_address_is_loopback(const struct net_address *a)
{
    static const uint8_t ONE[16] = {[15] = 1};
    if (net_address_is_ipv4(a)) return a->ip[12] == 127;
    return memcmp(a->ip, ONE, sizeof(ONE)) == 0;
}

struct range {
    uint8_t ip[16];
    uint8_t bits;
    bool never; /* not even in a private network */
};

#define V4(a, b, c, bits, never)                                                                   \
    {                                                                                              \
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, 0}, IPV4_BITS_BEFORE + (bits), never   \
    }
#define V6(a, b, c, d, bits, never)                                                                \
    {                                                                                              \
        {a, b, c, d}, bits, never                                                                  \
    }

/* IANA's special-purpose address registries, as of RFC 9637. */
static const struct range SPECIAL[] = {
    V4(0, 0, 0, 8, true),                  /* this network */
    V4(10, 0, 0, 8, false),                /* private */
    V4(100, 64, 0, 10, false),             /* shared by carriers */
    V4(127, 0, 0, 8, false),               /* loopback */
    V4(169, 254, 0, 16, false),            /* link-local */
    V4(172, 16, 0, 12, false),             /* private */
    V4(192, 0, 0, 24, false),              /* protocol assignments */
    V4(192, 0, 2, 24, false),              /* documentation */
    V4(192, 168, 0, 16, false),            /* private */
    V4(198, 18, 0, 15, false),             /* benchmarks */
    V4(198, 51, 100, 24, false),           /* documentation */
    V4(203, 0, 113, 24, false),            /* documentation */
    V4(224, 0, 0, 3, true),                /* multicast, reserved, broadcast */
    V6(0x20, 0x01, 0, 0, 23, false),       /* protocol assignments, Teredo */
    V6(0x20, 0x01, 0x0d, 0xb8, 32, false), /* documentation */
    V6(0x20, 0x02, 0, 0, 16, false),       /* 6to4: an IPv4 address has 2^80 of them */
    V6(0x3f, 0xff, 0, 0, 20, false),       /* documentation */
    V6(0xff, 0, 0, 0, 8, true),            /* multicast */
};

static bool is_unspecified(const struct net_address *a)
{
    static const uint8_t ZERO[16];
    return memcmp(a->ip, ZERO, sizeof(ZERO)) == 0;
}

bool net_address_is_routable(const struct net_address *a, bool allow_private)
{
    static const uint8_t GLOBAL[16] = {0x20}; /* 2000::/3 */
    if (a->port == 0 || is_unspecified(a)) return false;
    for (size_t i = 0; i < sizeof(SPECIAL) / sizeof(SPECIAL[0]); i++) {
        if (!in_prefix(a->ip, SPECIAL[i].ip, SPECIAL[i].bits)) continue;
        if (SPECIAL[i].never || !allow_private) return false;
    }
    return allow_private || net_address_is_ipv4(a) || in_prefix(a->ip, GLOBAL, 3);
}

struct net_group net_address_prefix(const struct net_address *a, unsigned bits4, unsigned bits6)
{
    unsigned bits = net_address_is_ipv4(a) ? IPV4_BITS_BEFORE + bits4 : bits6;
    struct net_group g = {{(uint8_t)bits}};
    assert(bits4 <= 32 && bits6 <= 128 && bits % 8 == 0);
    memcpy(g.b + 1, a->ip, bits / 8);
    return g;
}

struct net_group net_address_group(const struct net_address *a)
{
    return net_address_prefix(a, 16, 32);
}

bool net_group_equal(const struct net_group *a, const struct net_group *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static enum status port_from_text(uint16_t *out, const char *text)
{
    uint32_t port = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != 0 || text[0] == '0') return E_MALFORMED;
    for (size_t i = 0; i < digits; i++)
        port = port * 10 + (uint32_t)(text[i] - '0');
    if (port > UINT16_MAX) return E_MALFORMED;
    *out = (uint16_t)port;
    return OK;
}

static enum status ip_from_text(uint8_t out[16], const char *text, size_t size)
{
    char copy[INET6_ADDRSTRLEN];
    bool brackets = size > 2 && text[0] == '[' && text[size - 1] == ']';
    if (brackets) {
        text++;
        size -= 2;
    }
    if (size >= sizeof(copy)) return E_MALFORMED;
    memcpy(copy, text, size);
    copy[size] = 0;
    if (brackets) return inet_pton(AF_INET6, copy, out) == 1 ? OK : E_MALFORMED;
    memcpy(out, IPV4_PREFIX, sizeof(IPV4_PREFIX));
    return inet_pton(AF_INET, copy, out + sizeof(IPV4_PREFIX)) == 1 ? OK : E_MALFORMED;
}

static enum status id_from_text(struct hash *out, const char *text, size_t size)
{
    char digits[2 + ID_DIGITS + 1];
    if (size != ID_DIGITS) return E_MALFORMED;
    snprintf(digits, sizeof(digits), "0x%.*s", ID_DIGITS, text);
    return hash_from_text(out, bytes_of_text(digits));
}

enum status wire_peer_from_text(struct wire_peer *out, const char *text)
{
    struct wire_peer p = {0};
    const char *at = strchr(text, '@');
    if (at) {
        enum status status = id_from_text(&p.id, text, (size_t)(at - text));
        if (status != OK) return E_MALFORMED;
        text = at + 1;
    }
    const char *colon = strrchr(text, ':');
    if (!colon) return E_MALFORMED;
    enum status status = ip_from_text(p.address.ip, text, (size_t)(colon - text));
    if (status == OK) status = port_from_text(&p.address.port, colon + 1);
    if (status != OK) return status;
    *out = p;
    return OK;
}

void net_address_to_text(char out[NET_ADDRESS_TEXT_SIZE], const struct net_address *a)
{
    char ip[INET6_ADDRSTRLEN];
    bool ipv4 = net_address_is_ipv4(a);
    const void *from = ipv4 ? a->ip + sizeof(IPV4_PREFIX) : a->ip;
    const char *text = inet_ntop(ipv4 ? AF_INET : AF_INET6, from, ip, sizeof(ip));
    assert(text);
    snprintf(out, NET_ADDRESS_TEXT_SIZE, ipv4 ? "%s:%u" : "[%s]:%u", text, a->port);
}
