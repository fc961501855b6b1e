/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as Go writes them, because rkt's flags do: "30m", "1h30m", "1.5h", "250ms", "0". */
#ifndef TOOLS_DURATION_H
#define TOOLS_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

int duration_parse(const char *text, int64_t *ret_ns, struct err *err);

/* The value of --OPTION=TEXT: seconds, with a fraction or not, or a duration; ERR_INVALID names both. */
int duration_option(const char *option, const char *text, int64_t *ret_ms, struct err *err);

/*
 * Are `since` and `now`, both of the wall clock, `least` apart, all three in one unit? Either way: a time
 * in the future was taken by a clock that has been set back since, and must not be waited for.
 */
bool duration_over(int64_t since, int64_t now, int64_t least);

#endif
