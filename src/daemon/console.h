/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last lines of a guest's console, as xenconsoled has logged them: what a kernel or xenpod-init
 * says last is often the only word on why a pod ended. Written by a guest, so hostile.
 */
#ifndef DAEMON_CONSOLE_H
#define DAEMON_CONSOLE_H

/* A kernel's panic with its registers and trace is within them. */
#define CONSOLE_BYTES 8192
#define CONSOLE_LINES 64

/*
 * The end of logs_console_path(dir, uuid): at most CONSOLE_LINES whole lines out of CONSOLE_BYTES, printable
 * ASCII and line feeds only, anything else is "?" (a tab: a blank). Malloc'ed; NULL when there is no
 * such regular file, or it cannot be read.
 */
char *console_tail(const char *dir, const char *uuid);
/*
 * Why the guest's kernel panicked: what a console_tail() has behind the last "Kernel panic - not
 * syncing: " (Linux, panic()), to the end of its line. Malloc'ed; NULL when there is none.
 */
char *console_panic(const char *tail);

#endif
