/* SPDX-License-Identifier: Apache-2.0 */
/* Reading pod directories, without the supervisor and without changing anything. */
#include "tools/pod_info.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "appc/lenient.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"

#define MANIFEST_MAX (4 << 20)

const char *pod_word(const struct pod *p, bool held)
{
	switch (p->place) {
	case POD_EMBRYO:
	case POD_PREPARE:
		return held ? "preparing" : "garbage";
	case POD_PREPARED:
		return "prepared";
	case POD_RUN:
		return held ? "running" : "exited";
	default:
		return "garbage";
	}
}

int pod_manifest_read(const struct pod *p, struct appc_pod *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(p->fd, "pod", MANIFEST_MAX, &text, &len, err) < 0 ||
		appc_pod_parse(text, len, ret, err) < 0)
		return err_wrap(err, "pod %s", p->uuid);
	return 0;
}

static int64_t mtime_of(const struct pod *p, const char *name)
{
	struct stat st;
	if (fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

int64_t pod_created_at(const struct pod *p)
{
	int64_t at = mtime_of(p, "pod-created");
	return at ? at : mtime_of(p, "pod");
}

int64_t pod_started_at(const struct pod *p)
{
	int64_t at = mtime_of(p, "pid");
	return at ? at : mtime_of(p, "ppid");
}

pid_t pod_pid(const struct pod *p)
{
	_cleanup_free_ char *text = NULL;
	if (file_read_at(p->fd, "pid", 64, &text, NULL, NULL) < 0)
		return 0;
	char *end;
	long pid = strtol(text, &end, 10);
	return end != text && pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

char *pod_networks(const struct pod *p)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	char *out = xstrdup("");
	if (file_read_at(p->fd, "net-info.json", MANIFEST_MAX, &text, &len, NULL) < 0)
		return out;
	_cleanup_json_ json_t *list = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	size_t i;
	json_t *net;
	json_array_foreach (list, i, net) {
		char *more = xasprintf("%s%s%s:ip4=%s", out, i ? ", " : "",
			json_str_opt(net, "netName", "?"), json_str_opt(net, "ip", ""));
		free(out);
		out = more;
	}
	return out;
}
