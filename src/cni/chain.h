/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network as a whole: its plugins one after another (CNI spec 1.0.0 section 3, 0.4.0 "Network
 * Configuration Lists"). Errors begin with `network "NAME": plugin "TYPE": `.
 */
#ifndef CNI_CHAIN_H
#define CNI_CHAIN_H

#include <jansson.h>

#include "base/err.h"
#include "cni/conf.h"
#include "cni/result.h"

/* What a network is attached to. All borrowed. */
struct cni_attach {
	const char *container;   /* the pod's UUID */
	const char *netns;       /* path of its namespace; NULL when it is gone: DEL only */
	const char *const *dirs; /* where plugins are looked for, ended by NULL */
	int timeout_ms;          /* for all plugins of one call here together */
	/*
	 * {"portMappings":[...], ...} or NULL: each member goes, as runtimeConfig, to the plugins that
	 * declare the capability. The same at ADD, CHECK and DEL.
	 */
	json_t *capabilities;
	/* prevResult of the first plugin at ADD; NULL but for what is chained to another network. */
	json_t *prev;
};

/*
 * Refuses, before anything is run, what cannot be carried into a domain: it has its own kernel, so
 * what a plugin sets in the pod's namespace beside one Ethernet interface with addresses and routes
 * has no effect there. ERR_UNSUPPORTED: ipvlan in mode l3 or l3s, sbr, vrf, tuning with sysctl,
 * loopback.
 */
int cni_net_judge(const struct cni_net *net, struct err *err);

/* Every plugin of the network is there: ERR_NOTFOUND as of cni_plugin_find(). */
int cni_net_find(const struct cni_net *net, const char *const *dirs, struct err *err);

/*
 * ADD of each plugin in order, prevResult handed on from 0.3.0. Nothing is run when one is missing.
 * On failure the first error is reported, after DEL of all plugins in reverse (their errors are not
 * reported; it may take timeout_ms once more). A second ADD of the same network is an error of the
 * plugins: DEL first. *ret is the last plugin's result; ret->raw is to be kept for CHECK and DEL.
 */
int cni_net_add(const struct cni_net *net, const struct cni_attach *at, struct cni_result *ret,
	struct err *err);

/*
 * CHECK of each plugin with the result of ADD. Answers 0 without running anything where the network
 * cannot be checked: before 0.4.0, with disableCheck, or without a result.
 */
int cni_net_check(
	const struct cni_net *net, const struct cni_attach *at, json_t *result, struct err *err);

/*
 * DEL of each plugin in reverse, with the result of ADD from 0.4.0 (NULL: not known). May be repeated,
 * works without a netns. The first failure stops it (spec 0.4.0, "Error Handling": what stands before
 * it may be needed still), except that a missing plugin is passed over: then, with all others done, it
 * is ERR_NOTFOUND, and only what that plugin holds may be left. Without a netns the usual plugins give
 * back addresses, but ptp and bridge leave their masquerade rules (they learn from the interface which
 * they are), so the namespace goes after DEL.
 */
int cni_net_del(
	const struct cni_net *net, const struct cni_attach *at, json_t *result, struct err *err);

#endif
