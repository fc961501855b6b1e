/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the end of a console's log: see console.h. */
#include "daemon/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "daemon/logs.h"

/* The last bytes of the file and one before them, which says whether a line begins there. */
static ssize_t read_end(int fd, char *buf, size_t size)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	off_t from = st.st_size > (off_t)size ? st.st_size - (off_t)size : 0;
	size_t n = 0;
	while (n < size) {
		ssize_t r = pread(fd, buf + n, size - n, from + (off_t)n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

/* A terminal would obey what a guest wrote; JSON takes nothing but UTF-8. `to` may lie before
 * `text` in the same memory. */
static size_t harmless(char *to, const char *text, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '\r')
			continue; /* consoles end lines with both */
		if (c == '\t')
			c = ' ';
		to[n++] = (c >= ' ' && c <= '~') || c == '\n' ? c : '?';
	}
	while (n && to[n - 1] == '\n')
		n--;
	return n;
}

/* Where the last lines begin; the text does not end in a line feed. */
static size_t last_lines(const char *text, size_t len)
{
	int lines = 0;
	for (size_t i = len; i > 0; i--)
		if (text[i - 1] == '\n' && ++lines == CONSOLE_LINES)
			return i;
	return 0;
}

char *console_tail(const char *dir, const char *uuid)
{
	char buf[CONSOLE_BYTES + 1];
	_cleanup_free_ char *path = logs_console_path(dir, uuid);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read_end(fd, buf, sizeof buf);
	if (got < 0)
		return NULL;
	const char *begin = buf;
	if ((size_t)got == sizeof buf) { /* more than is kept: the first line may be half a one */
		const char *lf = memchr(buf, '\n', sizeof buf);
		begin = lf ? lf + 1 : buf + 1;
	}
	size_t len = harmless(buf, begin, (size_t)(buf + got - begin));
	size_t from = last_lines(buf, len);
	return xstrndup(buf + from, len - from);
}

char *console_panic(const char *tail)
{
	static const char words[] = "Kernel panic - not syncing: ";
	const char *why = NULL;
	for (const char *at = tail; (at = strstr(at, words)); why = at)
		at += sizeof words - 1;
	return why ? xstrndup(why, strcspn(why, "\n")) : NULL;
}
