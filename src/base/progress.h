/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lasts longer than a second is told in one line on stderr while it lasts; nothing of it stays. Only where
 * stderr is a terminal and we are in its foreground: everywhere else all of this does nothing. A process has one
 * such line. Whoever waits or works has it drawn: there is no thread and no timer.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>

#define PROGRESS_AFTER_MS 1000 /* nothing is shown before */

/* What is done now. The first call begins the second that nothing is shown in; progress_end() ends it all. */
void progress_begin(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* How far that is; without it: for how long. Forgotten at the next progress_begin(). */
void progress_part(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Is somebody looking? Else there is no need to find out how far something is. */
bool progress_wanted(void);

/* Milliseconds until the line is due, for a poll; -1: it never is. */
int progress_wait_ms(void);
/* Draws it if it is due; cheap when it is not. */
void progress_turn(void);
/*
 * Waits until `fd` is readable or `timeout_ms` (-1: none) are over: true. False: the line was drawn, or a signal
 * came; to be called again, after what is shown was renewed.
 */
bool progress_wait(int fd, int timeout_ms);

/*
 * What a child of ours is to have as stderr, so that it does not write into the line: a pipe, which the caller
 * closes once the child has it; what comes is passed on by the functions above, the rest of it by
 * progress_end() or the next such call. -1: nobody looks, it may have ours.
 */
int progress_child_stderr(void);

/* Makes room for what somebody else writes; base/log.h does so by itself. */
void progress_pause(void);
/* Takes the line away for good: before a terminal is handed to somebody else, and before the end. */
void progress_end(void);

#endif
