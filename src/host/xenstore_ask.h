/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to xenstored that ends in time: libxenstore waits for ever for one that does not answer.
 * The daemon's socket and Xen's wire format (xen/io/xs_wire.h).
 */
#ifndef HOST_XENSTORE_ASK_H
#define HOST_XENSTORE_ASK_H

#include "base/err.h"

/*
 * Reads a node. *ret: its value, NULL when it is not there; caller frees. ERR_UNAVAILABLE: nobody listens,
 * ERR_TIMEOUT: it does not answer.
 */
int xenstore_ask(
	const char *socket_path, const char *node, int timeout_ms, char **ret, struct err *err);

#endif
