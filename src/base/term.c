/* SPDX-License-Identifier: Apache-2.0 */
/* What may be written to a terminal: see term.h. */
#include "base/term.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool term_draws(int fd)
{
	const char *term = getenv("TERM");
	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

bool term_colours(int fd)
{
	const char *no = getenv("NO_COLOR");
	return term_draws(fd) && !(no && *no);
}
