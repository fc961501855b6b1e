/* SPDX-License-Identifier: Apache-2.0 */
/* --net and the directories of networks: see select.h. */
#include "cni/select.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"

/* ---- the flag --------------------------------------------------------------------------------- */

static bool is_wanted(const struct cni_flag *f, const char *name)
{
	for (size_t i = 0; i < f->n_want; i++)
		if (!strcmp(f->want[i].name, name))
			return true;
	return false;
}

static int add_want(const char *name, const char *args, struct cni_flag *f, struct err *err)
{
	if (is_wanted(f, name))
		return err_set(err, ERR_INVALID, "\"%s\" stands there twice", name);
	f->want = xreallocarray(f->want, f->n_want + 1, sizeof *f->want);
	f->want[f->n_want++] = (struct cni_want){
		.name = xstrdup(name), .args = args && *args ? xstrdup(args) : NULL};
	return 0;
}

/* One of the list, "name[:args]"; it is written to. Special names are sorted out afterwards. */
static int take_part(char *part, struct cni_flag *f, struct err *err)
{
	char *args = strchr(part, ':');
	if (args)
		*args++ = '\0';
	if (!*part)
		return err_set(err, ERR_INVALID, "a network's name is empty");
	if (args && strchr(args, ':'))
		return err_set(err, ERR_INVALID,
			"\"%s\" has a second \":\" in its arguments, so no IPv6 address can stand "
			"there; write it into the network's file",
			part);
	bool special = !strcmp(part, "all") || !strcmp(part, "host") || !strcmp(part, "none");
	if (special && args)
		return err_set(err, ERR_INVALID, "\"%s\" takes no arguments", part);
	return add_want(part, args, f, err);
}

static void drop_want(struct cni_flag *f, const char *name)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->n_want; i++) {
		if (strcmp(f->want[i].name, name) != 0) {
			f->want[kept++] = f->want[i];
			continue;
		}
		free(f->want[i].name);
		free(f->want[i].args);
	}
	f->n_want = kept;
}

static void settle_special(struct cni_flag *f)
{
	f->all = is_wanted(f, "all");
	f->mode = CNI_LIST;
	if (is_wanted(f, "none"))
		f->mode = CNI_NONE;
	if (is_wanted(f, "host"))
		f->mode = CNI_HOST;
	drop_want(f, "all");
	drop_want(f, "none");
	drop_want(f, "host");
}

int cni_flag_parse(const char *text, struct cni_flag *ret, struct err *err)
{
	_cleanup_cni_flag_ struct cni_flag f = {0};
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	char *part;
	*ret = (struct cni_flag){0};
	while ((part = strsep(&rest, ",")))
		if (take_part(part, &f, err) < 0)
			return err_wrap(err, "flag --net=%s", text);
	settle_special(&f);
	*ret = f;
	f = (struct cni_flag){0};
	return 0;
}

void cni_flag_done(struct cni_flag *f)
{
	for (size_t i = 0; i < f->n_want; i++) {
		free(f->want[i].name);
		free(f->want[i].args);
	}
	free(f->want);
	*f = (struct cni_flag){0};
}

/* ---- the files -------------------------------------------------------------------------------- */

/* A file of a directory: a network, or what is wrong with it. */
struct found {
	struct cni_net net; /* empty when it is broken */
	char *name;         /* NULL when it does not tell it */
	struct err err;     /* of a broken one */
	bool builtin;
	char *file;
};

struct finds {
	struct found *f; /* in byte order of file names, directory by directory */
	size_t n;
};

static void finds_done(struct finds *s)
{
	for (size_t i = 0; i < s->n; i++) {
		cni_net_done(&s->f[i].net);
		err_done(&s->f[i].err);
		free(s->f[i].name);
		free(s->f[i].file);
	}
	free(s->f);
}

static int is_conf(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');
	return dot && (!strcmp(dot, ".conf") || !strcmp(dot, ".conflist"));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_conf(const char *path, struct found *f)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	if (file_read_at(AT_FDCWD, path, CNI_CONF_MAX, &text, &len, &f->err) < 0)
		return;
	bool good = cni_net_parse(path, text, len, &f->net, &f->err) == 0;
	f->name = good ? xstrdup(f->net.name) : cni_net_peek_name(text, len);
	f->net.builtin = f->builtin;
}

/* A directory is passed over (contract 5.1); a FIFO or a device would block or not end. */
static void take_file(const char *dir, const char *file, bool builtin, struct finds *s)
{
	struct stat st;
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	int r = stat(path, &st);
	if (r == 0 && S_ISDIR(st.st_mode))
		return;
	struct found f = {.builtin = builtin, .file = xstrdup(file)};
	_cleanup_json_ json_t *name = json_string(file);
	if (r < 0)
		err_sys(&f.err, "%s", path);
	else if (!name) /* it is stored and told as JSON */
		err_set(&f.err, ERR_INVALID, "%s: its name is not UTF-8", path);
	else if (!S_ISREG(st.st_mode))
		err_set(&f.err, ERR_INVALID, "%s: it is not a regular file", path);
	else
		read_conf(path, &f);
	s->f = xreallocarray(s->f, s->n + 1, sizeof *s->f);
	s->f[s->n++] = f;
}

static int take_dir(const char *dir, bool builtin, struct finds *s, struct err *err)
{
	struct dirent **list = NULL;
	int n = dir ? scandir(dir, &list, is_conf, by_bytes) : 0;
	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(err, "networks: read directory %s", dir);
	for (int i = 0; i < n; i++) {
		take_file(dir, list[i]->d_name, builtin, s);
		free(list[i]);
	}
	free(list);
	return 0;
}

/* ---- which of them ---------------------------------------------------------------------------- */

static void add_note(struct cni_nets *n, char *line)
{
	n->notes = xreallocarray(n->notes, n->n_notes + 1, sizeof *n->notes);
	n->notes[n->n_notes++] = line;
}

/* The file whose network `name` is, as far as the first `end` files of a directory tell. */
static const struct found *holder(const struct finds *s, const char *name, bool builtin, size_t end)
{
	for (size_t i = 0; i < end; i++)
		if (s->f[i].builtin == builtin && s->f[i].name && !strcmp(s->f[i].name, name))
			return &s->f[i];
	return NULL;
}

/* A file without a name could be this network, were it readable. */
static bool may_be(const struct finds *s, size_t at, const char *name)
{
	return !holder(s, name, s->f[at].builtin, at) &&
	       !(s->f[at].builtin && holder(s, name, false, s->n));
}

static bool may_be_wanted(const struct cni_flag *flag, const struct finds *s, size_t at)
{
	const char *name = s->f[at].name;
	if (flag->all)
		return true;
	if (name)
		return is_wanted(flag, name) && may_be(s, at, name);
	for (size_t i = 0; i < flag->n_want; i++)
		if (may_be(s, at, flag->want[i].name))
			return true;
	return false;
}

static int judge_broken(
	const struct cni_flag *flag, struct finds *s, struct cni_nets *ret, struct err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!s->f[i].err.msg)
			continue;
		if (may_be_wanted(flag, s, i)) {
			err_move(err, &s->f[i].err);
			return err_wrap(err, "networks");
		}
		add_note(ret, xasprintf("network file ignored, it is not usable: %s",
				      err_msg(&s->f[i].err)));
	}
	return 0;
}

/* NULL when the file's network is taken, else the note that says why not. */
static char *passed_over(const struct finds *s, size_t at)
{
	const struct found *f = &s->f[at];
	const struct found *user = f->builtin ? holder(s, f->net.name, false, s->n) : NULL;
	const struct found *first = holder(s, f->net.name, f->builtin, at);
	if (first)
		return xasprintf("network \"%s\" is defined by %s already, %s is ignored",
			f->net.name, first->file, f->net.path);
	if (user)
		return xasprintf("network \"%s\" of %s is overridden by %s", f->net.name,
			f->net.path, user->net.path);
	return NULL;
}

static void take_net(const struct cni_flag *flag, struct cni_net *net, struct cni_nets *ret)
{
	for (size_t i = 0; i < flag->n_want; i++)
		if (flag->want[i].args && !strcmp(flag->want[i].name, net->name))
			net->args = xstrdup(flag->want[i].args);
	ret->net = xreallocarray(ret->net, ret->n + 1, sizeof *ret->net);
	ret->net[ret->n++] = *net;
	*net = (struct cni_net){0};
}

/* The builtin ones come first, so those that override them are still in their place. */
static void choose(const struct cni_flag *flag, struct finds *s, struct cni_nets *ret)
{
	for (size_t i = 0; i < s->n; i++) {
		struct cni_net *net = &s->f[i].net;
		if (!net->name || !(flag->all || is_wanted(flag, net->name)))
			continue;
		char *why = passed_over(s, i);
		if (why)
			add_note(ret, why);
		else
			take_net(flag, net, ret);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has_net(const struct cni_nets *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (!strcmp(n->net[i].name, name))
			return true;
	return false;
}

static int judge_missing(const struct cni_flag *flag, const struct cni_nets *n, struct err *err)
{
	_cleanup_free_ char **names = xcalloc(flag->n_want + 1, sizeof *names);
	size_t count = 0;
	for (size_t i = 0; i < flag->n_want; i++)
		if (!has_net(n, flag->want[i].name))
			names[count++] = flag->want[i].name;
	if (!count)
		return 0;
	qsort(names, count, sizeof *names, by_text);
	_cleanup_free_ char *list = xstrdup(names[0]);
	for (size_t i = 1; i < count; i++) {
		char *longer = xasprintf("%s, %s", list, names[i]);
		free(list);
		list = longer;
	}
	return err_set(err, ERR_NOTFOUND, "networks not found: %s", list);
}

/* Two directories may have the same file name for two networks: the builtin one is first then. */
static int by_file(const void *a, const void *b)
{
	const struct cni_net *x = a;
	const struct cni_net *y = b;
	int d = strcmp(x->file, y->file);
	return d ? d : (int)y->builtin - (int)x->builtin;
}

static int put_in_order(struct cni_nets *n, struct err *err)
{
	if (n->n > CNI_NETS_MAX)
		return err_set(err, ERR_FULL, "%zu networks for one pod, at most %d are possible",
			n->n, CNI_NETS_MAX);
	if (n->n)
		qsort(n->net, n->n, sizeof *n->net, by_file);
	for (unsigned i = 0; i < n->n; i++)
		snprintf(n->net[i].ifname, sizeof n->net[i].ifname, "eth%u", i);
	return 0;
}

int cni_select(const struct cni_flag *flag, const char *builtin_dir, const char *user_dir,
	struct cni_nets *ret, struct err *err)
{
	_cleanup_(finds_done) struct finds s = {0};
	_cleanup_cni_nets_ struct cni_nets n = {0};
	*ret = (struct cni_nets){0};
	if (flag->mode != CNI_LIST)
		return 0;
	if (take_dir(builtin_dir, true, &s, err) < 0 || take_dir(user_dir, false, &s, err) < 0 ||
		judge_broken(flag, &s, &n, err) < 0)
		return -1;
	choose(flag, &s, &n);
	if (judge_missing(flag, &n, err) < 0 || put_in_order(&n, err) < 0)
		return -1;
	*ret = n;
	n = (struct cni_nets){0};
	return 0;
}

void cni_nets_done(struct cni_nets *n)
{
	for (size_t i = 0; i < n->n; i++)
		cni_net_done(&n->net[i]);
	for (size_t i = 0; i < n->n_notes; i++)
		free(n->notes[i]);
	free(n->net);
	free(n->notes);
	*n = (struct cni_nets){0};
}
