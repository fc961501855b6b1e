/* SPDX-License-Identifier: Apache-2.0 */
/* See stage1_words.h. A file and no pipe: nobody has to read while it runs, and a process that it
 * leaves behind holds nobody up. */
#include "tools/stage1_words.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define PREFIX "stage1: "

int stage1_words_open(void)
{
	return memfd_create("stage1-words", MFD_CLOEXEC);
}

static void pass_on(int fd)
{
	char buf[4096];
	off_t at = 0;
	ssize_t n;
	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		if (write(STDERR_FILENO, buf, (size_t)n) < 0)
			return;
		at += n;
	}
}

/* The only line, without the program's name and the line's end. */
static const char *only_line(char *text)
{
	char *end = strchr(text, '\n');
	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0 || !end || end[1])
		return NULL;
	*end = '\0';
	return text + strlen(PREFIX);
}

void stage1_words_take(int fd, const char *entrypoint, struct stage1_end *ret)
{
	_cleanup_fd_ int words = fd;
	char text[STAGE1_WHY_MAX];
	ssize_t n = words < 0 ? 0 : pread(words, text, sizeof(text) - 1, 0);
	const char *why = NULL;
	if (n > 0) {
		text[n] = '\0';
		why = ret->status == XENPOD_EXIT_FAILURE ? only_line(text) : NULL;
	}
	if (why)
		(void)snprintf(ret->why, sizeof(ret->why), "%s", why);
	else
		(void)snprintf(ret->why, sizeof(ret->why), "its %s ended with %d", entrypoint,
			ret->status);
	if (!why && n > 0)
		pass_on(words);
}
