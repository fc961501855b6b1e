/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output that nobody reads. While a streams client is attached nothing is ever lost: a slow reader
 * makes the app wait. When none has been there for UNREAD_MS, an app must not hang for want of a
 * reader that may never come: the newest output is kept, older is thrown away and counted, and the
 * next client is told how much.
 */
#ifndef GUEST_UNREAD_H
#define GUEST_UNREAD_H

#define UNREAD_MS 10000 /* a `run` that starts slowly, or a session that is made anew, is in time */

struct app;
struct pod;

/* No client reads from now on: at the start, and when one has gone. */
void unread_begin(struct pod *pod);
/* Nobody is there, and nobody is waited for. */
void unread_now(struct pod *pod);
/* A client reads. */
void unread_end(struct pod *pod);
/* Stdout (0) or stderr (1) has changed: says once when something was thrown away. */
void unread_look(struct app *app, unsigned k);

#endif
