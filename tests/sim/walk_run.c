/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying a script out, in a process of its own: so a crash, a sanitizer's word and a failed check
 * are all one thing, nothing is left of it, and the next run begins from the same nothing.
 */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultvfs.h"
#include "kit_int.h"
#include "unit.h"
#include "walk_int.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#define MS       INT64_C(1000000)
#define AUDIT_MS 150000 /* what a lost report hid is found by the list of domains, every minute */
#define LONGEST  120    /* seconds of ours for one script: far more than any takes */

/* What the child leaves to its parent beside its output. */
struct left {
	char dir[64];
	int64_t steps, turns, starts, reboots, store_errors;
};

static struct kit k;
static struct left *left;
static int trace_fd;

/* ---- the child ------------------------------------------------------------------------------- */

static void count(void)
{
	left->turns = walk_turns();
	left->starts = k.starts;
	left->reboots = k.boots - 1;
	left->store_errors = walk_store_errors();
}

/* Into the parent's file as it happens: however this process ends, it is there. */
static void trace_to_parent(void)
{
	fclose(k.trace);
	free(k.trace_text);
	k.trace_text = NULL;
	k.trace = fdopen(trace_fd, "w");
	assert_non_null(k.trace);
	setvbuf(k.trace, NULL, _IOLBF, 0);
}

/* cmocka would leave a failed check by a jump to the parent's test, and so its signal handlers. */
static void be_alone(int out_fd)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGALRM};
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_DFL);
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	dup2(out_fd, STDOUT_FILENO);
	dup2(out_fd, STDERR_FILENO);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(LONGEST);
}

/* A fault, or a helper that was killed, may leave a pod's exports for gc to clear. */
static bool clear_may_fail(const struct walk *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (strstr(w->step[i].text, "fault") || strstr(w->step[i].text, "kill-helper") ||
			strstr(w->step[i].text, "xenstored"))
			return true;
	return false;
}

static void come_to_an_end(void)
{
	walk_heal(&k);
	kit_run_for(&k, AUDIT_MS);
	for (size_t i = 0; i < k.npods; i++)
		kit_ask(&k.pod[i], EV_STOP);
	kit_rest(&k);
	kit_run_for(&k, AUDIT_MS);
	kit_rest(&k);
	walk_check_ends(&k);
	kit_finish(&k);
}

static void run(const struct walk *w)
{
	struct kit_options opt = {
		.seed = (uint64_t)w->seed,
		.jitter = (unsigned)w->jitter,
		.max_starts = (int)w->starts,
		.max_helpers = (int)w->helpers,
		.fd_store = w->fd_store,
		.powers_off = w->powers_off,
		.reuse_domids = w->reuse_domids,
	};
	faultvfs_install();
	kit_init(&k, &opt);
	trace_to_parent();
	memcpy(left->dir, k.dir, sizeof left->dir);
	k.poke = walk_poke;
	k.look = walk_look;
	k.effect = walk_effect;
	k.clear_fails = clear_may_fail(w);
	for (size_t i = 0; i < w->n; i++) {
		int64_t ms = w->step[i].ms - (sim_now(k.sim) - k.began) / MS;
		kit_run_for(&k, ms > 0 ? ms : 0);
		walk_act(&k, w->step[i].text);
		left->steps++;
	}
	come_to_an_end();
	count();
	kit_done(&k);
}

/* ---- the parent ------------------------------------------------------------------------------ */

static char *read_all(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = xcalloc(1, (size_t)size + 1);
	if (pread(fd, text, (size_t)size, 0) != size)
		abort();
	return text;
}

/* The word of cmocka, the sanitizers or assert() for it, or how the process ended. */
static char *find_why(const char *said, int status)
{
	static const char *const marks[] = {"AddressSanitizer: ", "runtime error: ",
		"[  ERROR   ] --- ", "ERROR: ", "Assertion "};
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const char *at = strstr(said, marks[i]);
		if (!at)
			continue;
		at += strlen(marks[i]);
		return xstrndup(at, strcspn(at, "\n"));
	}
	if (strstr(said, "\n[   LINE   ]"))
		return xstrndup(said, strcspn(said, "\n"));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return xstrdup("it does not come to an end");
	if (WIFSIGNALED(status))
		return xasprintf("ended by signal %d", WTERMSIG(status));
	return xasprintf("ended with status %d", WEXITSTATUS(status));
}

static int make_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0)
		abort();
	return fd;
}

void walk_run(const struct walk *w, struct walk_result *ret)
{
	_cleanup_fd_ int out_fd = make_file("output");
	trace_fd = make_file("trace");
	left = mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (left == MAP_FAILED)
		abort();
	fflush(NULL);
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		be_alone(out_fd);
		run(w);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	*ret = (struct walk_result){.failed = status != 0,
		.said = read_all(out_fd),
		.trace = read_all(trace_fd),
		.steps = left->steps,
		.turns = left->turns,
		.starts = left->starts,
		.reboots = left->reboots,
		.store_errors = left->store_errors};
	ret->why = status ? find_why(ret->said, status) : xstrdup("");
	if (status && *left->dir)
		kit_remove(left->dir);
	munmap(left, sizeof *left);
	fd_close(&trace_fd);
}

void walk_result_done(struct walk_result *r)
{
	free(r->why);
	free(r->said);
	free(r->trace);
	*r = (struct walk_result){0};
}

/* ---- shrinking ------------------------------------------------------------------------------- */

/* What is left of a message when its pods, numbers and addresses are gone: words of two letters. */
static void kind_of(const char *why, char *ret, size_t size)
{
	size_t n = 0;
	while (*why && n + 1 < size) {
		size_t len = 0;
		bool word = true;
		for (; why[len] && why[len] != ' '; len++)
			word = word && !isdigit((unsigned char)why[len]);
		for (size_t i = 0; word && len > 1 && i < len && n + 1 < size; i++)
			ret[n++] = why[i];
		why += len;
		why += *why == ' ';
	}
	ret[n] = '\0';
}

bool walk_same_failure(const struct walk_result *a, const struct walk_result *b)
{
	char kind[2][200];
	if (!a->failed || !b->failed)
		return a->failed == b->failed;
	kind_of(a->why, kind[0], sizeof kind[0]);
	kind_of(b->why, kind[1], sizeof kind[1]);
	return !strcmp(kind[0], kind[1]);
}

static bool fails_alike(void *ctx, const struct walk *w)
{
	const struct walk_result *found = ctx;
	struct walk_result r;
	walk_run(w, &r);
	bool same = walk_same_failure(found, &r);
	walk_result_done(&r);
	return same;
}

int walk_run_shrink(struct walk *w, const struct walk_result *found, int tries)
{
	struct walk_result copy = *found; /* borrowed, not changed */
	return walk_shrink(w, fails_alike, &copy, tries);
}

/* ---- one and all ----------------------------------------------------------------------------- */

static void report(const char *name, const struct walk *w, const struct walk_result *r, int runs)
{
	_cleanup_free_ char *text = walk_print(w);
	fprintf(stderr,
		"\n%s fails: %s\n---- its script, made short by %d runs ----\n%s"
		"---- what happens ----\n%s---- what it says ----\n%s----\n"
		"Again: put the script into a file, then  make VARIANT=debug soak SCRIPT=file\n",
		name, r->why, runs, text, r->trace, r->said);
}

bool walk_try(const char *name, const struct walk *w, int tries, struct walk_result *sum)
{
	struct walk_result r;
	walk_run(w, &r);
	sum->steps += r.steps;
	sum->turns += r.turns;
	sum->starts += r.starts;
	sum->reboots += r.reboots;
	sum->store_errors += r.store_errors;
	bool good = !r.failed;
	if (!good) {
		struct walk less = *w;
		int runs = walk_run_shrink(&less, &r, tries);
		walk_result_done(&r);
		walk_run(&less, &r);
		report(name, &less, &r, runs);
	}
	walk_result_done(&r);
	return good;
}
