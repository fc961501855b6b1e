/* SPDX-License-Identifier: Apache-2.0 */
/* See check_parse.h. */
#include "host/check_parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* The line after this one; NULL: there is none. */
static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');
	return end && end[1] ? end + 1 : NULL;
}

static size_t line_len(const char *line)
{
	return strcspn(line, "\n");
}

/* ---- xl info ----------------------------------------------------------------------------------------- */

char *xl_info_value(const char *info, const char *key)
{
	size_t n = strlen(key);
	for (const char *line = info; line; line = next_line(line)) {
		const char *at = line + n;
		if (strncmp(line, key, n) != 0)
			continue;
		at += strspn(at, " \t");
		if (*at != ':')
			continue;
		at++;
		at += strspn(at, " \t");
		return xstrndup(at, line_len(at));
	}
	return NULL;
}

long xl_info_number(const char *info, const char *key)
{
	_cleanup_free_ char *value = xl_info_value(info, key);
	char *end = NULL;
	long n = value ? strtol(value, &end, 10) : -1;
	return value && end != value && n >= 0 ? n : -1;
}

/* ---- words ------------------------------------------------------------------------------------------- */

static bool list_find(const char *list, const char *word, bool whole)
{
	size_t n = strlen(word);
	while (*list) {
		size_t len = strcspn(list, " \t\n");
		if (len >= n && strncmp(list, word, n) == 0 && (!whole || len == n))
			return true;
		list += len;
		list += strspn(list, " \t\n");
	}
	return false;
}

bool list_has(const char *list, const char *word)
{
	return list_find(list, word, true);
}

bool list_has_begin(const char *list, const char *begin)
{
	return list_find(list, begin, false);
}

const char *words_value(const char *words, size_t len, const char *option)
{
	const char *end = words + len;
	size_t n = strlen(option);
	for (const char *word = words; word < end; word += strlen(word) + 1) {
		if (strncmp(word, option, n) != 0)
			continue;
		if (word[n] == '=')
			return word + n + 1;
		if (word[n] == '\0' && word + n + 1 < end)
			return word + n + 1;
	}
	return NULL;
}

char *conf_value(const char *text, const char *key)
{
	size_t n = strlen(key);
	char *found = NULL;
	for (const char *line = text; line; line = next_line(line)) {
		const char *at = line + strspn(line, " \t");
		if (strncmp(at, key, n) != 0)
			continue;
		at += n;
		at += strspn(at, " \t");
		if (*at++ != '=')
			continue;
		at += strspn(at, " \t\"'");
		free(found); /* the last one counts */
		found = xstrndup(at, strcspn(at, " \t\"';#\n"));
	}
	return found;
}

/* ---- modules ----------------------------------------------------------------------------------------- */

static bool same_module(const char *a, const char *name, size_t n)
{
	if (strlen(name) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (a[i] != name[i] && !(strchr("-_", a[i]) && strchr("-_", name[i])))
			return false;
	return true;
}

bool modules_loaded(const char *text, const char *name)
{
	for (const char *line = text; line && *line; line = next_line(line))
		if (same_module(line, name, strcspn(line, " \n")))
			return true;
	return false;
}

char *modules_path(const char *text, const char *name)
{
	for (const char *line = text; line && *line; line = next_line(line)) {
		size_t len = strcspn(line, ":\n");
		const char *slash = memrchr(line, '/', len);
		const char *base = slash ? slash + 1 : line;
		const char *dot = memmem(base, len - (size_t)(base - line), ".ko", 3);
		if (dot && same_module(base, name, (size_t)(dot - base)))
			return xstrndup(line, len);
	}
	return NULL;
}

/* ---- versions ---------------------------------------------------------------------------------------- */

char *wanted_libxl(const char *program, size_t len)
{
	static const char soname[] = "libxenlight.so.";
	const char *at = memmem(program, len, soname, sizeof(soname) - 1);
	if (!at)
		return NULL;
	at += sizeof(soname) - 1;
	size_t left = len - (size_t)(at - program);
	size_t n = 0;
	while (n < left && (isdigit((unsigned char)at[n]) || at[n] == '.'))
		n++;
	return n ? xstrndup(at, n) : NULL;
}

bool version_at_least(int major, int minor, int want_major, int want_minor)
{
	return major > want_major || (major == want_major && minor >= want_minor);
}

/* ---- network ----------------------------------------------------------------------------------------- */

/* unix(7), /proc/net/unix: "Num: RefCount Protocol Flags Type St Inode Path"; 00010000 accepts calls. */
static bool accepts(const char *line)
{
	for (int field = 0; field < 3; field++) {
		line += strcspn(line, " \n");
		line += strspn(line, " ");
	}
	return strtoul(line, NULL, 16) & 0x10000;
}

bool unix_listens(const char *text, const char *path)
{
	size_t n = strlen(path);
	for (const char *line = text; line; line = next_line(line)) {
		size_t len = line_len(line);
		if (len > n && line[len - n - 1] == ' ' && !strncmp(line + len - n, path, n) &&
			accepts(line))
			return true;
	}
	return false;
}

/* "   |-- 10.1.1.1", and in the next line "      /32 host LOCAL". */
bool fib_is_local(const char *text, const char *address)
{
	size_t n = strlen(address);
	for (const char *line = text; line; line = next_line(line)) {
		const char *at = line + strspn(line, " ");
		const char *next = next_line(line);
		if (strncmp(at, "|-- ", 4) != 0 || strncmp(at + 4, address, n) != 0 ||
			(at[4 + n] != '\n' && at[4 + n] != '\0') || !next)
			continue;
		if (memmem(next, line_len(next), "host LOCAL", 10))
			return true;
	}
	return false;
}

char *subnet_first(const char *subnet)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr a;
	size_t n = strcspn(subnet, "/");
	long bits = subnet[n] == '/' ? strtol(subnet + n + 1, NULL, 10) : -1;
	if (n >= sizeof(text) || bits < 0 || bits > 31)
		return NULL;
	memcpy(text, subnet, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, &a) != 1)
		return NULL;
	uint32_t mask = bits ? UINT32_MAX << (32 - bits) : 0;
	a.s_addr = htonl((ntohl(a.s_addr) & mask) + 1);
	return inet_ntop(AF_INET, &a, text, sizeof(text)) ? xstrdup(text) : NULL;
}
