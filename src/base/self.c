/* SPDX-License-Identifier: Apache-2.0 */
/* See self.h. */
#include "base/self.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* The Makefile says it to this file alone; tools that read it by itself do not. */
#ifndef XENPOD_LIBDIR
#define XENPOD_LIBDIR "/usr/local/lib/xenpod"
#endif

char *self_beside(const char *rel)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		return NULL;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	_cleanup_free_ char *path = xasprintf("%s/%s", self, rel);
	return realpath(path, NULL);
}

char *self_lib(const char *name)
{
	_cleanup_free_ char *rel = xasprintf(SELF_LIBDIR "/%s", name);
	char *path = self_beside(name);
	if (!path)
		path = self_beside(rel);
	return path ? path : xasprintf("%s/%s", self_built_for(), name);
}

char *self_libdir(const char *name)
{
	char *path = self_lib(name);
	*strrchr(path, '/') = '\0';
	return path;
}

const char *self_built_for(void)
{
	return XENPOD_LIBDIR;
}
