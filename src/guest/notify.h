/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's end of sd_notify(3) for one app: a datagram socket whose name only that app is given.
 * It is an abstract one, because roots may be read-only and all apps share the network namespace;
 * so anybody in the pod could write to it, and the sender is looked up in its cgroup.
 */
#ifndef GUEST_NOTIFY_H
#define GUEST_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "guest/loop.h"

#define NOTIFY_STATUS_MAX  160
#define NOTIFY_STATUS_MS   1000 /* one line of status in this time reaches the log, not a flood */
#define NOTIFY_ADDRESS_MAX 100

/* {0} is closed. */
struct notify {
	struct loop_watch watch;
	int fd;
	bool open;
	bool told; /* READY=1 has come; `ready` was called */
	const char *name;
	int64_t status_ms;                /* when the last status was logged */
	char address[NOTIFY_ADDRESS_MAX]; /* as NOTIFY_SOCKET has it */
	void (*ready)(struct notify *n);
};

/* `name`: the app's; it must outlive the socket. `ready` is set by the caller. */
int notify_open(struct notify *n, struct loop *loop, const char *name, struct err *err);
void notify_close(struct notify *n);

struct notify_message {
	bool ready;
	char status[NOTIFY_STATUS_MAX + 1]; /* "": none; printable */
};

/* Lines "NAME=value"; what is neither READY=1 nor STATUS is of no use to a guest's init. */
void notify_parse(const char *text, size_t len, struct notify_message *ret);
/* Is this the /proc/PID/cgroup of a process in group `name` of version 2, or below it? */
bool notify_member(const char *text, const char *name);

#endif
