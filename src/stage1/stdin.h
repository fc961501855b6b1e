/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This process' stdin, and the terminal it may be, for a program in the guest: bytes within the
 * guest's credit, the end, the window's size. For `enter`'s command and `run`'s interactive app.
 */
#ifndef STAGE1_STDIN_H
#define STAGE1_STDIN_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/stream.h"
#include "stage1/session.h"

struct stdin_relay {
	int fd;       /* -1: nothing is read, ever (again) */
	int own_fd;   /* our own description of it, non-blocking; -1 when it has none */
	uint16_t app; /* whose it is; 0 for enter */
	bool tty;     /* raw mode while a session is there */
	bool ready;   /* the guest has said WELCOME */
	bool ended;   /* the end was read */
	uint32_t sent;
	uint32_t acked; /* bytes that the guest's program has taken, of `sent` */
};
#define STDIN_NONE ((struct stdin_relay){.fd = -1, .own_fd = -1})

void stdin_open(struct stdin_relay *in, uint16_t app, bool tty);
/* The terminal is as it was. */
void stdin_done(struct stdin_relay *in);

/* Until the guest has said WELCOME nothing is read and ^C ends this process as any other. */
void stdin_session_new(struct stdin_relay *in);
/* WELCOME and ACK frames; others change nothing. WELCOME makes a terminal raw. */
void stdin_frame(struct stdin_relay *in, struct session *s, const struct stream_header *h,
	const uint8_t *data);

struct pollfd stdin_poll(const struct stdin_relay *in, const struct session *s);
/* Reads what is there, if it may; never waits. */
void stdin_read(struct stdin_relay *in, struct session *s);

/* Adds to `signals` those that stdin_signal() takes; returns how many: STDIN_SIGNALS at most. */
#define STDIN_SIGNALS 3
size_t stdin_signals(const struct stdin_relay *in, int signals[STDIN_SIGNALS]);
/* True: it was a terminal's matter, and is done. `s` may be NULL. */
bool stdin_signal(struct stdin_relay *in, struct session *s, int signo);

#endif
