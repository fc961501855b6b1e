/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request's "network": what xenpod-act will run plugins with, as root. The confs themselves are
 * judged by src/cni when they are read and before they are used.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/json.h"
#include "proto/ifconf.h"
#include "proto/spec_int.h"

static int check_net(const json_t *net, struct err *err)
{
	json_t *plugins = NULL;
	if (!json_is_object(net))
		return spec_bad(err, "nets", "an array of objects");
	if (spec_check_text(net, "name", err) < 0 || spec_check_text(net, "file", err) < 0 ||
		spec_check_name(net, "ifname", SPEC_APP_ALPHABET, err) < 0 ||
		json_get_array(net, "plugins", &plugins, err) < 0)
		return -1;
	return json_array_size(plugins) ? 0 : spec_bad(err, "plugins", "at least one plugin");
}

static int check_nets(const json_t *network, size_t *ret_n, struct err *err)
{
	json_t *nets = NULL;
	size_t i = 0;
	json_t *net = NULL;
	if (json_get_array(network, "nets", &nets, err) < 0)
		return -1;
	*ret_n = json_array_size(nets);
	if (*ret_n == 0 || *ret_n > SPEC_MAX_NETS)
		return err_set(err, ERR_INVALID, "\"nets\": %zu networks, 1 to %d are possible",
			*ret_n, SPEC_MAX_NETS);
	json_array_foreach (nets, i, net) {
		if (check_net(net, err) < 0)
			return err_wrap(err, "nets %zu", i);
	}
	return spec_check_unique(nets, "nets", "ifname", err);
}

static int check_path(const json_t *network, struct err *err)
{
	json_t *path = NULL;
	size_t i = 0;
	json_t *dir = NULL;
	if (json_get_array(network, "path", &path, err) < 0)
		return -1;
	if (json_array_size(path) > SPEC_MAX_DIRS)
		return err_set(err, ERR_INVALID,
			"\"path\": %zu directories, at most %d are possible", json_array_size(path),
			SPEC_MAX_DIRS);
	json_array_foreach (path, i, dir) {
		const char *text = json_string_value(dir);
		if (!text || text[0] != '/')
			return spec_bad(err, "path", "an array of absolute paths");
	}
	return 0;
}

static int check_port(const json_t *port, struct err *err)
{
	static const char *const protocols[] = {"tcp", "udp", NULL};
	struct in6_addr addr;
	const char *ip = NULL;
	if (!json_is_object(port))
		return spec_bad(err, "ports", "an array of objects");
	if (spec_check_word(port, "protocol", protocols, err) < 0 ||
		spec_check_int(port, "host_port", 1, 65535, err) < 0 ||
		spec_check_int(port, "port", 1, 65535, err) < 0 ||
		json_get_str(port, "host_ip", &ip, err) < 0)
		return -1;
	if (inet_pton(AF_INET, ip, &addr) != 1 && inet_pton(AF_INET6, ip, &addr) != 1)
		return spec_bad(err, "host_ip", "an IP address");
	return 0;
}

static int check_ports(const json_t *network, size_t nnets, struct err *err)
{
	json_t *ports = NULL;
	size_t i = 0;
	json_t *port = NULL;
	if (!json_object_get(network, "ports"))
		return 0;
	if (json_get_array(network, "ports", &ports, err) < 0)
		return -1;
	if (json_array_size(ports) > SPEC_MAX_PORTS)
		return err_set(err, ERR_INVALID, "\"ports\": %zu ports, at most %d are possible",
			json_array_size(ports), SPEC_MAX_PORTS);
	json_array_foreach (ports, i, port) {
		if (check_port(port, err) < 0)
			return err_wrap(err, "ports %zu", i);
	}
	return spec_check_int(network, "target", 0, (int64_t)nnets - 1, err);
}

int spec_check_interfaces(const json_t *guest, struct err *err)
{
	json_t *net = NULL;
	size_t i = 0;
	json_t *ifconf = NULL;
	if (!json_object_get(guest, "net"))
		return 0;
	if (json_get_array(guest, "net", &net, err) < 0)
		return -1;
	if (json_array_size(net) > SPEC_MAX_NETS)
		return err_set(err, ERR_INVALID, "\"net\": %zu interfaces, at most %d are possible",
			json_array_size(net), SPEC_MAX_NETS);
	json_array_foreach (net, i, ifconf) {
		if (ifconf_check(ifconf, err) < 0)
			return err_wrap(err, "net %zu", i);
	}
	return 0;
}

int spec_check_network(const json_t *request, struct err *err)
{
	json_t *network = NULL;
	size_t n = 0;
	if (!json_object_get(request, "network"))
		return 0;
	if (json_get_obj(request, "network", &network, err) < 0)
		return -1;
	if (check_nets(network, &n, err) < 0 || check_path(network, err) < 0 ||
		check_ports(network, n, err) < 0 ||
		spec_check_bool_opt(network, "guard", err) < 0 ||
		spec_check_bool_opt(network, "resolv", err) < 0)
		return err_wrap(err, "network");
	size_t size = json_dumpb(network, NULL, 0, JSON_COMPACT);
	if (size > SPEC_NET_SIZE_MAX)
		return err_set(err, ERR_FULL,
			"the networks' configurations are %zu KiB as text, at most %d KiB are "
			"possible; give the pod fewer networks",
			size / 1024, SPEC_NET_SIZE_MAX / 1024);
	return 0;
}
