/* SPDX-License-Identifier: Apache-2.0 */
/* What nft(8) and iptables-save(8) print of rules that are of others. */
/* LINK: host net proto base */
/* LIBS: nl-3 nftables md */
#include "fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	bool firewalld;
	char **drops = network_drop_chains(text, &firewalld);
	must(!firewalld || strstr(text, "firewalld"));
	for (char **chain = drops; *chain; chain++) {
		/* "ip filter FORWARD": three words that can stand in a command */
		must(!strncmp(*chain, "ip ", 3) || !strncmp(*chain, "inet ", 5));
		must(!strchr(*chain, '\n') && !strchr(*chain, ';') && !strchr(*chain, '"'));
		free(*chain);
	}
	free(drops);
	(void)network_iptables_used(text);
	return 0;
}
