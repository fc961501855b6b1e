/* SPDX-License-Identifier: Apache-2.0 */
/* Words of plugins on their way into one line of ours. */
#ifndef CNI_WORDS_H
#define CNI_WORDS_H

#include <stddef.h>

/*
 * A copy of at most `max` bytes ("..." tells of more) in which control characters, C1 among them, are
 * blanks: a line of it stays one line and moves no cursor. Caller frees.
 */
char *cni_harmless(const char *text, size_t len, size_t max);

/* The last line that is not blank; *len is the text's length, then the line's. Points into it. */
const char *cni_last_line(const char *text, size_t *len);

#endif
