/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CNI network, ready to use: what a .conf (one plugin) or .conflist (several) file says, checked
 * once here. It is kept whole, as JSON, in the supervisor's store, and its DEL is made from that long
 * after the file is gone. Rules: CNI spec 1.0.0 section 1, 0.4.0 "Network Configuration" and
 * "Network Configuration Lists". Knows neither directories nor plugins.
 */
#ifndef CNI_CONF_H
#define CNI_CONF_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CNI_CONF_MAX    (1024 * 1024) /* bytes of one file */
#define CNI_PLUGINS_MAX 16            /* of one list */
#define CNI_NAME_MAX    255           /* host-local makes a directory of the name */

/* In the order in which they came; compared with < and >=. */
#define CNI_VERSIONS(X)                                                                            \
	X(0_1_0, "0.1.0") /* what a conf without cniVersion is: rkt's */                           \
	X(0_2_0, "0.2.0")                                                                          \
	X(0_3_0, "0.3.0") /* lists and prevResult */                                               \
	X(0_3_1, "0.3.1")                                                                          \
	X(0_4_0, "0.4.0") /* CHECK, and prevResult at DEL */                                       \
	X(1_0_0, "1.0.0")

enum cni_version {
#define X(id, text) CNI_##id,
	CNI_VERSIONS(X)
#undef X
		CNI_VERSION_MAX_
};

const char *cni_version_text(enum cni_version v);
/* ERR_UNSUPPORTED with the versions that are known. */
int cni_version_parse(const char *text, enum cni_version *ret, struct err *err);
/* "cniVersion" of a conf or a result; *ret stays when it does not tell. */
int cni_version_read(const json_t *o, enum cni_version *ret, struct err *err);
/* A member, borrowed; NULL when it is absent or null: Go's readers, and so plugins, take both alike. */
json_t *cni_member(const json_t *o, const char *key);

struct cni_net {
	char *name;
	char *file; /* basename of its file, for net-info.json and messages */
	char *path; /* the file's whole path when it was read */
	char *text; /* the file's bytes, for a copy below POD/net; NULL after cni_net_from_json() */
	bool builtin; /* of the stage1 image, not of the user */
	enum cni_version version;
	json_t *plugins;    /* array: a conf each, with "name" and "cniVersion" of the net */
	bool disable_check; /* CHECK must not be called */
	bool ip_masq; /* a plugin has ipMasq: true (contract 5.5: the target of port forwards) */
	char *args;   /* CNI_ARGS, "K=V;K=V"; NULL: none. Set by cni_select() */
	char ifname[IFNAMSIZ]; /* "eth0"; "" until cni_select() */
};

/*
 * Reads the text of a file; what it is goes by the file name's suffix: .conflist is a list, anything
 * else one plugin. Errors are ERR_INVALID, ERR_UNSUPPORTED (version), ERR_FULL, and begin with the
 * path. *ret is empty on failure.
 *
 * Of a plugin: "type" is a file name. "name" is alphanumeric with _ . - inside (spec 0.4.0); before
 * 0.4.0 nothing was said, so only what --net, a path or a terminal cannot carry is refused: "/" "," ":"
 * and control characters. all, none and host are words of --net, not names.
 */
int cni_net_parse(
	const char *path, const char *text, size_t len, struct cni_net *ret, struct err *err);

/* Just the name, of a conf that cni_net_parse() refuses; NULL when it does not tell. Caller frees. */
char *cni_net_peek_name(const char *text, size_t len);

/*
 * {name, file, path, builtin, version, plugins, disable_check, ip_masq, args?, ifname?}; reading it
 * checks it as a file is checked. ip_masq is for readers, it is computed again.
 */
json_t *cni_net_json(const struct cni_net *net); /* new reference */
int cni_net_from_json(const json_t *j, struct cni_net *ret, struct err *err);

/* The type of its first plugin: the one that makes the interface. */
const char *cni_net_type(const struct cni_net *net);

/* Whether a plugin declares the capability ("portMappings"; CNI CONVENTIONS.md). */
bool cni_net_capable(const struct cni_net *net, const char *capability);

/* Empties it; {0} is empty. */
void cni_net_done(struct cni_net *net);
#define _cleanup_cni_net_ __attribute__((cleanup(cni_net_done)))

#endif
