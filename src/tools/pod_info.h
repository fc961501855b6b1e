/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod directory tells: its word for people, its apps, its times (contract 2.5, 2.7). */
#ifndef TOOLS_POD_INFO_H
#define TOOLS_POD_INFO_H

#include <stdint.h>
#include <sys/types.h>

#include "appc/pod.h"
#include "tools/datadir.h"

/*
 * One of preparing, prepared, running, exited, and for what only waits for its removal garbage:
 * from the place and whether the lock is held, as rkt tells (contract 2.3).
 */
const char *pod_word(const struct pod *p, bool held);

/* Reads POD/pod. */
int pod_manifest_read(const struct pod *p, struct appc_pod *ret, struct err *err);

/* Wall clock, ns since 1970; 0 when not known. */
int64_t pod_created_at(const struct pod *p);
int64_t pod_started_at(const struct pod *p);

/* The number in POD/pid; 0 when it is not there or not (yet) a number. */
pid_t pod_pid(const struct pod *p);

/* "name:ip4=1.2.3.4, ..." from net-info.json; "" when there is none. Caller frees. */
char *pod_networks(const struct pod *p);

#endif
