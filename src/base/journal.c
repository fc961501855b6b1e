/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's native protocol, datagrams only: see journal.h. */
#include "base/journal.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define SINK_FIELDS 16 /* of one log entry, beside our own three */

static bool make_address(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof ret->sun_path)
		return false;
	memcpy(ret->sun_path, path, strlen(path));
	return true;
}

int journal_connect(const char *path)
{
	struct sockaddr_un sa;
	if (!make_address(path, &sa))
		return -1;
	/* One to see that somebody listens, which is then thrown away: an unconnected socket
	 * outlives a restart of journald's. */
	_cleanup_fd_ int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (probe < 0 || connect(probe, (struct sockaddr *)&sa, sizeof sa) < 0)
		return -1;
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* A value with a line break travels with its length in front of it. */
static uint8_t *put_field(uint8_t *at, const struct journal_field *field)
{
	const uint64_t len = htole64(field->len);
	at = mempcpy(at, field->name, strlen(field->name));
	if (!memchr(field->data, '\n', field->len)) {
		*at++ = '=';
	} else {
		*at++ = '\n';
		at = mempcpy(at, &len, sizeof len);
	}
	at = mempcpy(at, field->data, field->len);
	*at++ = '\n';
	return at;
}

bool journal_send(int fd, const char *path, const struct journal_field *fields, size_t n)
{
	struct sockaddr_un sa;
	size_t max = 0;
	if (!make_address(path, &sa))
		return false;
	for (size_t i = 0; i < n; i++)
		max += strlen(fields[i].name) + 2 + sizeof(uint64_t) + fields[i].len;
	_cleanup_free_ uint8_t *entry = xmalloc(max);
	uint8_t *at = entry;
	for (size_t i = 0; i < n; i++)
		at = put_field(at, &fields[i]);
	return sendto(fd, entry, (size_t)(at - entry), MSG_DONTWAIT | MSG_NOSIGNAL,
		       (struct sockaddr *)&sa, sizeof sa) >= 0;
}

int journal_stream(const char *path, const char *identifier)
{
	struct sockaddr_un sa;
	if (!make_address(path, &sa))
		return -1;
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa) < 0 ||
		shutdown(fd, SHUT_RD) < 0)
		return -1;
	/* Identifier, unit, priority (info), "<N>" is not looked for, and forwarded to nobody. */
	_cleanup_free_ char *head = xasprintf("%s\n\n6\n0\n0\n0\n0\n", identifier);
	ssize_t len = (ssize_t)strlen(head);
	return send(fd, head, (size_t)len, MSG_NOSIGNAL) == len ? TAKE_FD(fd) : -1;
}

/* ---- the log sink -------------------------------------------------------------------------------
 */

static int sink_fd = -1;
static const char *sink_ident;
static uint64_t sink_dropped;

static struct journal_field text_field(const char *name, const char *value)
{
	return (struct journal_field){name, value, strlen(value)};
}

static void journal_sink(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	const char priority[2] = {(char)('0' + (int)level), '\0'};
	struct journal_field entry[3 + SINK_FIELDS];
	size_t count = 0;
	entry[count++] = text_field("PRIORITY", priority);
	entry[count++] = text_field("SYSLOG_IDENTIFIER", sink_ident);
	entry[count++] = text_field("MESSAGE", msg);
	for (size_t i = 0; i < n && count < ARRAY_SIZE(entry); i++)
		if (fields[i].value)
			entry[count++] = text_field(fields[i].name, fields[i].value);
	if (!journal_send(sink_fd, JOURNAL_SOCKET, entry, count))
		sink_dropped++;
}

bool journal_is_stream(int fd)
{
	struct stat st;
	char ours[64];
	const char *text = getenv("JOURNAL_STREAM");
	if (!text || fstat(fd, &st) < 0)
		return false;
	snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(text, ours) == 0;
}

bool journal_open(const char *identifier)
{
	int fd = journal_connect(JOURNAL_SOCKET);
	if (fd < 0)
		return false;
	sink_fd = fd;
	sink_ident = identifier;
	log_set_sink(journal_sink);
	return true;
}

uint64_t journal_dropped(void)
{
	return sink_dropped;
}
