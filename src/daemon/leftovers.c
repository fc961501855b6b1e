/* SPDX-License-Identifier: Apache-2.0 */
/* Directories whose entries are named after pods: see leftovers.h. */
#include "daemon/leftovers.h"

#include <dirent.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/uuid.h"

/* Who has no such directory has nothing in it. */
static void add_dir(json_t *to, const char *kind, const char *dir, const char *prefix)
{
	_cleanup_dir_ DIR *d = opendir(dir);
	size_t skip = strlen(prefix);
	for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
		if (strncmp(e->d_name, prefix, skip) != 0 || !uuid_valid(e->d_name + skip))
			continue;
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, e->d_name);
		json_array_append_new(to, json_make("{s:s, s:s, s:s}", "uuid", e->d_name + skip,
						  "kind", kind, "path", path));
	}
}

json_t *leftovers_find(const char *netns_dir, const char *run_dir, const char *cgroup_root)
{
	json_t *all = json_array();
	_cleanup_free_ char *exports = xasprintf("%s/pods", run_dir);
	_cleanup_free_ char *locks = xasprintf("%s/lock", run_dir);
	add_dir(all, "netns", netns_dir, "xenpod-");
	if (cgroup_root)
		add_dir(all, "cgroup", cgroup_root, "pod-");
	add_dir(all, "exports", exports, "");
	add_dir(all, "lock", locks, "");
	return all;
}
