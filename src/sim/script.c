/* SPDX-License-Identifier: Apache-2.0 */
/* The script language: words of a line to calls of sim.h. A script is checked whole before a line
 * of it is done. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

#define WORDS_MAX 12

struct words {
	const char *w[WORDS_MAX];
	size_t n;
};

/* Does a line, or (`check`) only says what is wrong with it. */
static int run(struct sim *sim, const struct words *l, bool check, struct err *err);

static int number(const char *text, unsigned *ret, struct err *err)
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (errno || end == text || *end || n > 1000000)
		return err_set(err, ERR_INVALID, "\"%s\" is not a number", text);
	*ret = (unsigned)n;
	return 0;
}

static int duration(const char *text, int64_t *ret, struct err *err)
{
	int64_t ns = time_parse(text);
	if (ns < 0)
		return err_set(err, ERR_INVALID, "\"%s\" is not a time (250ms, 2s, 3m)", text);
	*ret = ns;
	return 0;
}

static int arity(const struct words *l, size_t min, size_t max, const char *form, struct err *err)
{
	if (l->n >= min && l->n <= max)
		return 0;
	return err_set(err, ERR_INVALID, "it is: %s", form);
}

/* ---- at ----------------------------------------------------------------------------------------
 */

static void words_of(const json_t *line, struct words *ret)
{
	size_t i;
	json_t *w;
	ret->n = 0;
	json_array_foreach (line, i, w)
		ret->w[ret->n++] = json_string_value(w);
}

static void is_due(struct sim *sim, const struct event *ev)
{
	_cleanup_err_ struct err err = {0};
	struct words l;
	words_of(ev->data, &l);
	if (run(sim, &l, false, &err) < 0)
		note(sim, "%s: %s", l.w[0], err_msg(&err));
	else
		note(sim, "%s%s%s", l.w[0], l.n > 1 ? " " : "", l.n > 1 ? l.w[1] : "");
}

static int do_at(struct sim *sim, const struct words *l, bool check, struct err *err)
{
	int64_t in = 0;
	struct words rest = {.n = 0};
	if (arity(l, 3, WORDS_MAX, "at TIME LINE", err) < 0 || duration(l->w[1], &in, err) < 0)
		return -1;
	for (size_t i = 2; i < l->n; i++)
		rest.w[rest.n++] = l->w[i];
	if (!strcmp(rest.w[0], "at"))
		return err_set(err, ERR_INVALID, "one \"at\" is enough");
	if (check)
		return run(sim, &rest, true, err);
	json_t *line = json_array();
	for (size_t i = 0; i < rest.n; i++)
		json_array_append_new(line, json_string(rest.w[i]));
	later(sim, in, NEED_NOTHING, is_due, 0, 0, line);
	return 0;
}

/* ---- the other words ----------------------------------------------------------------------------
 */

static int do_fault(struct sim *sim, const struct words *l, bool check, struct err *err)
{
	static const char form[] = "fault POINT after N times M KIND [\"text\"]";
	unsigned after = 0;
	unsigned times = 0;
	if (arity(l, 7, 8, form, err) < 0)
		return -1;
	if (strcmp(l->w[2], "after") != 0 || strcmp(l->w[4], "times") != 0)
		return err_set(err, ERR_INVALID, "it is: %s", form);
	int point = point_from_name(l->w[1]);
	int kind = kind_from_name(l->w[6]);
	if (point < 0 || kind < 0)
		return err_set(err, ERR_INVALID, "there is no %s \"%s\"",
			point < 0 ? "point" : "kind", l->w[point < 0 ? 1 : 6]);
	if (number(l->w[3], &after, err) < 0 || number(l->w[5], &times, err) < 0)
		return -1;
	if (!check)
		sim_fault(sim, (enum sim_point)point, after, times, (enum sim_kind)kind,
			l->n > 7 ? l->w[7] : NULL);
	return 0;
}

static int do_latency(struct sim *sim, const struct words *l, bool check, struct err *err)
{
	int64_t ns = 0;
	if (arity(l, 3, 3, "latency WHAT TIME", err) < 0 || duration(l->w[2], &ns, err) < 0)
		return -1;
	int what = lat_from_name(l->w[1]);
	if (what < 0)
		return err_set(err, ERR_INVALID, "there is no latency \"%s\"", l->w[1]);
	if (!check)
		sim_set_latency(sim, (enum sim_lat)what, ns);
	return 0;
}

static int do_jitter(struct sim *sim, const struct words *l, bool check, struct err *err)
{
	unsigned percent = 0;
	if (arity(l, 2, 2, "jitter PERCENT", err) < 0 || number(l->w[1], &percent, err) < 0)
		return -1;
	if (percent > 100)
		return err_set(err, ERR_INVALID, "more than 100 percent");
	if (!check)
		sim_set_jitter(sim, percent);
	return 0;
}

static int do_host(struct sim *sim, const struct words *l, bool check, struct err *err)
{
	unsigned mib = 0;
	unsigned cpus = 0;
	if (arity(l, 3, 3, "host MIB CPUS", err) < 0 || number(l->w[1], &mib, err) < 0 ||
		number(l->w[2], &cpus, err) < 0)
		return -1;
	if (!check)
		sim_set_host(sim, (int64_t)mib * 1024, (int)cpus);
	return 0;
}

static int do_xenstored(struct sim *sim, const struct words *l, bool check, struct err *err)
{
	if (arity(l, 2, 2, "xenstored down|up", err) < 0)
		return -1;
	bool up = !strcmp(l->w[1], "up");
	if (!up && strcmp(l->w[1], "down") != 0)
		return err_set(err, ERR_INVALID, "it is: xenstored down|up");
	if (!check)
		sim_xenstored(sim, up);
	return 0;
}

static int do_sensors(struct sim *sim, const struct words *l, bool check, struct err *err)
{
	if (l->n != 2 || strcmp(l->w[1], "kill") != 0)
		return err_set(err, ERR_INVALID, "it is: sensors kill");
	if (!check)
		sim_watch_kill(sim);
	return 0;
}

/* The one domain whose UUID begins so; "any": the oldest of ours. */
static int pick(struct sim *sim, const char *what, char ret[UUID_TEXT_SIZE], struct err *err)
{
	const struct dom *best = NULL;
	bool any = !strcmp(what, "any");
	for (int64_t i = 0; i < sim->dom_top; i++) {
		const struct dom *d = sim->dom[i];
		if (!d || d->state == DOM_DYING)
			continue;
		if (any ? !d->store : strncmp(d->uuid, what, strlen(what)) != 0)
			continue;
		if (best && !any && strcmp(best->uuid, d->uuid) != 0)
			return err_set(err, ERR_INVALID, "\"%s\" is more than one domain", what);
		if (!best || d->serial < best->serial)
			best = d;
	}
	if (best)
		memcpy(ret, best->uuid, UUID_TEXT_SIZE);
	else if (uuid_parse(what, ret, NULL) < 0)
		return err_set(err, ERR_NOTFOUND, "no domain \"%s\"", what);
	return 0;
}

static int do_verb(struct sim *sim, const struct words *l, bool check, struct err *err)
{
	char uuid[UUID_TEXT_SIZE];
	int verb = verb_from_name(l->w[0]);
	if (verb < 0)
		return err_set(err, ERR_INVALID, "unknown word \"%s\"", l->w[0]);
	if (l->n != 2)
		return err_set(err, ERR_INVALID, "it is: %s UUID", l->w[0]);
	if (check)
		return 0;
	if (pick(sim, l->w[1], uuid, err) < 0)
		return -1;
	return sim_operator(sim, (enum sim_verb)verb, uuid, err);
}

static int run(struct sim *sim, const struct words *l, bool check, struct err *err)
{
	static const struct {
		const char *word;
		int (*run)(struct sim *sim, const struct words *l, bool check, struct err *err);
	} lines[] = {{"at", do_at}, {"fault", do_fault}, {"latency", do_latency},
		{"jitter", do_jitter}, {"host", do_host}, {"xenstored", do_xenstored},
		{"sensors", do_sensors}};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (!strcmp(l->w[0], lines[i].word))
			return lines[i].run(sim, l, check, err);
	return do_verb(sim, l, check, err);
}

/* ---- lines -------------------------------------------------------------------------------------
 */

/* Cuts `line` into words in place; a text in quotes is one word, # begins a comment. */
static int cut(char *line, struct words *ret, struct err *err)
{
	ret->n = 0;
	for (char *p = line;;) {
		while (isspace((unsigned char)*p))
			*p++ = '\0';
		if (!*p || *p == '#')
			return 0;
		if (ret->n == WORDS_MAX)
			return err_set(err, ERR_INVALID, "too many words");
		bool quoted = *p == '"';
		char *begin = quoted ? p + 1 : p;
		char *end = quoted ? strchr(begin, '"') : begin + strcspn(begin, " \t\r");
		if (!end)
			return err_set(err, ERR_INVALID, "a quote is not closed");
		ret->w[ret->n++] = begin;
		p = end + (*end != '\0');
		*end = '\0';
	}
}

static int each_line(struct sim *sim, const char *text, bool check, struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	char *line;
	for (int n = 1; (line = strsep(&rest, "\n")); n++) {
		struct words l;
		if (cut(line, &l, err) < 0 || (l.n && run(sim, &l, check, err) < 0))
			return err_wrap(err, "line %d of the simulation script", n);
	}
	return 0;
}

int sim_script(struct sim *sim, const char *text, struct err *err)
{
	if (each_line(sim, text, true, err) < 0)
		return -1;
	return each_line(sim, text, false, err);
}
