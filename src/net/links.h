/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces: what is there, and waiting for what must come. `netns` is a descriptor of the namespace
 * or NETNS_OWN.
 */
#ifndef NET_LINKS_H
#define NET_LINKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "proto/ifconf.h"

/* Waits until all n interfaces are there; ERR_TIMEOUT names the first that is not. */
int links_wait(int netns, const char *const *names, size_t n, int timeout_ms, struct err *err);

/* Waits for the one with this MAC; ret_name: what it is called. ERR_EXISTS: two have it. */
int links_wait_mac(int netns, const uint8_t mac[IFCONF_MAC_LEN], int timeout_ms,
	char ret_name[IF_NAMESIZE], struct err *err);

int links_exists(int netns, const char *name, bool *ret, struct err *err);

/* The first interface whose name begins with `prefix`; "" when there is none. */
int links_find(int netns, const char *prefix, char ret_name[IF_NAMESIZE], struct err *err);

#endif
