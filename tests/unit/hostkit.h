/* SPDX-License-Identifier: Apache-2.0 */
/* A host of its own for tests of src/host: a root below /tmp, and beside its files the records. */
#ifndef UNIT_HOSTKIT_H
#define UNIT_HOSTKIT_H

#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fstree.h"
#include "host/host.h"

static char dir[] = "/tmp/xenpod-host-XXXXXX";
static char *state;
static struct host host;

static int setup(void **st)
{
	(void)st;
	if (!mkdtemp(dir))
		return -1;
	state = xasprintf("%s/state", dir);
	host = (struct host){.root = dir, .state = state};
	return 0;
}

static int teardown(void **st)
{
	(void)st;
	free(state);
	return fstree_remove_at(AT_FDCWD, dir, NULL);
}

#endif
