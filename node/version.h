/* version.h - what this node calls itself. */
#ifndef LEASEHOLD_NODE_VERSION_H
#define LEASEHOLD_NODE_VERSION_H

#include "base/version.h"

#define NODE_VERSION LEASEHOLD_VERSION
#define NODE_CLIENT  "leaseholdd/v" NODE_VERSION "/linux/c17"

#endif
