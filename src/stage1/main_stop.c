/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage1's `stop` entrypoint (contract 6, stop): tells the supervisor, which answers when the
 * intent is on disk; rkt does not wait for the pod's end. Anybody may call it, only root is
 * permitted.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/varlink.h"
#include "proto/api.h"
#include "stage1/flags.h"
#include "stage1/hook.h"

#define ANSWER_MS 30000

static void usage(const struct flag *flags, size_t n)
{
	puts("usage: stop [--force] UUID\n"
	     "Has the supervisor stop a pod. A pod that has ended already is a success.\n"
	     "Exit status: 0, or 254.\n");
	flags_print(flags, n);
}

static int stop(const char *uuid, bool force, struct err *err)
{
	_cleanup_free_ char *path = hook_admin_socket();
	_cleanup_varlink_ struct varlink *v = varlink_connect(path, err);
	_cleanup_json_ json_t *reply = NULL;
	if (!v)
		return -1;
	json_t *params = json_make("{s:s, s:b}", "uuid", uuid, "force", (int)force);
	return varlink_roundtrip(v, API_STOP, params, ANSWER_MS, &reply, err);
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	char uuid[UUID_TEXT_SIZE];
	bool force = false;
	bool debug = false;
	int rest;
	const struct flag flags[] = {
		{"force", FLAG_BOOL, &force, "destroy the domain without asking the apps"},
		{"debug", FLAG_BOOL, &debug, "say more"},
	};
	hook_begin();
	int r = flags_parse(flags, ARRAY_SIZE(flags), argc, argv, &rest, &err);
	if (r == FLAGS_HELP) {
		usage(flags, ARRAY_SIZE(flags));
		return 0;
	}
	if (r < 0 || hook_uuid_arg(argc, argv, rest, uuid, &err) < 0)
		return hook_fail(&err);
	if (stop(uuid, force, &err) < 0) {
		err_wrap(&err, "stop %s", uuid);
		return hook_fail(&err);
	}
	return 0;
}
