/* version.h - what this node calls itself. */
#ifndef LEASEHOLD_NODE_VERSION_H
#define LEASEHOLD_NODE_VERSION_H

#define NODE_VERSION "0.1.0"
#define NODE_CLIENT  "leaseholdd/v" NODE_VERSION "/linux/c17"

#endif
