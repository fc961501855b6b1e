/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which networks a pod gets: rkt's flag --net held against the configuration directories (contract
 * 5.1). Reads files, runs nothing.
 */
#ifndef CNI_SELECT_H
#define CNI_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cni/conf.h"

#define CNI_NETS_MAX 16 /* of one pod: a vif each */

enum cni_mode {
	CNI_LIST, /* the networks wanted; maybe none at all, when "all" finds no files */
	CNI_NONE, /* loopback only: "none" is in the list, and no "host" */
	CNI_HOST, /* the host's own network: "host" is in the list */
};

struct cni_want {
	char *name;
	char *args; /* NULL: none */
};

/* --net, taken apart. */
struct cni_flag {
	enum cni_mode mode;
	bool all;              /* "all" is in the list: every file's network */
	struct cni_want *want; /* those named, without all, none and host */
	size_t n_want;
};

/*
 * Reads "name[:args],...". ERR_INVALID: an empty or double name, a second ":" (so no IPv6 address in
 * arguments), arguments of all, none or host. none and host win over whatever else stands there.
 */
int cni_flag_parse(const char *text, struct cni_flag *ret, struct err *err);
void cni_flag_done(struct cni_flag *f);
#define _cleanup_cni_flag_ __attribute__((cleanup(cni_flag_done)))

struct cni_nets {
	struct cni_net *net; /* in attach order: eth0, eth1, ... */
	size_t n;
	char **notes; /* lines for the user: what was overridden, ignored or broken */
	size_t n_notes;
};

/*
 * Reads *.conf and (ours beside rkt's) *.conflist of both directories; either may be NULL or absent.
 * Within a directory the first file name with a network's name wins, the user's directory wins over
 * the builtin one; the attach order is the byte order of the file names. Sets args and ifname. With
 * a mode other than CNI_LIST nothing is read.
 *
 * A file that cannot be used is an error when its network is one that is wanted, or when it does not
 * tell its name and may be one: with "all", or when no file before it in its directory (nor, for a
 * builtin one, in the user's) has each wanted name. Else it is a note. ERR_NOTFOUND: "networks not
 * found: a, b", sorted.
 */
int cni_select(const struct cni_flag *flag, const char *builtin_dir, const char *user_dir,
	struct cni_nets *ret, struct err *err);
void cni_nets_done(struct cni_nets *n);
#define _cleanup_cni_nets_ __attribute__((cleanup(cni_nets_done)))

#endif
