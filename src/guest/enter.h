/* SPDX-License-Identifier: Apache-2.0 */
/* Commands entered into an app's root (contract 1.5); the session kind itself is in session.h. */
#ifndef GUEST_ENTER_H
#define GUEST_ENTER_H

/* The pod ends: all entered commands, and what they left running, are killed. */
void enter_kill_all(void);

#endif
