/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of one CNI plugin as a bounded child (CNI spec 1.0.0 section 2, contract 5.2). It blocks:
 * xenpod-act is a process of its own, with a deadline.
 */
#ifndef CNI_PLUGIN_H
#define CNI_PLUGIN_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "cni/conf.h"

#define CNI_OUTPUT_MAX  (1024 * 1024) /* of stdout; more ends the plugin with an error */
#define CNI_STDERR_KEPT 4096          /* its last bytes */
#define CNI_MESSAGE_MAX 512           /* bytes of a plugin's own words in an error */

/* The environment of one run, and its bounds. */
struct cni_call {
	const char *command;   /* ADD, CHECK or DEL */
	const char *container; /* CNI_CONTAINERID: the pod's UUID */
	const char *netns;     /* a path; NULL when it is gone (DEL): CNI_NETNS is empty */
	const char *ifname;
	const char *args;         /* NULL: CNI_ARGS is empty */
	const char *const *dirs;  /* CNI_PATH, ended by NULL */
	enum cni_version version; /* 0.1.0 has CNI_VERSION in the environment */
	int timeout_ms;           /* of clock_ms() */
};

/*
 * The first regular, executable file named `type` in the directories (contract 5.2). ERR_NOTFOUND
 * names the plugin, the directories and the package that brings the usual ones.
 */
int cni_plugin_find(const char *const *dirs, const char *type, char **ret_path, struct err *err);

/*
 * Runs it with the conf on stdin and nothing but descriptors 0 to 2, in "/", in a process group of its
 * own. The environment is PATH and CNI_*, nothing of ours. *ret_out is what it printed, NUL-terminated;
 * the caller frees it.
 *
 * Errors: ERR_TIMEOUT and ERR_FULL (output), after SIGKILL to its group; ERR_UNSUPPORTED when it says
 * code 1, incompatible version; ERR_SYSTEM for any other failure, in one harmless line: its error's msg,
 * details and code, else the last line of stderr. What the plugin leaves running after a good end is
 * not ours to judge: the pod's cgroup holds it.
 */
int cni_plugin_run(const char *path, const json_t *conf, const struct cni_call *call,
	char **ret_out, struct err *err);

#endif
