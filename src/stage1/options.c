/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and judges the flags of `run`: see options.h. */
#include "stage1/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "cni/select.h"
#include "proto/spec.h"
#include "stage1/flags.h"
#include "stage1/hook.h"

static void usage(const struct flag *flags, size_t n)
{
	puts("usage: run [FLAGS] UUID\n"
	     "Runs the pod whose directory is the working directory as a Xen domain and stays "
	     "until\n"
	     "it ends. Started by rkt or `xenpod run`, with the locked pod directory in "
	     "RKT_LOCK_FD.\n"
	     "Exit status: the pod's; 254 when stage1 itself failed.\n");
	flags_print(flags, n);
}

static int parse(int argc, char **argv, struct run_options *o, struct err *err)
{
	const struct flag flags[] = {
		{"debug", FLAG_BOOL, &o->debug, "say what is done; verbose guest"},
		{"net", FLAG_TEXT, &o->net, "networks: default, none, all, NAME[:ARGS],..."},
		{"hostname", FLAG_TEXT, &o->hostname, "host name of the pod"},
		{"local-config", FLAG_TEXT, &o->local_config, "rkt's configuration directory"},
		{"dns-conf-mode", FLAG_TEXT, &o->dns_conf_mode,
			"resolv=default|none|host|stage0,hosts=default|host|stage0"},
		{"ipc", FLAG_TEXT, &o->ipc, "auto or private"},
		{"disable-capabilities-restriction", FLAG_BOOL, &o->keep_caps,
			"apps keep every capability"},
		{"disable-paths", FLAG_BOOL, &o->keep_paths,
			"no path in /proc and /sys is hidden or read-only"},
		{"disable-seccomp", FLAG_BOOL, &o->keep_syscalls, "no app has a seccomp filter"},
		{"interactive", FLAG_BOOL, &o->interactive,
			"the one app reads this stdin, on a terminal if there is one"},
		{"mutable", FLAG_BOOL, &o->mutable_pod, "not supported yet"},
		{"private-users", FLAG_TEXT, &o->private_users, "not supported yet"},
		{"mds-token", FLAG_TEXT, &o->mds_token, "not supported yet"},
	};
	int rest;
	int r = flags_parse(flags, ARRAY_SIZE(flags), argc, argv, &rest, err);
	if (r == FLAGS_HELP)
		usage(flags, ARRAY_SIZE(flags));
	return r ? r : hook_uuid_arg(argc, argv, rest, o->uuid, err);
}

/* Host networking means the host's own sockets, which a domain has no part in unless both kernels speak
 * PV Calls; no distribution's does (CONFIG_XEN_PVCALLS_FRONTEND, CONFIG_XEN_PVCALLS_BACKEND). */
static int judge_net(const char *net, struct err *err)
{
	_cleanup_cni_flag_ struct cni_flag flag = {0};
	if (cni_flag_parse(net, &flag, err) < 0)
		return -1;
	if (flag.mode != CNI_HOST)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		"--net=host: a domain has its own network stack, and these kernels cannot lend it "
		"the host's (PV Calls); use --net=default with --port, or a bridge network");
}

/* They travel as JSON. */
static int check_text(const char *flag, const char *text, struct err *err)
{
	_cleanup_json_ json_t *j = json_string(text ? text : "");
	return j ? 0 : err_set(err, ERR_INVALID, "flag --%s: its value is not UTF-8", flag);
}

static int judge_ipc(const char *ipc, struct err *err)
{
	if (!strcmp(ipc, "auto") || !strcmp(ipc, "private"))
		return 0;
	if (!strcmp(ipc, "parent"))
		return err_set(err, ERR_UNSUPPORTED,
			"not supported yet: --ipc=parent (a domain cannot share the host's IPC); "
			"use --ipc=private");
	return err_set(
		err, ERR_INVALID, "flag --ipc: \"%s\" is none of auto, private, parent", ipc);
}

static int refuse(const struct run_options *o, struct err *err)
{
	if (o->mutable_pod)
		return err_set(err, ERR_UNSUPPORTED,
			"not supported yet: --mutable (app sandbox); use run with all apps");
	if (o->private_users)
		return err_set(err, ERR_UNSUPPORTED,
			"not supported yet: --private-users; the domain itself keeps the pod "
			"apart");
	if (o->mds_token)
		return err_set(err, ERR_UNSUPPORTED,
			"not supported yet: --mds-token; run the pod without --mds-register");
	return 0;
}

int options_parse(int argc, char **argv, struct run_options *ret, struct err *err)
{
	*ret = (struct run_options){.net = "default"}; /* what stage0 passes when unset */
	int r = parse(argc, argv, ret, err);
	if (r)
		return r;
	if (ret->hostname && !spec_hostname_valid(ret->hostname))
		return err_set(err, ERR_INVALID,
			"flag --hostname: letters, digits, \"-\" and \".\" are possible, at most "
			"%d",
			SPEC_NAME_MAX);
	if (refuse(ret, err) < 0 || (ret->ipc && judge_ipc(ret->ipc, err) < 0))
		return -1;
	if (ret->dns_conf_mode && dns_parse(ret->dns_conf_mode, &ret->dns, err) < 0)
		return -1;
	if (check_text("net", ret->net, err) < 0 ||
		check_text("local-config", ret->local_config, err) < 0)
		return -1;
	return judge_net(ret->net, err);
}
