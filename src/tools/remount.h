/* SPDX-License-Identifier: Apache-2.0 */
/* A pod directory of before: its overlays, which a reboot has taken away, and its ends. */
#ifndef TOOLS_REMOUNT_H
#define TOOLS_REMOUNT_H

#include "appc/pod.h"
#include "tools/datadir.h"

/* Mounts what is not mounted: stage1, then each app. Nothing for a pod with copies of its images. */
int remount_pod(
	const struct datadir *d, const struct pod *p, const struct appc_pod *m, struct err *err);
/* The exit codes of the life before, as rkt reads them. */
int remount_forget_codes(const struct pod *p, const struct appc_pod *m, struct err *err);

#endif
