/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting a pod's lock and status directory back after a restart: from systemd's fd store, from the
 * pod's QEMU or its `run` (copies of the same open file description, by pidfd_getfd(2)). Never by
 * flock: that would be another lock (contract 2.3, 9.1). But for pods with a restart policy, which
 * may have no process that holds it.
 */
#ifndef DAEMON_CUSTODY_H
#define DAEMON_CUSTODY_H

#include <stdbool.h>

#include "daemon/pod.h"

/*
 * The descriptor of process `pid` that is open on (dev, ino), duplicated into ours, CLOEXEC; -1
 * when it has none. Needs PTRACE_MODE_ATTACH over it (root has it).
 */
int custody_fetch(int64_t pid, int64_t dev, int64_t ino);

/* Fills p->lock_fd and p->status_fd from QEMU or `run` where they are missing. True: has the lock.
 */
bool custody_recover(struct pod *p);

/*
 * Locks the directory of a pod with a restart policy and without a domain anew. False: somebody has
 * the lock, or it is another directory. _all: those of the table that own a lock which we have not.
 */
bool custody_retake(struct pod *p);
void custody_retake_all(struct pods *pods);

/*
 * The directory named `uuid` that process `pid` has open, as it is called now; NULL when it has none.
 * Caller frees. How a pod directory is found of which nothing else is known: QEMU has its lock.
 */
char *custody_dir(int64_t pid, const char *uuid);

/*
 * Does the process that rkt's `pid` file names still live? It is the `run` that wrote the file: a
 * later process with its number would have started after the file was written.
 */
bool custody_run_alive(const struct pod *p);

/* systemd's fd store; nothing without NOTIFY_SOCKET. Names are short: one string carries them all.
 */
void custody_store(const struct pod *p);
void custody_remove(const struct pod *p);
/* Both: another life has another status directory. */
void custody_renew(const struct pod *p);
/* Gives descriptors that systemd kept to their pods, by (dev, ino) of the pod directory. */
void custody_adopt(struct pods *pods, const char *const *names, const int *fds, int n);

#endif
