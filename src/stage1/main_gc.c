/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage1's `gc` entrypoint (contract 6, gc): has the supervisor release whatever outlives the pod,
 * and waits for it. rkt calls it once and ignores its result, so a supervisor that is away collects
 * by itself later; called again, or for a pod that is forgotten, it succeeds.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/varlink.h"
#include "proto/api.h"
#include "stage1/flags.h"
#include "stage1/hook.h"

#define ANSWER_MS 60000

static void usage(const struct flag *flags, size_t n)
{
	puts("usage: gc [--debug] [--local-config DIR] UUID\n"
	     "Has the supervisor release all that is left of a pod that has ended.\n"
	     "Exit status: 0, or 254.\n");
	flags_print(flags, n);
}

static int gc(const char *uuid, struct err *err)
{
	_cleanup_free_ char *path = hook_admin_socket();
	_cleanup_varlink_ struct varlink *v = varlink_connect(path, err);
	_cleanup_json_ json_t *reply = NULL;
	if (!v)
		return -1;
	return varlink_roundtrip(
		v, API_GC, json_make("{s:s}", "uuid", uuid), ANSWER_MS, &reply, err);
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	char uuid[UUID_TEXT_SIZE];
	const char *local_config = NULL;
	bool debug = false;
	int rest;
	const struct flag flags[] = {
		{"debug", FLAG_BOOL, &debug, "say more"},
		{"local-config", FLAG_TEXT, &local_config, "accepted; the supervisor knows it"},
	};
	hook_begin();
	int r = flags_parse(flags, ARRAY_SIZE(flags), argc, argv, &rest, &err);
	if (r == FLAGS_HELP) {
		usage(flags, ARRAY_SIZE(flags));
		return 0;
	}
	if (r < 0 || hook_uuid_arg(argc, argv, rest, uuid, &err) < 0)
		return hook_fail(&err);
	if (gc(uuid, &err) < 0 && err.code != ERR_NOTFOUND) {
		err_wrap(&err, "gc %s", uuid);
		return hook_fail(&err);
	}
	return 0;
}
