/* SPDX-License-Identifier: Apache-2.0 */
/* What a supervisor finds at its start: systemd's sockets and kept descriptors, locks that nobody has. */
#ifndef DAEMON_INHERIT_H
#define DAEMON_INHERIT_H

#include "daemon/api.h"

/* Pods are loaded. Without systemd the API listens by itself. */
int inherit_all(struct api *api, struct pods *pods, struct err *err);

#endif
