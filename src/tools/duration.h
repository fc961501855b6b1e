/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as Go writes them, because rkt's flags do: "30m", "1h30m", "1.5h", "250ms", "0". */
#ifndef TOOLS_DURATION_H
#define TOOLS_DURATION_H

#include <stdint.h>

#include "base/err.h"

int duration_parse(const char *text, int64_t *ret_ns, struct err *err);

#endif
