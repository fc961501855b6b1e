/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal that is drawn anew again and again, and keys, until somebody has enough of it. */
#ifndef TOOLS_SCREEN_H
#define TOOLS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen;

/* stdout is a terminal. Its modes and the signals that end a program are the screen's until screen_free(). */
struct screen *screen_new(void);
void screen_free(struct screen *s);
/* Lines and columns now. */
void screen_size(size_t *ret_rows, size_t *ret_columns);
/* Shows the text in place of what was there; no line of it is longer than the terminal is wide. */
void screen_draw(const char *text);

enum screen_news {
	SCREEN_TIME = 0,  /* the time is over */
	SCREEN_INPUT = 1, /* `fd` is readable */
	SCREEN_SIZE = 2,  /* it has another size */
	SCREEN_QUIT = 4,  /* q, or a signal: screen_signal() */
};
/* Waits; a set of the above. `fd` may be -1. */
unsigned screen_wait(struct screen *s, int fd, int timeout_ms);
/* What ends it: a signal's number, 0 for a key. */
int screen_signal(const struct screen *s);

#endif
