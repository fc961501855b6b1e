/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the place of the pods' cgroups: cgroups(7), systemd.resource-control(5) "Delegate=". */
#include "daemon/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/log.h"

#define MOUNT "/sys/fs/cgroup"

/* "0::/xenpod.slice/xenpodd.service" */
static char *own_cgroup(void)
{
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, "/proc/self/cgroup", 65536, &text, NULL, NULL) < 0)
		return NULL;
	char *line = strstr(text, "0::/");
	if (!line)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return xstrdup(line + 3);
}

char *cgroup_root(const char *wanted)
{
	struct statfs fs;
	if (wanted)
		return *wanted ? xstrdup(wanted) : NULL;
	if (statfs(MOUNT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC) {
		log_warning("no cgroup2 at " MOUNT ": pods get no cgroup");
		return NULL;
	}
	_cleanup_free_ char *own = own_cgroup();
	const char *name = own ? strrchr(own, '/') : NULL;
	if (name && !strcmp(name, "/xenpodd.service"))
		return xasprintf(MOUNT "%s", own);
	return xstrdup(MOUNT "/xenpod.slice");
}
