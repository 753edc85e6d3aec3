/* limits.h - every bound on what a stranger's connection can make this node hold.
 *
 * Worst case in memory: connections x body, plus one parsed body. */
#ifndef LEASEHOLD_NET_LIMITS_H
#define LEASEHOLD_NET_LIMITS_H

#define HTTP_CONNECTIONS_MAX   64
#define HTTP_BODY_BYTES_MAX    (2u << 20)
#define HTTP_HEADER_BYTES_MAX  (16u << 10)
#define HTTP_IDLE_S            60    /* a connection on which nothing moves */
#define HTTP_REQUEST_MS        30000 /* from a request's first byte to its last */
#define HTTP_SWEEP_MS          100
#define RPC_BATCH_MAX          1000
#define RPC_NODES_MAX          100000 /* commas, braces and brackets in one body */
#define RPC_RESPONSE_BYTES_MAX (16u << 20)
#define RPC_ID_BYTES_MAX       256

#endif
