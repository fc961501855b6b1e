/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, one file each: host_<command>.c. */
#ifndef HOST_COMMANDS_H
#define HOST_COMMANDS_H

#include "host/host.h"

int host_check(const struct host *h, int argc, char **argv);
int host_services(const struct host *h, int argc, char **argv);
int host_network(const struct host *h, int argc, char **argv);
int host_efi(const struct host *h, int argc, char **argv);

#endif
