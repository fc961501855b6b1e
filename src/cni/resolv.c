/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.conf of a result: see resolv.h. */
#include "cni/resolv.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"

/* All words on one line: the last such line of a file is the one that counts. */
static void print_line(FILE *f, const char *keyword, const json_t *words)
{
	size_t i;
	const json_t *word;
	if (!json_array_size(words))
		return;
	fputs(keyword, f);
	json_array_foreach (words, i, word)
		fprintf(f, " %s", json_string_value(word));
	putc('\n', f);
}

char *cni_resolv_conf(const json_t *dns)
{
	char *text = NULL;
	size_t len = 0;
	size_t i;
	const json_t *server;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		abort(); /* no memory, as everywhere */
	fputs("# Made by xenpod of what the pod's network said\n\n", f);
	print_line(f, "search", json_object_get(dns, "search"));
	json_array_foreach (json_object_get(dns, "nameservers"), i, server)
		fprintf(f, "nameserver %s\n", json_string_value(server));
	print_line(f, "options", json_object_get(dns, "options"));
	const char *domain = json_str_opt(dns, "domain", "");
	if (*domain)
		fprintf(f, "domain %s\n", domain);
	fclose(f);
	return text;
}
