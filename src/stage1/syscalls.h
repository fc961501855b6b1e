/* SPDX-License-Identifier: Apache-2.0 */
/* The sets of system calls that seccomp isolators can name instead of calls (contract 3.4). */
#ifndef STAGE1_SYSCALLS_H
#define STAGE1_SYSCALLS_H

/* What an app may call when nobody says otherwise. */
#define SYSCALLS_DEFAULT "@rkt/default-whitelist"
/* What every list of allowed calls has beside its own, as SystemCallFilter= of systemd.exec(5). */
#define SYSCALLS_IMPLIED "@systemd/default-whitelist"

/* The names of the set's calls with spaces between them; NULL: there is no such set. */
const char *syscalls_of(const char *set);

#endif
