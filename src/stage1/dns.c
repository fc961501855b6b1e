/* SPDX-License-Identifier: Apache-2.0 */
/* Reads --dns-conf-mode: see dns.h. */
#include "stage1/dns.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static const char *const names[DNS_MAX_] = {
#define X(id, name) name,
	DNS_MODES(X)
#undef X
};

static enum dns_mode mode_of(const char *text)
{
	int i = 0;
	while (i < DNS_MAX_ && strcmp(names[i], text))
		i++;
	return (enum dns_mode)i;
}

static int parse_part(const char *part, struct dns *ret, struct err *err)
{
	enum dns_mode mode = DNS_MAX_;
	if (!strncmp(part, "resolv=", 7)) {
		mode = ret->resolv = mode_of(part + 7);
	} else if (!strncmp(part, "hosts=", 6)) {
		mode = ret->hosts = mode_of(part + 6);
		if (mode == DNS_NONE)
			mode = DNS_MAX_;
	}
	if (mode != DNS_MAX_)
		return 0;
	return err_set(err, ERR_INVALID,
		"flag --dns-conf-mode: \"%s\" is none of resolv=default|none|host|stage0, "
		"hosts=default|host|stage0",
		part);
}

int dns_parse(const char *text, struct dns *ret, struct err *err)
{
	struct dns dns = {0};
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	char *part;
	while ((part = strsep(&rest, ",")))
		if (parse_part(part, &dns, err) < 0)
			return -1;
	*ret = dns;
	return 0;
}
