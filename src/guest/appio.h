/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An app's standard streams as its spec wants them: pipes, /dev/null, or one pseudo-terminal for
 * all three. What happens to output that nobody reads is unread.h's.
 */
#ifndef GUEST_APPIO_H
#define GUEST_APPIO_H

#include <stdbool.h>

#include "base/err.h"

struct app;

/* The app's ends, to be closed here once its programs have them; ours go to app->in, app->out. */
struct app_stdio {
	int fd[3];
};
#define APP_STDIO_NONE ((struct app_stdio){{-1, -1, -1}})

/* On failure what was made is in `stdio` and in the app, for their owners to close. */
int app_stdio_make(struct app *app, struct app_stdio *stdio, struct err *err);
void app_stdio_close(struct app_stdio *stdio);

/* Does stdout (0) or stderr (1) ever carry bytes? A terminal's output is all stdout. */
bool app_has_output(const struct app *app, unsigned k);
bool app_has_stdin(const struct app *app);

#endif
