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

/* Peers. Worst case in memory, for each open one: what it sends (a frame as far as it came, at most
 * PEER_RECEIVE_BYTES_MAX), what waits for it (PEER_SEND_BYTES_MAX; a message for many is held once)
 * and 13 KiB of its own; for each handshake 180 KiB if it is made to hurt. Without stake:
 * (PEERS_IN_MAX + PEERS_OUT_MAX) x 17 MiB + PEER_HANDSHAKES_MAX x 180 KiB. */
#define PEERS_IN_MAX           40
#define PEERS_OUT_MAX          10
#define PEERS_VALIDATOR_SLOTS  128 /* beyond in and out, for proven validators of the epoch */
#define PEERS_VALIDATOR_EACH   2   /* of those, for one validator */
#define PEERS_ADDRESS_MAX      8   /* connections from one address (IPv6: /64), but loopback */
#define PEERS_SUBNET_MAX       16  /* from one /24 (IPv6: /48) */
#define PEERS_ATTEMPTS_MINUTE  30  /* of one address; of loopback ten times as many */
#define PEERS_ACCEPT_RATE      200 /* handshakes begun a second; bursts of twice that */
#define PEERS_ACCEPT_TURN      16  /* in one turn of the loop */
#define PEERS_DIALS_MAX        8   /* handshakes of our own at once */
#define PEERS_SLOTS            1024
#define PEERS_REFUSED_MAX      4096
#define PEERS_OWN_ADDRESSES    8
#define PEERS_SWEEP_MS         100
#define PEERS_DIAL_MS          500
#define PEER_HANDSHAKES_MAX    512 /* at once, incoming; the oldest makes room */
#define PEER_HANDSHAKE_MS      5000
#define PEER_PING_MS           15000
#define PEER_SILENT_MS         60000  /* nothing came: gone */
#define PEER_STUCK_MS          30000  /* queued, and nothing could be written */
#define PEER_SHORT_MS          2000   /* a connection lost sooner counts as one that failed */
#define PEER_FRAME_MS          60000  /* from a frame's first byte to its last */
#define PEER_ASK_MS            300000 /* between two questions for addresses */
#define PEER_ANSWER_MS         60000  /* questions for addresses that come sooner get no answer */
#define PEER_RECEIVE_BYTES_MAX (5u << 20)
#define PEER_SEND_BYTES_MAX    (12u << 20)  /* two blocks and small things */
#define PEER_ANSWER_BYTES_MAX  (5u << 20)   /* of those, transactions; and sync */
#define PEER_UNSENT_BYTES_MAX  (128u << 10) /* in the kernel, behind which votes would wait */
#define PEER_TURN_BYTES        (64u << 10)  /* read, and written, before others have their turn */
#define PEER_RATE_BYTES        (16u << 20)  /* a second; bursts of twice that */
#define PEER_RATE_MESSAGES     4000         /* a second; bursts of twice that */
#define PEER_SCORE_MAX         100
#define PEER_SCORE_HALF_MS     600000
#define PEER_BAN_S             (4 * 3600)
#define PEER_BANS_MAX          4096

#define PEER_CERTIFICATE_BYTES_MAX 4096
#define PEER_KEY_UPDATES_MAX       64 /* of TLS, in a connection's life: our nodes send none */

/* Address book. */
#define BOOK_NEW_BUCKETS   256
#define BOOK_TRIED_BUCKETS 64
#define BOOK_BUCKET_SIZE   16
#define BOOK_FIXED_MAX     64
#define BOOK_ANCHORS       4
#define BOOK_SOURCES_MAX   256 /* whose additions are counted; the longest silent is forgotten */
#define BOOK_SOURCE_RATE_S 10  /* one addition a source in so many seconds ... */
#define BOOK_SOURCE_BURST  64  /* ... after so many */
#define BOOK_STALE_S       (30 * 24 * 3600)

#endif
