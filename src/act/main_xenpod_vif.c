/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenpod-vif: the hotplug script of our vifs. libxl starts it, also from a foreign `xl destroy`, and
 * the back end waits for its word (xen-pitfalls 52; Linux, xen-netback/xenbus.c, hotplug-status).
 * There is nothing to do: xenpod-act moves and ties the vif, and what is in the pod's namespace goes
 * with it. So no script of the host is run and nothing is looked for that could be missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"

static int say_connected(const char *backend)
{
	_cleanup_free_ char *path = xasprintf("%s/hotplug-status", backend);
	struct xs_handle *xs = xs_open(0);
	bool ok = xs && xs_write(xs, XBT_NULL, path, "connected", strlen("connected"));
	if (!ok)
		log_err("cannot write %s", path);
	xs_close(xs);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *backend = getenv("XENBUS_PATH");
	log_set_prefix("xenpod-vif");
	if (argc > 1 && !strcmp(argv[1], "--help")) {
		puts("xenpod-vif is started by libxl as the hotplug script of pods' vifs, not by "
		     "hand.\n"
		     "It says that the vif is connected; xenpod-act does the rest.");
		return 0;
	}
	if (argc < 2 || !backend || !strstr(backend, "backend/vif/")) {
		log_err("it is started by libxl (see --help)");
		return XENPOD_EXIT_FAILURE;
	}
	/* remove, offline: nothing of ours to undo */
	bool coming = !strcmp(argv[1], "online") || !strcmp(argv[1], "add");
	return coming ? say_connected(backend) : 0;
}
