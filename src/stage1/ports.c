/* SPDX-License-Identifier: Apache-2.0 */
/* Forwarded ports: see ports.h. */
#include "stage1/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appc/lenient.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "proto/hostport.h"

#define ANY_IP "0.0.0.0" /* contract 5.5: no hostIP */

struct forward {
	const char *name;
	const char *protocol;
	char host_ip[INET6_ADDRSTRLEN];
	int64_t host_port;
	int64_t port;
};

/* ---- which port of which app ---- */

static int find_in_app(const struct poddir_app *a, const char *name, const json_t **found,
	const char **owner, struct err *err)
{
	size_t i;
	const json_t *port;
	json_array_foreach (a->app->ports, i, port) {
		const char *n = "";
		if (lenient_str(port, "name", &n, err) < 0)
			return err_wrap(err, "app %s: \"ports\"", a->pod->name);
		if (strcmp(n, name) != 0)
			continue;
		if (*found)
			return err_set(err, ERR_INVALID,
				"forwarded port \"%s\": apps %s and %s both have a port of that "
				"name",
				name, *owner, a->pod->name);
		*found = port;
		*owner = a->pod->name;
	}
	return 0;
}

static int app_port(const struct poddir *d, const char *name, const json_t **ret, struct err *err)
{
	const char *owner = "";
	*ret = NULL;
	for (size_t i = 0; i < d->napps; i++)
		if (find_in_app(&d->apps[i], name, ret, &owner, err) < 0)
			return -1;
	if (!*ret)
		return err_set(err, ERR_INVALID,
			"forwarded port \"%s\": no app of the pod has a port of that name", name);
	return 0;
}

static int check_number(const char *name, const char *what, int64_t n, struct err *err)
{
	if (n < 1 || n > 65535)
		return err_set(err, ERR_INVALID,
			"forwarded port \"%s\": %s %lld is not from 1 to 65535", name, what,
			(long long)n);
	return 0;
}

static int read_target(
	const struct poddir *d, const json_t *port, struct forward *f, struct err *err)
{
	json_t *own = NULL;
	const json_t *target;
	if (lenient_obj(port, "podPort", &own, err) < 0)
		return -1;
	target = own;
	if (!target && app_port(d, f->name, &target, err) < 0)
		return -1;
	if (lenient_str(target, "protocol", &f->protocol, err) < 0 ||
		lenient_int(target, "port", &f->port, err) < 0)
		return err_wrap(err, "forwarded port \"%s\"", f->name);
	if (strcmp(f->protocol, "tcp") != 0 && strcmp(f->protocol, "udp") != 0)
		return err_set(err, ERR_INVALID,
			"forwarded port \"%s\": protocol \"%s\" is none of tcp, udp", f->name,
			f->protocol);
	return check_number(f->name, "port", f->port, err);
}

/* In the one form that inet_ntop(3) gives, so that texts can be compared. */
static int read_host_ip(const char *text, struct forward *f, struct err *err)
{
	unsigned char addr[sizeof(struct in6_addr)];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, *text ? text : ANY_IP, addr) != 1)
		return err_set(err, ERR_INVALID,
			"forwarded port \"%s\": hostIP \"%s\" is not an IP address", f->name, text);
	inet_ntop(family, addr, f->host_ip, sizeof f->host_ip);
	return 0;
}

static int read_forward(
	const struct poddir *d, const json_t *port, struct forward *f, struct err *err)
{
	const char *ip = "";
	*f = (struct forward){.name = "", .protocol = ""};
	if (lenient_str(port, "name", &f->name, err) < 0 ||
		lenient_int(port, "hostPort", &f->host_port, err) < 0 ||
		lenient_str(port, "hostIP", &ip, err) < 0)
		return err_wrap(err, "\"ports\"");
	if (check_number(f->name, "hostPort", f->host_port, err) < 0 ||
		read_host_ip(ip, f, err) < 0)
		return -1;
	return read_target(d, port, f, err);
}

/* ---- whose it is already ---- */

static int check_double(
	const json_t *list, const json_t *port, const struct forward *f, struct err *err)
{
	size_t i;
	const json_t *o;
	json_array_foreach (list, i, o)
		if (hostport_meet(o, port))
			return err_set(err, ERR_INVALID,
				"forwarded port \"%s\": port %s/%lld of the host is forwarded "
				"twice",
				f->name, f->protocol, (long long)f->host_port);
	return 0;
}

static socklen_t host_address(const struct forward *f, struct sockaddr_storage *ret)
{
	bool v6 = strchr(f->host_ip, ':') != NULL;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->host_port)};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)f->host_port)};
	memset(ret, 0, sizeof *ret);
	if (v6) {
		inet_pton(AF_INET6, f->host_ip, &in6.sin6_addr);
		memcpy(ret, &in6, sizeof in6);
		return sizeof in6;
	}
	inet_pton(AF_INET, f->host_ip, &in.sin_addr);
	memcpy(ret, &in, sizeof in);
	return sizeof in;
}

/* Forwarding comes before sockets: whoever listens there would never be called again. */
static int check_listener(const struct forward *f, struct err *err)
{
	struct sockaddr_storage addr;
	socklen_t len = host_address(f, &addr);
	int type = strcmp(f->protocol, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	const int on = 1;
	_cleanup_fd_ int fd = socket(addr.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0; /* no such family here: nobody can listen */
	/* What still waits for late packets does not count. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	(void)setsockopt(fd, SOL_IP, IP_FREEBIND, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&addr, len) < 0 && errno == EADDRINUSE)
		return err_set(err, ERR_EXISTS,
			"forwarded port \"%s\": a program of this host uses %s port %lld; take "
			"another hostPort",
			f->name, f->protocol, (long long)f->host_port);
	return 0;
}

int ports_plan(const struct poddir *d, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *list = json_array();
	size_t i;
	const json_t *port;
	json_array_foreach (d->pod.ports, i, port) {
		struct forward f;
		if (read_forward(d, port, &f, err) < 0)
			return -1;
		json_t *made = json_make("{s:s, s:s, s:I, s:I}", "protocol", f.protocol, "host_ip",
			f.host_ip, "host_port", (json_int_t)f.host_port, "port",
			(json_int_t)f.port);
		int r = check_double(list, made, &f, err);
		json_array_append_new(list, made);
		if (r < 0 || check_listener(&f, err) < 0)
			return -1;
	}
	*ret = json_array_size(list) ? json_incref(list) : NULL;
	return 0;
}
