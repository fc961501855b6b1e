/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of an app's /proc and /sys that it must not change, or not see (contract 3.4). */
#ifndef GUEST_PROTECT_H
#define GUEST_PROTECT_H

#include "base/err.h"

/*
 * Makes them read-only or hides them, those that there are, in the app's root. What hides others is
 * kept below `dir`, which no app sees.
 */
int protect_paths(const char *dir, int root, struct err *err);

#endif
