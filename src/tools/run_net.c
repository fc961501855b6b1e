/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of `xenpod run`: see run_net.h. */
#include "tools/run_net.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "appc/acname.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"

#define NET_DEFAULT "none"

static int port_number(const char *text, long *ret)
{
	char *end;
	*ret = strtol(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && *ret >= 1 && *ret <= 65535 ? 0 : -1;
}

/* Takes the brackets off; NULL when it is no address. */
static const char *address(char *text)
{
	unsigned char addr[sizeof(struct in6_addr)];
	size_t len = strlen(text);
	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text[len - 1] = '\0';
		text++;
	}
	return inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, addr) == 1 ? text : NULL;
}

int run_net_port(struct run_net *n, const char *value, struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(value);
	long port;
	char *first = strchr(copy, ':');
	char *last = strrchr(copy, ':');
	if (!first || port_number(last + 1, &port) < 0)
		return err_set(err, ERR_INVALID, "--port=%s: NAME:[IP:]PORT of this host is wanted",
			value);
	*first = *last = '\0';
	const char *ip = first == last ? NULL : address(first + 1);
	if (first != last && !ip)
		return err_set(err, ERR_INVALID, "--port=%s: \"%s\" is not an IP address", value,
			first + 1);
	if (!acname_valid(copy))
		return err_set(
			err, ERR_INVALID, "--port=%s: \"%s\" is no name of a port", value, copy);
	json_t *o = json_make("{s:s, s:I}", "name", copy, "hostPort", (json_int_t)port);
	if (ip)
		json_object_set_new(o, "hostIP", json_string(ip));
	if (!n->ports)
		n->ports = json_array();
	json_array_append_new(n->ports, o);
	return 0;
}

char *run_net_flag(const struct run_net *n)
{
	char *all = xstrdup(n->nets.n ? n->nets.v[0] : NET_DEFAULT);
	for (size_t i = 1; i < n->nets.n; i++) {
		char *more = xasprintf("%s,%s", all, n->nets.v[i]);
		free(all);
		all = more;
	}
	return all;
}

void run_net_done(struct run_net *n)
{
	words_done(&n->nets);
	json_decref(n->ports);
	*n = (struct run_net){0};
}
