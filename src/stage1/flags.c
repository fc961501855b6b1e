/* SPDX-License-Identifier: Apache-2.0 */
/* Go's flag package in small: see flags.h. */
#include "stage1/flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static const struct flag *find(const struct flag *flags, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(flags[i].name, name))
			return &flags[i];
	return NULL;
}

/* strconv.ParseBool */
static int set_bool(const struct flag *f, const char *text, struct err *err)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(text, yes[i]) && strcmp(text, no[i]))
			continue;
		*(bool *)f->value = !strcmp(text, yes[i]);
		return 0;
	}
	return err_set(
		err, ERR_INVALID, "flag --%s: \"%s\" is neither true nor false", f->name, text);
}

/* One flag at argv[*i]; a value in the next word moves *i. */
static int take(const struct flag *flags, size_t n, int argc, char **argv, int *i, struct err *err)
{
	const char *arg = argv[*i];
	const char *body = arg + (arg[1] == '-' ? 2 : 1);
	const char *equals = strchr(body, '=');
	_cleanup_free_ char *name =
		equals ? xstrndup(body, (size_t)(equals - body)) : xstrdup(body);
	if (!*name || *name == '-')
		return err_set(err, ERR_INVALID, "\"%s\" is not a flag", arg);
	const struct flag *f = find(flags, n, name);
	if (!f && (!strcmp(name, "help") || !strcmp(name, "h")))
		return FLAGS_HELP;
	if (!f)
		return err_set(err, ERR_INVALID, "unknown flag --%s; see --help", name);
	if (f->kind == FLAG_BOOL)
		return set_bool(f, equals ? equals + 1 : "true", err);
	if (!equals && *i + 1 >= argc)
		return err_set(err, ERR_INVALID, "flag --%s needs a value", name);
	*(const char **)f->value = equals ? equals + 1 : argv[++*i];
	return 0;
}

int flags_parse(
	const struct flag *flags, size_t n, int argc, char **argv, int *ret_rest, struct err *err)
{
	int i = 1;
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		int r = take(flags, n, argc, argv, &i, err);
		if (r)
			return r;
	}
	*ret_rest = i;
	return 0;
}

void flags_print(const struct flag *flags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("  --%s%-*s  %s\n", flags[i].name, (int)(28 - strlen(flags[i].name)),
			flags[i].kind == FLAG_TEXT ? "=VALUE" : "", flags[i].help);
}
