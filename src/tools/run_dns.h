/* SPDX-License-Identifier: Apache-2.0 */
/* --dns, --dns-search, --dns-opt, --dns-domain, --hosts-entry, as rkt's stage0 has them (contract
 * 5.6). */
#ifndef TOOLS_RUN_DNS_H
#define TOOLS_RUN_DNS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "tools/words.h"

struct run_dns {
	struct words dns; /* as given */
	struct words search;
	struct words opts;
	const char *domain;
	struct words hosts; /* as given */
	const char *resolv; /* what --dns-conf-mode says: "default", "none", "host", "stage0" */
	const char *hosts_mode;
	json_t *servers; /* array of addresses */
	json_t *entries; /* object: address -> array of names */
};

/* Checks what was given and fills in what follows from it. ERR_INVALID names option and value. */
int run_dns_settle(struct run_dns *dns, struct err *err);
void run_dns_done(struct run_dns *dns);

/* Is anything said to the stage1 at all? */
bool run_dns_is_default(const struct run_dns *dns);

/* The files' texts; `fallback` is the stage1's etc/hosts-fallback or NULL. Caller frees. */
char *run_dns_resolv_text(const struct run_dns *dns);
char *run_dns_hosts_text(const struct run_dns *dns, const char *fallback);

/* Writes stage1/rootfs/etc/rkt-resolv.conf and rkt-hosts where the mode is "stage0". */
int run_dns_write(const struct run_dns *dns, int podfd, struct err *err);

#endif
