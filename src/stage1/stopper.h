/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stop calls of a proxy that must not wait: what is wanted is kept and sent, on a connection of its
 * own, as soon as the supervisor takes it.
 */
#ifndef STAGE1_STOPPER_H
#define STAGE1_STOPPER_H

#include <stdint.h>

#include "base/varlink.h"

enum stop_level { STOP_NONE, STOP_GRACEFUL, STOP_FORCE };

/* {0} with `uuid` set is valid. */
struct stopper {
	const char *uuid;
	enum stop_level wanted;
	enum stop_level calling; /* with `v` */
	enum stop_level done;    /* committed, or refused: nothing more to do for it */
	struct varlink *v;
	int64_t retry_at;
};

void stopper_want(struct stopper *s, enum stop_level level);
void stopper_turn(struct stopper *s);
int stopper_fd(const struct stopper *s);
int stopper_wait_ms(const struct stopper *s);
void stopper_done(struct stopper *s);

#endif
