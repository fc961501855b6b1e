/* SPDX-License-Identifier: Apache-2.0 */
/* The log's sink on the console: see console.h. */
#include "guest/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

#define STUCK_MS 50 /* how long one line may wait for a console whose reader in Dom-0 is slow */

static int console = -1;

static void console_sink(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	(void)level;
	(void)fields;
	(void)n;
	char *line = xasprintf("xenpod-init: %s\n", msg);
	const char *p = line;
	size_t left = strlen(line);
	while (left && console >= 0) {
		struct pollfd pfd = {.fd = console, .events = POLLOUT};
		ssize_t put = write(console, p, left);
		if (put < 0 && errno != EAGAIN)
			break;
		if (put < 0 && poll(&pfd, 1, STUCK_MS) <= 0)
			break;
		p += put > 0 ? put : 0;
		left -= put > 0 ? (size_t)put : 0;
	}
	free(line);
}

void console_init(void)
{
	console = open("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	log_set_sink(console_sink);
}
