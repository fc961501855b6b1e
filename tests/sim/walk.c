/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts of random lives: drawn, printed, read, shrunk. See walk.h. */
#include "walk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* ---- drawing --------------------------------------------------------------------------------- */

struct draw {
	struct walk *w;
	uint64_t rng;
	int64_t ms;
	unsigned pods, most_pods;
};

/* splitmix64 (Steele, Lea, Flood 2014), as in src/sim. */
static unsigned chance(struct draw *d, unsigned of)
{
	uint64_t z = d->rng += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ (z >> 31)) % of);
}

#define PICK(d, list) (list)[chance(d, ARRAY_SIZE(list))]

__attribute__((format(printf, 2, 3))) static void add(struct draw *d, const char *fmt, ...)
{
	if (d->w->n == WALK_STEPS)
		return;
	struct walk_step *s = &d->w->step[d->w->n++];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->text, sizeof s->text, fmt, ap);
	va_end(ap);
	s->ms = d->ms;
}

static char any_pod(struct draw *d)
{
	return (char)('a' + chance(d, d->pods));
}

static void a_pod(struct draw *d)
{
	static const char *const apps[] = {"forever", "forever", "stubborn", "exit 0 after 1s",
		"exit 3 after 5s", "exit 7 after 20s", "killed 9 after 3s", "oom after 2s", "panic",
		"exec-fails", "init-fails", "never-boots", "garbage", "flood", "reboot"};
	static const char *const nets[] = {"", "", "", "net 0 ", "net 80 ", "net 81 "};
	static const char *const policies[] = {"", "", "restart on-failure 2 ",
		"restart on-failure 0 ", "restart always 0 ", "restart always 3 "};
	if (d->pods == d->most_pods)
		return;
	char name = (char)('a' + d->pods++);
	const char *net = PICK(d, nets);
	const char *policy = PICK(d, policies);
	const char *first = PICK(d, apps);
	if (chance(d, 3))
		add(d, "pod %c %s%s\"%s\"", name, net, policy, first);
	else
		add(d, "pod %c %s%s\"%s\" \"%s\"", name, net, policy, first, PICK(d, apps));
}

/*
 * Without systemd's copy of the lock it is QEMU or `run` that has it while the supervisor is dead:
 * those are killed where there is one only.
 */
static void an_operator(struct draw *d)
{
	static const char *const asked[] = {"stop", "stop", "kill", "pause", "pause", "resume",
		"resume", "gc", "run-killed", "start"};
	const char *what = PICK(d, asked);
	if (!d->w->fd_store && !strcmp(what, "run-killed"))
		return;
	add(d, "%s %c", what, any_pod(d));
}

/* A stranger is no fault of ours to undo, and a test of its own (test_outside). */
static void an_outsider(struct draw *d)
{
	static const char *const verbs[] = {"destroy", "shutdown", "poweroff", "reboot", "panic",
		"pause", "unpause", "freeze", "hold", "unhold", "kill-qemu", "kill-helper",
		"rename", "mem-set"};
	const char *what = PICK(d, verbs);
	if (!d->w->fd_store && !strcmp(what, "kill-qemu"))
		return;
	add(d, "outside %s %c", what, any_pod(d));
}

/* Which fault makes sense where: sim.h, SIM_POINTS. A zombie for ever has no end to wait for. */
static void a_fault(struct draw *d)
{
	static const char *const points[] = {"exports", "network", "create", "build", "go",
		"unpause", "pause", "shutdown", "destroy", "clear", "release"};
	static const char *const kinds[] = {"fail", "hang", "die", "lost", "double", "slow"};
	static const char *const others[][2] = {{"start", "fail"}, {"qemu", "hang"},
		{"qemu", "slow"}, {"dying", "slow"}, {"event", "lost"}, {"event", "double"},
		{"event", "slow"}, {"guest", "lost"}, {"guest", "double"}, {"pong", "lost"}};
	const char *const *other = PICK(d, others);
	const char *point = PICK(d, points);
	const char *kind = PICK(d, kinds);
	if (!chance(d, 3)) {
		point = other[0];
		kind = other[1];
	}
	unsigned after = chance(d, 3);
	add(d, "world fault %s after %u times %u %s", point, after, 1 + chance(d, 3), kind);
}

static void a_sense(struct draw *d)
{
	static const char *const lines[] = {"sensors kill", "sensors kill", "xenstored down",
		"xenstored up", "host 2048 4", "host 0 4"};
	const char *line = PICK(d, lines);
	add(d, "world %s", line);
}

static void a_bad_disk(struct draw *d)
{
	static const char *const kinds[] = {"full", "io"};
	const char *kind = PICK(d, kinds);
	unsigned after = chance(d, 2) ? chance(d, 12) : 0;
	add(d, "store %s after %u for %u", kind, after, 50 + chance(d, 3000));
}

static void a_host(struct draw *d)
{
	static const char *const lines[] = {
		"closing on", "closing off", "closing off", "spawns fail 1", "spawns fail 4"};
	const char *line = PICK(d, lines);
	add(d, "%s", line);
}

static void a_crash(struct draw *d)
{
	static const char *const points[] = {"before-commit", "after-commit", "after-effect"};
	if (!chance(d, 4)) {
		add(d, "crash");
		return;
	}
	const char *point = PICK(d, points);
	add(d, "crash %s %u", point, 1 + chance(d, 8));
}

static void time_goes_on(struct draw *d)
{
	switch (chance(d, 5)) {
	case 0:
		break; /* at once */
	case 1:
		d->ms += chance(d, 100);
		break;
	case 2:
	case 3:
		d->ms += chance(d, 3000);
		break;
	default:
		d->ms += chance(d, 20000);
	}
}

static void something(struct draw *d)
{
	static const struct {
		unsigned share; /* of a hundred */
		void (*draw)(struct draw *d);
	} kinds[] = {{15, a_pod}, {31, an_operator}, {15, an_outsider}, {14, a_fault}, {4, a_sense},
		{3, a_host}, {6, a_bad_disk}, {11, a_crash}};
	unsigned n = chance(d, 100);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (n < kinds[i].share) {
			kinds[i].draw(d);
			return;
		}
		n -= kinds[i].share;
	}
	add(d, "reboot");
}

void walk_make(struct walk *w, uint64_t seed)
{
	struct draw d = {.w = w, .rng = seed};
	*w = (struct walk){.seed = (int64_t)(seed & INT64_MAX)};
	w->jitter = chance(&d, 40);
	w->starts = 1 + chance(&d, 4);
	w->helpers = 1 + chance(&d, 4);
	w->fd_store = chance(&d, 4) > 0;
	w->powers_off = chance(&d, 2);
	w->reuse_domids = chance(&d, 2);
	d.most_pods = 1 + chance(&d, WALK_PODS);
	unsigned steps = 8 + chance(&d, 50);
	a_pod(&d);
	while (d.pods < d.most_pods && chance(&d, 2))
		a_pod(&d);
	while (w->n < steps) {
		time_goes_on(&d);
		something(&d);
	}
}

/* ---- text ------------------------------------------------------------------------------------ */

char *walk_print(const struct walk *w)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		abort();
#define X(name) fprintf(f, "set %s %lld\n", #name, (long long)w->name);
	WALK_SETTINGS(X)
#undef X
	for (size_t i = 0; i < w->n; i++)
		fprintf(f, "at %lld.%03lld %s\n", (long long)(w->step[i].ms / 1000),
			(long long)(w->step[i].ms % 1000), w->step[i].text);
	fclose(f);
	return text;
}

static int64_t *setting(struct walk *w, const char *name)
{
#define X(id)                                                                                      \
	if (!strcmp(name, #id))                                                                    \
		return &w->id;
	WALK_SETTINGS(X)
#undef X
	return NULL;
}

static int parse_set(struct walk *w, const char *line, struct err *err)
{
	char name[32];
	long long value;
	char more;
	if (sscanf(line, "set %31s %lld %c", name, &value, &more) != 2)
		return err_set(err, ERR_INVALID, "it is: set SETTING VALUE");
	int64_t *at = setting(w, name);
	if (!at)
		return err_set(err, ERR_INVALID, "there is no setting \"%s\"", name);
	*at = value;
	return 0;
}

static int parse_at(struct walk *w, const char *line, struct err *err)
{
	unsigned s;
	unsigned ms;
	int text = 0;
	if (sscanf(line, "at %7u.%3u %n", &s, &ms, &text) != 2 || !text || !line[text])
		return err_set(err, ERR_INVALID, "it is: at SECONDS.MMM ACTION");
	if (w->n == WALK_STEPS)
		return err_set(err, ERR_INVALID, "more than %d steps", WALK_STEPS);
	struct walk_step *step = &w->step[w->n];
	step->ms = (int64_t)s * 1000 + ms;
	if (w->n && step->ms < step[-1].ms)
		return err_set(err, ERR_INVALID, "time goes back");
	if (strlen(line + text) >= sizeof step->text)
		return err_set(err, ERR_INVALID, "it is longer than %d bytes", WALK_TEXT - 1);
	snprintf(step->text, sizeof step->text, "%s", line + text);
	w->n++;
	return 0;
}

int walk_parse(struct walk *ret, const char *text, struct err *err)
{
	struct walk w = {0};
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	char *line;
	for (int n = 1; (line = strsep(&rest, "\n")); n++) {
		if (!*line || *line == '#')
			continue;
		int r = !strncmp(line, "set ", 4) ? parse_set(&w, line, err)
						  : parse_at(&w, line, err);
		if (r < 0)
			return err_wrap(err, "line %d of the script", n);
	}
	*ret = w;
	return 0;
}

/* ---- shrinking ------------------------------------------------------------------------------- */

/* Without the `n` steps from `at` on. */
static void drop(struct walk *ret, const struct walk *w, size_t at, size_t n)
{
	*ret = *w;
	memmove(&ret->step[at], &ret->step[at + n], (w->n - at - n) * sizeof *w->step);
	ret->n -= n;
}

/* From the end: later steps are less often what it takes. True when something could go. */
static bool drop_chunks(struct walk *w, size_t chunk, bool (*fails)(void *, const struct walk *),
	void *ctx, int *tries)
{
	bool any = false;
	struct walk less;
	for (size_t end = w->n; end > 0 && *tries > 0;) {
		size_t n = chunk < end ? chunk : end;
		drop(&less, w, end - n, n);
		end -= n;
		--*tries;
		if (!fails(ctx, &less))
			continue;
		*w = less;
		any = true;
	}
	return any;
}

int walk_shrink(
	struct walk *w, bool (*fails)(void *ctx, const struct walk *w), void *ctx, int tries)
{
	int left = tries;
	for (size_t chunk = (w->n + 1) / 2; chunk > 1; chunk = (chunk + 1) / 2)
		drop_chunks(w, chunk, fails, ctx, &left);
	/* What is dropped may make another step needless. */
	while (left > 0 && drop_chunks(w, 1, fails, ctx, &left))
		;
	return tries - left;
}
