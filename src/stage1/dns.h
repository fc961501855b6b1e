/* SPDX-License-Identifier: Apache-2.0 */
/* The flag --dns-conf-mode (contract 1.2, 5.6): whose /etc/resolv.conf and /etc/hosts apps get. */
#ifndef STAGE1_DNS_H
#define STAGE1_DNS_H

#include "base/err.h"

/* default: what the network said, else the image's own. none: of resolv only. */
#define DNS_MODES(X)                                                                               \
	X(DEFAULT, "default")                                                                      \
	X(NONE, "none")                                                                            \
	X(HOST, "host")     /* this host's, as it is when the pod starts */                        \
	X(STAGE0, "stage0") /* written by stage0 into the stage1 */

enum dns_mode {
#define X(id, name) DNS_##id,
	DNS_MODES(X)
#undef X
		DNS_MAX_
};

/* {0} is what holds when the flag is not given. */
struct dns {
	enum dns_mode resolv;
	enum dns_mode hosts;
};

/* Reads "resolv=MODE,hosts=MODE", either of which may be left out. */
int dns_parse(const char *text, struct dns *ret, struct err *err);

#endif
