/* SPDX-License-Identifier: Apache-2.0 */
/* See isolators.h. The rules are those of rkt's cli_apps.go and stage0's prepareIsolators. */
#include "tools/isolators.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "appc/lenient.h"
#include "appc/quantity.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "proto/caps.h"
#include "proto/spec.h"

#define CAPS_RETAIN    "os/linux/capabilities-retain-set"
#define CAPS_REMOVE    "os/linux/capabilities-remove-set"
#define SECCOMP_RETAIN "os/linux/seccomp-retain-set"
#define SECCOMP_REMOVE "os/linux/seccomp-remove-set"
#define MEMORY_MIN     4096 /* rkt's own minimum (contract 8): 16m is a slip for 16M */

struct kind {
	const char *option;
	const char *name;
	const char *replaces[2]; /* of the image's */
};
static const struct kind kinds[ISOLATOR_MAX_] = {
	[ISOLATOR_MEMORY] = {"memory", "resource/memory", {0}},
	[ISOLATOR_CPU] = {"cpu", "resource/cpu", {0}},
	[ISOLATOR_CPU_SHARES] = {"cpu-shares", "os/linux/cpu-shares", {"os/linux/cpu-shares"}},
	[ISOLATOR_OOM_SCORE_ADJ] = {"oom-score-adj", "os/linux/oom-score-adj",
		{"os/linux/oom-score-adj"}},
	[ISOLATOR_CAPS_RETAIN] = {"caps-retain", CAPS_RETAIN, {CAPS_RETAIN, CAPS_REMOVE}},
	[ISOLATOR_CAPS_REMOVE] = {"caps-remove", CAPS_REMOVE, {CAPS_RETAIN, CAPS_REMOVE}},
	[ISOLATOR_SECCOMP] = {"seccomp", NULL, {SECCOMP_RETAIN, SECCOMP_REMOVE}},
};

static int parse_quantity(const struct kind *k, const char *text, json_t **ret, struct err *err)
{
	bool memory = k == &kinds[ISOLATOR_MEMORY];
	int64_t n = 0;
	if ((memory ? quantity_value : quantity_milli)(text, &n, err) < 0)
		return err_wrap(err, "--%s=%s", k->option, text);
	if (memory && n < MEMORY_MIN)
		return err_set(err, ERR_INVALID,
			"--memory=%s: at least 4096 bytes are wanted, as 16M", text);
	if (n < 1)
		return err_set(err, ERR_INVALID, "--cpu=%s: more than nothing is wanted", text);
	*ret = json_make("{s:s, s:{s:b, s:s, s:s}}", "name", k->name, "value", "default", 0,
		"request", text, "limit", text);
	return 0;
}

static int parse_int(const struct kind *k, const char *text, json_t **ret, struct err *err)
{
	bool shares = k == &kinds[ISOLATOR_CPU_SHARES];
	int min = shares ? SPEC_CPU_SHARES_MIN : -SPEC_OOM_ADJ_MAX;
	int max = shares ? SPEC_CPU_SHARES_MAX : SPEC_OOM_ADJ_MAX;
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (end == text || *end || errno || n < min || n > max)
		return err_set(err, ERR_INVALID, "--%s=%s: a number from %d to %d is wanted",
			k->option, text, min, max);
	*ret = json_make("{s:s, s:i}", "name", k->name, "value", (int)n);
	return 0;
}

static int parse_caps(const struct kind *k, const char *text, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *set = json_array();
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	char *one;
	while ((one = strsep(&rest, ","))) {
		const char *name = caps_name(caps_from_name(one));
		if (!name)
			return err_set(err, ERR_INVALID,
				"--%s=%s: \"%s\" is not a capability; write them as "
				"CAP_KILL,CAP_CHOWN",
				k->option, text, one);
		json_array_append_new(set, json_string(name));
	}
	*ret = json_make("{s:s, s:{s:O}}", "name", k->name, "value", "set", set);
	return 0;
}

static bool made_of(const char *s, const char *allowed)
{
	return *s && !s[strspn(s, allowed)];
}

struct seccomp {
	const char *mode;
	const char *errno_name;
	json_t *set;
};

/* Names of calls are the stage1's to know: it has the table of them. */
static int seccomp_part(struct seccomp *s, char *part, struct err *err)
{
	char *eq = strchr(part, '=');
	if (!eq && made_of(part + (*part == '@'), "abcdefghijklmnopqrstuvwxyz0123456789_-./"))
		return json_array_append_new(s->set, json_string(part));
	if (!eq)
		return err_set(err, ERR_INVALID, "\"%s\" is no system call or @group", part);
	*eq = '\0';
	if (!strcmp(part, "mode"))
		s->mode = eq + 1;
	else if (!strcmp(part, "errno"))
		s->errno_name = eq + 1;
	else
		return err_set(err, ERR_INVALID, "there is no \"%s\"", part);
	return 0;
}

static int seccomp_check(const struct seccomp *s, struct err *err)
{
	if (!s->mode || (strcmp(s->mode, "retain") != 0 && strcmp(s->mode, "remove") != 0))
		return err_set(err, ERR_INVALID, "mode=retain or mode=remove is wanted");
	if (s->errno_name &&
		(*s->errno_name != 'E' ||
			!made_of(s->errno_name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")))
		return err_set(
			err, ERR_INVALID, "errno=%s: a name as EPERM is wanted", s->errno_name);
	if (!json_array_size(s->set))
		return err_set(err, ERR_INVALID, "system calls or @groups are missing");
	return 0;
}

static int parse_seccomp(const struct kind *k, const char *text, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *set = json_array();
	struct seccomp s = {.set = set};
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	char *part;
	int r = 0;
	while (r == 0 && (part = strsep(&rest, ",")))
		r = seccomp_part(&s, part, err);
	if (r < 0 || seccomp_check(&s, err) < 0)
		return err_wrap(err, "--%s=%s", k->option, text);
	bool retain = !strcmp(s.mode, "retain");
	*ret = json_make("{s:s, s:{s:O}}", "name", retain ? SECCOMP_RETAIN : SECCOMP_REMOVE,
		"value", "set", set);
	if (s.errno_name)
		json_object_set_new(
			json_object_get(*ret, "value"), "errno", json_string(s.errno_name));
	return 0;
}

int isolator_parse(enum isolator which, const char *text, json_t **ret, struct err *err)
{
	const struct kind *k = &kinds[which];
	switch (which) {
	case ISOLATOR_MEMORY:
	case ISOLATOR_CPU:
		return parse_quantity(k, text, ret, err);
	case ISOLATOR_CPU_SHARES:
	case ISOLATOR_OOM_SCORE_ADJ:
		return parse_int(k, text, ret, err);
	case ISOLATOR_CAPS_RETAIN:
	case ISOLATOR_CAPS_REMOVE:
		return parse_caps(k, text, ret, err);
	default:
		return parse_seccomp(k, text, ret, err);
	}
}

static void remove_named(json_t *list, const char *name)
{
	for (size_t i = json_array_size(list); i-- > 0;) {
		const char *have = "";
		lenient_str(json_array_get(list, i), "name", &have, NULL);
		if (!strcmp(have, name))
			json_array_remove(list, i);
	}
}

json_t *isolators_merge(const json_t *image, json_t *const *given)
{
	json_t *list = image ? json_deep_copy(image) : json_array();
	for (size_t i = 0; i < ISOLATOR_MAX_; i++) {
		for (size_t k = 0; given[i] && k < 2 && kinds[i].replaces[k]; k++)
			remove_named(list, kinds[i].replaces[k]);
		if (given[i])
			json_array_append(list, given[i]);
	}
	return list;
}
