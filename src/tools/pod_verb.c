/* SPDX-License-Identifier: Apache-2.0 */
/* See pod_verb.h. */
#include "tools/pod_verb.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/uuid.h"
#include "tools/options.h"
#include "tools/verbs.h"

enum { OPT_DIR = 256, OPT_FORCE, OPT_UUID_FILE };

static const struct option options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"force", no_argument, NULL, OPT_FORCE},
	{"uuid-file", required_argument, NULL, OPT_UUID_FILE},
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
	size_t n = 0;
	int status = 0;
	while (uuids[n])
		n++;
	for (size_t i = 0; i < n; i++) {
		progress_begin("%s pod %s", verb->doing, uuids[i]);
		if (n > 1)
			progress_part("%zu of %zu", i + 1, n);
		if (do_one(verb, &d, uuids[i], force, &err) < 0)
			status = verb_failed(&err);
	}
	return status;
}

/* As `xenpod run --uuid-file-save` has written it. */
static int read_uuid(const char *file, char ret[UUID_TEXT_SIZE], struct err *err)
{
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, file, 256, &text, NULL, err) < 0)
		return err_wrap(err, "--uuid-file=%s", file);
	text[strcspn(text, "\n")] = '\0';
	if (uuid_parse(text, ret, err) < 0)
		return err_wrap(err, "--uuid-file=%s", file);
	return 0;
}

int pod_verb_run(const struct pod_verb *verb, int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	const char *dir = DATADIR_DEFAULT;
	bool force = false;
	char uuid[UUID_TEXT_SIZE];
	char *of_file[] = {uuid, NULL};
	const char *file = NULL;
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, &err)) > OPTION_END) {
		if (id == 'h') {
			verb->help();
			return 0;
		}
		if (id == OPT_DIR)
			dir = optarg;
		if (id == OPT_UUID_FILE)
			file = optarg;
		force |= id == OPT_FORCE;
	}
	if (id == OPTION_END && file && optind < argc)
		err_set(&err, ERR_INVALID, "--uuid-file names the pod: \"%s\" is too much",
			argv[optind]);
	else if (id == OPTION_END && file)
		(void)read_uuid(file, uuid, &err);
	else if (id == OPTION_END && optind >= argc)
		err_set(&err, ERR_INVALID, "%s needs the UUID of a pod (xenpod list shows them)",
			verb->name);
	if (err.msg)
		return verb_failed(&err);
	return do_all(verb, dir, force, file ? of_file : argv + optind);
}
