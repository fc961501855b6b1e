/* SPDX-License-Identifier: Apache-2.0 */
/* See verbs.h. */
#include "host/verbs.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/host.h"
#include "tools/options.h"

int host_path_option(const char *option, const char **ret, struct err *err)
{
	size_t n = strlen(optarg);
	if (*optarg != '/')
		return err_set(err, ERR_INVALID, "--%s=%s: a path that begins with / is wanted",
			option, optarg);
	while (n > 1 && optarg[n - 1] == '/')
		optarg[--n] = '\0';
	*ret = optarg;
	return 0;
}

/* "plan, up, down or status"; caller frees. */
static char *all_of(const struct host_verb *verbs)
{
	char *text = xstrdup(verbs->name);
	for (const struct host_verb *v = verbs + 1; v->name; v++) {
		char *more = xasprintf("%s%s%s", text, v[1].name ? ", " : " or ", v->name);
		free(text);
		text = more;
	}
	return text;
}

/* NULL, with an error: there is no such verb. */
static const struct host_verb *verb_of(
	const struct host_verbs *c, const char *word, struct err *err)
{
	for (const struct host_verb *v = c->verbs; word && v->name; v++)
		if (!strcmp(word, v->name))
			return v;
	_cleanup_free_ char *all = all_of(c->verbs);
	if (word)
		err_set(err, ERR_INVALID, "%s: there is no verb \"%s\": %s is wanted", c->command,
			word, all);
	else
		err_set(err, ERR_INVALID, "%s: a verb is missing: %s is wanted", c->command, all);
	return NULL;
}

/* `given`: a bit for each option. */
static int check_taken(
	const struct host_verbs *c, const struct host_verb *v, uint32_t given, struct err *err)
{
	for (const struct option *o = c->options; o->val != 'h'; o++) {
		_cleanup_free_ char *word = xasprintf(" %s ", o->name);
		if ((given >> (o->val - HOST_OPT_FIRST) & 1) && !strstr(v->takes, word))
			return err_set(err, ERR_INVALID, "%s %s takes no --%s", c->command, v->name,
				o->name);
	}
	return 0;
}

/* 0: *ret is to be run; 'h': help was printed. */
static int parse(const struct host_verbs *c, int argc, char **argv, void *ask,
	const struct host_verb **ret, struct err *err)
{
	const char *word = argc > 1 && *argv[1] != '-' ? argv[1] : NULL;
	uint32_t given = 0;
	int id;
	optind = 0;
	while ((id = option_next(argc - !!word, argv + !!word, c->options, err)) > OPTION_END) {
		if (id == 'h') {
			c->help();
			return 'h';
		}
		if (c->set(ask, id, err) < 0)
			return -1;
		given |= 1U << (id - HOST_OPT_FIRST);
	}
	if (id != OPTION_END || !(*ret = verb_of(c, word, err)))
		return -1;
	if (optind < argc - 1)
		return err_set(err, ERR_INVALID, "%s %s takes no \"%s\"", c->command, word,
			argv[optind + 1]);
	return check_taken(c, *ret, given, err);
}

int host_verbs_run(const struct host_verbs *c, int argc, char **argv, void *ask)
{
	_cleanup_err_ struct err err = {0};
	const struct host_verb *verb = NULL;
	int r = parse(c, argc, argv, ask, &verb, &err);
	if (r > 0)
		return 0;
	if (r == 0)
		r = verb->run(ask, &err);
	return r < 0 ? host_failed(&err) : r;
}
