/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and rules of nftables as things, over libnftables: see network.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/files.h"
#include "host/network.h"

/* ---- nftables -------------------------------------------------------------------------------------------- */

static int run(const char *commands, unsigned flags, char **ret, struct err *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!nft)
		return err_set(err, ERR_SYSTEM, "libnftables does not start");
	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	nft_ctx_output_set_flags(nft, flags);
	int r = nft_run_cmd_from_buffer(nft, commands);
	const char *why = nft_ctx_get_error_buffer(nft);
	const char *said = nft_ctx_get_output_buffer(nft);
	if (r)
		err_set(err, ERR_SYSTEM, "nftables: %.*s", (int)strcspn(why ? why : "", "\n"),
			why ? why : "");
	else if (ret)
		*ret = xstrdup(said ? said : "");
	nft_ctx_free(nft);
	return r ? -1 : 0;
}

int network_nft(const char *commands, char **ret, struct err *err)
{
	return run(commands, 0, ret, err);
}

/* Everything of a table, with the rules' handles; *ret NULL: there is none. */
static int list(const char *table, char **ret, struct err *err)
{
	_cleanup_free_ char *all = NULL;
	_cleanup_free_ char *line = xasprintf("table %s\n", table);
	_cleanup_free_ char *command = xasprintf("list table %s", table);
	*ret = NULL;
	if (run("list tables", 0, &all, err) < 0)
		return -1;
	return strstr(all, line) ? run(command, NFT_CTX_OUTPUT_HANDLE, ret, err) : 0;
}

/* ---- a table --------------------------------------------------------------------------------------------- */

/* A rule that is gone, or came from another plan, shows in its comment. */
json_t *network_nft_table(const char *text)
{
	char mark[16];
	uint32_t sum = 2166136261U;
	int rules = 0;
	for (const char *c = text; *c; c++) {
		sum = (sum ^ (uint8_t)*c) * 16777619U;
		rules += *c == '@';
	}
	snprintf(mark, sizeof(mark), "%08x", sum);
	return json_make("{s:s,s:i,s:s}", "mark", mark, "rules", rules, "text", text);
}

static bool table_same(const json_t *now, const json_t *want)
{
	return json_equal(json_object_get(now, "mark"), json_object_get(want, "mark")) &&
	       json_equal(json_object_get(now, "rules"), json_object_get(want, "rules"));
}

static int table_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	static const char comment[] = "comment \"xenpod ";
	_cleanup_free_ char *text = NULL;
	char mark[16] = "";
	int rules = 0;
	(void)h;
	if (list(name, &text, err) < 0)
		return -1;
	if (!text)
		return 0;
	for (const char *at = text; (at = strstr(at, comment)) != NULL; rules++) {
		at += strlen(comment);
		snprintf(mark, sizeof(mark), "%.*s", (int)strcspn(at, "\"\n"), at);
	}
	*ret = json_make("{s:s,s:i}", "mark", mark, "rules", rules);
	return 0;
}

/* Made if it is not there, so that it can be removed: all in one transaction. */
static int table_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	char *commands = NULL;
	size_t len = 0;
	(void)h;
	FILE *out = open_memstream(&commands, &len);
	if (!out)
		abort(); /* no memory, as everywhere */
	fprintf(out, "table %s\ndelete table %s\n", name, name);
	for (const char *c = json_str_opt(value, "text", ""); *c; c++)
		if (*c == '@')
			fprintf(out, "comment \"xenpod %s\"", json_str_opt(value, "mark", ""));
		else
			fputc(*c, out);
	fclose(out);
	int r = network_nft(commands, NULL, err);
	free(commands);
	return r;
}

const struct thing thing_nft_table = {.kind = "nft table",
	.get = table_get,
	.set = table_set,
	.same = table_same,
	.only_new = true,
	.till_boot = true};

/* ---- a rule in somebody's chain ---------------------------------------------------------------------------- */

struct place {
	char *table; /* "ip filter" */
	char *chain; /* "ip filter FORWARD" */
	char *comment;
};

static struct place place_of(const char *name)
{
	struct place p;
	const char *chain = strchr(name, ' ');
	chain = chain ? strchr(chain + 1, ' ') : NULL;
	const char *word = chain ? strchr(chain + 1, ' ') : NULL;
	if (!word)
		return (struct place){xstrdup(name), xstrdup(name), xstrdup("")};
	p.table = xstrndup(name, (size_t)(chain - name));
	p.chain = xstrndup(name, (size_t)(word - name));
	p.comment = xasprintf("comment \"xenpod %s\"", chain + 1);
	return p;
}

static void place_done(struct place *p)
{
	free(p->table);
	free(p->chain);
	free(p->comment);
}

/* Its handle as text; NULL: it is not there. */
static int handle_of(const struct place *p, char **ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	*ret = NULL;
	if (list(p->table, &text, err) < 0)
		return -1;
	const char *at = text ? strstr(text, p->comment) : NULL;
	at = at ? strstr(at, "# handle ") : NULL;
	if (!at)
		return 0;
	at += strlen("# handle ");
	*ret = xstrndup(at, strspn(at, "0123456789"));
	return 0;
}

static bool rule_same(const json_t *now, const json_t *want)
{
	return json_is_string(now) && json_is_string(want);
}

static int rule_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_(place_done) struct place p = place_of(name);
	_cleanup_free_ char *handle = NULL;
	(void)h;
	if (handle_of(&p, &handle, err) < 0)
		return -1;
	*ret = handle ? json_string("there") : NULL;
	return 0;
}

static int rule_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_(place_done) struct place p = place_of(name);
	_cleanup_free_ char *handle = NULL;
	(void)h;
	if (handle_of(&p, &handle, err) < 0)
		return -1;
	if (json_is_null(value) == !handle)
		return 0;
	const char *rule = "";
	if (!handle && thing_word(value, &rule, err) < 0)
		return -1;
	_cleanup_free_ char *command =
		handle ? xasprintf("delete rule %s handle %s", p.chain, handle)
		       : xasprintf("insert rule %s %s %s", p.chain, rule, p.comment);
	return network_nft(command, NULL, err);
}

const struct thing thing_nft_rule = {
	.kind = "nft rule", .get = rule_get, .set = rule_set, .same = rule_same, .till_boot = true};

/* ---- whose policy is drop ------------------------------------------------------------------------------------ */

/* One that nft(8) takes in a command; programs can give the kernel others. */
static bool is_name(const char *text)
{
	static const char takes[] =
		"/_.-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	return *text && !text[strspn(text, takes)];
}

char **network_drop_chains(const char *listed, bool *ret_firewalld)
{
	_cleanup_free_ char *copy = xstrdup(listed);
	char family[16] = "";
	char table[128] = "";
	char chain[128] = "";
	char *save = NULL;
	size_t n = 0;
	char **ret = xcalloc(1, sizeof(*ret));
	*ret_firewalld = false;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "table %15s %127s", family, table) == 2) {
			*ret_firewalld |= !strcmp(table, "firewalld");
			continue;
		}
		if (sscanf(line, " chain %127s", chain) == 1 ||
			(strcmp(family, "ip") != 0 && strcmp(family, "inet") != 0) ||
			!is_name(table) || !is_name(chain) || !strcmp(table, "firewalld") ||
			!strstr(line, "type filter hook forward ") || !strstr(line, "policy drop"))
			continue;
		ret = xreallocarray(ret, n + 2, sizeof(*ret));
		ret[n++] = xasprintf("%s %s %s", family, table, chain);
		ret[n] = NULL;
	}
	return ret;
}
