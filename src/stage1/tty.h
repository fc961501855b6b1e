/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's terminal while `enter` or `run` has it: raw, and as it was on every way out. */
#ifndef STAGE1_TTY_H
#define STAGE1_TTY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Is there one for a session: stdin and stdout both are terminals. */
bool tty_present(void);

/* Keys go to the guest, which does echo, lines and ^C. Undone by tty_restore and at exit(3). */
int tty_raw(struct err *err);
bool tty_is_raw(void);
/* Harmless when not raw. In the background it leaves the terminal to who has it now. */
void tty_restore(void);

/* SIGTSTP came from outside: stops this process with the terminal as it was; returns when it is
 * continued, raw again if it was. */
void tty_stop(void);
/* SIGCONT came: somebody may have changed the terminal meanwhile. Harmless when not raw. */
void tty_continue(void);

void tty_size(uint16_t *ret_rows, uint16_t *ret_cols);

#endif
