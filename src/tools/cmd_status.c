/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod status`: becomes xenpod-status, which alone links the store. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/verbs.h"

int cmd_status(int argc, char **argv)
{
	static char name[] = "xenpod-status";
	char path[PATH_MAX + sizeof(name)];
	(void)argc;
	argv[0] = name;
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(path, '/');
	if (slash) {
		memcpy(slash + 1, name, sizeof(name));
		execv(path, argv);
	}
	execvp(name, argv);
	_cleanup_err_ struct err err = {0};
	err_sys(&err, "xenpod-status beside xenpod or in $PATH");
	return verb_failed(&err);
}
