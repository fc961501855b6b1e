/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of /proc/self/mountinfo, see proc(5). */
#ifndef BASE_MOUNTINFO_H
#define BASE_MOUNTINFO_H

#include <stdint.h>

#define MOUNTINFO_PATH "/proc/self/mountinfo"
#define MOUNTINFO_MAX  (64 * 1024 * 1024)

struct mountinfo {
	uint64_t id; /* what statx(2) calls stx_mnt_id */
	char *point; /* unescaped; into the text */
};

/* The next line of `*text`, which is cut up; 0 at the end. Lines that are none are left out. */
int mountinfo_next(char **text, struct mountinfo *ret);

#endif
