/* SPDX-License-Identifier: Apache-2.0 */
/* The networks' files: see netfiles.h. */
#include "stage1/netfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "cni/resolv.h"
#include "stage1/files.h"

/* As rkt writes them: paths below the pod directory are relative, so that it can be renamed. */
static const char *relative(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	return !strncmp(path, dir, len) && path[len] == '/' ? path + len + 1 : path;
}

static json_t *info_of(const json_t *net, const char *dir)
{
	_cleanup_free_ char *conf = xasprintf("net/%s", json_str_opt(net, "file", ""));
	return json_make("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "netName",
		json_str_opt(net, "name", ""), "netConf", conf, "pluginPath",
		relative(json_str_opt(net, "plugin", ""), dir), "ifName",
		json_str_opt(net, "ifname", ""), "ip", json_str_opt(net, "ip", ""), "args",
		json_str_opt(net, "args", ""), "mask", json_str_opt(net, "mask", ""));
}

static int write_json(const char *path, const json_t *j, struct err *err)
{
	_cleanup_free_ char *text = json_text(j);
	_cleanup_free_ char *line = xasprintf("%s\n", text);
	return file_write_atomic_at(AT_FDCWD, path, line, strlen(line), 0644, err);
}

/* One plugin's is a conf, several ones' a list (CNI spec 1.0.0, section 1). */
static int copy_conf(const json_t *net, struct err *err)
{
	const char *file = json_str_opt(net, "file", "");
	json_t *plugins = json_object_get(net, "plugins");
	_cleanup_free_ char *path = xasprintf("net/%s", file);
	size_t len = strlen(file);
	bool is_list = len > 9 && !strcmp(file + len - 9, ".conflist");
	if (!is_list)
		return write_json(path, json_array_get(plugins, 0), err);
	_cleanup_json_ json_t *list =
		json_make("{s:s, s:s, s:O}", "cniVersion", json_str_opt(net, "version", ""), "name",
			json_str_opt(net, "name", ""), "plugins", plugins);
	return write_json(path, list, err);
}

static int copy_confs(const json_t *network, struct err *err)
{
	size_t i;
	const json_t *net;
	if (!network)
		return 0;
	if (mkdir("net", 0755) < 0 && errno != EEXIST)
		return err_sys(err, "make directory net");
	json_array_foreach (json_object_get(network, "nets"), i, net)
		if (copy_conf(net, err) < 0)
			return -1;
	return 0;
}

static int write_resolv(const json_t *network, const json_t *nets, struct err *err)
{
	size_t i;
	const json_t *net;
	if (!json_bool_opt(network, "resolv", false))
		return 0;
	json_array_foreach (nets, i, net) {
		const json_t *dns = json_object_get(net, "dns");
		if (!json_array_size(json_object_get(dns, "nameservers")))
			continue;
		_cleanup_free_ char *text = cni_resolv_conf(dns);
		return file_write_atomic_at(
			AT_FDCWD, FILES_STAGE0_RESOLV, text, strlen(text), 0644, err);
	}
	return 0;
}

int netfiles_write(const json_t *request, const json_t *nets, struct err *err)
{
	const json_t *network = json_object_get(request, "network");
	const char *dir = json_str_opt(request, "dir", "");
	_cleanup_json_ json_t *info = network ? json_array() : json_null();
	size_t i;
	const json_t *net;
	json_array_foreach (nets, i, net)
		json_array_append_new(info, info_of(net, dir));
	if (copy_confs(network, err) < 0 || write_resolv(network, nets, err) < 0)
		return -1;
	/* "null": no networks. A file cut short would hide the pod from rkt (contract 2.5). */
	return write_json("net-info.json", info, err);
}
