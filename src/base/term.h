/* SPDX-License-Identifier: Apache-2.0 */
/* What may be written to a terminal: the usual rules of TERM and NO_COLOR. */
#ifndef BASE_TERM_H
#define BASE_TERM_H

#include <stdbool.h>

/* It is a terminal on which a cursor can be moved: TERM is set and is not "dumb" (terminfo(5)). */
bool term_draws(int fd);

/* As term_draws(), and nobody has set NO_COLOR to anything but "". */
bool term_colours(int fd);

#endif
