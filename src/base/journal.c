/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's native protocol, datagrams only: see journal.h. */
#include "base/journal.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SOCKET_PATH "/run/systemd/journal/socket"

static int sock = -1;
static const char *ident;
static uint64_t dropped;

/* A value with a line break travels with its length in front of it. */
static void put_field(FILE *f, const char *name, const char *value)
{
	if (!strchr(value, '\n')) {
		fprintf(f, "%s=%s\n", name, value);
		return;
	}
	uint64_t len = htole64(strlen(value));
	fprintf(f, "%s\n", name);
	(void)fwrite(&len, sizeof len, 1, f); /* to memory: as malloc */
	fprintf(f, "%s\n", value);
}

static void journal_sink(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	_cleanup_free_ char *buf = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&buf, &len);
	if (!f)
		return;
	fprintf(f, "PRIORITY=%d\n", (int)level);
	put_field(f, "SYSLOG_IDENTIFIER", ident);
	put_field(f, "MESSAGE", msg);
	for (size_t i = 0; i < n; i++)
		if (fields[i].value)
			put_field(f, fields[i].name, fields[i].value);
	if (fclose(f) != 0)
		return;
	if (send(sock, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		dropped++;
}

bool journal_open(const char *identifier)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
	_cleanup_fd_ int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0 || connect(s, (struct sockaddr *)&sa, sizeof sa) < 0)
		return false;
	sock = TAKE_FD(s);
	ident = identifier;
	log_set_sink(journal_sink);
	return true;
}

uint64_t journal_dropped(void)
{
	return dropped;
}
