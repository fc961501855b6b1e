/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ended pods whose directory has been removed without their gc: rkt goes on when our hook fails, and
 * an administrator may use rm. Nobody will ask for their gc any more, so the supervisor does.
 */
#ifndef DAEMON_GONE_H
#define DAEMON_GONE_H

#include <stdbool.h>

#include "daemon/engine.h"

/*
 * Whether the directory is in none of the places that rkt moves it to ("pods/run/UUID" when it
 * runs, then exited-garbage and garbage: contract, section 4). False as well when "pods" itself is
 * not there: a file system that is not mounted says nothing about pods.
 */
bool gone_dir(const char *dir);

/*
 * Looks for the directories of all ended pods, on the worker. Whose was gone at the look before as
 * well gets EV_GC: a rename under way is not taken for a removal.
 */
void gone_look(struct engine *e);

#endif
