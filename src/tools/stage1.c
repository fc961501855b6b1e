/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entrypoints by annotation, executed in the host's root (contract 1.0): xenpod knows of a stage1
 * what rkt would know and no more.
 */
#include "tools/stage1.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appc/image.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/self.h"
#include "tools/archive.h"
#include "tools/image.h"

#define STAGE1_FILE "stage1-xen.aci"

int stage1_default_path(char **ret, struct err *err)
{
	/* An installation; the tarball for /opt; build/<variant>/bin/xenpod -> build/stage1-xen.aci. */
	static const char *const places[] = {
		SELF_LIBDIR "/" STAGE1_FILE, "../aci/" STAGE1_FILE, "../../" STAGE1_FILE};
	const char *env = getenv(STAGE1_ENV_PATH);
	_cleanup_free_ char *last = xasprintf("%s/" STAGE1_FILE, self_built_for());
	char *path = env && *env ? xstrdup(env) : NULL;
	for (size_t i = 0; !path && i < ARRAY_SIZE(places); i++)
		path = self_beside(places[i]);
	if (!path)
		path = realpath(last, NULL);
	if (!path)
		return err_set(err, ERR_NOTFOUND,
			"no stage1 image: neither $" STAGE1_ENV_PATH
			" nor %s (install xenpod, or name one with --stage1-path)",
			last);
	*ret = path;
	return 0;
}

static int read_manifest(const struct pod *p, struct appc_image *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(p->fd, "stage1/manifest", ARCHIVE_MANIFEST_MAX, &text, &len, err) < 0 ||
		appc_image_parse(text, len, ret, err) < 0)
		return err_wrap(err, "stage1 of pod %s", p->uuid);
	return 0;
}

int stage1_entrypoint(const struct pod *p, const char *name, char **ret, struct err *err)
{
	struct appc_image m = {0};
	if (read_manifest(p, &m, err) < 0)
		return -1;
	_cleanup_free_ char *key = xasprintf(STAGE1_ANNOTATION "%s", name);
	const char *value = appc_image_annotation(&m, key);
	int r = 0;
	if (value && *value)
		*ret = xasprintf("%s%s", *value == '/' ? "" : "/", value);
	else
		r = err_set(err, ERR_UNSUPPORTED, "stage1 image %s has no entrypoint \"%s\"",
			m.name, name);
	appc_image_done(&m);
	return r;
}

int stage1_interface_version(const struct pod *p, int *ret, struct err *err)
{
	struct appc_image m = {0};
	if (read_manifest(p, &m, err) < 0)
		return -1;
	const char *value = appc_image_annotation(&m, STAGE1_ANNOTATION "interface-version");
	char *end = NULL;
	long v = value ? strtol(value, &end, 10) : 1;
	int r = 0;
	if (value && (end == value || *end || v < 1 || v > 1000))
		r = err_set(err, ERR_INVALID,
			"stage1 image %s has interface-version \"%s\", a number is wanted", m.name,
			value);
	else
		*ret = (int)v;
	appc_image_done(&m);
	return r;
}

int stage1_tree_id(const struct pod *p, char **ret, struct err *err)
{
	_cleanup_free_ char *id = NULL;
	if (file_read_at(p->fd, "stage1TreeStoreID", NAME_MAX, &id, NULL, err) < 0)
		return err_wrap(err, "pod %s", p->uuid);
	id[strcspn(id, "\n")] = '\0';
	if (!*id || strchr(id, '/'))
		return err_set(
			err, ERR_INVALID, "pod %s: bad stage1TreeStoreID \"%s\"", p->uuid, id);
	*ret = TAKE_PTR(id);
	return 0;
}

int stage1_program(
	const struct datadir *d, const struct pod *p, const char *name, char **ret, struct err *err)
{
	_cleanup_free_ char *entry = NULL;
	_cleanup_free_ char *tree_id = NULL;
	if (stage1_entrypoint(p, name, &entry, err) < 0)
		return -1;
	_cleanup_free_ char *pod = pod_path(d, p);
	_cleanup_free_ char *own = xasprintf("%s/stage1/rootfs%s", pod, entry);
	if (access(own, X_OK) == 0) {
		*ret = TAKE_PTR(own);
		return 0;
	}
	if (stage1_tree_id(p, &tree_id, err) < 0)
		return -1;
	_cleanup_free_ char *tree = image_tree_path(tree_id);
	_cleanup_free_ char *stored = xasprintf("%s/%s/rootfs%s", d->path, tree, entry);
	if (access(stored, X_OK) < 0)
		return err_sys(err, "stage1 entrypoint %s", stored);
	*ret = TAKE_PTR(stored);
	return 0;
}

static _Noreturn void call_child(
	const struct pod *p, const char *program, char *const *args, bool quiet, int words)
{
	char *argv[8] = {xstrdup(program)};
	for (size_t i = 0; args[i] && i + 2 < ARRAY_SIZE(argv); i++)
		argv[i + 1] = args[i];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || (quiet && dup2(null, 1) < 0) ||
		(words >= 0 && dup2(words, 2) < 0) || fchdir(p->fd) < 0)
		_exit(XENPOD_EXIT_FAILURE);
	execv(program, argv);
	dprintf(2, "xenpod: execute %s: %s\n", program, strerror(errno));
	_exit(XENPOD_EXIT_FAILURE);
}

int stage1_call(const struct datadir *d, const struct pod *p, const char *name, char *const *args,
	bool quiet, struct stage1_end *ret, struct err *err)
{
	_cleanup_free_ char *program = NULL;
	if (stage1_program(d, p, name, &program, err) < 0)
		return -1;
	(void)fflush(NULL);
	_cleanup_fd_ int words = stage1_words_open();
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0)
		call_child(p, program, args, quiet, words);
	int status;
	_cleanup_fd_ int pidfd = progress_wanted() ? pidfd_open(pid, 0) : -1;
	while (pidfd >= 0 && !progress_wait(pidfd, -1))
		;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, "wait for %s", program);
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	progress_pause();
	stage1_words_take(TAKE_FD(words), name, ret);
	return 0;
}
