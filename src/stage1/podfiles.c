/* SPDX-License-Identifier: Apache-2.0 */
/* Files for rkt and enter: see podfiles.h. */
#include "stage1/podfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/log.h"
#include "stage1/netfiles.h"

/* Lines K=V; the format has no way to write a newline (contract 2.2). */
static char *env_lines(const struct poddir_app *a)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	for (char **e = a->env; f && *e; e++)
		if (!strchr(*e, '\n'))
			fprintf(f, "%s\n", *e);
	if (f)
		fclose(f);
	return text ? text : xstrdup("");
}

static int write_env(const struct poddir_app *a, struct err *err)
{
	_cleanup_free_ char *path = xasprintf(PODDIR_ENV_FMT, a->pod->name);
	_cleanup_free_ char *text = env_lines(a);
	return file_write_atomic_at(AT_FDCWD, path, text, strlen(text), 0640, err);
}

/* A domain that has filled the disk must not keep its own end from being told. */
static int reserve_code(const struct poddir_app *a, struct err *err)
{
	_cleanup_free_ char *path = xasprintf(PODDIR_STATUS "/status/%s", a->pod->name);
	return file_reserve_at(AT_FDCWD, path, err);
}

void podfiles_warn(const struct poddir *d)
{
	for (size_t i = 0; i < d->napps; i++)
		for (char **e = d->apps[i].env; *e; e++)
			if (strchr(*e, '\n'))
				log_warning("app %s: variable %.*s holds a newline: enter will not "
					    "have it",
					d->apps[i].pod->name, (int)strcspn(*e, "="), *e);
}

int podfiles_write(
	const struct poddir *d, const json_t *request, const json_t *nets, struct err *err)
{
	char pid[16];
	if (mkdir(PODDIR_STATUS "/env", 0755) < 0 && errno != EEXIST)
		return err_sys(err, "make " PODDIR_STATUS "/env");
	for (size_t i = 0; i < d->napps; i++)
		if (write_env(&d->apps[i], err) < 0 || reserve_code(&d->apps[i], err) < 0)
			return -1;
	if (netfiles_write(request, nets, err) < 0)
		return -1;
	int len = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	return file_write_atomic_at(AT_FDCWD, "pid", pid, (size_t)len, 0644, err);
}
