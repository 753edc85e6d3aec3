/* sockets.h - TCP sockets that never wait, and addresses as the system has them.
 *
 * Listening addresses are an IP address and a port: names would need a resolver, which can block or
 * lie. Any thread. */
#ifndef LEASEHOLD_NET_SOCKETS_H
#define LEASEHOLD_NET_SOCKETS_H

#include "net/net_address.h"

/* "0.0.0.0:30333", "[::1]:0". False: neither. */
bool listen_address_from_text(struct net_address *out, const char *text);

/* On failure -1, with errno. Descriptors are closed on exec. */
int socket_listen(const struct net_address *on);
uint16_t socket_port(int fd); /* 0: cannot be told */
/* The connection may still be under way. */
int socket_dial(const struct net_address *to);
/* Whether it came about: 0, or the error's number. */
int socket_error(int fd);
int socket_accept(struct net_address *out_from, int listener);
/* No waiting for more to send; and of what was written little may wait in the kernel, so that what
 * is more urgent is not behind it. */
void socket_tune(int fd);

#endif
