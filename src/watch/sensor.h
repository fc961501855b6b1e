/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sensors as one libev loop: frames from xenpodd, libxl's death events, xenstore's watches.
 * Any of them only marks what is to be looked at again; the looking is done once per turn of the
 * loop, so a burst of events costs one reading. Whatever is truly broken ends the process: xenpodd
 * starts another one and audits (design, "The cast").
 */
#ifndef WATCH_SENSOR_H
#define WATCH_SENSOR_H

#include "base/err.h"

/*
 * Serves `sock` until xenpodd closes it: 0, or -1 and why it had to give up. The reason has been
 * sent as a fault frame where that was possible.
 */
int sensor_run(int sock, struct err *err);

#endif
