/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of before: see inherit.h. */
#include "daemon/inherit.h"

#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/files.h"
#include "daemon/custody.h"

/* Sockets and pods' descriptors that systemd hands over; without it we listen by ourselves. */
int inherit_all(struct api *api, struct pods *pods, struct err *err)
{
	char **names = NULL;
	bool listening = false;
	int n = sd_listen_fds_with_names(1, &names);
	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		bool admin = !strcmp(names[i], "admin");
		(void)fd_set_cloexec(fd, 1, NULL);
		if (admin || !strcmp(names[i], "status")) {
			api_listen(api, fd, admin);
			listening = true;
		} else {
			const char *name = names[i];
			custody_adopt(pods, &name, &fd, 1);
		}
		free(names[i]);
	}
	free(names);
	custody_retake_all(pods); /* of what systemd had not */
	return listening ? 0 : api_listen_default(api, err);
}
