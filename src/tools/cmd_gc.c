/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xenpod gc`: marks what has ended, removes what was marked long enough ago, what was never
 * finished, and image trees that nobody uses (contract 6, gc). One bad pod does not stop the rest.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "tools/duration.h"
#include "tools/image.h"
#include "tools/options.h"
#include "tools/pod_remove.h"
#include "tools/verbs.h"

#define SECOND INT64_C(1000000000)
/* Defaults of rkt's gc (contract 6), and for trees of rkt's image gc. */
#define GRACE_NS     (SECOND * 60 * 30)
#define EXPIRE_NS    (SECOND * 3600 * 24)
#define TREE_GRACE_S INT64_C(86400)
/* Between its mkdir and its lock a new pod looks abandoned for an instant. */
#define UNFINISHED_MIN_NS (SECOND * 10)

enum { OPT_DIR = 256, OPT_GRACE, OPT_EXPIRE, OPT_MARK_ONLY, OPT_FORCE };

static const struct option options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"grace-period", required_argument, NULL, OPT_GRACE},
	{"expire-prepared", required_argument, NULL, OPT_EXPIRE},
	{"mark-only", no_argument, NULL, OPT_MARK_ONLY},
	{"force", no_argument, NULL, OPT_FORCE},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct gc {
	const char *dir;
	int64_t grace_ns;
	int64_t expire_ns;
	bool mark_only;
	bool force;
	unsigned failed;
};

static void help(void)
{
	puts("Usage: xenpod gc [--grace-period=DURATION] [--mark-only] [--force] [--dir=DIR]\n"
	     "Mark pods that have ended, and remove those that were marked long enough ago, those\n"
	     "that were never finished, and unpacked images that no pod has used for a day.\n"
	     "Each removed pod's UUID is printed.\n"
	     "\n"
	     "  --grace-period=DUR     how long a marked pod is kept (default 30m; 0: none)\n"
	     "  --expire-prepared=DUR  age at which prepared pods go (default 24h)\n"
	     "  --mark-only            remove nothing\n"
	     "  --force                remove files even when the stage1's own clean-up fails\n"
	     "  --dir=DIR              the data directory (default " DATADIR_DEFAULT ")\n"
	     "\n"
	     "Exit status: 0; 254 when something could not be removed (the rest was).");
}

static void note_failure(struct gc *gc, struct err *err)
{
	gc->failed++;
	log_err("%s", err_msg(err));
	err_done(err);
}

/* By ctime, which a rename sets: the time in this place. */
static bool old_enough(const struct pod *p, int64_t min_ns)
{
	struct stat st;
	struct timespec now;
	if (fstat(p->fd, &st) < 0)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age = (now.tv_sec - st.st_ctim.tv_sec) * SECOND + now.tv_nsec - st.st_ctim.tv_nsec;
	return age >= min_ns;
}

static int64_t min_age(const struct gc *gc, enum pod_place place)
{
	return place == POD_RUN ? 0 : place == POD_PREPARED ? gc->expire_ns : UNFINISHED_MIN_NS;
}

static int retire_one(void *ctx, const struct datadir *d, struct pod *p, struct err *err)
{
	struct gc *gc = ctx;
	bool held = true;
	if (!old_enough(p, min_age(gc, p->place)))
		return 0;
	if (pod_held(p, &held, err) == 0 && held)
		return 0;
	/* Somebody else's gc may have it by now: then there is nothing to say. */
	if (err->msg || (pod_retire(d, p, err) < 0 && err->code != ERR_NOTFOUND))
		note_failure(gc, err);
	err_done(err);
	return 0;
}

static int remove_one(void *ctx, const struct datadir *d, struct pod *p, struct err *err)
{
	struct gc *gc = ctx;
	bool held = true;
	if (p->place == POD_EXITED_GARBAGE && !old_enough(p, gc->grace_ns))
		return 0;
	if (pod_held(p, &held, err) == 0 && held)
		return 0;
	if (err->msg || pod_lock(p, err) < 0 || pod_remove(d, p, gc->force, err) < 0)
		note_failure(gc, err);
	else
		puts(p->uuid);
	return 0;
}

static void collect_trees(struct gc *gc, const struct datadir *d)
{
	_cleanup_err_ struct err err = {0};
	unsigned n = 0;
	/* --dir may be rkt's own data directory: its trees are rkt's. */
	if (faccessat(d->fd, "cas/locks", F_OK, 0) < 0)
		return;
	if (image_gc(d, TREE_GRACE_S, &n, &err) < 0)
		note_failure(gc, &err);
	if (n)
		log_notice("removed %u unpacked image%s", n, n == 1 ? "" : "s");
}

static int collect(struct gc *gc, struct err *err)
{
	static const enum pod_place live[] = {POD_EMBRYO, POD_PREPARE, POD_PREPARED, POD_RUN};
	static const enum pod_place dead[] = {POD_EXITED_GARBAGE, POD_GARBAGE};
	_cleanup_datadir_ struct datadir d = {.fd = -1};
	if (verb_need_root("gc", err) < 0 || datadir_open(gc->dir, false, &d, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(live); i++)
		if (pod_each(&d, live[i], retire_one, gc, err) < 0)
			return -1;
	for (size_t i = 0; !gc->mark_only && i < ARRAY_SIZE(dead); i++)
		if (pod_each(&d, dead[i], remove_one, gc, err) < 0)
			return -1;
	if (!gc->mark_only)
		collect_trees(gc, &d);
	return 0;
}

static int set_option(struct gc *gc, int id, struct err *err)
{
	switch (id) {
	case OPT_DIR:
		gc->dir = optarg;
		return 0;
	case OPT_GRACE:
		return duration_parse(optarg, &gc->grace_ns, err);
	case OPT_EXPIRE:
		return duration_parse(optarg, &gc->expire_ns, err);
	case OPT_MARK_ONLY:
		gc->mark_only = true;
		return 0;
	default:
		gc->force = true;
		return 0;
	}
}

int cmd_gc(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct gc gc = {.dir = DATADIR_DEFAULT, .grace_ns = GRACE_NS, .expire_ns = EXPIRE_NS};
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, &err)) > OPTION_END) {
		if (id == 'h') {
			help();
			return 0;
		}
		if (set_option(&gc, id, &err) < 0)
			return verb_failed(&err);
	}
	if (id == OPTION_END && optind < argc)
		err_set(&err, ERR_INVALID, "gc takes no \"%s\" (xenpod rm removes one pod)",
			argv[optind]);
	if (err.msg || collect(&gc, &err) < 0)
		return verb_failed(&err);
	return gc.failed ? XENPOD_EXIT_FAILURE : 0;
}
