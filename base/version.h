/* version.h - the release that all programs of this tree call themselves. */
#ifndef LEASEHOLD_BASE_VERSION_H
#define LEASEHOLD_BASE_VERSION_H

#define LEASEHOLD_VERSION "0.1.0"

#endif
