/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines to the domain's console, "xenpod-init: ..."; a stuck console loses lines, not time. */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

/* Opens /dev/console and makes it the log's sink. Without one, lines are dropped. */
void console_init(void);

#endif
