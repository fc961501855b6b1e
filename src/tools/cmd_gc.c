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
#include "base/progress.h"
#include "tools/duration.h"
#include "tools/gc_plan.h"
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

enum { OPT_DIR = 256, OPT_GRACE, OPT_EXPIRE, OPT_MARK_ONLY, OPT_FORCE, OPT_DRY_RUN, OPT_JSON };

static const struct option options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"grace-period", required_argument, NULL, OPT_GRACE},
	{"expire-prepared", required_argument, NULL, OPT_EXPIRE},
	{"mark-only", no_argument, NULL, OPT_MARK_ONLY},
	{"force", no_argument, NULL, OPT_FORCE},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct gc {
	const char *dir;
	int64_t grace_ns;
	int64_t expire_ns;
	bool mark_only;
	bool force;
	bool json;
	json_t *plan; /* --dry-run: nothing is done, this is filled */
	unsigned failed;
};

static void help(void)
{
	puts("Usage: xenpod gc [--grace-period=DURATION] [--mark-only] [--force] [--dir=DIR]\n"
	     "       xenpod gc --dry-run [--json] [--grace-period=DURATION] [--dir=DIR]\n"
	     "Mark pods that have ended, and remove those that were marked long enough ago, those\n"
	     "that were never finished, and unpacked images that no pod has used for a day.\n"
	     "Each removed pod's UUID is printed. The supervisor is asked to destroy domains of\n"
	     "its own that no pod accounts for: it does when a second look agrees with the first.\n"
	     "\n"
	     "  --grace-period=DUR     how long a marked pod is kept (default 30m; 0: none)\n"
	     "  --expire-prepared=DUR  age at which prepared pods go (default 24h)\n"
	     "  --mark-only            remove nothing\n"
	     "  --force                remove files even when the stage1's own clean-up fails\n"
	     "  --dry-run              change nothing, show pods and domains, why and when;\n"
	     "                         images are not shown\n"
	     "  --json                 that as JSON, times in ns since 1970\n"
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

/* By ctime, which a rename sets: the time in this place. 0: not known. */
static int64_t came_at(const struct pod *p)
{
	struct stat st;
	if (fstat(p->fd, &st) < 0)
		return 0;
	return st.st_ctim.tv_sec * SECOND + st.st_ctim.tv_nsec;
}

static bool old_enough(const struct pod *p, int64_t min_ns)
{
	struct timespec now;
	int64_t came = came_at(p);
	clock_gettime(CLOCK_REALTIME, &now);
	return came && duration_over(came, now.tv_sec * SECOND + now.tv_nsec, min_ns);
}

static int64_t min_age(const struct gc *gc, enum pod_place place)
{
	return place == POD_RUN ? 0 : place == POD_PREPARED ? gc->expire_ns : UNFINISHED_MIN_NS;
}

/* What retire_one would leave for remove_one goes in the same run when there is no grace. */
static void plan_retired(struct gc *gc, const struct pod *p)
{
	bool goes = !gc->mark_only && (p->place != POD_RUN || gc->grace_ns == 0);
	gc_plan_pod(gc->plan, p, goes ? "remove" : "mark", 0);
}

static int retire_one(void *ctx, const struct datadir *d, struct pod *p, struct err *err)
{
	struct gc *gc = ctx;
	bool held = true;
	if (!old_enough(p, min_age(gc, p->place)))
		return 0;
	if (pod_held(p, &held, err) == 0 && held)
		return 0;
	if (gc->plan && !err->msg) {
		plan_retired(gc, p);
		return 0;
	}
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
	bool waits = p->place == POD_EXITED_GARBAGE && !old_enough(p, gc->grace_ns);
	if (waits && gc->plan)
		gc_plan_pod(gc->plan, p, "wait", came_at(p) + gc->grace_ns);
	if (waits)
		return 0;
	if (pod_held(p, &held, err) == 0 && held)
		return 0;
	if (gc->plan && !err->msg) {
		gc_plan_pod(gc->plan, p, "remove", 0);
		return 0;
	}
	progress_begin("removing pod %.8s", p->uuid);
	if (err->msg || pod_lock(p, err) < 0 || pod_remove(d, p, gc->force, err) < 0) {
		note_failure(gc, err);
		return 0;
	}
	progress_pause();
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
	if (gc->plan)
		return gc_plan_print(gc->plan, gc->json, err);
	if (gc->mark_only)
		return 0;
	collect_trees(gc, &d);
	return gc_ask_supervisor(err);
}

static int set_option(struct gc *gc, int id, struct err *err)
{
	switch (id) {
	case OPT_DIR:
		gc->dir = optarg;
		return 0;
	case OPT_GRACE:
		return duration_parse(optarg, &gc->grace_ns, err) < 0
			       ? err_wrap(err, "--grace-period")
			       : 0;
	case OPT_EXPIRE:
		return duration_parse(optarg, &gc->expire_ns, err) < 0
			       ? err_wrap(err, "--expire-prepared")
			       : 0;
	case OPT_MARK_ONLY:
		gc->mark_only = true;
		return 0;
	case OPT_DRY_RUN:
		gc->plan = gc->plan ? gc->plan : json_array();
		return 0;
	case OPT_JSON:
		gc->json = true;
		return 0;
	default:
		gc->force = true;
		return 0;
	}
}

/* 0: go on; 'h': help was printed. */
static int parse(int argc, char **argv, struct gc *gc, struct err *err)
{
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, err)) > OPTION_END) {
		if (id == 'h') {
			help();
			return 'h';
		}
		if (set_option(gc, id, err) < 0)
			return -1;
	}
	if (id != OPTION_END)
		return -1;
	if (optind < argc)
		return err_set(err, ERR_INVALID, "gc takes no \"%s\" (xenpod rm removes one pod)",
			argv[optind]);
	if (gc->json && !gc->plan)
		return err_set(err, ERR_INVALID, "--json shows a plan: it goes with --dry-run");
	return 0;
}

int cmd_gc(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct gc gc = {.dir = DATADIR_DEFAULT, .grace_ns = GRACE_NS, .expire_ns = EXPIRE_NS};
	int r = parse(argc, argv, &gc, &err);
	if (r == 0)
		r = collect(&gc, &err);
	json_decref(gc.plan);
	if (r < 0)
		return verb_failed(&err);
	return gc.failed ? XENPOD_EXIT_FAILURE : 0;
}
