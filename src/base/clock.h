/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of deadlines. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since some moment; no setting of the time changes them, and a host that sleeps stops them
 * (clock_gettime(2), CLOCK_MONOTONIC). */
static inline int64_t clock_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
