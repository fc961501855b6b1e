/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3) of `run`: one datagram to whoever started it as a service (contract 1.3, item 6). */
#ifndef STAGE1_NOTIFY_H
#define STAGE1_NOTIFY_H

struct notify {
	char *path; /* NULL: nobody wants to know */
};

/* Takes NOTIFY_SOCKET out of the environment: what is started later is not what it is meant for. */
void notify_open(struct notify *n);
void notify_done(struct notify *n);
/* "READY=1" and the like. Never waits; that nobody listens is a debug line. */
void notify_send(const struct notify *n, const char *state);

#endif
