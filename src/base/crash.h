/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crash points: places at which a build made for it (make VARIANT=crash) can be told to die, to show
 * that whoever starts next puts right what was half done. Every other build knows nothing of them.
 *
 * They wait for a file `crash-at` in /run/xenpod (or $XENPOD_CRASH_DIR):
 *
 *     N [parent]
 *
 * The N-th point that xenpodd or a helper of it comes to from then on is the last one: SIGKILL for the
 * process itself, or with `parent`, at a point of a helper, for xenpodd, while the helper goes on. The
 * file goes away with it. 0: nobody dies. Every point that is come to while the file is there is
 * told in `crash-log` beside it, a line "PID NAME" each.
 */
#ifndef XENPOD_BASE_CRASH_H
#define XENPOD_BASE_CRASH_H

#ifdef XENPOD_CRASH
void crash_point(const char *name);
#else
#define crash_point(name) ((void)0)
#endif

#endif
