/* SPDX-License-Identifier: Apache-2.0 */
/* --net, --port and --anti-spoofing of `xenpod run`. */
#ifndef TOOLS_RUN_NET_H
#define TOOLS_RUN_NET_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "tools/words.h"

struct run_net {
	struct words nets; /* as given; none: the default */
	json_t *ports;     /* the pod manifest's; NULL when none is given */
	bool guard;
};

/* NAME:[IP:]HOSTPORT, as rkt's --port; an IPv6 address may stand in brackets. */
int run_net_port(struct run_net *n, const char *value, struct err *err);
/* What stage1's --net gets: all that were given, separated by commas. Caller frees. */
char *run_net_flag(const struct run_net *n);
void run_net_done(struct run_net *n);

#endif
