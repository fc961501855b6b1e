/* SPDX-License-Identifier: Apache-2.0 */
/* See pod_verb.h. */
#include "tools/pod_verb.h"

#include <stddef.h>

#include "tools/options.h"
#include "tools/verbs.h"

enum { OPT_DIR = 256, OPT_FORCE };

static const struct option options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"force", no_argument, NULL, OPT_FORCE},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int do_one(const struct pod_verb *verb, const struct datadir *d, const char *uuid,
	bool force, struct err *err)
{
	_cleanup_pod_ struct pod p = {.fd = -1};
	if (pod_find(d, uuid, &p, err) < 0)
		return -1;
	return verb->each(d, &p, force, err);
}

static int do_all(const struct pod_verb *verb, const char *dir, bool force, char **uuids)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_datadir_ struct datadir d = {.fd = -1};
	if (verb_need_root(verb->name, &err) < 0 || datadir_open(dir, false, &d, &err) < 0)
		return verb_failed(&err);
	int status = 0;
	for (; *uuids; uuids++)
		if (do_one(verb, &d, *uuids, force, &err) < 0)
			status = verb_failed(&err);
	return status;
}

int pod_verb_run(const struct pod_verb *verb, int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	const char *dir = DATADIR_DEFAULT;
	bool force = false;
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, &err)) > OPTION_END) {
		if (id == 'h') {
			verb->help();
			return 0;
		}
		if (id == OPT_DIR)
			dir = optarg;
		force |= id == OPT_FORCE;
	}
	if (id == OPTION_END && optind >= argc)
		err_set(&err, ERR_INVALID, "%s needs the UUID of a pod (xenpod list shows them)",
			verb->name);
	if (err.msg)
		return verb_failed(&err);
	return do_all(verb, dir, force, argv + optind);
}
