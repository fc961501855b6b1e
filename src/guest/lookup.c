/* SPDX-License-Identifier: Apache-2.0 */
/* Exec lookup: see lookup.h. */
#include "guest/lookup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "guest/rootfs.h"

const char *lookup_env(char *const *env, const char *name)
{
	size_t len = strlen(name);
	for (; *env; env++) {
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	}
	return NULL;
}

static char *join(const char *dir, const char *name)
{
	size_t len = strlen(dir);
	while (len && dir[len - 1] == '/')
		len--;
	return xasprintf("%.*s/%s", (int)len, dir, name);
}

/* As Go's LookPath, and so rkt: any execute bit will do; execve(2) has the last word. */
static bool is_program(int root, const char *path)
{
	struct stat st;
	return rootfs_stat(root, path, /*nofollow*/ 0, &st) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_mode & 0111);
}

/* One element of PATH (`len` bytes); NULL: not there. */
static char *try_dir(int root, const char *cwd, const char *dir, size_t len, const char *file)
{
	_cleanup_free_ char *element = xstrndup(dir, len);
	_cleanup_free_ char *from = element[0] == '/' ? xstrdup(element) : join(cwd, element);
	_cleanup_free_ char *path = join(from, file);
	return is_program(root, path) ? TAKE_PTR(path) : NULL;
}

static char *search(int root, const char *cwd, const char *path, const char *file)
{
	for (;;) {
		size_t len = strcspn(path, ":");
		char *found = try_dir(root, cwd, path, len, file);
		if (found || !path[len])
			return found;
		path += len + 1;
	}
}

int lookup_exec(
	int root, const char *cwd, const char *file, char *const *env, char **ret, struct err *err)
{
	const char *path = lookup_env(env, "PATH");
	if (file[0] == '/' || strchr(file, '/')) {
		*ret = file[0] == '/' ? xstrdup(file) : join(cwd, file);
		return 0;
	}
	/* An empty element is the working directory. */
	char *found = search(root, cwd, path ? path : ":/bin:/usr/bin", file);
	if (!found)
		return err_set(err, ERR_NOTFOUND, "no program \"%s\" in %s%s", file,
			path ? "PATH=" : "the working directory, /bin and /usr/bin",
			path ? path : "");
	*ret = found;
	return 0;
}
