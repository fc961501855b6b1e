/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of shell scripts that play CNI plugins; what they record, they write there too. */
#ifndef UNIT_CNIKIT_H
#define UNIT_CNIKIT_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

static char cnikit_dir[] = "/tmp/xenpod-test-cni-XXXXXX";
static const char *const cnikit_dirs[] = {"/nonexistent", cnikit_dir, NULL};

static inline int cnikit_setup(void **state)
{
	(void)state;
	return mkdtemp(cnikit_dir) ? 0 : -1;
}

static inline int cnikit_teardown(void **state)
{
	(void)state;
	_cleanup_free_ char *cmd = xasprintf("rm -rf %s", cnikit_dir);
	return system(cmd);
}

/* A plugin: $D is the directory; what it does is `body`. */
static inline void cnikit_plugin(const char *name, const char *body)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", cnikit_dir, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fprintf(f, "#!/bin/sh\nD=%s\n%s\n", cnikit_dir, body) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

/* What a file of the directory holds, removed afterwards; "" when there is none. Caller frees. */
static inline char *cnikit_take(const char *name)
{
	char *text = NULL;
	_cleanup_free_ char *path = xasprintf("%s/%s", cnikit_dir, name);
	if (file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL, NULL) < 0)
		return xstrdup("");
	unlink(path);
	return text;
}

#endif
