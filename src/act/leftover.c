/* SPDX-License-Identifier: Apache-2.0 */
/* Removing for plugins that are gone: see leftover.h. */
#include "act/leftover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"

#define LEASES_DIR "/var/lib/cni/networks" /* host-local's default */
#define LEASE_MAX  512
#define NOT_FOUND  127 /* sh(1): no such program */

/* ---- leases ---- */

/* "CONTAINER\r\nINTERFACE"; of old versions the container alone. */
static bool is_lease_of(int dir, const char *name, const char *uuid)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err none = {0};
	if (file_read_at(dir, name, LEASE_MAX, &text, NULL, &none) < 0)
		return false;
	size_t len = strlen(uuid);
	return !strncmp(text, uuid, len) && (!text[len] || strchr("\r\n", text[len]));
}

/* The plugin's own lock, for one that runs for another pod now. */
static int lock_leases(int dir)
{
	int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
	return fd;
}

int leftover_leases(const char *dir, const char *network, const char *uuid, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, network);
	_cleanup_dir_ DIR *d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : err_sys(err, "open %s", path);
	_cleanup_fd_ int lock = lock_leases(dirfd(d));
	(void)lock; /* given back by its clean-up */
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (!strchr(e->d_name, '.') && !strchr(e->d_name, ':'))
			continue; /* no address */
		if (is_lease_of(dirfd(d), e->d_name, uuid) &&
			unlinkat(dirfd(d), e->d_name, 0) < 0 && errno != ENOENT)
			return err_sys(err, "remove the lease %s/%s", path, e->d_name);
	}
	return 0;
}

/* ---- masquerading ---- */

static void add_line(char **script, const char *op, const char *rest, size_t len)
{
	char *more = xasprintf("%s%s%.*s\n", *script ? *script : "", op, (int)len, rest);
	free(*script);
	*script = more;
}

/* The chain that the rule leads to, when it is one of a plugin's for one container. */
static char *own_chain(const char *line, size_t len)
{
	static const char jump[] = " -j CNI-";
	const char *at = memmem(line, len, jump, sizeof jump - 1);
	if (!at)
		return NULL;
	at += sizeof " -j " - 1;
	size_t n = strcspn(at, " \n");
	/* 24 digits of a hash: no chain that pods share is called so (contract 5.4). */
	return n == 28 ? xstrndup(at, n) : NULL;
}

char *leftover_rules(const char *saved, const char *network, const char *uuid)
{
	_cleanup_free_ char *mark = xasprintf("name: \\\"%s\\\" id: \\\"%s\\\"", network, uuid);
	char *script = NULL;
	_cleanup_free_ char *chains = NULL;
	for (const char *line = saved; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, "\n");
		if (strncmp(line, "-A ", 3) != 0 || !memmem(line, len, mark, strlen(mark)))
			continue;
		add_line(&script, "-D ", line + 3, len - 3);
		_cleanup_free_ char *chain = own_chain(line, len);
		/* Once: as many rules lead to it as the network has addresses. */
		if (chain && !(chains && strstr(chains, chain))) {
			add_line(&chains, "-F ", chain, strlen(chain));
			add_line(&chains, "-X ", chain, strlen(chain));
		}
	}
	if (!script)
		return NULL;
	char *all = xasprintf("*nat\n%s%sCOMMIT\n", script, chains ? chains : "");
	free(script);
	return all;
}

static char *read_all(FILE *f)
{
	char *text = NULL;
	size_t len = 0;
	if (getdelim(&text, &len, '\0', f) >= 0)
		return text;
	free(text);
	return xstrdup("");
}

/* Programs of the host, not of the pod: bounded by the supervisor's deadline for this process. */
static int remove_rules(
	const char *iptables, const char *network, const char *uuid, struct err *err)
{
	_cleanup_free_ char *save = xasprintf("exec %s-save -t nat", iptables);
	_cleanup_free_ char *restore = xasprintf("exec %s-restore --noflush -w 10", iptables);
	FILE *f = popen(save, "re");
	if (!f)
		return err_sys(err, "start %s-save", iptables);
	_cleanup_free_ char *saved = read_all(f);
	int status = pclose(f);
	/* No iptables: then there are no rules of its. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
		return 0;
	if (status)
		return err_set(err, ERR_SYSTEM, "%s-save does not tell its rules", iptables);
	_cleanup_free_ char *script = leftover_rules(saved, network, uuid);
	if (!script)
		return 0;
	f = popen(restore, "we");
	if (!f)
		return err_sys(err, "start %s-restore", iptables);
	fputs(script, f);
	if (pclose(f) != 0)
		return err_set(
			err, ERR_SYSTEM, "%s-restore does not remove the pod's rules", iptables);
	return 0;
}

int leftover_remove(const struct cni_net *net, const char *uuid, struct err *err)
{
	size_t i;
	const json_t *plugin;
	json_array_foreach (net->plugins, i, plugin) {
		const json_t *ipam = json_object_get(plugin, "ipam");
		if (strcmp(json_str_opt(ipam, "type", ""), "host-local") == 0 &&
			leftover_leases(json_str_opt(ipam, "dataDir", LEASES_DIR), net->name, uuid,
				err) < 0)
			return err_wrap(err, "network \"%s\"", net->name);
	}
	if (remove_rules("iptables", net->name, uuid, err) < 0 ||
		remove_rules("ip6tables", net->name, uuid, err) < 0)
		return err_wrap(err, "network \"%s\"", net->name);
	return 0;
}
