/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of iptables as things, by iptables(8): see network.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/exec.h"
#include "host/network.h"

#define WORDS 40

/* `-t TABLE VERB CHAIN RULE...` of a name "TABLE CHAIN RULE..."; *ret_status as exec_run() has it. */
static int run(const char *verb, const char *name, int *ret_status, struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(name);
	char *save = NULL;
	const char *argv[WORDS] = {"iptables", "-w", "10", "-t", strtok_r(copy, " ", &save), verb};
	size_t n = 6;
	for (const char *w; n < WORDS - 1 && (w = strtok_r(NULL, " ", &save)) != NULL;)
		argv[n++] = w;
	return exec_run(&(struct exec){.argv = argv}, NULL, ret_status, err);
}

/* Its exit status is 1 when there is no such rule, or no such chain. */
static int rule_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	int status = 0;
	(void)h;
	if (run("-C", name, &status, err) < 0)
		return -1;
	if (status > 1)
		return err_set(err, ERR_SYSTEM, "iptables -C %s: exit status %d", name, status);
	*ret = status == 0 ? json_true() : NULL;
	return 0;
}

/* First in its chain: what comes behind may drop everything. */
static int rule_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	(void)h;
	return run(json_is_null(value) ? "-D" : "-I", name, NULL, err);
}

const struct thing thing_iptables = {
	.kind = "iptables", .get = rule_get, .set = rule_set, .till_boot = true};

/* ---- a table ----------------------------------------------------------------------------------------------- */

/* Whoever looks at a table of the old kind makes it, so iptables-save is asked, which looks at what is there. */
static int saved(char **ret, struct err *err)
{
	return exec_run(
		&(struct exec){.argv = (const char *[]){"iptables-save", NULL}}, ret, NULL, err);
}

static int table_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *line = xasprintf("*%s\n", name);
	(void)h;
	if (saved(&text, err) < 0)
		return -1;
	*ret = strstr(text, line) ? json_true() : NULL;
	return 0;
}

/* Tables and chains with their hooks and policies: whatever else stands in a line is somebody's. */
static bool is_frame(const char *line)
{
	line += strspn(line, "\t ");
	size_t len = strlen(line);
	if (!*line || *line == '#' || !strcmp(line, "}"))
		return true;
	if (!strncmp(line, "table ", strlen("table ")) ||
		!strncmp(line, "chain ", strlen("chain ")))
		return line[len - 1] == '{';
	return !strncmp(line, "type ", strlen("type ")) && strstr(line, " hook ") &&
	       line[len - 1] == ';';
}

/* What is in it beside that. false: nftables has no such table. */
static bool count(const char *name, size_t *ret)
{
	_cleanup_free_ char *list = xasprintf("list table ip %s", name);
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err none = {0};
	char *save = NULL;
	*ret = 0;
	if (network_nft(list, &text, &none) < 0)
		return false;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		*ret += !is_frame(l);
	return true;
}

/*
 * The first rule makes it. It is removed where nftables has it, when nothing is in it any more: chains
 * without rules. One of the old kind stays, empty, until its module is removed.
 */
static int table_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *remove = xasprintf("delete table ip %s", name);
	size_t n;
	(void)h;
	if (!json_is_null(value) || !count(name, &n))
		return 0;
	if (n > 0)
		return err_set(err, ERR_STATE, "others have rules in it");
	return network_nft(remove, NULL, err);
}

/* Our own rules in it are gone by then. */
static int table_try_back(const struct host *h, const char *name, const json_t *was,
	const json_t *gone, struct err *err)
{
	_cleanup_free_ char *head = xasprintf("%s ", name);
	size_t n;
	size_t i;
	json_t *one;
	(void)h;
	if (!json_is_null(was) || !count(name, &n))
		return 0;
	json_array_foreach (gone, i, one)
		n -= n > 0 && !strncmp(json_string_value(one), head, strlen(head));
	return n > 0 ? err_set(err, ERR_STATE, "others have rules in it") : 0;
}

/* Made or not, it is as wanted once the rules are in it. */
static bool table_same(const json_t *now, const json_t *want)
{
	return json_is_true(now) == json_is_true(want);
}

const struct thing thing_iptables_table = {.kind = "iptables table",
	.get = table_get,
	.set = table_set,
	.same = table_same,
	.try_back = table_try_back,
	.till_boot = true};

/* ---- is it in use? ----------------------------------------------------------------------------------------- */

/* Chains that nft(8)'s users make have other names, in small letters mostly. */
static bool built_in(const char *name)
{
	static const char *const chains[] = {
		"INPUT ", "FORWARD ", "OUTPUT ", "PREROUTING ", "POSTROUTING "};
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
		if (!strncmp(name, chains[i], strlen(chains[i])))
			return true;
	return false;
}

bool network_iptables_used(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "-A ", 3) && built_in(line + 3))
			return true;
		if (*line == ':' && built_in(line + 1) &&
			strncmp(strchr(line, ' '), " ACCEPT", strlen(" ACCEPT")) != 0)
			return true;
	}
	return false;
}
