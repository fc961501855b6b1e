/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness: see notify.h. libsystemd has no static form. */
#include "stage1/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"

void notify_open(struct notify *n)
{
	const char *path = getenv("NOTIFY_SOCKET");
	n->path = path && *path ? xstrdup(path) : NULL;
	unsetenv("NOTIFY_SOCKET");
}

void notify_done(struct notify *n)
{
	free(n->path);
	n->path = NULL;
}

void notify_send(const struct notify *n, const char *state)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const char *path = n->path;
	if (!path)
		return;
	if ((*path != '/' && *path != '@') || strlen(path) >= sizeof sa.sun_path) {
		log_debug("NOTIFY_SOCKET=%s is no address that can be told anything", path);
		return;
	}
	memcpy(sa.sun_path, path, strlen(path));
	if (*path == '@')
		sa.sun_path[0] = '\0'; /* sd_notify(3): an abstract socket */
	_cleanup_fd_ int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (s < 0 || sendto(s, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
			     (struct sockaddr *)&sa, len) < 0)
		log_debug("could not tell %s %s: %s", path, state, strerror(errno));
}
